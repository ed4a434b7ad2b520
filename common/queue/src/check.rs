//! Whether a queue file may be read.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::{Queue, QueueId, QueueName, mode};

/// What became of a check; trouble was logged as a warning.
#[derive(Debug)]
pub enum Check<T> {
    /// A complete queue file.
    Ready(T),
    /// It is gone, or still being written, or not a file to touch.
    No,
}

impl Queue {
    /// The status of a complete queue file, without opening it.
    pub fn check(&self, name: QueueName, id: &QueueId) -> Check<Metadata> {
        let path = self.path(name, id);
        match fs::symlink_metadata(&path) {
            Ok(status) if acceptable(&path, &status) => Check::Ready(status),
            Ok(_) => Check::No,
            Err(err) => complain(&path, &err),
        }
    }

    /// Opens a complete queue file; the check is made on the open file, so that nobody can exchange it in between.
    pub fn open_checked(
        &self,
        name: QueueName,
        id: &QueueId,
        edit: bool,
    ) -> Check<(File, Metadata)> {
        let path = self.path(name, id);
        let opened = self
            .open(name, id, edit)
            .and_then(|file| file.metadata().map(|status| (file, status)));
        match opened {
            Ok((file, status)) if acceptable(&path, &status) => Check::Ready((file, status)),
            Ok(_) => Check::No,
            Err(err) => complain(&path, &err),
        }
    }
}

fn complain<T>(path: &Path, err: &io::Error) -> Check<T> {
    if err.kind() != ErrorKind::NotFound {
        pf_log::warning!("{}: {}", path.display(), pf_sys::error::text(err));
    }
    Check::No
}

fn acceptable(path: &Path, status: &Metadata) -> bool {
    if !status.is_file() {
        pf_log::warning!(
            "{}: uid {}: not a regular file",
            path.display(),
            status.uid()
        );
        return false;
    }
    if !mode::is_ready(status.mode()) {
        return false;
    }
    // A file that is being renamed may for a moment have two links.
    if status.nlink() > 1 && is_old(status) {
        pf_log::warning!(
            "{}: uid {}: file has {} links",
            path.display(),
            status.uid(),
            status.nlink()
        );
    }
    true
}

fn is_old(status: &Metadata) -> bool {
    let changed = Duration::from_secs(u64::try_from(status.ctime()).unwrap_or(0));
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .is_ok_and(|now| now > changed + Duration::from_secs(60))
}
