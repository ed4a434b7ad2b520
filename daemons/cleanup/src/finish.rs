//! The end of a message: committed, put on hold, returned, or removed.

use std::cell::Cell;
use std::time::{Duration, Instant};

use pf_log::{info, warning};
use pf_proto::cleanup::{Flags, Status, Verdict};
use pf_queue::{NewFile, QueueName};
use pf_record::SizeRecord;

use crate::message::Message;
use crate::service::Service;

impl Message<'_> {
    /// Finishes the message: what the client is told.
    pub async fn finish(mut self) -> Verdict {
        if self.is_ok() {
            if self.recipient.is_none() {
                self.errors |= Status::RCPT;
            }
            if !self.end_seen {
                self.errors |= Status::BAD;
            }
        }
        // A policy that discards mail lets nobody know.
        if self.flags.has(Flags::DISCARD) {
            self.errors = Status::NONE;
        }
        if self.is_ok() {
            self.final_numbers();
        }
        let can_bounce = !self.errors.has(Status::MASK_CANT_BOUNCE)
            && self.sender.is_some()
            && self.flags.has(Flags::BOUNCE);
        if !self.errors.is_empty() && can_bounce {
            self.bounce().await;
        }
        let keep = self.errors.is_empty() && !self.flags.has(Flags::DISCARD);
        let service = self.service;
        if keep && self.flags.has(Flags::HOLD) {
            match self.file.move_to(QueueName::Hold) {
                // What is on hold does not burden the queue manager.
                Ok(()) => service.flow.put(1),
                Err(err) => self.write_error(&err),
            }
        }
        let (id, reason, traced, broken) = (self.id, self.reason, self.traced, self.broken);
        let mut errors = self.errors;
        let file = self.file;
        if keep && errors.is_empty() {
            let queue = file.name();
            errors = commit(service, file, &id).await;
            if errors.is_empty() && queue == QueueName::Incoming {
                service.notifier.notify();
            }
        } else {
            remove(file);
            if broken && !errors.is_empty() {
                warning!("mail_stream_cleanup: close error");
            }
        }
        if !errors.is_empty() || !keep {
            if traced {
                service.remove_trace(&id);
            }
            info!(
                "{id}: removed ({})",
                if errors.is_empty() {
                    "discarded"
                } else {
                    "canceled"
                }
            );
        }
        Verdict {
            status: errors,
            reason: reason.unwrap_or_default(),
        }
    }

    /// Writes what is left, and the final numbers into the size record.
    fn final_numbers(&mut self) {
        let size = SizeRecord {
            message_size: i64::try_from(self.content_length).unwrap_or(i64::MAX),
            data_offset: i64::try_from(self.data_offset).unwrap_or(i64::MAX),
            recipients: self.recipients,
            qmgr_flags: self.qmgr_flags,
            content_length: i64::try_from(self.content_length).unwrap_or(i64::MAX),
            sendopts: self.sendopts,
        };
        let result = match self.file.file() {
            Ok(file) => self.out.set_size(file, &size),
            Err(err) => Err(err),
        };
        match result {
            Ok(()) => self.spill(),
            Err(err) => self.write_error(&err),
        }
    }
}

/// A disk that usually needs less than this is not worth the way to another thread and back.
const PROMPT: Duration = Duration::from_micros(500);

/// How long the disk took of late.
#[derive(Debug, Default)]
pub(crate) struct Pace(Cell<Duration>);

impl Pace {
    fn is_prompt(&self) -> bool {
        self.0.get() < PROMPT
    }

    /// The last few count most.
    fn note(&self, time: Duration) {
        self.0.set((self.0.get() * 7 + time) / 8);
    }
}

/// Makes the file durable and marks it complete. Other clients are served meanwhile, if there are any and the disk is slow.
async fn commit(service: &Service, file: NewFile, id: &str) -> Status {
    let work = move || {
        let began = Instant::now();
        (file.commit(None), began.elapsed())
    };
    let (result, time) = if service.is_alone() || service.pace.is_prompt() {
        work()
    } else {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| (Err(std::io::ErrorKind::Other.into()), Duration::ZERO))
    };
    service.pace.note(time);
    match result {
        Ok(_) => Status::NONE,
        Err(err) => {
            warning!("{id}: write queue file: {}", pf_sys::error::text(&err));
            if err.raw_os_error() == Some(libc::EFBIG) {
                Status::SIZE
            } else {
                Status::WRITE
            }
        }
    }
}

fn remove(file: NewFile) {
    drop(file);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_write_is_soon_forgotten_and_a_slow_disk_is_not() {
        let pace = Pace::default();
        assert!(pace.is_prompt());
        pace.note(Duration::from_millis(8));
        assert!(!pace.is_prompt());
        for _ in 0..8 {
            pace.note(Duration::from_micros(80));
        }
        assert!(pace.is_prompt());
        for _ in 0..2 {
            pace.note(Duration::from_millis(4));
        }
        assert!(!pace.is_prompt());
    }
}
