//! One message in the active queue: recipients resolved and scheduled, then, when all have an outcome, reports sent and the file
//! removed or put aside.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

use pf_delivery::Verdict;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::{info, warning};
use pf_proto::bounce::{
    Command, FLAG_DELETE_RECIPIENT, Message as BounceMessage, Recipient, Request,
};
use pf_proto::deliver::{DeliveryRequest, Moment, Times, flags};
use pf_proto::resolve::{Personality, ResolveFlags, Resolved};
use pf_queue::{QueueId, QueueName};

use crate::message::{self, Envelope, Unreadable};
use crate::params::TransportParams;
use crate::scheduler::{Entry, MessageId, TransportId};
use crate::service::Shared;

/// A message in the active queue.
#[derive(Debug)]
pub struct Active {
    pub id: QueueId,
    pub envelope: Envelope,
    pub active_since: Moment,
    /// Entries that are not done with.
    pub outstanding: usize,
    /// Whether a recipient is left for later.
    pub deferred: bool,
}

/// What became of taking a message into the active queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is being delivered.
    Yes,
    /// It is not, for now or for ever.
    No,
}

/// Reads a message that was just moved to the active queue, and schedules its recipients.
pub async fn take(shared: &Shared, id: QueueId) -> Taken {
    let opened = open_and_read(shared, &id);
    let envelope = match opened {
        Ok(envelope) => envelope,
        Err(Unreadable::Damaged(why)) => {
            // Nothing is thrown away: an administrator may want to look at it.
            warning!("{}: {why}", id.as_str());
            warning!(
                "saving corrupt file \"{}\" from queue \"active\" to queue \"corrupt\"",
                id.as_str()
            );
            if let Err(err) = shared
                .queue
                .rename(&id, QueueName::Active, QueueName::Corrupt)
            {
                warning!("{}: rename to corrupt: {err}", id.as_str());
            }
            return Taken::No;
        }
        Err(Unreadable::Io(err)) if err.kind() == io::ErrorKind::NotFound => return Taken::No,
        Err(Unreadable::Io(err)) => {
            warning!("open active {}: {err}", id.as_str());
            put_aside(shared, &id, shared.params.minimal_backoff);
            return Taken::No;
        }
    };
    info!(
        "{}: from=<{}>, size={}, nrcpt={} (queue active)",
        id.as_str(),
        pf_address::shown(&envelope.sender),
        envelope.size.content_length,
        envelope.recipients.len()
    );
    let number = shared.new_message(Active {
        id,
        envelope,
        active_since: Moment::now(),
        outstanding: 0,
        deferred: false,
    });
    schedule(shared, number).await;
    Taken::Yes
}

fn open_and_read(shared: &Shared, id: &QueueId) -> Result<Envelope, Unreadable> {
    let file = shared.queue.open(QueueName::Active, id, false)?;
    message::read(&file, shared.params.recipient_limit)
}

/// Finds out where each recipient goes, and hands all to the scheduler. The message is held open meanwhile, so that an outcome
/// that comes early does not end it.
async fn schedule(shared: &Shared, number: MessageId) {
    let Some(envelope) = shared.with_message(number, |message| {
        message.outstanding += 1;
        message.envelope.clone()
    }) else {
        return;
    };
    let mut groups: BTreeMap<(String, Vec<u8>, Vec<u8>), Vec<usize>> = BTreeMap::new();
    let mut addresses: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, recipient) in envelope.recipients.iter().enumerate() {
        match route(shared, &envelope, recipient).await {
            Route::To {
                transport,
                nexthop,
                address,
            } => {
                let per_recipient = shared.transport_params(&transport).recipients == 1;
                let name = if per_recipient {
                    pf_text::case::fold(&address, true)
                } else {
                    pf_text::case::fold(&nexthop, true)
                };
                if address != recipient.address {
                    addresses.push((at, address));
                }
                groups
                    .entry((transport, name, nexthop))
                    .or_default()
                    .push(at);
            }
            Route::Discard(why) => {
                let outcome = Outcome::Sent(Status::new(Dsn::new(2, 0, 0), why));
                report(shared, number, at, "none", outcome).await;
            }
            Route::Defer(status) => {
                report(shared, number, at, "none", Outcome::Defer(status)).await;
            }
        }
    }
    shared.with_message(number, |message| {
        for (at, address) in addresses {
            if let Some(recipient) = message.envelope.recipients.get_mut(at) {
                recipient.address = address;
            }
        }
    });
    for ((transport, name, nexthop), recipients) in groups {
        place(shared, number, &transport, &name, &nexthop, recipients).await;
    }
    release(shared, number).await;
}

