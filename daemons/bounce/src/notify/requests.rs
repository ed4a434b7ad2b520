//! What each request leads to: the notifications, and what becomes of the log and of the recipients.

use std::time::SystemTime;

use anyhow::Result;
use pf_dsn::{Notify, Ret};
use pf_proto::bounce::{FLAG_DELETE_RECIPIENT, Recipient, Status};
use pf_queue::bounce_log::Entry;

use super::{DONE, Job, Notice, Notifier, REPORT_FLAGS, wanted};
use crate::logfile;
use crate::template::Kind;

impl Notifier {
    /// Sends the log as a non-delivery report; then the log goes, and with it the recipients where that is wanted.
    ///
    /// # Errors
    /// The log or the message cannot be read, or the log not removed.
    pub async fn flush(&self, job: &Job) -> Result<i32> {
        let entries = logfile::read(&self.queue, self.logs, &job.id)?;
        let original = self.original(job)?;
        let status = self.tell(job, Kind::Failure, &original, &entries).await?;
        if status == DONE {
            if job.flags & FLAG_DELETE_RECIPIENT != 0 {
                for entry in entries.iter().flatten() {
                    original.mark_done(entry.recipient.offset, &job.id);
                }
            }
            logfile::remove(&self.queue, self.logs, &job.id)?;
        }
        Ok(status)
    }

    /// Sends the log as a delay warning; the log stays.
    ///
    /// # Errors
    /// The log or the message cannot be read.
    pub async fn warn(&self, job: &Job) -> Result<i32> {
        let entries = logfile::read(&self.queue, self.logs, &job.id)?;
        let original = self.original(job)?;
        self.tell(job, Kind::Delay, &original, &entries).await
    }

    /// Sends a non-delivery report about one recipient.
    ///
    /// # Errors
    /// The message cannot be read.
    pub async fn one(&self, job: &Job, recipient: Recipient, status: Status) -> Result<i32> {
        let original = self.original(job)?;
        let entries = Some(vec![Entry { recipient, status }]);
        let status = self.tell(job, Kind::Failure, &original, &entries).await?;
        if status == DONE && job.flags & FLAG_DELETE_RECIPIENT != 0 {
            for entry in entries.iter().flatten() {
                original.mark_done(entry.recipient.offset, &job.id);
            }
        }
        Ok(status)
    }

    /// Sends a non-delivery report for each recipient, from an address that names it.
    ///
    /// # Errors
    /// The log or the message cannot be read, or the log not removed.
    pub async fn verp(&self, job: &Job, delimiters: (u8, u8)) -> Result<i32> {
        let sender = &job.message.sender;
        if sender.is_empty() || self.params.is_double_bounce(sender) {
            pf_log::warning!("request to send VERP-style notification of bounced mail");
            return self.flush(job).await;
        }
        let Some(entries) = logfile::read(&self.queue, self.logs, &job.id)? else {
            let recipient = Recipient {
                address: b"(recipient address unavailable)".to_vec(),
                ..Recipient::default()
            };
            let status = Status {
                status: b"5.0.0".to_vec(),
                reason: b"(error report unavailable)".to_vec(),
                ..Status::default()
            };
            return self.one(job, recipient, status).await;
        };
        let original = self.original(job)?;
        let now = SystemTime::now();
        let report = self.report(job, Kind::Failure, &original, now)?;
        for entry in &entries {
            let notify = Notify::from_bits(entry.recipient.dsn_notify);
            let asked = entry.recipient.dsn_notify == 0
                || notify.is_some_and(|notify| notify.contains(Notify::FAILURE));
            if asked {
                let to = verp_sender(sender, &entry.recipient, delimiters);
                let notice = Notice {
                    from: b"",
                    to: &to,
                    postmaster: false,
                    what: "sender non-delivery notification",
                    entries: Some(vec![entry]),
                    ret: job.ret(),
                };
                let status = self.send(&report, &notice, now).await;
                if status != DONE {
                    return Ok(status);
                }
                if job.flags & FLAG_DELETE_RECIPIENT != 0 {
                    original.mark_done(entry.recipient.offset, &job.id);
                }
            }
            if self.params.notify.bounce {
                self.copy(
                    &report,
                    &self.params.bounce_notice_recipient,
                    "postmaster non-delivery notification",
                    Some(vec![entry]),
                    ("bouncing to", sender),
                    now,
                )
                .await;
            }
        }
        logfile::remove(&self.queue, self.logs, &job.id)?;
        Ok(DONE)
    }

    /// Sends the trace log as a delivery report; then the log goes.
    ///
    /// # Errors
    /// The log or the message cannot be read, or the log not removed.
    pub async fn trace(&self, job: &Job) -> Result<i32> {
        let params = &self.params;
        let sender = &job.message.sender;
        let id = &job.id;
        if params.is_double_bounce(sender) {
            pf_log::info!("{id}: not sending trace/success notification for double-bounce message");
            return Ok(DONE);
        }
        let (from, to) = if !sender.is_empty() {
            (b"".as_slice(), sender.as_slice())
        } else if params.notify.double_bounce {
            (
                params.double_bounce_sender.as_bytes(),
                params.double_bounce_notice_recipient.as_bytes(),
            )
        } else {
            pf_log::info!("{id}: not sending trace/success notification for single-bounce message");
            logfile::remove(&self.queue, self.logs, id)?;
            return Ok(DONE);
        };
        let kind = if job.flags & REPORT_FLAGS != 0 {
            Kind::Verify
        } else {
            Kind::Success
        };
        let entries = logfile::read(&self.queue, self.logs, id)?;
        if entries.is_none() {
            pf_log::debug!("{id}: no trace file -- not sending a notification");
            return Ok(DONE);
        }
        let original = self.original(job)?;
        let now = SystemTime::now();
        let report = self.report(job, kind, &original, now)?;
        let notice = Notice {
            from,
            to,
            postmaster: false,
            what: "sender delivery status notification",
            entries: wanted(&entries, None),
            ret: Ret::Hdrs,
        };
        let status = self.send(&report, &notice, now).await;
        if status == DONE {
            logfile::remove(&self.queue, self.logs, id)?;
        }
        Ok(status)
    }
}

/// `prefix@origin` and a recipient as `prefix+user=domain@origin`.
fn verp_sender(sender: &[u8], recipient: &Recipient, delimiters: (u8, u8)) -> Vec<u8> {
    let split = |address: &'_ [u8]| -> (Vec<u8>, Vec<u8>) {
        match address.iter().rposition(|b| *b == b'@') {
            Some(at) => {
                let (local, domain) = address.split_at(at);
                (local.to_vec(), domain.get(1..).unwrap_or_default().to_vec())
            }
            None => (address.to_vec(), Vec::new()),
        }
    };
    let (prefix, origin) = split(sender);
    let (user, domain) = split(if recipient.original.is_empty() {
        &recipient.address
    } else {
        &recipient.original
    });
    let mut address = prefix;
    address.push(delimiters.0);
    address.extend(user);
    if !domain.is_empty() {
        address.push(delimiters.1);
        address.extend(domain);
    }
    if !origin.is_empty() {
        address.push(b'@');
        address.extend(origin);
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verp_addresses() {
        let mut recipient = Recipient {
            address: b"r@d.example".to_vec(),
            ..Recipient::default()
        };
        let of = |recipient: &Recipient| verp_sender(b"list@l.example", recipient, (b'+', b'='));
        assert_eq!(of(&recipient), b"list+r=d.example@l.example");
        recipient.original = b"o".to_vec();
        assert_eq!(of(&recipient), b"list+o@l.example");
    }
}
