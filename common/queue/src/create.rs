//! How a queue file comes into being.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use nix::fcntl::{AT_FDCWD, AtFlags, RenameFlags, renameat2};
use nix::unistd::linkat;
use pf_record::ArrivalTime;

use crate::queue::{retry_with_parents, set_path_time};
use crate::{Queue, QueueId, QueueName, mode};

/// A queue file that is being written. Dropped without [`NewFile::commit`], it is removed.
#[derive(Debug)]
pub struct NewFile {
    queue: Queue,
    name: QueueName,
    id: QueueId,
    path: PathBuf,
    file: Option<File>,
    arrival: ArrivalTime,
    extra_mode: u32,
}

/// Clashes that are met in good faith end long before.
const TRIES: u32 = 1000;

impl Queue {
    /// Makes an empty queue file with a name that no other has. `extra_mode` is added to 0600, now and at the commit.
    ///
    /// # Errors
    /// The file system refuses: no space, no permission. Postfix waits and tries again; here the caller decides.
    pub fn create(&self, name: QueueName, extra_mode: u32) -> io::Result<NewFile> {
        if self.learnt.nameless.load(Ordering::Relaxed) {
            match self.create_nameless(name, extra_mode) {
                Ok(file) => return Ok(file),
                // Not every file system has such files, and not every kernel names them in a chroot. Any other trouble comes
                // again, and is told.
                Err(_) => self.learnt.nameless.store(false, Ordering::Relaxed),
            }
        }
        let (temporary, file) = self.create_temporary(name, extra_mode)?;
        let created = self.give_name(name, file, extra_mode, |_, path| {
            rename_to_new(&temporary, path)
        });
        if created.is_err() {
            // The first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        created
    }

    /// Makes a file that has no name before it gets its queue id: nobody waits for the queue's directory while the file system looks
    /// for an inode, and nothing is left behind when this process dies.
    fn create_nameless(&self, name: QueueName, extra_mode: u32) -> io::Result<NewFile> {
        let open = |directory: &Path| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(libc::O_TMPFILE)
                .mode(mode::WRITING | extra_mode)
                .open(directory)
        };
        let elsewhere = match name {
            QueueName::Incoming => self.learnt.nursery.next(self),
            _ => None,
        };
        let file = match elsewhere.map(open) {
            Some(Ok(file)) => file,
            _ => open(&self.directory(name))?,
        };
        self.give_name(name, file, extra_mode, link)
    }

    fn create_temporary(&self, name: QueueName, extra_mode: u32) -> io::Result<(PathBuf, File)> {
        let mut tries = 0;
        loop {
            let now = ArrivalTime::from(SystemTime::now());
            let path = self.below(&format!(
                "{}/{}.{}",
                name.as_str(),
                now.micros,
                std::process::id()
            ));
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(mode::WRITING | extra_mode)
                .open(&path);
            match opened {
                Ok(file) => return Ok((path, file)),
                Err(err)
                    if tries < TRIES
                        && matches!(
                            err.kind(),
                            ErrorKind::AlreadyExists | ErrorKind::IsADirectory
                        ) =>
                {
                    tries += 1;
                }
                Err(err) => return Err(err),
            }
        }
    }

    /// Names a new file by what no other has: the time and its inode.
    fn give_name(
        &self,
        name: QueueName,
        file: File,
        extra_mode: u32,
        call: impl Fn(&File, &Path) -> io::Result<()>,
    ) -> io::Result<NewFile> {
        let inode = file.metadata()?.ino();
        let mut tries = 0;
        loop {
            let now = ArrivalTime::from(SystemTime::now());
            let id = if self.settings.long_ids {
                QueueId::long(now, inode)
            } else {
                QueueId::short(now, inode)
            };
            let path = self.path(name, &id);
            match retry_with_parents(&path, || call(&file, &path)) {
                Ok(()) => {
                    return Ok(NewFile {
                        queue: self.clone(),
                        name,
                        id,
                        path,
                        file: Some(file),
                        arrival: now,
                        extra_mode,
                    });
                }
                Err(err)
                    if tries < TRIES
                        && matches!(
                            err.kind(),
                            ErrorKind::AlreadyExists
                                | ErrorKind::IsADirectory
                                | ErrorKind::PermissionDenied
                        ) =>
                {
                    tries += 1;
                }
                Err(err) => return Err(err),
            }
        }
    }
}

