//! Whole queues: repair of their structure, and what is done to `ALL` messages.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow};
use pf_cli::Progress;
use pf_log::warning;
use pf_queue::{QueueId, QueueName};
use pf_sys::error::text;

use crate::one::applies;
use crate::parallel::{BATCH, for_each};
use crate::work::{
    LOGS, MESSAGES, Operation, SUFFIX, Work, expire, is_ready, remove, rename, with_suffix,
};

/// Incomplete files of this age belong to nobody any more.
const TEMPORARY: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Deeper trees than any configuration makes are somebody's joke.
const MAX_DEPTH: usize = 32;

/// What a walk does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Task {
    /// `-s`: each file gets the name and the place that it should have.
    pub structure: bool,
    /// `-S`: long ids get the right inode number, too.
    pub redundant: bool,
    /// `-p`: old temporary files are removed.
    pub purge: bool,
    /// What is done to each message.
    pub operation: Option<Operation>,
}

impl Work {
    /// Walks through all queues that were asked for.
    ///
    /// # Errors
    /// A queue cannot be read or changed.
    pub fn all(&mut self, task: Task) -> Result<()> {
        self.progress = Some(Progress::of("files"));
        let done = self.all_queues(task);
        self.progress = None;
        done
    }

    fn all_queues(&mut self, task: Task) -> Result<()> {
        for asked in self.queues.clone() {
            let name = asked.queue()?;
            let walk = Walk {
                name,
                task,
                messages: MESSAGES.contains(&name),
            };
            let directory = self.queue.directory(name);
            self.directory(&walk, &directory, 0)?;
        }
        Ok(())
    }

    fn step(&mut self, count: usize) {
        match &mut self.progress {
            Some(progress) if count == 1 => progress.step(),
            Some(progress) => progress.steps(count),
            None => {}
        }
    }

    fn directory(&mut self, walk: &Walk, directory: &Path, depth: usize) -> Result<()> {
        let listing = fs::read_dir(directory).map_err(|err| {
            anyhow!(
                "scan_dir_push: open directory {}: {}",
                directory.display(),
                text(&err)
            )
        })?;
        // The names are read before any is changed: a renamed file must not be met again.
        let mut names = Vec::new();
        for entry in listing {
            names.push(entry?.file_name());
        }
        if walk.task.operation == Some(Operation::Delete) {
            return self.empty_directory(walk, directory, &names, depth);
        }
        for (at, name) in names.into_iter().enumerate() {
            if at % BATCH == 0 {
                self.goes_on()?;
            }
            self.step(1);
            let path = directory.join(&name);
            let Ok(status) = fs::symlink_metadata(&path) else {
                continue;
            };
            let enters = name.len() == 1 && walk.name != QueueName::Maildrop && depth < MAX_DEPTH;
            if status.is_dir() && enters {
                self.directory(walk, &path, depth + 1)?;
                if depth >= self.queue.depth(walk.name) {
                    remove_empty(&path)?;
                }
                continue;
            }
            if status.is_dir() {
                remove_stray(&path);
                continue;
            }
            self.file(walk, path, name.as_bytes(), &status)?;
        }
        Ok(())
    }

