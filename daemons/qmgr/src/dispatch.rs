//! Deliveries: an agent is found for the entry that is next, and what it answers is acted upon.

use std::rc::Rc;
use std::time::Instant;

use pf_dsn::{Dsn, Outcome, Status};
use pf_proto::deliver::{DeliveryReply, flags};
use tokio::task::spawn_local;

use crate::agents::{self, Failed, Unready};
use crate::outcome::{release, report};
use crate::request::request;
use crate::scheduler::{Entry, TransportId, Trouble};
use crate::shared::Shared;

/// How many connections of one transport may wait for a free agent.
const MAX_PENDING: usize = 2;

/// Starts deliveries while there is something to deliver and somebody to do it.
pub async fn dispatcher(shared: &Rc<Shared>) {
    loop {
        let now = Instant::now();
        let next = shared.scheduler.borrow_mut().revive(now);
        let ids: Vec<TransportId> = shared.scheduler.borrow().transport_ids().collect();
        for id in ids {
            let waiting = shared.pending.borrow().get(&id).copied().unwrap_or(0);
            let room = MAX_PENDING.saturating_sub(waiting);
            let ready = shared
                .scheduler
                .borrow()
                .ready(id, waiting + room)
                .saturating_sub(waiting);
            for _ in 0..ready.min(room) {
                allocate(shared, id);
            }
        }
        match next {
            Some(at) => {
                tokio::select! {
                    () = shared.work.notified() => {}
                    () = tokio::time::sleep_until(at.into()) => {}
                }
            }
            None => shared.work.notified().await,
        }
    }
}

/// Waits for an agent of a transport and gives it the entry that is next by then.
fn allocate(shared: &Rc<Shared>, transport: TransportId) {
    let Some(name) = shared
        .scheduler
        .borrow()
        .get(transport)
        .map(|transport| transport.name.clone())
    else {
        return;
    };
    *shared.pending.borrow_mut().entry(transport).or_default() += 1;
    shared.scheduler.borrow_mut().reserve(transport);
    let shared = shared.clone();
    spawn_local(async move {
        let params = &shared.params;
        let agent = agents::allocate(&name, params.ipc_timeout, params.daemon_timeout).await;
        // A transport that pauses does so before each delivery, the first one too.
        let pause = shared.transport_params(&name).transport_rate_delay;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if let Some(count) = shared.pending.borrow_mut().get_mut(&transport) {
            *count = count.saturating_sub(1);
        }
        let now = Instant::now();
        shared.scheduler.borrow_mut().allocated(transport);
        match agent {
            Ok(agent) => {
                let selected = shared.scheduler.borrow_mut().select(transport, now);
                shared.grant_extra(transport);
                // Another agent of the transport may be wanted at once.
                shared.work.notify_one();
                let Some(id) = selected else { return };
                let Some((entry, nexthop, extra)) = prepared(&shared, id) else {
                    return;
                };
                let Some(request) =
                    request(&shared, entry.message, &entry.recipients, extra, &nexthop)
                else {
                    return;
                };
                let reply = agent.deliver(&request, shared.params.daemon_timeout).await;
                ended(&shared, id, &entry, reply).await;
            }
            Err(Unready::Broken) => broken_transport(&shared, transport, Vec::new(), now).await,
            Err(Unready::Busy) => {}
        }
        shared.work.notify_one();
    });
}

fn prepared(shared: &Shared, id: crate::scheduler::EntryId) -> Option<(Entry, Vec<u8>, i32)> {
    let scheduler = shared.scheduler.borrow();
    let entry = scheduler.entry(id)?.clone();
    let destination = scheduler.queue(entry.queue)?;
    let mut extra = 0;
    if destination.sessions.load {
        extra |= flags::CONNECTION_LOAD;
    }
    if destination.sessions.store {
        extra |= flags::CONNECTION_STORE;
    }
    let nexthop = destination.nexthop.clone();
    Some((entry, nexthop, extra))
}

