//! One message in the active queue: recipients resolved and scheduled, then, when all have an outcome, reports sent and the file
//! removed or put aside.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant, SystemTime};

use pf_delivery::Verdict;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::{info, warning};
use pf_proto::bounce::{Command, Message as BounceMessage, Recipient, Request};
use pf_proto::deliver::{DeliveryRequest, Moment, Times, flags};
use pf_proto::resolve::{Personality, ResolveFlags, Resolved};
use pf_queue::{Check, QueueId, QueueName};
use pf_record::RecordType;
use pf_sys::lock::{Mode, Style, lock};
use tokio::sync::OwnedSemaphorePermit;

use crate::message::{self, Envelope, Unreadable};
use crate::params::TransportParams;
use crate::scheduler::{Batch, MessageId};
use crate::service::Shared;

/// A message in the active queue.
#[derive(Debug)]
pub struct Active {
    pub id: QueueId,
    pub envelope: Envelope,
    pub active_since: Moment,
    queued: Instant,
    wish: Wish,
    /// Entries that are not done with.
    pub outstanding: usize,
    /// Whether a recipient is left for later.
    pub deferred: bool,
}

/// What was asked for, beyond delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish {
    /// Destinations of this message get another chance, dead or not.
    pub revive: bool,
    /// `defer_transports` does not count.
    pub all_transports: bool,
    /// The message goes back to its sender.
    pub expire: bool,
}

/// What became of taking a message into the active queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is being delivered.
    Yes,
    /// It is not, for now or for ever.
    No,
}

/// How long a message is left alone that an agent of an earlier queue manager still delivers.
const STILL_BUSY: Duration = Duration::from_secs(60);

/// Reads a message that was just moved to the active queue, and schedules its recipients. `mode`: new mode bits for its file.
pub async fn take(
    shared: &Shared,
    id: QueueId,
    wish: Wish,
    mode: Option<u32>,
    permit: Option<OwnedSemaphorePermit>,
) -> Taken {
    let file = match shared.queue.open(QueueName::Active, &id, true) {
        Ok(file) => file,
        Err(err) if err.kind() == io::ErrorKind::NotFound => return Taken::No,
        Err(err) => {
            warning!("open active {}: {err}", id.as_str());
            put_aside(
                shared,
                &id,
                QueueName::Deferred,
                shared.params.minimal_backoff,
            );
            return Taken::No;
        }
    };
    if !matches!(lock(&file, Style::Flock, Mode::Exclusive, false), Ok(true)) {
        info!("{}: skipped, still being delivered", id.as_str());
        put_aside(shared, &id, QueueName::Incoming, STILL_BUSY);
        return Taken::No;
    }
    let mut envelope = match message::read(&file, shared.recipient_room()) {
        Ok(envelope) => envelope,
        Err(Unreadable::Damaged(why)) => {
            warning!("{}: {why}", id.as_str());
            save_corrupt(shared, &id);
            return Taken::No;
        }
        Err(Unreadable::Io(err)) => {
            warning!("read active {}: {err}", id.as_str());
            put_aside(
                shared,
                &id,
                QueueName::Deferred,
                shared.params.minimal_backoff,
            );
            return Taken::No;
        }
    };
    info!(
        "{}: from=<{}>, size={}, nrcpt={} (queue active)",
        id.as_str(),
        pf_address::shown(&envelope.sender),
        envelope.size.content_length,
        envelope.size.recipients
    );
    if let Some(mode) = mode
        && let Err(err) = shared.queue.set_mode(QueueName::Active, &id, mode)
    {
        warning!("{}: set mode: {err}", id.as_str());
    }
    if !envelope.redirect.is_empty() {
        // One recipient takes the place of all.
        envelope.recipients.truncate(1);
        envelope.more = None;
    }
    let held = Held {
        _file: file,
        _permit: permit,
    };
    let defer_log = shared.queue.path(QueueName::Defer, &id);
    let known_reasons =
        wish.expire && std::fs::metadata(&defer_log).is_ok_and(|status| status.len() > 0);
    if !known_reasons {
        // Its recipients are all in the queue file still, and will be told of again.
        match shared.queue.remove(QueueName::Defer, &id) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => {
                warning!("{}: remove defer: {err}", id.as_str());
            }
            _ => {}
        }
    }
    let probe = envelope.trace_flags & flags::MTA_VERIFY != 0;
    let number = shared.new_message(
        Active {
            id,
            envelope,
            active_since: Moment::now(),
            queued: Instant::now(),
            wish,
            outstanding: 0,
            deferred: known_reasons,
        },
        probe,
    );
    if known_reasons {
        drop(held);
        finish(shared, number).await;
    } else {
        schedule(shared, number, held).await;
    }
    Taken::Yes
}

