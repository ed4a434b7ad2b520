//! Who is next. Pure: arenas of transports, destinations and entries; the clock is passed in.
//!
//! An *entry* is a group of recipients of one message for one destination of one transport. Which message goes first is decided in
//! [`crate::jobs`], how many deliveries a destination takes at once in [`crate::feedback`].

mod trouble;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use pf_log::info;

use crate::clog::Share;
use crate::feedback::{Window, short};
use crate::jobs::Jobs;
use crate::params::TransportParams;

pub use crate::entry::{Batch, Entry, EntryId, MessageId, QueueKey, TransportId, Trouble};

/// One destination of a transport.
#[derive(Debug)]
pub struct Destination {
    pub transport: TransportId,
    pub name: Vec<u8>,
    pub nexthop: Vec<u8>,
    pub window: Window,
    pub busy: usize,
    waiting: usize,
    /// While this lies ahead, nothing goes there.
    paused: Option<Instant>,
    /// Why it is dead.
    pub dead: Option<Trouble>,
    last_delivery: Option<Instant>,
    /// When it was last told that it takes up the queue.
    warned: Option<Instant>,
    /// What agents may do with sessions.
    pub sessions: Sessions,
}

/// Whether agents may use sessions that are open already, and leave theirs open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sessions {
    pub load: bool,
    pub store: bool,
}

/// Deliveries that are no longer apart are back to back.
const RECENT: Duration = Duration::from_secs(2);

impl Destination {
    /// Sessions are kept once deliveries follow upon each other, not for a first burst; they are used up, and no more are kept, when
    /// the stream has run dry.
    fn plan_sessions(&mut self, now: Instant) {
        let follows = self
            .last_delivery
            .is_some_and(|last| now.saturating_duration_since(last) < RECENT);
        if follows {
            self.sessions = Sessions {
                load: true,
                store: true,
            };
        } else if self.busy <= 1 {
            self.sessions.store = false;
        }
    }

    fn room(&self) -> usize {
        if self.paused.is_some() {
            0
        } else {
            self.window.size.saturating_sub(self.busy)
        }
    }

    /// Tells what a delivery changed, if anybody wants to know.
    fn tell(&self, who: &str, amount: Option<f64>, params: &TransportParams) {
        if !params.feedback_debug {
            return;
        }
        if let Some(amount) = amount {
            info!("{who}: feedback {}", short(amount));
        }
        info!(
            "{who}: {}",
            self.window.shown(&self.name, params.concurrency)
        );
    }
}

/// One transport.
#[derive(Debug)]
pub struct Transport {
    pub name: String,
    pub params: TransportParams,
    jobs: Jobs,
    /// Why it is dead.
    pub dead: Option<Trouble>,
    /// While this lies ahead, nothing goes there.
    paused: Option<Instant>,
    /// One delivery is about to begin, after a pause.
    locked: bool,
    queues: HashMap<Vec<u8>, QueueKey>,
}

/// All that waits for delivery.
#[derive(Debug, Default)]
pub struct Scheduler {
    transports: Vec<Transport>,
    by_name: HashMap<String, TransportId>,
    destinations: HashMap<QueueKey, Destination>,
    entries: HashMap<EntryId, Entry>,
    next: usize,
    /// With more destinations than this, dead ones are forgotten before their time.
    many: Option<usize>,
}

impl Scheduler {
    /// A scheduler that remembers dead destinations while it knows no more than `many`.
    pub fn new(many: usize) -> Self {
        Self {
            many: Some(many),
            ..Self::default()
        }
    }

    /// The transport with this name; made with `params` when it is met first.
    pub fn transport(
        &mut self,
        name: &str,
        params: impl FnOnce() -> TransportParams,
    ) -> TransportId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = TransportId(self.transports.len());
        self.transports.push(Transport {
            name: name.to_owned(),
            params: params(),
            jobs: Jobs::default(),
            dead: None,
            paused: None,
            locked: false,
            queues: HashMap::new(),
        });
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// A transport by number.
    pub fn get(&self, id: TransportId) -> Option<&Transport> {
        self.transports.get(id.0)
    }

