//! The logs, one file of queue ids for each site, and the messages that they name. All calls block.

use std::collections::HashSet;
use std::fs::{File, FileTimes};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, bail};
use pf_config::system::reason;
use pf_proto::{Address, trigger};
use pf_queue::{Queue, QueueId, QueueName, mode};
use pf_sys::lock;

/// How long the queue manager may take to accept a trigger.
const TRIGGER_LIMIT: Duration = Duration::from_secs(5);

/// How long another process may work on a log.
const LOCK_LIMIT: Duration = Duration::from_secs(10);
/// The pause between attempts to get at a log.
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// The logs and what is around them.
pub struct Logs {
    /// The queue directory.
    pub queue: Queue,
    /// The queue manager.
    pub qmgr: Address,
    /// `fast_flush_purge_time`.
    pub purge_time: Duration,
}

/// The name of a site's log; `None`: a domain without ASCII form, or with an empty label.
pub fn log_name(site: &[u8]) -> Option<String> {
    let labels = site.strip_suffix(b".").unwrap_or(site);
    if labels.split(|byte| *byte == b'.').any(<[u8]>::is_empty) {
        return None;
    }
    let ascii = if site.is_ascii() {
        String::from_utf8_lossy(site).into_owned()
    } else {
        pf_address::idn::to_ascii(site)?
    };
    let safe = |byte: u8| match byte.to_ascii_lowercase() {
        byte if byte.is_ascii_alphanumeric() => char::from(byte),
        _ => '_',
    };
    Some(ascii.bytes().map(safe).collect())
}

/// The messages that a log names, each once, in order; what is no id goes to `bad`.
pub fn distinct_ids(text: &[u8], mut bad: impl FnMut(&[u8])) -> Vec<QueueId> {
    let mut seen = HashSet::new();
    let mut ids = Vec::new();
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    if text.is_empty() {
        return ids;
    }
    for line in text.split(|&byte| byte == b'\n') {
        match QueueId::parse(line) {
            Some(id) if seen.insert(line) => ids.push(id),
            Some(_) => {}
            None => bad(line),
        }
    }
    ids
}

/// Whether `time` is more than `age` ago, in whole seconds.
fn is_older(time: SystemTime, age: Duration, now: SystemTime) -> bool {
    let passed = now.duration_since(time).unwrap_or_default();
    passed.as_secs() > age.as_secs()
}

impl Logs {
    /// Notes that a message waits.
    ///
    /// # Errors
    /// The log cannot be written.
    pub fn add(&self, log: &QueueId, id: &QueueId) -> Result<()> {
        let written = self
            .queue
            .open_log(QueueName::Flush, log)
            .and_then(|mut file| {
                exclude_others(&file)?;
                file.write_all(format!("{id}\n").as_bytes())
            });
        written.or_else(|err| bail!("write fast flush logfile {log}: {}", reason(&err)))
    }

    /// Has the messages of a log tried now; `revive`: even where the destination is known to be dead.
    ///
    /// # Errors
    /// The log cannot be read or emptied.
    pub fn send_site(&self, log: &QueueId, revive: bool) -> Result<()> {
        self.send_log(log, revive)
            .or_else(|err| bail!("flush fast flush logfile {log}: {}", reason(&err)))
    }

    fn send_log(&self, log: &QueueId, revive: bool) -> io::Result<()> {
        let mut file = match self.queue.open(QueueName::Flush, log, true) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
            result => result?,
        };
        exclude_others(&file)?;
        if revive {
            self.trigger(trigger::FLUSH_DEAD);
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let ids = distinct_ids(&text, |bad| {
            let bad = String::from_utf8_lossy(bad);
            pf_log::warning!("bad queue id \"{bad:.30}...\" in fast flush logfile {log}");
        });
        let now = SystemTime::now();
        let moved = ids.iter().filter(|id| self.send(id, now, false)).count();
        if !text.is_empty() {
            file.set_len(0)?;
        }
        // The file system may be one that does not keep access times.
        let times = FileTimes::new().set_accessed(now).set_modified(now);
        if let Err(err) = file.set_times(times) {
            pf_log::warning!(
                "update fast flush logfile {log} time stamps: {}",
                reason(&err)
            );
        }
        drop(file);
        if moved > 0 {
            self.trigger(trigger::SCAN_INCOMING);
        }
        Ok(())
    }

    /// Has one message tried now, even where the destination is known to be dead.
    pub fn send_file(&self, id: &QueueId) {
        if self.send(id, SystemTime::now(), true) {
            self.trigger(trigger::SCAN_INCOMING);
        }
    }

    /// Moves a deferred message to the incoming queue, due now; whether there is such a message. Somebody else may have moved
    /// it there meanwhile.
    fn send(&self, id: &QueueId, now: SystemTime, revive: bool) -> bool {
        let warn = |what: &str, name: QueueName, err: &io::Error| {
            if err.kind() != ErrorKind::NotFound {
                let path = self.queue.path(name, id);
                pf_log::warning!("{what} {}: {}", path.display(), reason(err));
            }
        };
        for name in [QueueName::Deferred, QueueName::Incoming] {
            if let Err(err) = self.queue.set_time(name, id, now) {
                warn("update time stamps of", name, &err);
                continue;
            }
            if revive {
                match self.revive(name, id) {
                    Ok(true) => {}
                    Ok(false) => return false,
                    Err(err) => {
                        warn("change mode of", name, &err);
                        continue;
                    }
                }
            }
            if name == QueueName::Deferred
                && let Err(err) = self.queue.rename(id, name, QueueName::Incoming)
            {
                warn("move to incoming queue", name, &err);
            }
            return true;
        }
        false
    }

