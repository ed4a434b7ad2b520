//! Locking a mailbox that others use too: with patience, and with a lock file beside it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::lock::{Mode, Style, lock};

/// How long one tries to lock a mailbox.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// `deliver_lock_attempts`.
    pub attempts: i64,
    /// `deliver_lock_delay`.
    pub delay: Duration,
    /// `stale_lock_time`: an older lock file is removed.
    pub stale: Duration,
}

impl Patience {
    /// Waits before the next attempt: about `deliver_lock_delay`, by chance, so that two that wait do not collide for ever.
    fn pause(&self) {
        let chance = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(500, |now| now.subsec_micros() % 1000);
        std::thread::sleep(self.delay * 3 / 4 + self.delay * chance / 2000);
    }

    /// Takes the kernel's lock of this style, for nobody else to read or write.
    ///
    /// # Errors
    /// As [`lock`]; `EAGAIN` when somebody else keeps it.
    pub fn lock(&self, file: &File, style: Style) -> io::Result<()> {
        let mut attempt = 1;
        while !lock(file, style, Mode::Exclusive, false)? {
            if attempt >= self.attempts {
                return Err(io::Error::from_raw_os_error(libc::EAGAIN));
            }
            attempt += 1;
            self.pause();
        }
        Ok(())
    }

    /// Makes the lock file of a mailbox.
    ///
    /// # Errors
    /// Somebody else keeps it, or it cannot be made or removed.
    pub fn dot_lock(&self, mailbox: &Path) -> io::Result<DotLock> {
        let path = DotLock::path_for(mailbox);
        let mut attempt = 1;
        loop {
            let made = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o000)
                .open(&path);
            let err = match made {
                Ok(_) => return Ok(DotLock(path)),
                Err(err) => err,
            };
            if err.kind() != ErrorKind::AlreadyExists || attempt >= self.attempts {
                return Err(err);
            }
            self.break_stale(&path)?;
            attempt += 1;
            self.pause();
        }
    }

    /// Removes a lock file whose owner seems to be gone.
    fn break_stale(&self, path: &Path) -> io::Result<()> {
        let Ok(status) = fs::metadata(path) else {
            return Ok(());
        };
        let now = crate::time::seconds(SystemTime::now());
        let stale = i64::try_from(self.stale.as_secs()).unwrap_or(i64::MAX);
        if now <= status.ctime().saturating_add(stale) {
            return Ok(());
        }
        match fs::remove_file(path) {
            Err(err) if err.kind() != ErrorKind::NotFound => Err(err),
            _ => Ok(()),
        }
    }
}

/// A lock file beside a mailbox, removed when dropped: drop it with the rights with which it was made.
#[derive(Debug)]
pub struct DotLock(PathBuf);

impl DotLock {
    /// The lock file of a mailbox.
    pub fn path_for(mailbox: &Path) -> PathBuf {
        let mut path = mailbox.as_os_str().to_owned();
        path.push(".lock");
        path.into()
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
    fn one_at_a_time_and_not_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let mailbox = dir.path().join("box");
        let mut patience = Patience {
            attempts: 2,
            delay: Duration::from_millis(5),
            stale: Duration::from_secs(500),
        };
        let first = patience.dot_lock(&mailbox).unwrap();
        let second = patience.dot_lock(&mailbox).unwrap_err();
        assert_eq!(second.kind(), ErrorKind::AlreadyExists);
        // A moment later the first one counts as left behind.
        patience.stale = Duration::ZERO;
        patience.attempts = 3;
        patience.delay = Duration::from_millis(1200);
        let broken = patience.dot_lock(&mailbox).unwrap();
        drop(broken);
        drop(first);
        assert!(!DotLock::path_for(&mailbox).exists());
    }
}
