//! Replacing a configuration file as a whole: written beside it under a lock, then renamed over it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use nix::fcntl::{Flock, FlockArg};
use pf_config::system::reason;

/// What is put after the name of the file while its successor is written.
const SUFFIX: &str = ".tmp";

/// The successor of a file; dropped without [`commit`](Self::commit), it changes nothing.
pub struct Replacement {
    path: PathBuf,
    temporary: PathBuf,
    file: Option<Flock<File>>,
}

impl Replacement {
    /// Begins to replace the file at `path`, once nobody else does.
    ///
    /// # Errors
    /// The temporary file cannot be made.
    pub fn begin(path: &Path) -> anyhow::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(SUFFIX);
        let temporary = PathBuf::from(name);
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(nix::libc::O_NOFOLLOW)
                .open(&temporary)
                .map_err(|err| anyhow!("open {}: {}", temporary.display(), reason(&err)))?;
            let file = Flock::lock(file, FlockArg::LockExclusive).map_err(|(_, err)| {
                anyhow!("lock {}: {}", temporary.display(), reason(&err.into()))
            })?;
            let opened = file.metadata().context("fstat")?;
            // Whoever had the lock before may have renamed the file in the meantime.
            let Ok(named) = std::fs::symlink_metadata(&temporary) else {
                continue;
            };
            if (opened.dev(), opened.ino()) != (named.dev(), named.ino()) {
                continue;
            }
            if !named.is_file()
                || named.len() > 0
                || named.nlink() > 1
                || named.mode() & 0o7777 != 0o600
            {
                // Left behind by a crash.
                std::fs::remove_file(&temporary)
                    .or_else(|err| match err.kind() {
                        io::ErrorKind::NotFound => Ok(()),
                        _ => Err(err),
                    })
                    .map_err(|err| anyhow!("unlink {}: {}", temporary.display(), reason(&err)))?;
                continue;
            }
            return Ok(Self {
                path: path.to_owned(),
                temporary,
                file: Some(file),
            });
        }
    }

    /// The present content of the file.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn current(&self) -> anyhow::Result<Vec<u8>> {
        let mut text = Vec::new();
        File::open(&self.path)
            .map_err(|err| anyhow!("open {} for reading: {}", self.path.display(), reason(&err)))?
            .read_to_end(&mut text)
            .map_err(|err| anyhow!("read {}: {}", self.path.display(), reason(&err)))?;
        Ok(text)
    }

    /// Puts the new content in place, durably.
    ///
    /// # Errors
    /// It cannot be written; the file is as before.
    pub fn commit(mut self, text: &[u8]) -> anyhow::Result<()> {
        let failed =
            |err: io::Error| anyhow!("close {}: {}", self.temporary.display(), reason(&err));
        if let Some(file) = self.file.as_mut() {
            file.write_all(text).map_err(failed)?;
            file.set_permissions(Permissions::from_mode(0o644))
                .map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        std::fs::rename(&self.temporary, &self.path).map_err(failed)?;
        self.file = None;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Nothing was committed; a file left behind is taken over by the next edit.
            let _left = std::fs::remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_commit_changes_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("main.cf");
        std::fs::write(&path, "a = b\n").unwrap();
        std::fs::write(dir.path().join("main.cf.tmp"), "left by a crash").unwrap();
        drop(Replacement::begin(&path).unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"a = b\n");
        assert!(!dir.path().join("main.cf.tmp").exists());
        let new = Replacement::begin(&path).unwrap();
        assert_eq!(new.current().unwrap(), b"a = b\n");
        new.commit(b"a = c\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"a = c\n");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
        assert!(!dir.path().join("main.cf.tmp").exists());
    }
}
