//! One message in the active queue: recipients resolved and scheduled, then, when all have an outcome, reports sent and the file
//! removed or put aside.

use std::collections::HashMap;
use std::io;
use std::time::{Duration, Instant, SystemTime};

use pf_log::{info, warning};
use pf_proto::bounce::Recipient;
use pf_proto::deliver::{Moment, flags};
use pf_queue::{QueueId, QueueName};
use pf_sys::lock::{Mode, Style, lock};
use tokio::sync::OwnedSemaphorePermit;

use crate::assign::{Held, order, schedule};
use crate::intake::{Allowance, Places, Refill};
use crate::message::{self, Envelope, Unreadable};
use crate::outcome::finish;
use crate::shared::Shared;

/// A message in the active queue.
#[derive(Debug)]
pub struct Active {
    pub id: QueueId,
    pub envelope: Envelope,
    pub active_since: Moment,
    pub queued: Instant,
    pub wish: Wish,
    /// Entries that are not done with.
    pub outstanding: usize,
    /// Whether a recipient is left for later.
    pub deferred: bool,
    /// The queue file turned out to be damaged while recipients were under way.
    pub damaged: bool,
    /// Those in memory, by numbers that are never used again.
    pub recipients: HashMap<usize, Recipient>,
    pub next_recipient: usize,
    pub allowance: Allowance,
    /// Recipients are being read or resolved.
    pub reading: bool,
}

impl Active {
    /// How many more recipients are to be read now.
    pub fn room(&mut self, places: &Places, refill: Refill) -> usize {
        if self.reading || self.envelope.more.is_none() {
            return 0;
        }
        self.allowance.borrow_again(places);
        self.allowance.more(refill, Instant::now())
    }
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
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            warning!("open active {}: {err}", id.as_str());
            return Taken::No;
        }
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
    let allowance = Allowance::new(shared.params.recipient_minimum);
    let room = allowance.first(&shared.places, shared.params.recipient_limit);
    let mut envelope = match message::read(&file, id.as_str(), room) {
        Ok(envelope) => envelope,
        Err(Unreadable::Damaged) => {
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
    if shared.params.delay_cleared && envelope.warn.is_some_and(|(due, _)| due < 0) {
        envelope.trace_flags |= flags::RECORD_DELAYED;
    }
    if let Some(mode) = mode
        && let Err(err) = shared.queue.set_mode(QueueName::Active, &id, mode)
    {
        warning!("{}: set mode: {err}", id.as_str());
    }
    if envelope.redirect.is_some() {
        // One recipient takes the place of all: the one that would be first.
        envelope
            .recipients
            .sort_by_cached_key(|recipient| order(&recipient.address));
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
            damaged: false,
            recipients: HashMap::new(),
            next_recipient: 0,
            allowance,
            reading: !known_reasons,
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
pub fn save_corrupt(shared: &Shared, id: &QueueId) {
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

/// The time.
pub fn seconds_now() -> i64 {
    Moment::now().seconds
}

/// Puts a message aside; the longer it has waited, the longer it waits.
pub fn later(shared: &Shared, message: &Active) {
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
        warning!(
            "qmgr_active_defer: update active/{} time stamps: {err}",
            id.as_str()
        );
    }
    if let Err(err) = shared.queue.rename(id, QueueName::Active, queue) {
        warning!(
            "qmgr_active_defer: rename {} from active to {}: {err}",
            id.as_str(),
            queue.as_str()
        );
    }
}