/// Nothing is thrown away: an administrator may want to look at it.
fn save_corrupt(shared: &Shared, id: &QueueId) {
    match shared
        .queue
        .rename(id, QueueName::Active, QueueName::Corrupt)
    {
        Ok(()) => warning!(
            "saving corrupt file \"{}\" from queue \"active\" to queue \"corrupt\"",
            id.as_str()
        ),
        Err(err) if err.kind() == io::ErrorKind::NotFound => {}
        Err(err) => warning!("{}: rename to corrupt: {err}", id.as_str()),
    }
}

/// An open, locked queue file.
struct Held {
    _file: File,
    _permit: Option<OwnedSemaphorePermit>,
}

/// Recipients for one destination.
type Groups = BTreeMap<(String, Vec<u8>, Vec<u8>), Vec<usize>>;

/// Finds out where each recipient goes, and hands all to the scheduler. The message is held open meanwhile, so that an outcome
/// that comes early does not end it; the file is closed, and so no longer locked, before an agent may want it.
async fn schedule(shared: &Shared, number: MessageId, held: Held) {
    let Some((envelope, wish)) = shared.with_message(number, |message| {
        message.outstanding += 1;
        (message.envelope.clone(), message.wish)
    }) else {
        return;
    };
    let mut groups = Groups::new();
    let mut addresses: Vec<(usize, Vec<u8>)> = Vec::new();
    for (at, recipient) in envelope.recipients.iter().enumerate() {
        match route(shared, &envelope, wish, recipient).await {
            Route::To {
                transport,
                nexthop,
                address,
            } => {
                let name = queue_name(shared, &transport, &nexthop, &address);
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
    drop(held);
    shared.with_message(number, |message| {
        for (at, address) in addresses {
            if let Some(recipient) = message.envelope.recipients.get_mut(at) {
                recipient.address = address;
            }
        }
    });
    for ((transport, name, nexthop), mut recipients) in groups {
        // Recipients of one domain travel together, in an order that does not depend on how they were given.
        recipients.sort_by_cached_key(|at| {
            let address = envelope.recipients.get(*at).map(|one| &one.address);
            address.map(|address| order(address))
        });
        place(shared, number, &transport, &name, &nexthop, &recipients).await;
    }
    release(shared, number).await;
}

/// What a destination is called: the next hop; the recipient there, when the transport takes one recipient at a time.
fn queue_name(shared: &Shared, transport: &str, nexthop: &[u8], address: &[u8]) -> Vec<u8> {
    let alone = transport != ERROR
        && transport != RETRY
        && shared.transport_params(transport).recipients == 1;
    if !alone {
        return pf_text::case::fold(nexthop, true);
    }
    let (local, _) = pf_address::split(address);
    let delimiters = pf_address::Delimiters::new(shared.params.recipient_delimiter.as_bytes());
    let local = delimiters.split(local).map_or(local, |(user, _)| user);
    pf_text::case::fold(&[local, b"@", nexthop].concat(), true)
}

/// The transport that bounces what it gets.
const ERROR: &str = "error";
/// The transport that defers what it gets.
pub const RETRY: &str = "retry";

/// What recipients are ordered by: those without a domain last, then the domain in any case, then the whole address.
fn order(address: &[u8]) -> (bool, Vec<u8>, Vec<u8>) {
    let domain = address.iter().rposition(|byte| *byte == b'@');
    let name = domain.and_then(|at| address.get(at..)).unwrap_or_default();
    (
        domain.is_none(),
        name.to_ascii_lowercase(),
        address.to_vec(),
    )
}

/// Hands recipients for one destination to the scheduler; to the retry transport, when the transport or the destination is out
/// of order.
async fn place(
    shared: &Shared,
    number: MessageId,
    transport: &str,
    name: &[u8],
    nexthop: &[u8],
    recipients: &[usize],
) {
    let Some((queued, wish, unread, single)) = shared.with_message(number, |message| {
        let envelope = &message.envelope;
        let total = usize::try_from(envelope.size.recipients).unwrap_or(0);
        let unread = match envelope.more {
            Some(_) => total.saturating_sub(envelope.seen).max(1),
            None => 0,
        };
        (
            message.queued,
            message.wish,
            unread,
            envelope.verp.is_some(),
        )
    }) else {
        return;
    };
    let id = shared.transport(transport);
    let dead = {
        let mut scheduler = shared.scheduler.borrow_mut();
        if wish.revive {
            scheduler.mend_transport(id);
        }
        scheduler.transport_trouble(id)
    };
    let place = match dead {
        Some(trouble) => Err(trouble),
        None => {
            let mut scheduler = shared.scheduler.borrow_mut();
            if wish.revive {
                let key = scheduler.destination(id, name, nexthop);
                scheduler.mend(key);
            }
            let key = scheduler.destination(id, name, nexthop);
            match scheduler.queue(key).and_then(|queue| queue.dead.clone()) {
                Some(trouble) => Err(trouble),
                None => Ok(key),
            }
        }
    };
    let key = match place {
        Ok(key) => key,
        Err(trouble) => match shared.retry_queue(&trouble) {
            Some(key) => key,
            None => {
                let dsn = std::str::from_utf8(&trouble.status).ok();
                let dsn = dsn.and_then(|_| Dsn::parse(&trouble.status));
                let status = Status::new(dsn.unwrap_or(Dsn::new(4, 0, 0)), trouble.reason);
                for at in recipients {
                    let outcome = Outcome::Defer(status.clone());
                    report(shared, number, *at, "none", outcome).await;
                }
                return;
            }
        },
    };
    let batch = Batch {
        message: number,
        queued,
        unread,
        single,
        recipients,
    };
    let groups = shared.scheduler.borrow_mut().add(key, batch);
    shared.with_message(number, |message| message.outstanding += groups);
    shared.wake();
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

async fn route(shared: &Shared, envelope: &Envelope, wish: Wish, recipient: &Recipient) -> Route {
    let probe = envelope.trace_flags & flags::PROBE != 0;
    let machine = envelope.trace_flags & flags::MTA_VERIFY != 0;
    let redirected = !envelope.redirect.is_empty();
    let (transport, nexthop, address, found) =
        if !redirected && !envelope.filter.is_empty() && !probe {
            let address = recipient.address.clone();
            let (transport, nexthop) = filter(shared, &envelope.filter, &address);
            (transport, nexthop, address, ResolveFlags::default())
        } else {
            let personality = if machine {
                Personality::Verify
            } else {
                Personality::Regular
            };
            let rewritten;
            let address = if redirected {
                rewritten = shared
                    .trivial
                    .rewrite(pf_proto::rewrite::LOCAL, &envelope.redirect)
                    .await;
                match &rewritten {
                    Ok(rewritten) => rewritten.as_ref(),
                    Err(_) => return resolver_failure(),
                }
            } else {
                &recipient.address
            };
            let resolved = shared
                .trivial
                .resolve(personality, &envelope.sender, address)
                .await;
            let Ok(resolved) = resolved else {
                return resolver_failure();
            };
            let Resolved {
                transport,
                nexthop,
                recipient: address,
                flags,
                ..
            } = (*resolved).clone();
            if flags.has(ResolveFlags::FAIL) {
                return retry("4.3.0 address resolver failure", address);
            }
            if flags.has(ResolveFlags::ERROR) {
                return Route::To {
                    transport: ERROR.to_owned(),
                    nexthop: b"5.1.3 bad address syntax".to_vec(),
                    address,
                };
            }
            let Ok(transport) = String::from_utf8(transport) else {
                return Route::Defer(Status::new(Dsn::new(4, 3, 5), "bad transport name"));
            };
            (transport, nexthop, address, flags)
        };
    if address.is_empty() {
        return Route::To {
            transport: ERROR.to_owned(),
            nexthop: b"5.1.3 null recipient address".to_vec(),
            address,
        };
    }
    if wish.expire {
        return retry("4.7.0 message is administratively expired", address);
    }
    // A bounce of a bounce of a bounce ends here.
    let (local, _) = pf_address::split(&address);
    if found.has(ResolveFlags::LOCAL)
        && local.eq_ignore_ascii_case(shared.params.double_bounce.as_bytes())
    {
        return Route::Discard("undeliverable postmaster notification discarded".to_owned());
    }
    let listed = |name: &String| name == &transport;
    if !wish.all_transports && shared.params.defer_transports.iter().any(listed) {
        return retry("4.3.2 deferred transport", address);
    }
    if machine && shared.probes() > shared.params.probe_limit {
        return retry("4.3.2 Too many address verification requests", address);
    }
    Route::To {
        transport,
        nexthop,
        address,
    }
}

fn retry(why: &str, address: Vec<u8>) -> Route {
    Route::To {
        transport: RETRY.to_owned(),
        nexthop: why.as_bytes().to_vec(),
        address,
    }
}

fn resolver_failure() -> Route {
    Route::Defer(Status::new(Dsn::new(4, 3, 0), "address resolver failure"))
}

/// The transport and the next hop of a content filter.
fn filter(shared: &Shared, filter: &[u8], address: &[u8]) -> (String, Vec<u8>) {
    let filter = String::from_utf8_lossy(filter).into_owned();
    let (transport, nexthop) = filter.split_once(':').unwrap_or((&filter, ""));
    let nexthop = match (nexthop, shared.params.default_filter_nexthop.as_str()) {
        ("", "") => pf_address::domain(address)
            .filter(|domain| !domain.is_empty())
            .unwrap_or(shared.params.myhostname.as_bytes())
            .to_vec(),
        ("", default) => default.as_bytes().to_vec(),
        (nexthop, _) => nexthop.as_bytes().to_vec(),
    };
    (transport.to_owned(), nexthop)
}

/// The request for one entry.
pub fn request(
    shared: &Shared,
    number: MessageId,
    wanted: &[usize],
    flags_extra: i32,
    nexthop: &[u8],
) -> Option<DeliveryRequest> {
    shared.with_message(number, |message| {
        let envelope = &message.envelope;
        let recipients: Vec<Recipient> = wanted
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
            log_ident: envelope.log_ident.clone(),
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
    let Some(request) = request(shared, number, &[at], 0, b"") else {
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
            message.envelope.more.is_some().then(|| {
                let envelope = message.envelope.clone();
                shared.forget_recipients(envelope.recipients.len());
                message.envelope.recipients.clear();
                (message.id.clone(), envelope)
            })
        })
        .flatten();
    if let Some((id, mut envelope)) = more {
        let read = shared
            .queue
            .open(QueueName::Active, &id, true)
            .map_err(Unreadable::from)
            .and_then(|file| {
                message::read_more(&file, &mut envelope, shared.recipient_room())?;
                Ok(file)
            });
        match read {
            Ok(file) if !envelope.recipients.is_empty() => {
                shared.remember_recipients(envelope.recipients.len());
                shared.with_message(number, |message| message.envelope = envelope);
                let held = Held {
                    _file: file,
                    _permit: None,
                };
                Box::pin(schedule(shared, number, held)).await;
                return;
            }
            Ok(_) => {
                envelope.recipients.clear();
                shared.with_message(number, |message| message.envelope = envelope);
            }
            Err(Unreadable::Damaged(why)) => {
                warning!("{}: {why}", id.as_str());
                if shared.remove_message(number).is_some() {
                    save_corrupt(shared, &id);
                    shared.count_down();
                }
                return;
            }
            Err(Unreadable::Io(err)) => {
                warning!("{}: reading more recipients: {err}", id.as_str());
                shared.with_message(number, |message| {
                    message.deferred = true;
                    message.envelope.recipients.clear();
                });
            }
        }
    }
    finish(shared, number).await;
}

/// All recipients have an outcome: reports go out, then the file goes.
async fn finish(shared: &Shared, number: MessageId) {
    let Some(mut message) = shared.remove_message(number) else {
        return;
    };
    let id = message.id.clone();
    let log = |queue: QueueName| std::fs::symlink_metadata(shared.queue.path(queue, &id));
    match log(QueueName::Bounce) {
        // A log without a word in it is what a failed service left.
        Ok(status) if status.len() == 0 => {
            if let Err(err) = shared.queue.remove(QueueName::Bounce, &id) {
                warning!("{}: remove bounce: {err}", id.as_str());
            }
        }
        Ok(_) => message.deferred |= !notify(shared, &message, Report::Bounce).await,
        Err(_) => {}
    }
    // An agent marks a file as corrupt by its mode, and says that it is to be tried again.
    if message.deferred
        && let Check::No = shared.queue.check(QueueName::Active, &id)
    {
        save_corrupt(shared, &id);
        shared.count_down();
        return;
    }
    let wanted = flags::USER_VERIFY | flags::RECORD | flags::RECORD_DELAYED;
    if (message.envelope.trace_flags & wanted != 0 || message.envelope.tells_success)
        && log(QueueName::Trace).is_ok()
    {
        let told = notify(shared, &message, Report::Trace).await;
        message.deferred |= !told;
        // Once is enough.
        if told
            && let Some(offset) = message.envelope.record_offset
            && let Err(err) = shared
                .queue
                .open(QueueName::Active, &id, true)
                .and_then(|file| file.write_all_at(&[RecordType::KILL.0], offset))
        {
            warning!("{}: kill trace record: {err}", id.as_str());
        }
    }
    if !message.deferred {
        remove(shared, &id);
        return;
    }
    let now = seconds_now();
    let limit = if message.envelope.sender.is_empty() {
        shared.params.bounce_lifetime
    } else {
        shared.params.maximal_lifetime
    };
    let limit = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX);
    let expired = now >= message.envelope.created.saturating_add(limit);
    if message.wish.expire || expired {
        info!(
            "{}: from=<{}>, status={}, returned to sender",
            id.as_str(),
            pf_address::shown(&message.envelope.sender),
            if message.wish.expire {
                "force-expired"
            } else {
                "expired"
            }
        );
        if notify(shared, &message, Report::Expired).await {
            remove(shared, &id);
            return;
        }
    } else if let Some((due, offset)) = message.envelope.warn
        && now >= due - 1
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

fn seconds_now() -> i64 {
    Moment::now().seconds
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
    let verp = envelope
        .verp
        .as_ref()
        .filter(|_| !shared.params.plain_bounces);
    let command = match (report, verp) {
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
    // The recipients of a report are marked done one by one by whoever delivers.
    let bits = if report == Report::Trace {
        envelope.trace_flags
    } else {
        0
    };
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

/// Removes the file.
fn remove(shared: &Shared, id: &QueueId) {
    match shared.queue.remove(QueueName::Active, id) {
        Ok(()) => info!("{}: removed", id.as_str()),
        Err(err) => warning!("{}: remove active: {err}", id.as_str()),
    }
    shared.count_down();
}

/// Puts a message aside; the longer it has waited, the longer it waits.
fn later(shared: &Shared, message: &Active) {
    let age = seconds_now().saturating_sub(message.envelope.created);
    let age = Duration::from_secs(u64::try_from(age).unwrap_or(0));
    let delay = age
        .min(shared.params.maximal_backoff)
        .max(shared.params.minimal_backoff);
    put_aside(shared, &message.id, QueueName::Deferred, delay);
    shared.count_down();
}

fn put_aside(shared: &Shared, id: &QueueId, queue: QueueName, delay: Duration) {
    // The file's time says when it is next looked at; it is set first, so that a scan in between does not take it too early.
    if let Err(err) = shared
        .queue
        .set_time(QueueName::Active, id, SystemTime::now() + delay)
        && err.kind() != io::ErrorKind::NotFound
    {
        warning!("{}: set time: {err}", id.as_str());
    }
    if let Err(err) = shared.queue.rename(id, QueueName::Active, queue) {
        warning!(
            "{}: rename from active to {}: {err}",
            id.as_str(),
            queue.as_str()
        );
    }
}

/// The parameters of a transport, for [`Shared::transport_params`].
pub fn default_params(config: &pf_config::Config, name: &str) -> Option<TransportParams> {
    TransportParams::read(config, name)
        .map_err(|err| warning!("transport {name}: {err}"))
        .ok()
}