    /// Removes what is in a directory.
    fn empty_directory(
        &mut self,
        walk: &Walk,
        directory: &Path,
        names: &[OsString],
        depth: usize,
    ) -> Result<()> {
        for batch in names.chunks(BATCH) {
            self.goes_on()?;
            let left = for_each(batch, |name| empty(directory.join(name), walk.messages));
            self.step(batch.len());
            for left in left {
                match left? {
                    Left::Nothing => {}
                    Left::Message => self.counts.deleted += 1,
                    Left::Directory(path) => {
                        let name = path.file_name().unwrap_or_default();
                        let enters = name.len() == 1
                            && walk.name != QueueName::Maildrop
                            && depth < MAX_DEPTH;
                        if !enters {
                            remove_stray(&path);
                            continue;
                        }
                        self.directory(walk, &path, depth + 1)?;
                        if depth >= self.queue.depth(walk.name) {
                            remove_empty(&path)?;
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        walk: &Walk,
        mut path: PathBuf,
        name: &[u8],
        status: &Metadata,
    ) -> Result<()> {
        let task = walk.task;
        let ready = is_ready(status);
        let left_over = task.purge && walk.messages && !ready && age(status) > TEMPORARY;
        if !status.is_file() || left_over {
            remove(&path)?;
            return Ok(());
        }
        let mut name = name;
        if task.structure
            && let Some(stem) = name
                .strip_suffix(SUFFIX.as_bytes())
                .filter(|stem| !stem.is_empty())
        {
            let Some(wanted) = self.finish_renaming(walk, &path, stem, status)? else {
                return Ok(());
            };
            (path, name) = (wanted, stem);
        }
        let Some(id) = QueueId::parse(name) else {
            warning!("bogus file name: {}", path.display());
            return Ok(());
        };
        if task.structure && walk.messages {
            let Some(inode) = id.inode() else {
                warning!("bogus file name: {}", path.display());
                return Ok(());
            };
            let long = id.is_long();
            let wrong = inode != status.ino() && (!long || task.redundant);
            if (long && !self.long_ids) || wrong {
                self.counts.mismatched += 1;
                return self.begin_renaming(walk, &path, &id, status);
            }
        }
        if walk.messages
            && let Some(operation) = task.operation
            && self.operate(operation, walk.name, &path, &id, ready)?
        {
            return Ok(());
        }
        if task.structure {
            let wanted = self.queue.path(walk.name, &id);
            if wanted != path {
                self.counts.misplaced += 1;
                rename(&path, &wanted)?;
            }
        }
        Ok(())
    }

    /// Does what is done to all messages; `true`: the file is no longer where it was.
    fn operate(
        &mut self,
        operation: Operation,
        queue: QueueName,
        path: &Path,
        id: &QueueId,
        ready: bool,
    ) -> Result<bool> {
        if operation.expires() && applies(operation, queue) && ready && expire(path) {
            self.counts.expired += 1;
        }
        let (target, count) = match operation {
            Operation::Requeue if applies(operation, queue) => {
                (QueueName::Maildrop, &mut self.counts.requeued)
            }
            Operation::Hold if applies(operation, queue) => {
                (QueueName::Hold, &mut self.counts.held)
            }
            Operation::Release | Operation::ExpireRelease if queue == QueueName::Hold => {
                (QueueName::Deferred, &mut self.counts.released)
            }
            _ => return Ok(false),
        };
        if rename(path, &self.queue.path(target, id))? {
            *count += 1;
        }
        Ok(true)
    }

    /// The first step: the message's logs, and last the message, get the new name with a suffix. The new name follows from the
    /// file, so that a run that was cut short can be finished by another.
    fn begin_renaming(
        &self,
        walk: &Walk,
        path: &Path,
        id: &QueueId,
        status: &Metadata,
    ) -> Result<()> {
        let new = if id.is_long() && !self.long_ids {
            // The subdirectories at this depth spell the microseconds, as a short id does.
            let micros = id.subdirectories(5).replace('/', "");
            QueueId::parse(format!("{micros}{:X}", status.ino()).as_bytes())
        } else {
            Some(id.with_inode(status.ino()))
        };
        let Some(new) = new else {
            warning!("bogus file name: {}", path.display());
            return Ok(());
        };
        for log in LOGS {
            let target = with_suffix(&self.queue.path(log, &new));
            rename(&self.queue.path(log, id), &target)?;
        }
        rename(path, &with_suffix(&self.queue.path(walk.name, &new)))?;
        Ok(())
    }

    /// The second step: the suffix goes, the file moves to its place. `None`: nothing more can be done with it.
    fn finish_renaming(
        &mut self,
        walk: &Walk,
        path: &Path,
        stem: &[u8],
        status: &Metadata,
    ) -> Result<Option<PathBuf>> {
        let Some(id) = QueueId::parse(stem).filter(|id| !walk.messages || id.inode().is_some())
        else {
            warning!("bogus file name: {}", path.display());
            return Ok(None);
        };
        if walk.messages && id.inode() != Some(status.ino()) {
            warning!("name/inode mismatch: {}", path.display());
            return Ok(None);
        }
        let wanted = self.queue.path(walk.name, &id);
        if !rename(path, &wanted)? {
            return Ok(None);
        }
        if walk.messages {
            self.counts.renamed += 1;
        }
        Ok(Some(wanted))
    }
}

/// What a removal leaves.
enum Left {
    Nothing,
    /// Nothing; it was a whole message.
    Message,
    Directory(PathBuf),
}

/// Removes a file.
fn empty(path: PathBuf, messages: bool) -> Result<Left> {
    let Ok(status) = fs::symlink_metadata(&path) else {
        return Ok(Left::Nothing);
    };
    if status.is_dir() {
        return Ok(Left::Directory(path));
    }
    Ok(match remove(&path)? && messages && is_ready(&status) {
        true => Left::Message,
        false => Left::Nothing,
    })
}

/// Removes a subdirectory that belongs to no queue, if there is nothing in it.
fn remove_stray(path: &Path) {
    if let Err(err) = fs::remove_dir(path) {
        warning!("remove subdirectory {}: {}", path.display(), text(&err));
    }
}

/// Removes a subdirectory that is not wanted any more.
fn remove_empty(path: &Path) -> Result<()> {
    match fs::remove_dir(path) {
        Err(err) if err.kind() != ErrorKind::NotFound => Err(anyhow!(
            "remove directory {}: {}",
            path.display(),
            text(&err)
        )),
        _ => Ok(()),
    }
}

/// A walk through one queue.
#[derive(Debug)]
struct Walk {
    name: QueueName,
    task: Task,
    /// Whether the queue holds messages, not logs.
    messages: bool,
}

fn age(status: &Metadata) -> Duration {
    status
        .modified()
        .ok()
        .and_then(|time| SystemTime::now().duration_since(time).ok())
        .unwrap_or_default()
}