    /// Marks a message for delivery whatever is known of its destinations; not if it is incomplete.
    fn revive(&self, name: QueueName, id: &QueueId) -> io::Result<bool> {
        // By descriptor: the name may stand for another file a moment later.
        let file = self.queue.open(name, id, true)?;
        let metadata = file.metadata()?;
        let mut permissions = metadata.permissions();
        let bits = permissions.mode();
        if !metadata.is_file() || !mode::is_ready(bits) {
            return Ok(false);
        }
        permissions.set_mode(bits & 0o7777 | mode::UNTHROTTLE);
        file.set_permissions(permissions)?;
        Ok(true)
    }

    /// Empties the logs that were not read for `age`, having their messages tried, and removes those that were empty for long.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn refresh(&self, age: Duration) -> Result<()> {
        for entry in self.queue.scan(QueueName::Flush)? {
            let entry = entry?;
            let Some(log) = entry.id() else { continue };
            let path = entry.path();
            let found = std::fs::symlink_metadata(&path)
                .and_then(|found| Ok((found.len(), found.accessed()?, found.modified()?)));
            let (size, accessed, modified) = match found {
                Ok(found) => found,
                Err(err) if err.kind() == ErrorKind::NotFound => continue,
                Err(err) => {
                    pf_log::warning!("stat {}: {}", path.display(), reason(&err));
                    continue;
                }
            };
            let now = SystemTime::now();
            if size == 0 {
                if is_older(modified, self.purge_time, now)
                    && let Err(err) = std::fs::remove_file(&path)
                {
                    pf_log::warning!("remove logfile {}: {}", path.display(), reason(&err));
                }
            } else if is_older(accessed, age, now)
                && let Err(err) = self.send_site(&log, false)
            {
                pf_log::warning!("{err:#}");
            }
        }
        Ok(())
    }

    fn trigger(&self, request: u8) {
        match trigger::send(&self.qmgr, &[request], TRIGGER_LIMIT) {
            // The queue manager looks at its queue when it starts.
            Ok(()) | Err(trigger::TriggerError::Down(..)) => {}
            Err(err) => pf_log::warning!("{err}"),
        }
    }
}

/// Another process of ours may work on the log; one that hangs does not hang us.
fn exclude_others(file: &File) -> io::Result<()> {
    let end = Instant::now() + LOCK_LIMIT;
    while !lock::lock(file, lock::Style::Flock, lock::Mode::Exclusive, false)? {
        if Instant::now() > end {
            return Err(ErrorKind::TimedOut.into());
        }
        std::thread::sleep(LOCK_PAUSE);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_logs() {
        assert_eq!(log_name(b"Example.COM").as_deref(), Some("example_com"));
        assert_eq!(log_name(b"[1.2.3.4]").as_deref(), Some("_1_2_3_4_"));
        assert_eq!(log_name(b"a/x").as_deref(), Some("a_x"));
        assert_eq!(log_name(b"../x"), None);
        assert_eq!(log_name(b"\xff.example"), None);
    }

    #[test]
    fn ids_are_distinct() {
        let mut bad = Vec::new();
        let ids = distinct_ids(b"AB12\n../x\nCD34\nAB12\n", |line| bad.push(line.to_vec()));
        let ids: Vec<&str> = ids.iter().map(QueueId::as_str).collect();
        assert_eq!(ids, ["AB12", "CD34"]);
        assert_eq!(bad, [b"../x"]);
        assert!(distinct_ids(b"", |_| {}).is_empty());
    }

    #[test]
    fn messages_of_a_log_move() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: &str| dir.path().join(path);
        for name in ["flush", "deferred", "incoming"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        let logs = Logs {
            queue: Queue::with(pf_queue::Settings {
                directory: dir.path().to_owned(),
                hash_names: Vec::new(),
                hash_depth: 1,
                long_ids: false,
            }),
            qmgr: Address::new(dir.path(), pf_proto::Class::Public, "qmgr"),
            purge_time: Duration::from_secs(100),
        };
        let id = |name: &[u8]| QueueId::parse(name).unwrap();
        let log = id(b"example_com");
        logs.send_site(&log, true).unwrap();
        for name in ["AB12", "CD34"] {
            std::fs::write(at("deferred").join(name), b"x").unwrap();
            logs.queue
                .set_mode(QueueName::Deferred, &id(name.as_bytes()), mode::READY)
                .unwrap();
        }
        logs.add(&log, &id(b"AB12")).unwrap();
        logs.send_site(&log, true).unwrap();
        assert!(at("incoming/AB12").exists() && at("deferred/CD34").exists());
        assert_eq!(std::fs::metadata(at("flush/example_com")).unwrap().len(), 0);
        logs.send_file(&id(b"CD34"));
        let bits = std::fs::metadata(at("incoming/CD34"))
            .unwrap()
            .permissions();
        assert_eq!(bits.mode() & 0o777, mode::READY | mode::UNTHROTTLE);
    }
}
