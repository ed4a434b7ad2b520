//! A mailbox file that others use too: opened with suspicion, locked in every way that was asked for, and cut back to its old
//! length when a delivery fails.
//!
//! These calls wait for locks: they are for processes that serve one client at a time.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek as _, SeekFrom};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use pf_config::{Config, Param, param, system::reason};
use pf_dsn::{Dsn, Status};
use pf_log::warning;
use pf_sys::lock::Style;
use pf_sys::mailbox_lock::{DotLock, Patience};

use crate::Job;
use crate::copy::{Envelope, Failure, Form, copy, mailbox_dsn, write_failure};

/// Which locks are taken, and how long to wait for them.
#[derive(Debug, Clone, Copy)]
pub struct Locks {
    /// flock(2).
    pub flock: bool,
    /// fcntl(2).
    pub fcntl: bool,
    /// A file `mailbox.lock`.
    pub dotlock: bool,
    patience: Patience,
}

impl Locks {
    /// The locks that the parameter `list` names.
    ///
    /// # Errors
    /// A parameter has a bad value, or names no lock that this system has.
    pub fn from_config(config: &Config, list: Param<String>) -> anyhow::Result<Self> {
        let mut locks = Self {
            flock: false,
            fcntl: false,
            dotlock: false,
            patience: Patience {
                attempts: config.get(param::DELIVER_LOCK_ATTEMPTS)?,
                delay: config.get(param::DELIVER_LOCK_DELAY)?,
                stale: config.get(param::STALE_LOCK_TIME)?,
            },
        };
        let value = config.get(list)?;
        for word in pf_text::split::list(&value) {
            match word.to_ascii_lowercase().as_str() {
                "flock" => locks.flock = true,
                "fcntl" => locks.fcntl = true,
                "dotlock" => locks.dotlock = true,
                // By this name in every program.
                _ => anyhow::bail!("unknown mailbox_delivery_lock value \"{word}\" in \"{value}\""),
            }
        }
        anyhow::ensure!(
            locks.flock || locks.fcntl || locks.dotlock,
            "parameter {} specifies no applicable mailbox locking method",
            list.name()
        );
        Ok(locks)
    }

    /// Takes the kernel's locks.
    fn take(&self, file: &File) -> io::Result<()> {
        let styles = [(self.flock, Style::Flock), (self.fcntl, Style::Fcntl)];
        for (_, style) in styles.into_iter().filter(|(wanted, _)| *wanted) {
            self.patience.lock(file, style)?;
        }
        Ok(())
    }
}

/// An open and locked mailbox, or another kind of file that was named as one.
#[derive(Debug)]
pub struct Mailbox {
    file: File,
    status: Metadata,
    _dotlock: Option<DotLock>,
}

/// How a mailbox is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// The locks to take.
    pub locks: Locks,
    /// A new file is given to this user and group.
    pub owner: Option<(u32, u32)>,
    /// That no lock file can be made in this directory is no reason to give up.
    pub dotlock_may_fail: bool,
    /// The code for errors that have none of their own.
    pub default_dsn: Dsn,
}

impl Mailbox {
    /// Opens or makes a mailbox, and locks it, with the rights that this process has just now.
    ///
    /// # Errors
    /// What is told of the recipient.
    pub fn open(path: &Path, how: &Opening) -> Result<Self, Box<Status>> {
        let status = |err: &io::Error, text: String| {
            Box::new(Status::new(
                mailbox_dsn(err, how.default_dsn),
                text.into_bytes(),
            ))
        };
        let mut dotlock = None;
        if how.locks.dotlock && fs::metadata(path).map_or(true, |status| status.is_file()) {
            match how.locks.patience.dot_lock(path) {
                Ok(lock) => dotlock = Some(lock),
                Err(err) => {
                    let text = format!(
                        "unable to create lock file {}: {}",
                        DotLock::path_for(path).display(),
                        reason(&err)
                    );
                    if err.kind() == ErrorKind::AlreadyExists {
                        let again = io::Error::from_raw_os_error(libc::EAGAIN);
                        return Err(status(&again, text));
                    }
                    if !how.dotlock_may_fail {
                        return Err(status(&err, text));
                    }
                    warning!("{text}");
                }
            }
        }
        let file = open_safely(path, how.owner).map_err(|(err, text)| status(&err, text))?;
        let known = file
            .metadata()
            .map_err(|err| status(&err, format!("bad open file status: {}", reason(&err))))?;
        if known.is_file() {
            how.locks.take(&file).map_err(|err| {
                let text = format!("unable to lock for exclusive access: {}", reason(&err));
                status(&err, text)
            })?;
            // A mailbox that was removed while we waited for the lock is nobody's mailbox.
            if file.metadata().map_or(true, |status| status.nlink() != 1) {
                warning!("{}: file status changed unexpectedly", path.display());
                let again = io::Error::from_raw_os_error(libc::EAGAIN);
                return Err(status(
                    &again,
                    "target file status changed unexpectedly".into(),
                ));
            }
        }
        Ok(Self {
            file,
            status: known,
            _dotlock: dotlock,
        })
    }

    /// What the file was when it was opened.
    pub fn status(&self) -> &Metadata {
        &self.status
    }