/// Hands recipients for one destination to the scheduler, unless the transport or the destination is out of order.
async fn place(
    shared: &Shared,
    number: MessageId,
    transport: &str,
    name: &[u8],
    nexthop: &[u8],
    recipients: Vec<usize>,
) {
    let params = shared.transport_params(transport);
    let now = std::time::Instant::now();
    let (transport_id, trouble) = {
        let mut scheduler = shared.scheduler.borrow_mut();
        let transport_id = scheduler.transport(transport, || params);
        let trouble = if shared
            .params
            .defer_transports
            .iter()
            .any(|listed| listed == transport)
        {
            Some((b"4.3.2".to_vec(), b"deferred transport".to_vec()))
        } else if scheduler.is_paused(transport_id, now) && shared.transport_is_broken(transport_id)
        {
            Some((b"4.3.0".to_vec(), b"mail transport unavailable".to_vec()))
        } else {
            let key = scheduler.destination(transport_id, name, nexthop);
            match scheduler.queue(key).and_then(|queue| queue.dead.clone()) {
                Some(dead) => Some(dead),
                None => {
                    let before = recipients.len();
                    scheduler.add(number, transport_id, key, &recipients);
                    let size = shared.transport_params(transport).recipients;
                    let entries = if size == 0 { 1 } else { before.div_ceil(size) };
                    drop(scheduler);
                    shared.with_message(number, |message| message.outstanding += entries);
                    None
                }
            }
        };
        (transport_id, trouble)
    };
    match trouble {
        Some((dsn, reason)) => {
            for at in recipients {
                let dsn = Dsn::parse(&dsn).unwrap_or(Dsn::new(4, 0, 0));
                let reason =
                    if reason == b"deferred transport" || reason == b"mail transport unavailable" {
                        reason.clone()
                    } else {
                        [b"delivery temporarily suspended: ".as_slice(), &reason].concat()
                    };
                report(
                    shared,
                    number,
                    at,
                    "none",
                    Outcome::Defer(Status::new(dsn, reason)),
                )
                .await;
            }
        }
        None => shared.wake(transport_id),
    }
}

/// Where a recipient goes.
enum Route {
    To {
        transport: String,
        nexthop: Vec<u8>,
        address: Vec<u8>,
    },
    /// It is done with, without delivery.
    Discard(String),
    /// Nobody can tell now.
    Defer(Status),
}

async fn route(shared: &Shared, envelope: &Envelope, recipient: &Recipient) -> Route {
    let probing = envelope.trace_flags & flags::MTA_VERIFY != 0;
    let personality = if probing {
        Personality::Verify
    } else {
        Personality::Regular
    };
    let address = if envelope.redirect.is_empty() {
        &recipient.address
    } else {
        &envelope.redirect
    };
    let resolved: Result<_, _> = shared
        .trivial
        .resolve(personality, &envelope.sender, address)
        .await;
    let Ok(resolved) = resolved else {
        return Route::Defer(Status::new(Dsn::new(4, 3, 0), "address resolver failure"));
    };
    let Resolved {
        transport,
        nexthop,
        recipient: address,
        flags,
        ..
    } = (*resolved).clone();
    if flags.has(ResolveFlags::FAIL) {
        return Route::Defer(Status::new(Dsn::new(4, 3, 0), "address resolver failure"));
    }
    if flags.has(ResolveFlags::ERROR) {
        return Route::To {
            transport: "error".to_owned(),
            nexthop: b"5.1.3 bad address syntax".to_vec(),
            address,
        };
    }
    let (local, _) = pf_address::split(&address);
    // A bounce of a bounce of a bounce ends here.
    if flags.has(ResolveFlags::LOCAL)
        && local.eq_ignore_ascii_case(shared.params.double_bounce.as_bytes())
        && !probing
    {
        return Route::Discard("undeliverable postmaster notification discarded".to_owned());
    }
    if !envelope.filter.is_empty() && !probing {
        let filter = String::from_utf8_lossy(&envelope.filter).into_owned();
        let (transport, nexthop) = filter.split_once(':').unwrap_or((&filter, ""));
        let nexthop = match (nexthop, shared.params.default_filter_nexthop.as_str()) {
            ("", "") => pf_address::domain(&address)
                .unwrap_or(shared.params.myhostname.as_bytes())
                .to_vec(),
            ("", default) => default.as_bytes().to_vec(),
            (nexthop, _) => nexthop.as_bytes().to_vec(),
        };
        return Route::To {
            transport: transport.to_owned(),
            nexthop,
            address,
        };
    }
    match String::from_utf8(transport) {
        Ok(transport) => Route::To {
            transport,
            nexthop,
            address,
        },
        Err(_) => Route::Defer(Status::new(Dsn::new(4, 3, 5), "bad transport name")),
    }
}

