//! What both ways of naming messages share: the queues, the counts, and single changes of files.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use nix::sys::signal::Signal;
use pf_cli::Progress;
use pf_log::{info, warning};
use pf_queue::{Queue, QueueName, mode};
use pf_sys::error::text;
use pf_sys::interrupt::Interrupts;

use crate::chosen::Choice;

/// Queues of messages, in the order in which mail passes through them.
pub const MESSAGES: [QueueName; 5] = [
    QueueName::Maildrop,
    QueueName::Incoming,
    QueueName::Active,
    QueueName::Deferred,
    QueueName::Hold,
];

/// Queues of files about messages, under the messages' ids.
pub const LOGS: [QueueName; 3] = [QueueName::Trace, QueueName::Bounce, QueueName::Defer];

/// What is done to mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `-d`: it is removed, with its logs.
    Delete,
    /// `-e`: it is returned at its next delivery attempt.
    Expire,
    /// `-f`: as `-e`, and it is taken off hold.
    ExpireRelease,
    /// `-h`: it is not delivered until it is released.
    Hold,
    /// `-H`: it is taken off hold.
    Release,
    /// `-r`: pickup takes it in again, with addresses rewritten anew.
    Requeue,
}

impl Operation {
    /// The operation of an option letter.
    pub fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'd' => Self::Delete,
            'e' => Self::Expire,
            'f' => Self::ExpireRelease,
            'h' => Self::Hold,
            'H' => Self::Release,
            'r' => Self::Requeue,
            _ => return None,
        })
    }

    /// What a message is when it is done.
    pub fn done(self) -> &'static str {
        match self {
            Self::Delete => "removed",
            Self::Expire | Self::ExpireRelease => "expired",
            Self::Hold => "placed on hold",
            Self::Release => "released from hold",
            Self::Requeue => "requeued",
        }
    }

    /// Whether it marks mail as expired.
    pub fn expires(self) -> bool {
        matches!(self, Self::Expire | Self::ExpireRelease)
    }

    /// Whether it takes mail off hold.
    pub fn releases(self) -> bool {
        matches!(self, Self::Release | Self::ExpireRelease)
    }
}

/// How many messages were changed in which way.
#[derive(Debug, Default)]
pub struct Counts {
    pub deleted: usize,
    pub requeued: usize,
    pub expired: usize,
    pub held: usize,
    pub released: usize,
    /// Files that have got a name with their own inode number.
    pub renamed: usize,
    /// Files met whose name has the inode number of another file.
    pub mismatched: usize,
    /// Files met in a wrong subdirectory.
    pub misplaced: usize,
}

impl Counts {
    /// Whether a run that ends now leaves files on their way to their names and places.
    pub fn left_undone(&self) -> bool {
        self.renamed > 0 || self.mismatched > 0 || self.misplaced > 0
    }
}

/// One run of the command.
#[derive(Debug)]
pub struct Work {
    pub queue: Queue,
    /// The queues that the operands name, or all.
    pub queues: Vec<Asked>,
    /// `enable_long_queue_ids`.
    pub long_ids: bool,
    pub counts: Counts,
    pub interrupts: Interrupts,
    /// What messages must be like, if that was said.
    pub choice: Option<Choice>,
    /// Told while whole queues are worked on.
    pub progress: Option<Progress>,
}

/// A queue that was asked for. That there is none of this name is an error when its turn comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Queue(QueueName),
    Unknown(String),
}

impl Asked {
    /// The queue.
    ///
    /// # Errors
    /// There is none of this name.
    pub fn queue(&self) -> Result<QueueName> {
        match self {
            Asked::Queue(name) => Ok(*name),
            Asked::Unknown(name) => {
                let bad = anyhow!("invalid directory name: {name}");
                let known = MESSAGES.iter().chain(&LOGS).map(|queue| queue.as_str());
                Err(pf_cli::meant(
                    bad,
                    name,
                    known.chain([QueueName::Flush.as_str()]),
                ))
            }
        }
    }
}

