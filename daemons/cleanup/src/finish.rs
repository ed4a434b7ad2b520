//! The end of a message: committed, put on hold, returned, or removed.

use pf_log::{info, warning};
use pf_proto::cleanup::{Flags, Status, Verdict};
use pf_queue::{NewFile, QueueName};
use pf_record::SizeRecord;

use crate::message::Message;

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

/// Makes the file durable and marks it complete. Other clients are served meanwhile, if there are any.
async fn commit(service: &crate::service::Service, file: NewFile, id: &str) -> Status {
    let result = if service.is_alone() {
        file.commit(None)
    } else {
        tokio::task::spawn_blocking(move || file.commit(None))
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::Other.into()))
    };
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