/// The request for one entry.
pub fn request(
    shared: &Shared,
    entry: &Entry,
    flags_extra: i32,
    nexthop: &[u8],
) -> Option<DeliveryRequest> {
    shared.with_message(entry.message, |message| {
        let envelope = &message.envelope;
        let recipients: Vec<Recipient> = entry
            .recipients
            .iter()
            .filter_map(|at| envelope.recipients.get(*at).cloned())
            .collect();
        let sender = match (&envelope.verp, recipients.first()) {
            (Some(delimiters), Some(recipient)) => verp(
                &envelope.sender,
                delimiters,
                &shared.params.verp_delimiters,
                recipient,
            ),
            _ => envelope.sender.clone(),
        };
        let arrival = Moment {
            seconds: envelope.arrival.seconds,
            micros: envelope.arrival.micros,
        };
        let mut sendopts = i32::try_from(envelope.size.sendopts).unwrap_or(0);
        if recipients
            .iter()
            .any(|recipient| !recipient.address.is_ascii())
        {
            sendopts |= i32::try_from(pf_record::sendopts::SMTPUTF8_RECIPIENT).unwrap_or(0);
        }
        DeliveryRequest {
            flags: flags::DEFAULT | envelope.trace_flags | flags_extra,
            queue: b"active".to_vec(),
            id: message.id.as_bytes().to_vec(),
            data_offset: envelope.size.data_offset,
            data_size: envelope.size.content_length,
            nexthop: nexthop.to_vec(),
            encoding: envelope.encoding.clone(),
            sendopts,
            sender,
            envid: envelope.envid.clone(),
            ret: envelope.ret,
            times: Times {
                arrived: arrival,
                active: message.active_since,
                ..Times::default()
            },
            client_name: envelope.client_name.clone(),
            client_address: envelope.client_address.clone(),
            client_port: envelope.client_port.clone(),
            client_protocol: envelope.client_protocol.clone(),
            client_helo: envelope.client_helo.clone(),
            sasl_method: envelope.sasl_method.clone(),
            sasl_username: envelope.sasl_username.clone(),
            sasl_sender: envelope.sasl_sender.clone(),
            log_ident: if envelope.log_ident.is_empty() {
                message.id.as_bytes().to_vec()
            } else {
                envelope.log_ident.clone()
            },
            rewrite_context: if envelope.rewrite_context.is_empty() {
                b"local".to_vec()
            } else {
                envelope.rewrite_context.clone()
            },
            recipients,
        }
    })
}

/// The sender address that tells which recipient a bounce is about.
fn verp(sender: &[u8], delimiters: &[u8], default: &str, recipient: &Recipient) -> Vec<u8> {
    let delimiters = if delimiters.len() == 2 {
        delimiters
    } else {
        default.as_bytes()
    };
    let (local, domain) = pf_address::split(sender);
    let original = if recipient.original.is_empty() {
        &recipient.address
    } else {
        &recipient.original
    };
    let (their_local, their_domain) = pf_address::split(original);
    let mut out = local.to_vec();
    out.extend(delimiters.first());
    out.extend_from_slice(their_local);
    if let Some(domain) = their_domain {
        out.extend(delimiters.get(1));
        out.extend_from_slice(domain);
    }
    if let Some(domain) = domain {
        out.push(b'@');
        out.extend_from_slice(domain);
    }
    out
}

