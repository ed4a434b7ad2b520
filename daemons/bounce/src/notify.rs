//! Who gets which notification, and what happens to the log and the message then.

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Result;
use pf_config::Config;
use pf_dsn::{Notify, Ret};
use pf_proto::bounce::{FLAG_DELETE_RECIPIENT, Message, Recipient, Status};
use pf_proto::cleanup::{Post, Source};
use pf_proto::post_mail::PostMail;
use pf_queue::bounce_log::Entry;
use pf_queue::{Queue, QueueId, QueueName};

use crate::logfile;
use crate::original::Original;
use crate::params::Params;
use crate::report::{REQUIRETLS_ESMTP, Report, SMTPUTF8_REQUESTED, mail_date};
use crate::template::{Facts, Kind};
use crate::templates::Templates;

/// User-requested verification, and recorded delivery: these get a delivery report of their own kind.
const REPORT_FLAGS: i32 = (1 << 9) | (1 << 10);

/// A request was carried out.
pub const DONE: i32 = 0;
/// A request could not be carried out.
pub const FAILED: i32 = 1;

/// What notifications are made of.
pub struct Notifier {
    /// The parameters.
    pub params: Params,
    /// The configuration, for names in templates.
    pub config: Config,
    /// The templates.
    pub templates: Templates,
    /// The queue.
    pub queue: Arc<Queue>,
    /// Where the logs are: the service's name.
    pub logs: QueueName,
}

/// A request that was checked.
pub struct Job {
    /// The request's flags.
    pub flags: i32,
    /// The queue with the message.
    pub queue: QueueName,
    /// Its id.
    pub id: QueueId,
    /// The rest.
    pub message: Message,
}

impl Job {
    /// What is to be returned, unless something else decides.
    fn ret(&self) -> Ret {
        Ret::from_bits(self.message.ret).unwrap_or(Ret::Full)
    }
}

/// One notification.
struct Notice<'a> {
    from: &'a [u8],
    to: &'a [u8],
    postmaster: bool,
    /// What the log says before the new queue id.
    what: &'a str,
    /// `None`: the log is gone.
    entries: Option<Vec<&'a Entry>>,
    ret: Ret,
}

/// The entries that this kind of notification is wanted for.
fn wanted(entries: &Option<Vec<Entry>>, class: Option<Notify>) -> Option<Vec<&Entry>> {
    let wanted = |entry: &&Entry| match (Notify::from_bits(entry.recipient.dsn_notify), class) {
        (_, None) => true,
        _ if entry.recipient.dsn_notify == 0 => true,
        (Some(notify), Some(class)) => notify.contains(class),
        (None, Some(_)) => false,
    };
    entries
        .as_ref()
        .map(|entries| entries.iter().filter(wanted).collect())
}

impl Notifier {
    fn original(&self, job: &Job) -> Result<Original> {
        let daemon = format!("MAILER-DAEMON@{}", self.params.myhostname);
        Original::open(
            &self.queue,
            job.queue,
            &job.id,
            &daemon,
            self.params.threaded,
        )
    }