/// A signal that ended the work between two files.
#[derive(Debug, thiserror::Error)]
#[error("interrupted by {0}")]
pub struct Interrupted(pub Signal);

impl Work {
    /// Between two files the work may be interrupted.
    ///
    /// # Errors
    /// It is.
    pub fn goes_on(&self) -> Result<()> {
        match self.interrupts.pending()? {
            Some(signal) => Err(Interrupted(signal).into()),
            None => Ok(()),
        }
    }
}

/// Whether a message in this state is one this system has taken responsibility for.
pub fn is_ready(status: &fs::Metadata) -> bool {
    status.is_file() && mode::is_ready(status.mode())
}

/// Removes a file; `false`: somebody else did.
///
/// # Errors
/// It cannot be removed.
pub fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
        Err(err) => Err(anyhow!("remove file {}: {}", path.display(), text(&err))),
    }
}

/// Moves a file, to a subdirectory that may have to be made; `false`: it is gone.
///
/// # Errors
/// It cannot be moved.
pub fn rename(old: &Path, new: &Path) -> Result<bool> {
    let moved = match fs::rename(old, new) {
        Err(err) if err.kind() == ErrorKind::NotFound => {
            make_parents(new).and_then(|()| fs::rename(old, new))
        }
        other => other,
    };
    match moved {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
        Err(err) => Err(anyhow!(
            "rename file {} as {}: {}",
            old.display(),
            new.display(),
            text(&err)
        )),
    }
}

fn make_parents(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(parent)
}

/// Marks a message as expired; `false`: it was already, or is not complete, or is gone.
pub fn expire(path: &Path) -> bool {
    match try_expire(path) {
        Ok(done) => done,
        Err(err) if err.kind() == ErrorKind::NotFound => false,
        Err(err) => {
            warning!("expire file {}: {}", path.display(), text(&err));
            false
        }
    }
}

fn try_expire(path: &Path) -> io::Result<bool> {
    // The mark is set on the open file, which no link can lead out of the queue.
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(nofollow())
        .open(path)?;
    let status = file.metadata()?;
    if !is_ready(&status) || status.mode() & mode::EXPIRE != 0 {
        return Ok(false);
    }
    file.set_permissions(Permissions::from_mode(
        (status.mode() | mode::EXPIRE) & 0o7777,
    ))?;
    Ok(true)
}

/// Links are not followed, and a FIFO does not block.
fn nofollow() -> i32 {
    libc::O_NOFOLLOW | libc::O_NONBLOCK
}

impl Work {
    /// Logs what was done.
    pub fn report(&self, operations: &[Operation]) {
        let counts = &self.counts;
        let any = |wanted: &dyn Fn(Operation) -> bool| operations.iter().any(|one| wanted(*one));
        let lines = [
            (
                any(&|one| one == Operation::Requeue),
                "Requeued",
                counts.requeued,
            ),
            (
                any(&|one| one == Operation::Delete),
                "Deleted",
                counts.deleted,
            ),
            (any(&Operation::expires), "Force-expired", counts.expired),
            (
                any(&|one| one == Operation::Hold),
                "Placed on hold",
                counts.held,
            ),
            (
                any(&Operation::releases),
                "Released from hold",
                counts.released,
            ),
            (
                counts.renamed > 0,
                "Renamed to match inode number",
                counts.renamed,
            ),
        ];
        for (shown, what, count) in lines {
            if shown {
                let plural = if count == 1 { "" } else { "s" };
                info!("{what}: {count} message{plural}");
            }
        }
        if counts.mismatched > 0 || counts.renamed > 0 {
            warning!("QUEUE FILE NAMES WERE CHANGED TO MATCH INODE NUMBERS");
        }
    }
}

/// A path with `#FIX` at its end: a file on its way to its new name.
pub fn with_suffix(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(SUFFIX);
    path.into()
}

/// What a file's name ends in between the two steps of its renaming.
pub const SUFFIX: &str = "#FIX";