    /// Appends a message, and gives the file's length before that. When that fails, the file is as it was.
    ///
    /// # Errors
    /// As [`copy`].
    pub fn append(
        &mut self,
        job: &Job,
        form: &Form,
        envelope: &Envelope<'_>,
    ) -> Result<u64, Failure> {
        if !self.status.is_file() {
            copy(job, form, envelope, &mut BufWriter::new(&self.file))?;
            return Ok(0);
        }
        let end = self.file.seek(SeekFrom::End(0)).map_err(write_failure)?;
        let written = copy(job, form, envelope, &mut Bounded::new(&self.file))
            .and_then(|()| self.file.sync_all().map_err(write_failure));
        if let Err(failure) = written {
            let _ = self.file.set_len(end);
            return Err(failure);
        }
        Ok(end)
    }
}

/// A buffer that does not write what is left when it is dropped: a failed delivery must not come back.
struct Bounded<'a> {
    file: &'a File,
    buffer: Vec<u8>,
}

impl<'a> Bounded<'a> {
    fn new(file: &'a File) -> Self {
        Self {
            file,
            buffer: Vec::with_capacity(32 << 10),
        }
    }
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() + bytes.len() > 32 << 10 {
            self.flush()?;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let all = std::mem::take(&mut self.buffer);
        let mut file = self.file;
        file.write_all(&all)
    }
}

/// Opens an existing file that is what it seems to be, or makes a new one.
fn open_safely(path: &Path, owner: Option<(u32, u32)>) -> Result<File, (io::Error, String)> {
    let denied = |text: &str| (io::Error::from_raw_os_error(libc::EPERM), text.to_owned());
    let mut options = OpenOptions::new();
    // Without waiting: a pipe that nobody reads must not hold us.
    options.append(true).custom_flags(libc::O_NONBLOCK);
    for again in [false, true] {
        match options.open(path) {
            Ok(file) => {
                return examine(path, &file)
                    .map_err(|text| denied(&text))
                    .map(|()| file);
            }
            Err(err) if err.kind() == ErrorKind::NotFound && !again => {}
            Err(err) => {
                let text = format!("cannot open file: {}", reason(&err));
                return Err((err, text));
            }
        }
        match options.clone().create_new(true).mode(0o600).open(path) {
            Ok(file) => {
                if let Some((uid, gid)) = owner
                    && let Err(err) = std::os::unix::fs::fchown(&file, Some(uid), Some(gid))
                {
                    let text = format!("cannot change file ownership: {}", reason(&err));
                    return Err((err, text));
                }
                return Ok(file);
            }
            Err(err) if err.kind() == ErrorKind::AlreadyExists => {}
            Err(err) => {
                let text = format!("cannot create file exclusively: {}", reason(&err));
                return Err((err, text));
            }
        }
    }
    Err(denied("file is a symbolic link"))
}

/// Refuses what somebody may have put there to make us write somewhere else.
fn examine(path: &Path, file: &File) -> Result<(), String> {
    let open = file
        .metadata()
        .map_err(|err| format!("bad open file status: {}", reason(&err)))?;
    if open.is_dir() {
        return Err("file is a directory".into());
    }
    if open.nlink() != 1 {
        return Err(format!("file has {} hard links", open.nlink()));
    }
    let named = fs::symlink_metadata(path)
        .map_err(|err| format!("file status changed unexpectedly: {}", reason(&err)))?;
    if named.is_symlink() {
        let parent = path.parent().unwrap_or(Path::new("."));
        let safe = named.uid() == 0
            && fs::metadata(parent)
                .is_ok_and(|parent| parent.uid() == 0 && parent.mode() & 0o022 == 0);
        return if safe {
            Ok(())
        } else {
            Err("file is a symbolic link".into())
        };
    }
    if (open.dev(), open.ino(), open.mode()) != (named.dev(), named.ino(), named.mode()) {
        return Err("file status changed unexpectedly".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn opening() -> Opening {
        Opening {
            locks: Locks {
                flock: true,
                fcntl: true,
                dotlock: true,
                patience: Patience {
                    attempts: 2,
                    delay: Duration::from_millis(5),
                    stale: Duration::from_secs(500),
                },
            },
            owner: None,
            dotlock_may_fail: false,
            default_dsn: Dsn::new(5, 2, 0),
        }
    }

    #[test]
    fn a_locked_mailbox_is_busy() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("box");
        let first = Mailbox::open(&path, &opening()).unwrap();
        let second = Mailbox::open(&path, &opening()).unwrap_err();
        assert_eq!(second.dsn, Dsn::new(4, 2, 0));
        assert!(second.reason.ends_with(b"box.lock: File exists"));
        drop(first);
        Mailbox::open(&path, &opening()).unwrap();
        assert!(!dir.path().join("box.lock").exists());
    }

    #[test]
    fn links_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        fs::write(&one, "x").unwrap();
        fs::hard_link(&one, &two).unwrap();
        let err = Mailbox::open(&one, &opening()).unwrap_err();
        assert_eq!(err.reason, b"file has 2 hard links");
        assert_eq!(err.dsn, Dsn::new(5, 2, 0));
    }
}