/// The queue manager's own word on a recipient.
pub async fn report(shared: &Shared, number: MessageId, at: usize, relay: &str, outcome: Outcome) {
    let entry_like = Entry {
        message: number,
        transport: TransportId(0),
        queue: crate::scheduler::QueueKey(0),
        recipients: vec![at],
    };
    let Some(request) = request(shared, &entry_like, 0, b"") else {
        return;
    };
    let Some(recipient) = request.recipients.first() else {
        return;
    };
    let id = String::from_utf8_lossy(&request.id).into_owned();
    let verdict = shared
        .agent
        .tell(&request, &id, recipient, relay, None, outcome)
        .await;
    match verdict {
        Verdict::Later => {
            shared.with_message(number, |message| message.deferred = true);
        }
        Verdict::Done => {
            let offset = u64::try_from(recipient.offset).unwrap_or(0);
            if offset > 0
                && let Some(queue_id) = QueueId::parse(&request.id)
                && let Err(err) = shared
                    .queue
                    .open(QueueName::Active, &queue_id, true)
                    .and_then(|file: File| pf_queue::edit::mark_done(&file, offset))
            {
                warning!("{id}: mark recipient done: {err}");
            }
        }
    }
}

/// One entry less is outstanding; the last one ends the message, or the part of it that was read.
pub async fn release(shared: &Shared, number: MessageId) {
    let left = shared.with_message(number, |message| {
        message.outstanding = message.outstanding.saturating_sub(1);
        message.outstanding
    });
    if left == Some(0) {
        Box::pin(complete(shared, number)).await;
    }
}

async fn complete(shared: &Shared, number: MessageId) {
    // More recipients than are held at once: on to the next ones.
    let more = shared
        .with_message(number, |message| {
            message.envelope.more.is_some().then(|| message.id.clone())
        })
        .flatten();
    if let Some(id) = more {
        let read = shared
            .queue
            .open(QueueName::Active, &id, false)
            .map_err(Unreadable::from)
            .and_then(|file| {
                let mut envelope = shared
                    .with_message(number, |message| message.envelope.clone())
                    .ok_or_else(|| Unreadable::Io(io::ErrorKind::NotFound.into()))?;
                message::read_more(&file, &mut envelope, shared.params.recipient_limit)?;
                Ok(envelope)
            });
        match read {
            Ok(envelope) if !envelope.recipients.is_empty() => {
                shared.with_message(number, |message| message.envelope = envelope);
                Box::pin(schedule(shared, number)).await;
                return;
            }
            Ok(_) => {}
            Err(err) => {
                warning!("{}: reading more recipients: {err:?}", id.as_str());
                shared.with_message(number, |message| message.deferred = true);
            }
        }
    }
    finish(shared, number).await;
}

/// All recipients have an outcome: reports go out, then the file goes.
async fn finish(shared: &Shared, number: MessageId) {
    let Some(message) = shared.remove_message(number) else {
        return;
    };
    let id = message.id.clone();
    let envelope = &message.envelope;
    let exists =
        |queue: QueueName| std::fs::symlink_metadata(shared.queue.path(queue, &id)).is_ok();
    if exists(QueueName::Bounce) && !notify(shared, &message, Report::Bounce).await {
        later(shared, &message);
        return;
    }
    if (message.deferred && envelope.trace_flags & flags::PROBE == 0) || !exists(QueueName::Trace) {
        // No delivery report yet.
    } else if !notify(shared, &message, Report::Trace).await {
        later(shared, &message);
        return;
    }
    if !message.deferred {
        remove(shared, &id);
        return;
    }
    let now = i64::try_from(
        SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs(),
    )
    .unwrap_or(0);
    let age = Duration::from_secs(u64::try_from(now - envelope.created).unwrap_or(0));
    let limit = if envelope.sender.is_empty() {
        shared.params.bounce_lifetime
    } else {
        shared.params.maximal_lifetime
    };
    if age >= limit {
        info!(
            "{}: from=<{}>, status=expired, returned to sender",
            id.as_str(),
            pf_address::shown(&envelope.sender)
        );
        if notify(shared, &message, Report::Expired).await {
            remove(shared, &id);
            return;
        }
    } else if let Some((due, offset)) = envelope.warn
        && due <= now
        && notify(shared, &message, Report::Delay).await
        && let Err(err) = shared
            .queue
            .open(QueueName::Active, &id, true)
            .and_then(|file| pf_queue::edit::set_warn_time(&file, offset, 0))
    {
        warning!("{}: update delay warning: {err}", id.as_str());
    }
    later(shared, &message);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    Bounce,
    Trace,
    Expired,
    Delay,
}

