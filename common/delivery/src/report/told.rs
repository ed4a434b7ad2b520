//! What became of one recipient is told to everybody: to bounce, defer, trace, verify and flush, and to the log.

use pf_dsn::Notify;
use pf_log::{info, warning};
use pf_proto::bounce::{Command, FLAG_CLEAN, Message, Recipient, Request, Status};
use pf_proto::client::Client;
use pf_proto::deliver::{Times, flags};
use pf_proto::verify::AddressStatus;
use pf_proto::{flush, verify};
use pf_text::Show;

use super::{Agent, Verdict};
use crate::logline::Line;

/// A status of another class than the outcome's says nothing of it.
fn set_class(status: &mut Status, class: u8, by: &str) {
    if status.status.first() != Some(&class) {
        let code = Show(&status.status);
        warning!("{by}: ignoring dsn code \"{code}\"");
        status.status = vec![class, b'.', b'0', b'.', b'0'];
    }
}

/// One recipient, while everybody is told.
pub(super) struct Told<'a> {
    pub(super) agent: &'a Agent,
    pub(super) flags: i32,
    pub(super) id: &'a str,
    pub(super) recipient: &'a Recipient,
    pub(super) relay: &'a str,
    pub(super) tls: Option<&'a str>,
    pub(super) times: &'a Times,
}

