//! From recipients to entries of the scheduler: each is resolved, and those for one destination travel together. A message with more
//! recipients than may be in memory is read piece by piece.

use std::collections::BTreeMap;
use std::fs::File;

use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_queue::QueueName;
use tokio::sync::OwnedSemaphorePermit;

use crate::intake::Refill;
use crate::message::{self, Unreadable};
use crate::outcome::{one_less, report};
use crate::route::{ERROR, RETRY, Route, route};
use crate::scheduler::{Batch, MessageId};
use crate::shared::Shared;

/// An open, locked queue file.
pub struct Held {
    pub _file: File,
    pub _permit: Option<OwnedSemaphorePermit>,
}

/// Recipients for one destination.
type Groups = BTreeMap<(String, Vec<u8>, Vec<u8>), Vec<(Order, usize)>>;
/// See [`order`].
type Order = (bool, Vec<u8>, Vec<u8>);

/// Hands the recipients of a message that was just read to the scheduler. The message is kept meanwhile: an outcome that comes
/// early does not end it.
pub async fn schedule(shared: &Shared, number: MessageId, held: Held) {
    shared.with_message(number, |message| message.outstanding += 1);
    assign(shared, number, held).await;
    read_on(shared, number, shared.default_params.refill).await;
    one_less(shared, number).await;
}

/// Finds out where the recipients go that were just read, and hands them to the scheduler. The file is closed, and so no longer
/// locked, before an agent may want it.
async fn assign(shared: &Shared, number: MessageId, held: Held) {
    let Some((envelope, wish, first)) = shared.with_message(number, |message| {
        let count = message.envelope.recipients.len();
        let first = message.next_recipient;
        message.next_recipient += count;
        message.allowance.take(&shared.places, count);
        let envelope = message.envelope.clone();
        let recipients = std::mem::take(&mut message.envelope.recipients);
        message.recipients.extend((first..).zip(recipients));
        (envelope, message.wish, first)
    }) else {
        return;
    };
    let mut groups = Groups::new();
    let mut done = Vec::new();
    for (at, recipient) in (first..).zip(&envelope.recipients) {
        match route(shared, &envelope, wish, recipient).await {
            Route::To {
                transport,
                nexthop,
                address,
            } => {
                let name = queue_name(shared, &transport, &nexthop, &address);
                let key = order(&address);
                shared.with_message(number, |message| {
                    if let Some(recipient) = message.recipients.get_mut(&at) {
                        recipient.address = address;
                    }
                });
                let group = groups.entry((transport, name, nexthop)).or_default();
                group.push((key, at));
            }
            Route::Discard(why) => {
                let outcome = Outcome::Sent(Status::new(Dsn::new(2, 0, 0), why));
                report(shared, number, at, "none", outcome).await;
                done.push(at);
            }
            Route::Defer(status) => {
                report(shared, number, at, "none", Outcome::Defer(status)).await;
                done.push(at);
            }
        }
    }
    drop(held);
    for ((transport, name, nexthop), mut group) in groups {
        // Recipients of one domain travel together, in an order that does not depend on how they were given.
        group.sort();
        let recipients: Vec<usize> = group.into_iter().map(|(_, at)| at).collect();
        let gone = place(shared, number, &transport, &name, &nexthop, &recipients).await;
        done.extend(gone);
    }
    shared.with_message(number, |message| {
        for at in &done {
            message.recipients.remove(at);
        }
        message.allowance.free(&shared.places, done.len());
        message.reading = false;
        if message.envelope.more.is_none() {
            message.allowance.settle(&shared.places);
        }
    });
}

/// Reads more recipients of a message, as long as there are any and there is room for them.
pub async fn read_on(shared: &Shared, number: MessageId, refill: Refill) {
    loop {
        let wanted = shared.with_message(number, |message| {
            let room = message.room(&shared.places, refill);
            (room > 0).then(|| {
                message.reading = true;
                (message.id.clone(), message.envelope.clone(), room)
            })
        });
        let Some(Some((id, mut envelope, room))) = wanted else {
            return;
        };
        let read = shared
            .queue
            .open(QueueName::Active, &id, true)
            .map_err(Unreadable::from)
            .and_then(|file| {
                message::read_more(&file, id.as_str(), &mut envelope, room)?;
                Ok(file)
            });
        match read {
            Ok(file) => {
                shared.with_message(number, |message| message.envelope = envelope);
                let held = Held {
                    _file: file,
                    _permit: None,
                };
                assign(shared, number, held).await;
            }
            Err(why) => {
                shared.with_message(number, |message| {
                    message.envelope.more = None;
                    message.damaged |= matches!(why, Unreadable::Damaged);
                    message.deferred = true;
                });
                if let Unreadable::Io(err) = why {
                    warning!("{}: reading more recipients: {err}", id.as_str());
                }
                return;
            }
        }
    }
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

/// What recipients are ordered by: those without a domain last, then the domain in any case, then the whole address.
pub(crate) fn order(address: &[u8]) -> Order {
    let domain = address.iter().rposition(|byte| *byte == b'@');
    let name = domain.and_then(|at| address.get(at..)).unwrap_or_default();
    (
        domain.is_none(),
        name.to_ascii_lowercase(),
        address.to_vec(),
    )
}

/// Hands recipients for one destination to the scheduler; to the retry transport, when the transport or the destination is out
/// of order. Gives those that are done with already.
async fn place(
    shared: &Shared,
    number: MessageId,
    transport: &str,
    name: &[u8],
    nexthop: &[u8],
    recipients: &[usize],
) -> Vec<usize> {
    let Some((queued, wish, unread, single)) = shared.with_message(number, |message| {
        let envelope = &message.envelope;
        let unread = match envelope.more {
            Some(_) => usize::try_from(envelope.unread).unwrap_or(0).max(1),
            None => 0,
        };
        (
            message.queued,
            message.wish,
            unread,
            envelope.verp.is_some(),
        )
    }) else {
        return Vec::new();
    };
    let id = shared.transport(transport);
    let lend = shared.transport_params(transport).in_memory;
    shared.with_message(number, |message| {
        message.allowance.borrow(&shared.places, id, lend);
    });
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
                return recipients.to_vec();
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
    shared.warn_of_clog(key);
    shared.with_message(number, |message| message.outstanding += groups);
    shared.wake();
    Vec::new()
}
