//! What became of a recipient, told to everybody concerned.

mod told;

use std::path::Path;
use std::time::Duration;

use pf_config::{Config, Error, param};
use pf_dsn::Outcome;
use pf_log::warning;
use pf_maps::{Lookup, Maps, Options};
use pf_proto::bounce::{Message, Recipient, Status};
use pf_proto::client::{Client, Policy};
use pf_proto::deliver::{DeliveryRequest, flags};
use pf_proto::{Address, Class};

use crate::Job;
use crate::command::by_class;
use told::Told;

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
        by_class(status)
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
