//! A maildir: each message is a file of its own, written under `tmp` and linked to `new` when it is complete.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::SystemTime;

use pf_config::system::reason;
use pf_dsn::{Dsn, Status};
use pf_log::warning;

use crate::Job;
use crate::copy::{Envelope, Failure, Form, copy, mailbox_dsn, write_failure};

/// Delivers into the maildir `path`, making its directories if need be, with the rights that this process has just now.
/// `host` is the host's name; `default_dsn` is the code for errors that have none of their own.
///
/// # Errors
/// As [`copy`]; or the file cannot be made.
pub fn deliver(
    path: &Path,
    host: &str,
    default_dsn: Dsn,
    job: &Job,
    form: &Form,
    envelope: &Envelope<'_>,
) -> Result<(), Failure> {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let (tmp, new) = (path.join("tmp"), path.join("new"));
    let temporary = tmp.join(format!("{}.P{}.{host}", now.as_secs(), std::process::id()));
    let file = match create(&temporary) {
        Err(err) if err.kind() == ErrorKind::NotFound => {
            make(&tmp).and_then(|()| create(&temporary))
        }
        other => other,
    }
    .map_err(|err| creation_failure(&temporary, default_dsn, err))?;
    let result = write(&file, job, form, envelope).and_then(|status| {
        // Device and inode number are unique for as long as the file is there; the time makes them so for ever.
        let name = format!(
            "{}.V{:x}I{:x}M{}.{host}",
            now.as_secs(),
            status.dev(),
            status.ino(),
            now.subsec_micros()
        );
        let target = new.join(name);
        match fs::hard_link(&temporary, &target) {
            Err(err) if err.kind() == ErrorKind::NotFound => {
                let _ = make(&path.join("cur"));
                make(&new).and_then(|()| fs::hard_link(&temporary, &target))
            }
            other => other,
        }
        .map_err(|err| creation_failure(&target, default_dsn, err))
    });
    if let Err(err) = fs::remove_file(&temporary) {
        warning!("remove {}: {}", temporary.display(), reason(&err));
    }
    result
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

fn creation_failure(path: &Path, default_dsn: Dsn, err: io::Error) -> Failure {
    let text = format!("create maildir file {}: {}", path.display(), reason(&err));
    let status = Status::new(mailbox_dsn(&err, default_dsn), text.into_bytes());
    Failure::Told(Box::new(status), Some(err))
}

fn write(
    file: &File,
    job: &Job,
    form: &Form,
    envelope: &Envelope<'_>,
) -> Result<fs::Metadata, Failure> {
    let status = file.metadata().map_err(write_failure)?;
    copy(job, form, envelope, &mut BufWriter::new(file))?;
    file.sync_all().map_err(write_failure)?;
    Ok(status)
}

/// What is told, and warned of, when a maildir delivery failed; `None` when the queue file is damaged.
pub fn status_of(failure: Failure, uid: u32, gid: u32) -> Option<Status> {
    let Failure::Told(mut status, err) = failure else {
        return None;
    };
    if err.is_some_and(|err| err.raw_os_error() == Some(libc::EACCES)) {
        warning!(
            "maildir access problem for UID/GID={uid}/{gid}: {}",
            String::from_utf8_lossy(&status.reason)
        );
        warning!("perhaps you need to create the maildirs in advance");
    }
    status.reason.splice(..0, *b"maildir delivery failed: ");
    Some(*status)
}
