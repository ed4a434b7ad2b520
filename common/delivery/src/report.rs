//! What became of a recipient, told to everybody concerned.

use std::path::Path;
use std::time::Duration;

use pf_config::{Config, Error, param};
use pf_dsn::{Notify, Outcome};
use pf_log::{info, warning};
use pf_maps::{Lookup, Maps, Options};
use pf_proto::bounce::{Command, FLAG_CLEAN, Message, Recipient, Request, Status};
use pf_proto::client::{Client, Policy};
use pf_proto::deliver::{DeliveryRequest, Times, flags};
use pf_proto::verify::AddressStatus;
use pf_proto::{Address, Class, flush, verify};
use pf_text::Show;

use crate::Job;
use crate::logline::Line;

/// How long the flush service may take to note a message.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// Whether a recipient is done with.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Delivered, or returned to the sender: it need not be tried again.
    Done,
    /// It is tried again later.
    Later,
}

impl Verdict {
    /// Whether it is tried again later.
    pub fn is_later(self) -> bool {
        self == Verdict::Later
    }
}

/// The reporting side of a delivery agent.
pub struct Agent {
    bounce: Client,
    defer: Client,
    trace: Client,
    verify: Client,
    flush: Client,
    bounce_name: String,
    defer_name: String,
    trace_name: String,
    flush_name: String,
    verify_name: String,
    soft_bounce: bool,
    negative_cache: bool,
    resolution: u32,
    filter: Maps,
    flush_all: bool,
}

impl Agent {
    /// Reads the parameters. `filter`: the parameter with the agent's delivery status filter, such as
    /// `local_delivery_status_filter`; programs other than the agents for mailboxes, commands and SMTP have none.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn new(config: &Config, filter: Option<&str>) -> Result<Self, Error> {
        let timeout = config.get(param::IPC_TIMEOUT)?;
        // These services take one request on a connection.
        let once = Policy {
            timeout,
            idle: Duration::ZERO,
            tries: Some(2),
            ..Policy::default()
        };
        let kept = Policy {
            timeout,
            idle: config.get(param::IPC_IDLE)?,
            ttl: config.get(param::IPC_TTL)?,
            tries: Some(2),
            ..Policy::default()
        };
        // A site that asks later is told less; that must not hold up deferrals.
        let brief = Policy {
            timeout: timeout.min(FLUSH_LIMIT),
            tries: Some(1),
            ..once
        };
        let client = |class: Class, name: &str, policy: Policy| {
            Client::new(Address::new(Path::new("."), class, name), policy)
        };
        let bounce_name = config.get(param::BOUNCE_SERVICE_NAME)?;
        let defer_name = config.get(param::DEFER_SERVICE_NAME)?;
        let trace_name = config.get(param::TRACE_SERVICE_NAME)?;
        let flush_name = config.get(param::FLUSH_SERVICE_NAME)?;
        let verify_name = config.get(param::ADDRESS_VERIFY_SERVICE_NAME)?;
        let filter = match filter {
            Some(name) => Maps::open(
                name,
                &config.string(name)?.unwrap_or_default(),
                &Options::from_config(config)?,
            )?,
            None => Maps::open("", "", &Options::default())?,
        };
        let domains = config.get(param::FAST_FLUSH_DOMAINS)?;
        Ok(Self {
            bounce: client(Class::Private, &bounce_name, once),
            defer: client(Class::Private, &defer_name, once),
            trace: client(Class::Private, &trace_name, once),
            verify: client(Class::Private, &verify_name, kept),
            flush: client(Class::Public, &flush_name, brief),
            bounce_name,
            defer_name,
            trace_name,
            flush_name,
            verify_name,
            soft_bounce: config.get(param::SOFT_BOUNCE)?,
            negative_cache: config.get(param::ADDRESS_VERIFY_NEGATIVE_CACHE)?,
            resolution: u32::try_from(config.get(param::DELAY_LOGGING_RESOLUTION_LIMIT)?)
                .unwrap_or(2),
            filter,
            flush_all: !domains.trim().is_empty(),
        })
    }

    /// Reports the outcome for recipient number `at` of a job, and marks it done in the queue file where the request says so.
    /// `relay`: who took the mail, as logged; `tls`: what the log says of TLS, for network clients.
    pub async fn report(
        &self,
        job: &Job,
        at: usize,
        relay: &str,
        tls: Option<&str>,
        outcome: Outcome,
    ) -> Verdict {
        let Some(recipient) = job.request.recipients.get(at) else {
            return Verdict::Later;
        };
        let verdict = self
            .tell(&job.request, job.queue_id(), recipient, relay, tls, outcome)
            .await;
        if verdict == Verdict::Done
            && job.request.flags & flags::SUCCESS != 0
            && recipient.offset > 0
        {
            let offset = u64::try_from(recipient.offset).unwrap_or(0);
            // Should this fail, the recipient gets the mail twice: better than not at all.
            if let Err(err) = pf_queue::edit::mark_done(&job.file, offset) {
                warning!("{}: mark recipient done: {err}", job.queue_id());
            }
        }
        verdict
    }

    /// As [`report`](Self::report), without touching a queue file: for the queue manager, and for recipients that are not in it.
    pub async fn tell(
        &self,
        request: &DeliveryRequest,
        id: &str,
        recipient: &Recipient,
        relay: &str,
        tls: Option<&str>,
        outcome: Outcome,
    ) -> Verdict {
        let told = Told {
            agent: self,
            flags: request.flags,
            id,
            recipient,
            relay,
            tls,
            times: &request.times,
        };
        match self.filtered(outcome).await {
            Outcome::Sent(status) => told.sent(wire(&status, "")).await,
            Outcome::Defer(status) => told.defer(wire(&status, "")).await,
            Outcome::Bounce(status) => told.bounce(wire(&status, "")).await,
        }
    }

    /// As [`tell`](Self::tell) for a failure of which somebody else than the sender is told, at once: the owner of a list, who
    /// stands as `sender`.
    pub async fn tell_owner(
        &self,
        request: &DeliveryRequest,
        id: &str,
        recipient: &Recipient,
        relay: &str,
        sender: &[u8],
        outcome: Outcome,
    ) -> Verdict {
        let told = Told {
            agent: self,
            flags: request.flags,
            id,
            recipient,
            relay,
            tls: None,
            times: &request.times,
        };
        match self.filtered(outcome).await {
            Outcome::Bounce(status) if request.flags & flags::PROBE == 0 && !self.soft_bounce => {
                let message = Message {
                    queue: request.queue.clone(),
                    id: id.as_bytes().to_vec(),
                    encoding: request.encoding.clone(),
                    sendopts: request.sendopts,
                    sender: sender.to_vec(),
                    envid: request.envid.clone(),
                    ret: request.ret,
                };
                told.bounce_to(Some(message), wire(&status, "")).await
            }
            Outcome::Sent(status) => told.sent(wire(&status, "")).await,
            Outcome::Defer(status) => told.defer(wire(&status, "")).await,
            Outcome::Bounce(status) => told.bounce(wire(&status, "")).await,
        }
    }

    /// Adds a line to the report that the sender gets of successful deliveries; false when the trace service failed.
    pub async fn trace(
        &self,
        request: &DeliveryRequest,
        id: &str,
        recipient: &Recipient,
        relay: &str,
        status: &pf_dsn::Status,
    ) -> bool {
        let told = Told {
            agent: self,
            flags: 0,
            id,
            recipient,
            relay,
            tls: None,
            times: &request.times,
        };
        told.trace(&wire(status, "delivered")).await
    }

    /// What the delivery status filter makes of an outcome: a code of another class changes what happens.
    async fn filtered(&self, outcome: Outcome) -> Outcome {
        if self.filter.is_empty() {
            return outcome;
        }
        let status = outcome.status();
        let mut key = status.dsn.to_string().into_bytes();
        key.push(b' ');
        key.extend_from_slice(&status.reason);
        let Lookup::Found(text) = self.filter.find(&key).await else {
            return outcome;
        };
        let delivered = matches!(outcome, Outcome::Sent(_));
        // No result turns failure into success, or success into failure.
        let parsed =
            pf_dsn::Dsn::parse_prefix(&text).filter(|(dsn, _)| delivered == (dsn.class == 2));
        let Some((dsn, _)) = parsed else {
            warning!(
                "{}: bad status code: {}",
                self.filter.title(),
                String::from_utf8_lossy(&text)
            );
            return outcome;
        };
        let (dsn, reason) = pf_dsn::split_text(&text, dsn);
        let mut status = status.clone();
        (status.dsn, status.reason) = (dsn, reason.to_vec());
        match dsn.class {
            2 => Outcome::Sent(status),
            4 => Outcome::Defer(status),
            _ => Outcome::Bounce(status),
        }
    }
}