    /// All transports.
    pub fn transport_ids(&self) -> impl Iterator<Item = TransportId> + use<> {
        (0..self.transports.len()).map(TransportId)
    }

    /// Why a transport is dead, when it is.
    pub fn transport_trouble(&self, id: TransportId) -> Option<Trouble> {
        self.get(id).and_then(|transport| transport.dead.clone())
    }

    /// The destination with this name; made when it is met first.
    pub fn destination(&mut self, transport: TransportId, name: &[u8], nexthop: &[u8]) -> QueueKey {
        let fresh = QueueKey(self.next);
        let Some(owner) = self.transports.get_mut(transport.0) else {
            return fresh;
        };
        if let Some(key) = owner.queues.get(name) {
            return *key;
        }
        self.next += 1;
        owner.queues.insert(name.to_vec(), fresh);
        self.destinations.insert(
            fresh,
            Destination {
                transport,
                name: name.to_vec(),
                nexthop: nexthop.to_vec(),
                window: Window::new(&owner.params),
                busy: 0,
                waiting: 0,
                paused: None,
                dead: None,
                last_delivery: None,
                warned: None,
                sessions: Sessions::default(),
            },
        );
        fresh
    }

    /// A destination by number.
    pub fn queue(&self, key: QueueKey) -> Option<&Destination> {
        self.destinations.get(&key)
    }

    /// An entry by number.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// Adds recipients of a message for a destination, in groups as large as the transport allows; gives the number of new
    /// groups.
    pub fn add(&mut self, queue: QueueKey, batch: Batch<'_>) -> usize {
        let Some(destination) = self.destinations.get_mut(&queue) else {
            return 0;
        };
        let transport = destination.transport;
        let Some(owner) = self.transports.get_mut(transport.0) else {
            return 0;
        };
        let size = match owner.params.recipients {
            _ if batch.single => 1,
            0 => usize::MAX,
            limit => limit,
        };
        let mut rest = batch.recipients;
        // A group that waits already may have room for more.
        if let Some(entry) = owner
            .jobs
            .last(batch.message, queue)
            .and_then(|id| self.entries.get_mut(&id))
        {
            let room = size.saturating_sub(entry.recipients.len()).min(rest.len());
            let (fits, left) = rest.split_at(room);
            entry.recipients.extend_from_slice(fits);
            rest = left;
        }
        let mut groups = 0;
        for group in rest.chunks(size) {
            let id = EntryId(self.next);
            self.next += 1;
            groups += 1;
            self.entries.insert(
                id,
                Entry {
                    message: batch.message,
                    transport,
                    queue,
                    recipients: group.to_vec(),
                    queued: batch.queued,
                },
            );
            owner
                .jobs
                .add(batch.message, queue, id, batch.queued, batch.unread);
        }
        destination.waiting += groups;
        groups
    }

    /// The share of a destination that has more than `most` groups, unless it was told less than `pause` ago.
    pub fn clogging(
        &mut self,
        key: QueueKey,
        most: usize,
        now: Instant,
        pause: Duration,
    ) -> Option<Share> {
        let destination = self.destinations.get_mut(&key)?;
        let length = destination.waiting + destination.busy;
        let quiet = destination.warned.is_some_and(|last| now < last + pause);
        if length <= most || quiet {
            return None;
        }
        destination.warned = Some(now);
        let owner = self.transports.get(destination.transport.0)?;
        Some(Share {
            nexthop: destination.nexthop.clone(),
            transport: owner.name.clone(),
            length,
            busy: destination.busy,
            window: destination.window.size,
            concurrency: owner.params.concurrency,
            several: owner.jobs.messages_for(key) > 1,
        })
    }

    /// A message with unread recipients that has just overtaken another of this transport; told once.
    pub fn overtook(&mut self, transport: TransportId) -> Option<MessageId> {
        self.transports.get_mut(transport.0)?.jobs.overtook.take()
    }

