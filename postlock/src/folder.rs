//! Opening and locking a mail folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use pf_sys::error::text;
use pf_sys::lock::{Mode, Style};

/// Which locks are taken (`mailbox_delivery_lock`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Styles(Vec<Style>);

impl Styles {
    /// Reads a list of names.
    ///
    /// # Errors
    /// The first word that is none.
    pub fn parse(list: &str) -> Result<Self, String> {
        pf_text::split::list(list)
            .map(|word| match word.to_ascii_lowercase().as_str() {
                "flock" => Ok(Style::Flock),
                "fcntl" => Ok(Style::Fcntl),
                "dotlock" => Ok(Style::DotLock),
                _ => Err(word.to_owned()),
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn has(&self, style: Style) -> bool {
        self.0.contains(&style)
    }
}

/// How long one tries.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// `deliver_lock_attempts`.
    pub tries: i64,
    /// `deliver_lock_delay`.
    pub delay: Duration,
    /// `stale_lock_time`: an older lock file is removed.
    pub stale: Duration,
}

/// A locked folder; dropping it gives the locks up.
#[derive(Debug)]
pub struct Locked {
    _file: File,
    _dot: Option<DotLock>,
}

/// Locks a folder, which is made if it is not there.
///
/// # Errors
/// Somebody else keeps it locked, or it is nothing one could deliver to; in Postfix's words.
pub fn lock(path: &Path, styles: &Styles, patience: &Patience) -> Result<Locked, String> {
    let regular = fs::metadata(path).map_or(true, |status| status.is_file());
    let dot = if styles.has(Style::DotLock) && regular {
        Some(DotLock::take(path, patience)?)
    } else {
        None
    };
    let file = pf_sys::safe_open::append(path, 0o600)?;
    if regular {
        for style in [Style::Flock, Style::Fcntl] {
            if styles.has(style) {
                kernel_lock(&file, style, patience).map_err(|err| {
                    format!("unable to lock for exclusive access: {}", text(&err))
                })?;
            }
        }
        // Some programs lock a mailbox by replacing it.
        if file.metadata().map_or(0, |status| status.nlink()) != 1 {
            pf_log::warning!("{}: file status changed unexpectedly", path.display());
            return Err("target file status changed unexpectedly".into());
        }
    }
    Ok(Locked {
        _file: file,
        _dot: dot,
    })
}

fn kernel_lock(file: &File, style: Style, patience: &Patience) -> io::Result<()> {
    for count in 1.. {
        if pf_sys::lock::lock(file, style, Mode::Exclusive, false)? {
            break;
        }
        if count >= patience.tries {
            return Err(io::Error::from_raw_os_error(11));
        }
        std::thread::sleep(patience.delay);
    }
    Ok(())
}

/// The file `folder.lock`.
#[derive(Debug)]
struct DotLock(PathBuf);

impl DotLock {
    fn take(folder: &Path, patience: &Patience) -> Result<Self, String> {
        let mut path = folder.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut count = 1;
        loop {
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o000)
                .open(&path);
            let err = match made {
                Ok(_) => return Ok(Self(path)),
                Err(err) => err,
            };
            if count >= patience.tries
                || err.kind() != ErrorKind::AlreadyExists
                || !break_stale(&path, patience.stale)
            {
                return Err(format!(
                    "unable to create lock file {}: {}",
                    path.display(),
                    text(&err)
                ));
            }
            count += 1;
            std::thread::sleep(patience.delay);
        }
    }
}

/// Removes a lock file that is too old to be anybody's; false when it cannot be removed.
fn break_stale(path: &Path, stale: Duration) -> bool {
    let Ok(status) = fs::symlink_metadata(path) else {
        return true;
    };
    let now = pf_sys::time::seconds(SystemTime::now());
    let limit = i64::try_from(stale.as_secs()).unwrap_or(i64::MAX);
    if now <= status.ctime().saturating_add(limit) {
        return true;
    }
    match fs::remove_file(path) {
        Err(err) => err.kind() == ErrorKind::NotFound,
        Ok(()) => true,
    }
}

impl Drop for DotLock {
    fn drop(&mut self) {
        // Whoever comes next removes it when it is stale.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_waits_and_gives_up() {
        let dir = std::env::temp_dir().join(format!("pf-postlock-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let folder = dir.join("folder");
        let styles = Styles::parse("flock, DOTLOCK").unwrap();
        let patience = Patience {
            tries: 2,
            delay: Duration::from_millis(5),
            stale: Duration::from_secs(500),
        };
        let locked = lock(&folder, &styles, &patience).unwrap();
        assert_eq!(
            lock(&folder, &styles, &patience).unwrap_err(),
            format!(
                "unable to create lock file {}.lock: File exists",
                folder.display()
            )
        );
        let kernel = Styles::parse("flock").unwrap();
        assert_eq!(
            lock(&folder, &kernel, &patience).unwrap_err(),
            "unable to lock for exclusive access: Resource temporarily unavailable"
        );
        drop(locked);
        lock(&folder, &styles, &patience).unwrap();
        assert_eq!(Styles::parse("flock bogus").unwrap_err(), "bogus");
        fs::remove_dir_all(&dir).unwrap();
    }
}
