//! The log of a message on disk: appended to under a lock, durably, and never left with half an entry.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use pf_config::system::reason;
use pf_queue::bounce_log::{self, Entry};
use pf_queue::{Queue, QueueId, QueueName};
use pf_sys::lock;

/// How long the first wait for a lock is.
const FIRST_PAUSE: Duration = Duration::from_millis(2);

/// Appends to the log; the entry is on disk when this returns. Blocks; for the blocking pool.
///
/// # Errors
/// The log is as before.
pub fn append(
    queue: &Queue,
    name: QueueName,
    id: &QueueId,
    text: &[u8],
    (tries, delay): (i64, Duration),
) -> Result<()> {
    let mut file = match queue.open_log(name, id) {
        Ok(file) => file,
        Err(err) => bail!("open file {name} {id}: {}", reason(&err)),
    };
    take_lock(&file, tries, delay)
        .or_else(|err| bail!("lock file {name} {id}: {}", reason(&err)))?;
    let length = match file.seek(SeekFrom::End(0)) {
        Ok(length) => length,
        Err(err) => bail!("seek file {name} {id}: {}", reason(&err)),
    };
    if let Err(err) = file.write_all(text).and_then(|()| file.sync_data()) {
        if let Err(err) = file.set_len(length) {
            bail!("truncate file {name} {id}: {}", reason(&err));
        }
        bail!("append file {name} {id}: {}", reason(&err));
    }
    Ok(())
}

/// Waits for the lock no longer than `tries` times `delay`; others have it for one entry only, so the first waits are short.
fn take_lock(file: &File, tries: i64, delay: Duration) -> io::Result<()> {
    let tries = u32::try_from(tries.saturating_sub(1)).unwrap_or(0);
    let limit = Instant::now() + delay.saturating_mul(tries);
    let mut pause = FIRST_PAUSE;
    while !lock::lock(file, lock::Style::Flock, lock::Mode::Exclusive, false)? {
        let left = limit.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(delay);
    }
    Ok(())
}

/// The entries of the log; `None` when there is no log.
///
/// # Errors
/// The log cannot be read.
pub fn read(queue: &Queue, name: QueueName, id: &QueueId) -> Result<Option<Vec<Entry>>> {
    let printable = |line: &[u8]| pf_text::printable_utf8(line, b'?').into_owned();
    bounce_log::read(queue, name, id, printable)
        .or_else(|err| bail!("read {name} {id}: {}", reason(&err)))
}

/// Removes the log; it does not matter when there is none.
///
/// # Errors
/// It cannot be removed.
pub fn remove(queue: &Queue, name: QueueName, id: &QueueId) -> Result<()> {
    match queue.remove(name, id) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => {
            bail!("remove {name} {id}: {}", reason(&err))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_config::Config;
    use pf_queue::bounce_log::encode;

    #[test]
    fn entries_are_appended_read_and_removed() {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::for_tests(&[("queue_directory", dir.path().to_str().unwrap())]);
        std::fs::create_dir(dir.path().join("defer")).unwrap();
        let queue = Queue::new(&config).unwrap();
        let id = QueueId::parse(b"4F2A1").unwrap();
        let mut entry = Entry::default();
        entry.recipient.address = b"a@b".to_vec();
        assert!(read(&queue, QueueName::Defer, &id).unwrap().is_none());
        for _ in 0..2 {
            let text = encode(&entry, true);
            append(&queue, QueueName::Defer, &id, &text, (1, Duration::ZERO)).unwrap();
        }
        let entries = read(&queue, QueueName::Defer, &id).unwrap().unwrap();
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[1].recipient.address, b"a@b");
        remove(&queue, QueueName::Defer, &id).unwrap();
        remove(&queue, QueueName::Defer, &id).unwrap();
    }
}