/// Names a nameless file, by itself where the kernel allows that to everyone, else by way of `/proc`.
fn link(file: &File, path: &Path) -> io::Result<()> {
    match linkat(file, "", AT_FDCWD, path, AtFlags::AT_EMPTY_PATH) {
        Err(nix::Error::ENOENT | nix::Error::EPERM | nix::Error::EINVAL) => {
            let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
            linkat(
                AT_FDCWD,
                descriptor.as_str(),
                AT_FDCWD,
                path,
                AtFlags::AT_SYMLINK_FOLLOW,
            )?;
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Renames, and never over another file.
fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlags::RENAME_NOREPLACE) {
        Ok(()) => Ok(()),
        // The file system does not know how; the inode in the name makes a clash next to impossible.
        Err(nix::Error::EINVAL | nix::Error::ENOSYS | nix::Error::EPERM) => fs::rename(from, to),
        Err(err) => Err(err.into()),
    }
}

impl NewFile {
    /// The message's id.
    pub fn id(&self) -> &QueueId {
        &self.id
    }

    /// The queue that the file is in.
    pub fn name(&self) -> QueueName {
        self.name
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The moment that is in the id.
    pub fn arrival(&self) -> ArrivalTime {
        self.arrival
    }

    /// The file, open to read and write; not buffered.
    ///
    /// # Errors
    /// None; the file is there until the commit.
    pub fn file(&self) -> io::Result<&File> {
        self.file
            .as_ref()
            .ok_or_else(|| io::Error::from(ErrorKind::NotFound))
    }

    /// Moves the file to another queue before it is committed.
    ///
    /// # Errors
    /// As [`Queue::rename`].
    pub fn move_to(&mut self, name: QueueName) -> io::Result<()> {
        self.queue.rename(&self.id, self.name, name)?;
        self.name = name;
        self.path = self.queue.path(name, &self.id);
        Ok(())
    }

    /// Makes the message durable and marks it complete, in this order of effect: after a crash the file is there, whole and
    /// marked, or it is not marked, or (between the two) its records show that it is not whole.
    /// On Linux file systems the one fsync of the file also makes its directory entry durable.
    ///
    /// `delay`: do not deliver before this much time has passed.
    ///
    /// # Errors
    /// Any step failed; the file is removed.
    pub fn commit(mut self, delay: Option<Duration>) -> io::Result<QueueId> {
        let Some(file) = self.file.take() else {
            return Err(ErrorKind::NotFound.into());
        };
        match self.finish(&file, delay) {
            Ok(()) => Ok(self.id.clone()),
            Err(err) => {
                self.file = Some(file);
                Err(err)
            }
        }
    }

    fn finish(&self, file: &File, delay: Option<Duration>) -> io::Result<()> {
        if let Some(delay) = delay {
            let when = SystemTime::now() + delay;
            file.set_times(fs::FileTimes::new().set_accessed(when).set_modified(when))?;
        }
        file.set_permissions(fs::Permissions::from_mode(mode::READY | self.extra_mode))?;
        file.sync_all()?;
        if self.name == QueueName::Incoming && delay.is_none() {
            self.check_clock(file)?;
        }
        Ok(())
    }

    /// A file system clock that is ahead of ours would delay mail: the queue manager waits for a file's time to come.
    fn check_clock(&self, file: &File) -> io::Result<()> {
        if self.queue.learnt.clock_checked.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = ArrivalTime::from(SystemTime::now()).seconds;
        let ahead = file.metadata()?.mtime() - now;
        if ahead > 0 {
            pf_log::warning!("file system clock is {ahead} seconds ahead of local clock");
            pf_log::warning!("resetting file time stamps - this hurts performance");
            return set_path_time(&self.path, SystemTime::now());
        }
        if ahead < -100 {
            pf_log::warning!("file system clock is {} seconds behind local clock", -ahead);
        }
        self.queue
            .learnt
            .clock_checked
            .store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.is_some() {
            // Nobody was promised anything; the queue manager ignores files of this mode, and postsuper removes old ones.
            let _ = fs::remove_file(&self.path);
        }
    }
}