impl Told<'_> {
    pub(super) async fn sent(&self, mut status: Status) -> Verdict {
        set_class(&mut status, b'2', "sent");
        if let Some(verdict) = self
            .probe(&mut status, "deliverable", AddressStatus::Ok)
            .await
        {
            return verdict;
        }
        if status.action.is_empty() {
            status.action = b"delivered".to_vec();
        }
        let notify = Notify::from_bits(self.recipient.dsn_notify).unwrap_or_default();
        let late = self.flags & flags::RECORD_DELAYED != 0
            && (notify.is_none() || notify.contains(Notify::DELAY));
        let mut told = true;
        if self.flags & flags::RECORD != 0 || late {
            told = self.trace(&status).await;
        }
        if told && notify.contains(Notify::SUCCESS) {
            told = self.trace(&status).await;
        }
        if told {
            self.log(&status, "sent");
            return Verdict::Done;
        }
        status.reason =
            format!("{}: {} service failed", self.id, self.agent.trace_name).into_bytes();
        status.status = b"4.3.0".to_vec();
        status.action.clear();
        self.defer(status).await
    }

    pub(super) async fn defer(&self, mut status: Status) -> Verdict {
        set_class(&mut status, b'4', "defer_append");
        if let Some(verdict) = self
            .probe(&mut status, "undeliverable", AddressStatus::Defer)
            .await
        {
            return verdict;
        }
        status.action = b"delayed".to_vec();
        let agent = self.agent;
        if !self.append(&agent.defer, &status).await {
            warning!("{}: {} service failure", self.id, agent.defer_name);
        }
        self.log(&status, "deferred");
        if self.flags & flags::RECORD != 0 && !self.trace(&status).await {
            warning!("{}: {} service failure", self.id, agent.trace_name);
        }
        self.remember_for_flush().await;
        Verdict::Later
    }

    pub(super) async fn bounce(&self, status: Status) -> Verdict {
        self.bounce_to(None, status).await
    }

    /// Bounces, by the message's log, or with a report of its own about this one recipient.
    pub(super) async fn bounce_to(&self, one: Option<Message>, mut status: Status) -> Verdict {
        let what = if one.is_some() { "one" } else { "append" };
        set_class(&mut status, b'5', &format!("bounce_{what}"));
        if let Some(verdict) = self
            .probe(&mut status, "undeliverable", AddressStatus::Bounce)
            .await
        {
            return verdict;
        }
        let agent = self.agent;
        if agent.soft_bounce && self.flags & FLAG_CLEAN != 0 {
            return Verdict::Later;
        }
        let (client, word, action) = if agent.soft_bounce {
            if let Some(class) = status.status.first_mut() {
                *class = b'4';
            }
            (&agent.defer, "SOFTBOUNCE", "delayed")
        } else {
            (&agent.bounce, "bounced", "failed")
        };
        status.action = action.into();
        let told = match one {
            Some(message) => self.bounce_one(message, &status).await,
            None => self.append(client, &status).await,
        };
        let told = told && (self.flags & flags::RECORD == 0 || self.trace(&status).await);
        if told {
            self.log(&status, word);
            return if agent.soft_bounce {
                Verdict::Later
            } else {
                Verdict::Done
            };
        }
        status.status = b"4.3.0".to_vec();
        status.reason = format!(
            "{} or {} service failure",
            agent.bounce_name, agent.trace_name
        )
        .into_bytes();
        // A second service that fails is only logged: the mail stays in the queue.
        status.action = b"delayed".to_vec();
        if !self.append(&agent.defer, &status).await {
            warning!("{}: {} service failure", self.id, agent.defer_name);
        }
        self.log(&status, "deferred");
        Verdict::Later
    }

    /// For a request that only asks whether the address works: tells who asked. `None` for real mail.
    async fn probe(
        &self,
        status: &mut Status,
        action: &str,
        known: AddressStatus,
    ) -> Option<Verdict> {
        if self.flags & flags::PROBE == 0 {
            return None;
        }
        status.action = action.into();
        let done = if self.flags & flags::MTA_VERIFY != 0 {
            self.update_cache(status, known).await
        } else {
            let traced = self.trace(status).await;
            if traced {
                self.log(status, action);
            }
            traced
        };
        Some(if done { Verdict::Done } else { Verdict::Later })
    }

    async fn update_cache(&self, status: &mut Status, known: AddressStatus) -> bool {
        let agent = self.agent;
        if !agent.negative_cache && known != AddressStatus::Ok {
            status.action = b"undeliverable-but-not-cached".to_vec();
        } else {
            let recipient = self.recipient;
            let mut addresses = vec![&recipient.original];
            if recipient.original != recipient.address {
                addresses.push(&recipient.address);
            }
            for address in addresses.into_iter().filter(|address| !address.is_empty()) {
                let update = verify::Update {
                    address,
                    address_status: known.code(),
                    reason: &status.reason,
                };
                if !matches!(agent.verify.call(&update).await, Ok(verify::OK)) {
                    warning!("{}: {} service failure", self.id, agent.verify_name);
                    return false;
                }
            }
        }
        self.log(status, &String::from_utf8_lossy(&status.action));
        true
    }

    async fn append(&self, client: &Client, status: &Status) -> bool {
        let command = Command::Append {
            id: self.id.as_bytes().to_vec(),
            recipient: self.recipient.clone(),
            status: status.clone(),
        };
        matches!(
            client
                .call(&Request {
                    flags: self.flags,
                    command
                })
                .await,
            Ok(0)
        )
    }

    async fn bounce_one(&self, message: Message, status: &Status) -> bool {
        let command = Command::One {
            message,
            recipient: self.recipient.clone(),
            status: status.clone(),
        };
        let request = Request {
            flags: self.flags,
            command,
        };
        matches!(self.agent.bounce.call(&request).await, Ok(0))
    }

    pub(super) async fn trace(&self, status: &Status) -> bool {
        let mut status = status.clone();
        if self.relay != "none" {
            let mut reason = format!("delivery via {}: ", self.relay).into_bytes();
            reason.extend_from_slice(&status.reason);
            status.reason = reason;
        }
        self.append(&self.agent.trace, &status).await
    }

    /// Tells the flush service which site the message waits for.
    async fn remember_for_flush(&self) {
        let Some(site) =
            pf_address::domain(&self.recipient.address).filter(|site| !site.is_empty())
        else {
            return;
        };
        if !self.agent.flush_all {
            return;
        }
        let request = flush::FlushRequest::Add {
            site,
            queue_id: self.id.as_bytes(),
        };
        match self.agent.flush.call(&request).await {
            Ok(flush::Status::Ok | flush::Status::Deny) => {}
            _ => warning!("{}: {} service failure", self.id, self.agent.flush_name),
        }
    }

    fn log(&self, status: &Status, word: &str) {
        let line = Line {
            id: self.id,
            recipient: self.recipient,
            relay: self.relay,
            times: self.times,
            resolution: self.agent.resolution,
            tls: self.tls,
            dsn: &status.status,
            status: word,
            reason: &status.reason,
        };
        info!("{}", line.text());
    }
}
