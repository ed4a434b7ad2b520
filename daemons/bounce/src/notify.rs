//! Who gets which notification, and what happens to the log and the message then.

mod requests;

use std::io;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Result;
use pf_config::Config;
use pf_dsn::{Notify, Ret};
use pf_proto::bounce::Message;
use pf_proto::cleanup::{Post, Source};
use pf_proto::post_mail::PostMail;
use pf_queue::bounce_log::Entry;
use pf_queue::{Queue, QueueId, QueueName};

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
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_proto::bounce::Recipient;

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