    /// How many entries of a transport could be delivered now, counted up to `most`.
    pub fn ready(&self, transport: TransportId, most: usize) -> usize {
        let Some(owner) = self.transports.get(transport.0) else {
            return 0;
        };
        if owner.dead.is_some() || owner.locked || owner.paused.is_some() {
            return 0;
        }
        let most = if owner.params.transport_rate_delay.is_zero() {
            most
        } else {
            most.min(1)
        };
        let mut count = 0;
        for key in owner.queues.values() {
            if let Some(destination) = self.destinations.get(key) {
                count += destination.room().min(destination.waiting);
                if count >= most {
                    return most;
                }
            }
        }
        count
    }

    /// A delivery by a transport is about to begin: one that pauses between deliveries begins no second one.
    pub fn reserve(&mut self, transport: TransportId) {
        if let Some(owner) = self.transports.get_mut(transport.0)
            && !owner.params.transport_rate_delay.is_zero()
        {
            owner.locked = true;
        }
    }

    /// An agent is there, or none is to be had, and the pause is over: another delivery may begin.
    pub fn allocated(&mut self, transport: TransportId) {
        if let Some(owner) = self.transports.get_mut(transport.0) {
            owner.locked = false;
        }
    }

    /// Takes the next entry of a transport; its destination is busy with it until [`finished`](Self::finished).
    pub fn select(&mut self, transport: TransportId, now: Instant) -> Option<EntryId> {
        let owner = self.transports.get_mut(transport.0)?;
        if owner.dead.is_some() {
            return None;
        }
        let destinations = &self.destinations;
        let id = owner.jobs.select(&owner.params, now, |key| {
            destinations
                .get(&key)
                .is_some_and(|destination| destination.room() > 0)
        })?;
        let queue = self.entries.get(&id)?.queue;
        let destination = self.destinations.get_mut(&queue)?;
        destination.waiting = destination.waiting.saturating_sub(1);
        destination.busy += 1;
        destination.plan_sessions(now);
        Some(id)
    }

    /// An entry is done with, whatever became of it. Gives it back.
    pub fn finished(&mut self, id: EntryId, now: Instant) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        let delay = self
            .get(entry.transport)
            .map(|owner| owner.params.rate_delay)
            .unwrap_or_default();
        if let Some(destination) = self.destinations.get_mut(&entry.queue) {
            destination.busy = destination.busy.saturating_sub(1);
            destination.last_delivery = Some(now);
            if !delay.is_zero() {
                // A pause is all that a slow destination gets, dead or not.
                if destination.dead.take().is_some()
                    && let Some(owner) = self.transports.get(entry.transport.0)
                {
                    destination.window.revive(&owner.params, destination.busy);
                }
                destination.paused = Some(now + delay);
            }
        }
        if self.many.is_some_and(|many| self.destinations.len() > many)
            && let Some(destination) = self.destinations.get(&entry.queue)
            && destination.busy + destination.waiting == 0
        {
            self.mend(entry.queue);
        }
        self.unblock(entry.queue);
        self.forget(entry.queue);
        Some(entry)
    }

    /// Takes an entry back that was selected and then not delivered.
    pub fn withdraw(&mut self, id: EntryId) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        if let Some(destination) = self.destinations.get_mut(&entry.queue) {
            destination.busy = destination.busy.saturating_sub(1);
        }
        self.unblock(entry.queue);
        self.forget(entry.queue);
        Some(entry)
    }

    fn unblock(&mut self, key: QueueKey) {
        if let Some(destination) = self.destinations.get(&key)
            && destination.room() > 0
            && destination.waiting > 0
            && let Some(owner) = self.transports.get_mut(destination.transport.0)
        {
            owner.jobs.unblock(key);
        }
    }

    /// A destination that nothing waits for and that is in good order is forgotten.
    fn forget(&mut self, key: QueueKey) {
        let idle = self.destinations.get(&key).is_some_and(|destination| {
            destination.waiting == 0
                && destination.busy == 0
                && destination.dead.is_none()
                && destination.paused.is_none()
        });
        if idle
            && let Some(destination) = self.destinations.remove(&key)
            && let Some(owner) = self.transports.get_mut(destination.transport.0)
        {
            owner.queues.remove(&destination.name);
        }
    }
}

#[cfg(test)]
mod tests;