/// Has the bounce daemon send what it has collected; false when it cannot now.
async fn notify(shared: &Shared, message: &Active, report: Report) -> bool {
    let envelope = &message.envelope;
    let about = BounceMessage {
        queue: b"active".to_vec(),
        id: message.id.as_bytes().to_vec(),
        encoding: envelope.encoding.clone(),
        sendopts: i32::try_from(envelope.size.sendopts).unwrap_or(0),
        sender: envelope.sender.clone(),
        envid: envelope.envid.clone(),
        ret: envelope.ret,
    };
    let command = match (report, &envelope.verp) {
        (Report::Bounce | Report::Expired, Some(delimiters)) => {
            let delimiters = if delimiters.len() == 2 {
                delimiters.clone()
            } else {
                shared.params.verp_delimiters.clone().into_bytes()
            };
            Command::Verp {
                message: about,
                delimiters,
            }
        }
        (Report::Bounce | Report::Expired, None) => Command::Flush(about),
        (Report::Trace, _) => Command::Trace(about),
        (Report::Delay, _) => Command::Warn(about),
    };
    let client = match report {
        Report::Bounce => &shared.bounce,
        Report::Trace => &shared.trace,
        Report::Expired | Report::Delay => &shared.defer,
    };
    let mut bits = envelope.trace_flags | FLAG_DELETE_RECIPIENT;
    if report == Report::Delay || report == Report::Trace {
        bits = envelope.trace_flags;
    }
    match client
        .call(&Request {
            flags: bits,
            command,
        })
        .await
    {
        Ok(0) => true,
        other => {
            pf_log::debug!("{}: {report:?} report: {other:?}", message.id.as_str());
            false
        }
    }
}

/// Removes the file; logs of earlier attempts go with it.
fn remove(shared: &Shared, id: &QueueId) {
    for queue in [QueueName::Defer, QueueName::Bounce, QueueName::Trace] {
        match shared.queue.remove(queue, id) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                warning!("remove {} {}: {err}", queue.as_str(), id.as_str());
            }
            _ => {}
        }
    }
    match shared.queue.remove(QueueName::Active, id) {
        Ok(()) => info!("{}: removed", id.as_str()),
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            warning!("{}: remove active: {err}", id.as_str());
        }
        Err(err) => warning!("{}: remove active: {err}", id.as_str()),
    }
    shared.count_down();
}

/// Puts a message aside; the longer it has waited, the longer it waits.
fn later(shared: &Shared, message: &Active) {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let age = Duration::from_secs(
        now.saturating_sub(u64::try_from(message.envelope.created).unwrap_or(0)),
    );
    let delay = age.clamp(
        shared.params.minimal_backoff,
        shared
            .params
            .maximal_backoff
            .max(shared.params.minimal_backoff),
    );
    put_aside(shared, &message.id, delay);
    shared.count_down();
}

fn put_aside(shared: &Shared, id: &QueueId, delay: Duration) {
    // The file's time says when it is next looked at; it is set first, so that a scan in between does not take it too early.
    if let Err(err) = shared
        .queue
        .set_time(QueueName::Active, id, SystemTime::now() + delay)
    {
        warning!("{}: set time: {err}", id.as_str());
    }
    if let Err(err) = shared
        .queue
        .rename(id, QueueName::Active, QueueName::Deferred)
        && err.kind() != io::ErrorKind::NotFound
    {
        warning!("{}: rename to deferred: {err}", id.as_str());
    }
}

/// The parameters of a transport, for [`Shared::transport_params`].
pub fn default_params(config: &pf_config::Config, name: &str) -> Option<TransportParams> {
    TransportParams::read(config, name)
        .map_err(|err| warning!("transport {name}: {err}"))
        .ok()
}
