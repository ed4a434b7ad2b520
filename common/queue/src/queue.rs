//! Paths of queue files, and what is done with whole files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::SystemTime;

use pf_config::{Config, param};

use crate::nursery::Nursery;
use crate::{QueueId, QueueName, Scan};

/// How queue files are named and spread.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `queue_directory`, or `.` for a program that works there.
    pub directory: PathBuf,
    /// `hash_queue_names`: the queues with subdirectories.
    pub hash_names: Vec<String>,
    /// `hash_queue_depth`: levels of subdirectories.
    pub hash_depth: usize,
    /// `enable_long_queue_ids`.
    pub long_ids: bool,
}

/// The queue directory. Clones are cheap and may go to other threads.
#[derive(Debug, Clone)]
pub struct Queue {
    pub(crate) settings: Arc<Settings>,
    pub(crate) learnt: Arc<Learnt>,
}

/// What was found out about the queue's file system.
#[derive(Debug)]
pub(crate) struct Learnt {
    /// Whether its clock agrees with ours.
    pub(crate) clock_checked: AtomicBool,
    /// Whether it may have files that get their name after they were made.
    pub(crate) nameless: AtomicBool,
    pub(crate) nursery: Nursery,
}

/// Free space in the queue's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes of a block.
    pub block_size: u64,
    /// Blocks that an ordinary user may still fill.
    pub blocks_free: u64,
}

impl Space {
    /// Free bytes.
    pub fn bytes(self) -> u64 {
        self.block_size.saturating_mul(self.blocks_free)
    }
}

impl Queue {
    /// The queue directory as configured, for a program that works inside it (as every daemon does, chrooted or not).
    ///
    /// # Errors
    /// A parameter is malformed.
    pub fn new(config: &Config) -> Result<Self, pf_config::Error> {
        Self::in_directory(config, Path::new("."))
    }

    /// As [`new`](Self::new), for a program that does not work inside the queue directory.
    ///
    /// # Errors
    /// A parameter is malformed.
    pub fn in_directory(config: &Config, directory: &Path) -> Result<Self, pf_config::Error> {
        Ok(Self::with(Settings {
            directory: directory.to_owned(),
            hash_names: config
                .get(param::HASH_QUEUE_NAMES)?
                .split([',', ' ', '\t', '\r', '\n'])
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            hash_depth: config.count(param::HASH_QUEUE_DEPTH)?,
            long_ids: config.get(param::ENABLE_LONG_QUEUE_IDS)?,
        }))
    }

    /// A queue directory with these settings.
    pub fn with(settings: Settings) -> Self {
        Self {
            settings: Arc::new(settings),
            learnt: Arc::new(Learnt {
                clock_checked: AtomicBool::new(false),
                nameless: AtomicBool::new(true),
                nursery: Nursery::default(),
            }),
        }
    }

    /// The directory of a queue.
    pub fn directory(&self, name: QueueName) -> PathBuf {
        self.below(name.as_str())
    }

    /// A path below the queue directory; for a program that works there, relative and without a leading `./`.
    pub(crate) fn below(&self, path: &str) -> PathBuf {
        if self.settings.directory.as_os_str() == "." {
            PathBuf::from(path)
        } else {
            self.settings.directory.join(path)
        }
    }

    /// Whether a queue has subdirectories.
    pub fn is_hashed(&self, name: QueueName) -> bool {
        self.settings
            .hash_names
            .iter()
            .any(|hashed| hashed.eq_ignore_ascii_case(name.as_str()))
    }

    /// How many levels of subdirectories a queue has.
    pub fn depth(&self, name: QueueName) -> usize {
        if self.is_hashed(name) {
            self.settings.hash_depth
        } else {
            0
        }
    }

    /// Where a queue file belongs.
    pub fn path(&self, name: QueueName, id: &QueueId) -> PathBuf {
        let mut path = String::with_capacity(40);
        path.push_str(name.as_str());
        path.push('/');
        if self.is_hashed(name) {
            path.push_str(&id.subdirectories(self.settings.hash_depth));
        }
        path.push_str(id.as_str());
        self.below(&path)
    }

    /// Opens a queue file to read, or to read and edit. Symbolic links are not followed, and a FIFO does not block.
    ///
    /// # Errors
    /// As `open`.
    pub fn open(&self, name: QueueName, id: &QueueId, edit: bool) -> io::Result<File> {
        OpenOptions::new()
            .read(true)
            .write(edit)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(self.path(name, id))
    }

    /// Opens a queue file to read and append, made with mode 0600 where there is none (logs of bounce, defer and flush).
    ///
    /// # Errors
    /// As `open`.
    pub fn open_log(&self, name: QueueName, id: &QueueId) -> io::Result<File> {
        let path = self.path(name, id);
        let mut options = OpenOptions::new();
        options
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .custom_flags(libc::O_NOFOLLOW);
        retry_with_parents(&path, || options.open(&path))
    }

    /// Moves a message to another queue.
    ///
    /// # Errors
    /// As `rename`; `NotFound` when the message is not in `from`.
    pub fn rename(&self, id: &QueueId, from: QueueName, to: QueueName) -> io::Result<()> {
        let (old, new) = (self.path(from, id), self.path(to, id));
        retry_with_parents(&new, || fs::rename(&old, &new))
    }

    /// Removes a queue file.
    ///
    /// # Errors
    /// As `unlink`.
    pub fn remove(&self, name: QueueName, id: &QueueId) -> io::Result<()> {
        fs::remove_file(self.path(name, id))
    }

    /// Sets access and modification time: a message in the future is not tried before then.
    ///
    /// # Errors
    /// As `utimensat`.
    pub fn set_time(&self, name: QueueName, id: &QueueId, time: SystemTime) -> io::Result<()> {
        set_path_time(&self.path(name, id), time)
    }

    /// Sets the mode bits.
    ///
    /// # Errors
    /// As `chmod`.
    pub fn set_mode(&self, name: QueueName, id: &QueueId, mode: u32) -> io::Result<()> {
        fs::set_permissions(self.path(name, id), fs::Permissions::from_mode(mode))
    }

    /// The files of a queue and its subdirectories, in the order in which the file system has them.
    ///
    /// # Errors
    /// The queue's own directory cannot be opened.
    pub fn scan(&self, name: QueueName) -> io::Result<Scan> {
        Scan::open(self.directory(name))
    }

    /// How much space there is.
    ///
    /// # Errors
    /// As `statvfs`.
    pub fn space(&self) -> io::Result<Space> {
        let stat = nix::sys::statvfs::statvfs(&self.settings.directory)?;
        Ok(Space {
            block_size: stat.fragment_size(),
            blocks_free: stat.blocks_available(),
        })
    }
}

/// Sets access and modification time of the file of this name.
pub(crate) fn set_path_time(path: &Path, time: SystemTime) -> io::Result<()> {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let spec = nix::sys::time::TimeSpec::from_duration(since);
    nix::sys::stat::utimensat(
        nix::fcntl::AT_FDCWD,
        path,
        &spec,
        &spec,
        nix::sys::stat::UtimensatFlags::NoFollowSymlink,
    )?;
    Ok(())
}

/// Does `action`, which makes a directory entry `path`; when a subdirectory is missing, makes it and does it again.
pub(crate) fn retry_with_parents<T>(
    path: &Path,
    action: impl Fn() -> io::Result<T>,
) -> io::Result<T> {
    match action() {
        Err(err) if err.kind() == ErrorKind::NotFound => {
            let parent = path.parent().filter(|parent| !parent.exists());
            let Some(parent) = parent else {
                return Err(err);
            };
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)?;
            action()
        }
        result => result,
    }
}
