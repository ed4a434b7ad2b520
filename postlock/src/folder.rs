//! Opening and locking a mail folder.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_sys::error::text;
use pf_sys::lock::Style;
use pf_sys::mailbox_lock::{DotLock, Patience};

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
        Some(patience.dot_lock(path).map_err(|err| {
            format!(
                "unable to create lock file {}: {}",
                DotLock::path_for(path).display(),
                text(&err)
            )
        })?)
    } else {
        None
    };
    let file = pf_sys::safe_open::append(path, 0o600)?;
    if regular {
        for style in [Style::Flock, Style::Fcntl] {
            if styles.has(style) {
                patience.lock(&file, style).map_err(|err| {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_second_lock_waits_and_gives_up() {
        let dir = std::env::temp_dir().join(format!("pf-postlock-{}", std::process::id()));
        fs::create_dir(&dir).unwrap();
        let folder = dir.join("folder");
        let styles = Styles::parse("flock, DOTLOCK").unwrap();
        let patience = Patience {
            attempts: 2,
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