    fn report<'a>(
        &'a self,
        job: &'a Job,
        kind: Kind,
        original: &'a Original,
        now: SystemTime,
    ) -> Result<Report<'a>> {
        let template = self.templates.get(kind);
        let text = template.expand(&Facts {
            config: &self.config,
            delay_warning_time: self.params.delay_warning_time,
            maximal_queue_lifetime: self.params.maximal_queue_lifetime,
            smtputf8: self.params.smtputf8,
        })?;
        let id = job.id.as_str();
        let encoding = match job.message.encoding.as_slice() {
            _ if self.params.smtputf8 => Some("8bit"),
            b"8bit" => Some("8bit"),
            b"7bit" => Some("7bit"),
            b"" => None,
            other => {
                pf_log::warning!("{id}: unknown encoding: {}", String::from_utf8_lossy(other));
                None
            }
        };
        Ok(Report {
            params: &self.params,
            template,
            text,
            id,
            sendopts: job.message.sendopts,
            encoding,
            envid: &job.message.envid,
            original,
            boundary: format!(
                "{id}.{}/{}",
                pf_sys::time::seconds(now),
                self.params.myhostname
            ),
        })
    }

    /// Sends a notification; the status of the cleanup service, [`DONE`] or [`FAILED`].
    async fn send(&self, report: &Report<'_>, notice: &Notice<'_>, now: SystemTime) -> i32 {
        let id = report.id;
        let to = String::from_utf8_lossy(notice.to);
        let failed = |why: Option<&str>| {
            let why = why.map(|why| format!(": {why}")).unwrap_or_default();
            if notice.postmaster {
                pf_log::warning!("{id}: postmaster notification failed{why}");
            } else {
                pf_log::warning!("{id}: sender notification failed to {to}{why}");
            }
        };
        let params = &self.params;
        let post = Post {
            sender: notice.from,
            recipient: notice.to,
            source: Source::Bounce,
            trace_flags: 0,
            smtputf8: report.sendopts & SMTPUTF8_REQUESTED != 0,
            requiretls: report.sendopts & REQUIRETLS_ESMTP != 0,
            myhostname: params.myhostname.as_bytes(),
            mail_name: params.mail_name.as_bytes(),
        };
        let flags = post.flags(params.filter_classes, params.autodetect_classes);
        let date = mail_date(pf_sys::time::seconds(now));
        let opened = PostMail::open(
            &params.cleanup,
            params.ipc_timeout,
            &post,
            flags,
            now,
            &date,
        )
        .await;
        let mut mail = match opened {
            Ok(mail) => mail,
            Err(err) => {
                pf_log::warning!("connect to {}: {err}", params.cleanup.name());
                failed(None);
                return FAILED;
            }
        };
        pf_log::info!(
            "{id}: {}: {}",
            notice.what,
            String::from_utf8_lossy(mail.queue_id())
        );
        if notice.entries.as_ref().is_some_and(Vec::is_empty) {
            // Nobody asked to be told: the notification is given up when that is known, as the log shows.
            let _ = report.begin(&mut mail, notice.to, notice.postmaster).await;
            let _ = mail.cancel().await;
            return DONE;
        }
        let written = report
            .write(
                &mut mail,
                notice.to,
                notice.postmaster,
                notice.entries.as_deref(),
                notice.ret,
            )
            .await;
        if let Err(pf_attr::Error::Io(err)) = &written
            && !matches!(
                err.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            )
        {
            pf_log::warning!("{id}: {err}");
            return FAILED;
        }
        // When the cleanup service hung up, its verdict may still say why.
        let verdict = mail.finish().await;
        if verdict.status.is_empty() && written.is_ok() {
            return DONE;
        }
        failed(Some(verdict.status.detail().text));
        i32::try_from(verdict.status.bits())
            .ok()
            .filter(|status| *status != DONE)
            .unwrap_or(FAILED)
    }

    /// Sends the copy for the postmaster; trouble with it does not matter to the request.
    async fn copy(
        &self,
        report: &Report<'_>,
        to: &str,
        what: &str,
        entries: Option<Vec<&Entry>>,
        (doing, whom): (&str, &[u8]),
        now: SystemTime,
    ) {
        let notice = Notice {
            from: self.params.double_bounce_sender.as_bytes(),
            to: to.as_bytes(),
            postmaster: true,
            what,
            entries,
            ret: Ret::Hdrs,
        };
        if self.send(report, &notice, now).await != DONE {
            pf_log::warning!(
                "{}: postmaster notice failed while {doing} {}",
                report.id,
                String::from_utf8_lossy(whom)
            );
        }
    }

    /// Non-delivery report (`kind` is `Failure`) or delay warning about the recipients in the log.
    async fn tell(
        &self,
        job: &Job,
        kind: Kind,
        original: &Original,
        entries: &Option<Vec<Entry>>,
    ) -> Result<i32> {
        let now = SystemTime::now();
        let sender = &job.message.sender;
        let params = &self.params;
        if params.is_double_bounce(sender) {
            pf_log::warning!(
                "{}: undeliverable postmaster notification discarded",
                job.id
            );
            return Ok(DONE);
        }
        let failure = kind == Kind::Failure;
        if !failure && entries.is_none() {
            // Without a log there is nothing to warn of.
            return Ok(DONE);
        }
        let (what, to_postmaster) = if failure {
            (
                "non-delivery notification",
                params.notify.bounce || params.notify.double_bounce,
            )
        } else {
            ("delay notification", params.notify.delay)
        };
        let postmaster_what = format!("postmaster {what}");
        let report = self.report(job, kind, original, now)?;
        if sender.is_empty() {
            if !to_postmaster {
                return Ok(DONE);
            }
            let to = if failure {
                &params.double_bounce_notice_recipient
            } else {
                &params.delay_notice_recipient
            };
            let notice = Notice {
                from: params.double_bounce_sender.as_bytes(),
                to: to.as_bytes(),
                postmaster: true,
                what: &postmaster_what,
                entries: wanted(entries, None),
                ret: Ret::Full,
            };
            return Ok(self.send(&report, &notice, now).await);
        }
        let notice = Notice {
            from: b"",
            to: sender,
            postmaster: false,
            what: &format!("sender {what}"),
            entries: wanted(
                entries,
                Some(if failure {
                    Notify::FAILURE
                } else {
                    Notify::DELAY
                }),
            ),
            ret: if failure { job.ret() } else { Ret::Hdrs },
        };
        let status = self.send(&report, &notice, now).await;
        let (copy, to, doing) = if failure {
            (
                params.notify.bounce,
                &params.bounce_notice_recipient,
                "bouncing to",
            )
        } else {
            (
                params.notify.delay,
                &params.delay_notice_recipient,
                "warning",
            )
        };
        if status == DONE && copy {
            let all = wanted(entries, None);
            self.copy(&report, to, &postmaster_what, all, (doing, sender), now)
                .await;
        }
        Ok(status)
    }

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

    #[test]
    fn notify_decides_who_is_told() {
        let entry = |bits| Entry {
            recipient: Recipient {
                dsn_notify: bits,
                ..Recipient::default()
            },
            ..Entry::default()
        };
        let entries = Some(vec![entry(0), entry(1), entry(2), entry(4), entry(12)]);
        assert_eq!(wanted(&entries, Some(Notify::FAILURE)).unwrap().len(), 3);
        assert_eq!(wanted(&entries, Some(Notify::DELAY)).unwrap().len(), 2);
        assert_eq!(wanted(&entries, None).unwrap().len(), 5);
        assert!(wanted(&None, None).is_none());
    }
}