/// A status as it travels.
fn wire(status: &pf_dsn::Status, action: &str) -> Status {
    let (diagnostic_type, diagnostic_text) = status.diagnostic.clone().unwrap_or_default();
    let (mta_type, mta_name) = status.remote.clone().unwrap_or_default();
    Status {
        status: status.dsn.to_string().into_bytes(),
        diagnostic_type: diagnostic_type.into_bytes(),
        diagnostic_text,
        mta_type: mta_type.into_bytes(),
        mta_name: mta_name.into_bytes(),
        action: status
            .action
            .clone()
            .unwrap_or_else(|| action.to_owned())
            .into_bytes(),
        reason: status.reason.clone(),
    }
}

/// A status of another class than the outcome's says nothing of it.
fn set_class(status: &mut Status, class: u8, by: &str) {
    if status.status.first() != Some(&class) {
        let code = Show(&status.status);
        warning!("{by}: ignoring dsn code \"{code}\"");
        status.status = vec![class, b'.', b'0', b'.', b'0'];
    }
}

/// One recipient, while everybody is told.
struct Told<'a> {
    agent: &'a Agent,
    flags: i32,
    id: &'a str,
    recipient: &'a Recipient,
    relay: &'a str,
    tls: Option<&'a str>,
    times: &'a Times,
}

impl Told<'_> {
    async fn sent(&self, mut status: Status) -> Verdict {
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

    async fn defer(&self, mut status: Status) -> Verdict {
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

    async fn bounce(&self, status: Status) -> Verdict {
        self.bounce_to(None, status).await
    }

    /// Bounces, by the message's log, or with a report of its own about this one recipient.
    async fn bounce_to(&self, one: Option<Message>, mut status: Status) -> Verdict {
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

    async fn trace(&self, status: &Status) -> bool {
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