/// An agent has answered, or failed to.
async fn ended(
    shared: &Rc<Shared>,
    id: crate::scheduler::EntryId,
    entry: &Entry,
    reply: Result<DeliveryReply, Failed>,
) {
    let now = Instant::now();
    let reply = match reply {
        Ok(reply) => reply,
        Err(Failed::Unsent) => {
            let taken = shared.scheduler.borrow_mut().withdraw(id);
            broken_transport(shared, entry.transport, taken.into_iter().collect(), now).await;
            return;
        }
        Err(Failed::Crashed) => {
            // What it did not mark as done is tried again, later. The destination is not to blame.
            shared.with_message(entry.message, |message| message.deferred = true);
            shared.scheduler.borrow_mut().finished(id, now);
            release(shared, entry.message, entry.transport, &entry.recipients).await;
            return;
        }
    };
    if reply.deferred {
        shared.with_message(entry.message, |message| message.deferred = true);
    }
    shared
        .scheduler
        .borrow_mut()
        .mend_transport(entry.transport);
    let in_order = reply.hop.reason.is_empty();
    let trouble = (reply.deferred && !reply.hop.status.is_empty())
        .then_some((reply.hop.status, reply.hop.reason));
    match trouble {
        None if in_order => shared.scheduler.borrow_mut().succeeded(entry.queue),
        None => {}
        Some((status, reason)) => {
            let known = std::str::from_utf8(&status).is_ok() && Dsn::parse(&status).is_some();
            let reason: &[u8] = if reason.is_empty() {
                b"unknown error"
            } else {
                &reason
            };
            let trouble = Trouble {
                status: if known { status } else { b"4.0.0".to_vec() },
                reason: [b"delivery temporarily suspended: ", reason].concat(),
            };
            let dead = shared.scheduler.borrow_mut().failed(
                entry.queue,
                trouble.clone(),
                now,
                shared.params.minimal_backoff,
            );
            if dead {
                let waiting = shared.scheduler.borrow_mut().take_waiting(entry.queue);
                elsewhere(shared, waiting, &trouble).await;
            }
        }
    }
    shared.scheduler.borrow_mut().finished(id, now);
    release(shared, entry.message, entry.transport, &entry.recipients).await;
}

/// A transport that cannot be reached is left alone for a while, and what waits for it is deferred.
/// `taken`: entries of it that were about to be delivered.
async fn broken_transport(
    shared: &Rc<Shared>,
    transport: TransportId,
    taken: Vec<Entry>,
    now: Instant,
) {
    let trouble = Trouble {
        status: b"4.3.0".to_vec(),
        reason: b"mail transport unavailable".to_vec(),
    };
    let queues = {
        let mut scheduler = shared.scheduler.borrow_mut();
        let pause = shared.params.transport_retry;
        scheduler.break_transport(transport, trouble.clone(), now, pause);
        scheduler.queues_of(transport)
    };
    elsewhere(shared, taken, &trouble).await;
    for queue in queues {
        let waiting = shared.scheduler.borrow_mut().take_waiting(queue);
        elsewhere(shared, waiting, &trouble).await;
    }
}

/// What waited for a destination goes to the retry agent, which defers it; when there is none, it is deferred here.
async fn elsewhere(shared: &Rc<Shared>, entries: Vec<Entry>, trouble: &Trouble) {
    if entries.is_empty() {
        return;
    }
    if let Some(retry) = shared.retry_queue(trouble) {
        let mut scheduler = shared.scheduler.borrow_mut();
        for entry in entries {
            scheduler.give(entry, retry);
        }
        shared.wake();
        return;
    }
    let dsn = Dsn::parse(&trouble.status).unwrap_or(Dsn::new(4, 0, 0));
    for entry in entries {
        for at in &entry.recipients {
            let status = Status::new(dsn, trouble.reason.clone());
            report(shared, entry.message, *at, "none", Outcome::Defer(status)).await;
        }
        release(shared, entry.message, entry.transport, &entry.recipients).await;
    }
}
