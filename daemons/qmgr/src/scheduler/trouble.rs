//! What failed and what worked, and what that does to destinations and transports: they die, and get another chance.

use std::time::{Duration, Instant};

use super::{Entry, EntryId, QueueKey, Scheduler, Sessions, TransportId, Trouble};
use crate::jobs::cost;

impl Scheduler {
    /// A delivery to this destination went well.
    pub fn succeeded(&mut self, key: QueueKey) {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        if let Some(owner) = self.transports.get(destination.transport.0) {
            if destination.dead.take().is_some() {
                destination.paused = None;
            }
            let amount = destination
                .window
                .succeeded(&owner.params, destination.busy);
            destination.tell("qmgr_queue_unthrottle", amount, &owner.params);
        }
        self.unblock(key);
    }

    /// The destination as a whole failed; true when that makes it dead. Then it is left alone for `pause`, and what waits for it
    /// is to go elsewhere.
    pub fn failed(
        &mut self,
        key: QueueKey,
        trouble: Trouble,
        now: Instant,
        pause: Duration,
    ) -> bool {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return false;
        };
        let Some(owner) = self.transports.get(destination.transport.0) else {
            return false;
        };
        // It may have died already while this delivery was under way.
        if destination.dead.is_some() {
            return false;
        }
        let amount = destination.window.failed(&owner.params);
        destination.tell("qmgr_queue_throttle", amount, &owner.params);
        if !destination.window.is_dead() {
            return false;
        }
        destination.dead = Some(trouble);
        destination.sessions = Sessions::default();
        destination.paused = Some(now + pause);
        true
    }

    /// The transport cannot be used: it is left alone for `pause`, and what waits for it is to go elsewhere.
    pub fn break_transport(
        &mut self,
        transport: TransportId,
        trouble: Trouble,
        now: Instant,
        pause: Duration,
    ) {
        if let Some(owner) = self.transports.get_mut(transport.0) {
            owner.dead = Some(trouble);
            owner.paused = Some(now + pause);
        }
    }

    /// A transport works.
    pub fn mend_transport(&mut self, transport: TransportId) {
        if let Some(owner) = self.transports.get_mut(transport.0)
            && owner.dead.take().is_some()
        {
            owner.paused = None;
        }
    }

    /// A destination gets another chance.
    pub fn mend(&mut self, key: QueueKey) {
        if let Some(destination) = self.destinations.get_mut(&key)
            && destination.dead.take().is_some()
        {
            destination.paused = None;
            if let Some(owner) = self.transports.get(destination.transport.0) {
                destination.window.revive(&owner.params, destination.busy);
                destination.tell("qmgr_queue_unthrottle", None, &owner.params);
            }
            self.unblock(key);
            self.forget(key);
        }
    }

    /// The destinations of a transport.
    pub fn queues_of(&self, transport: TransportId) -> Vec<QueueKey> {
        self.get(transport)
            .map(|owner| owner.queues.values().copied().collect())
            .unwrap_or_default()
    }

    /// Takes everything that waits for a destination out.
    pub fn take_waiting(&mut self, key: QueueKey) -> Vec<Entry> {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return Vec::new();
        };
        let Some(owner) = self.transports.get_mut(destination.transport.0) else {
            return Vec::new();
        };
        destination.waiting = 0;
        let taken = owner.jobs.remove(key, cost(&owner.params));
        let entries = taken
            .into_iter()
            .filter_map(|(_, id)| self.entries.remove(&id))
            .collect();
        self.forget(key);
        entries
    }

    /// Gives an entry that was taken out to another destination.
    pub fn give(&mut self, entry: Entry, key: QueueKey) {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        let transport = destination.transport;
        let Some(owner) = self.transports.get_mut(transport.0) else {
            return;
        };
        let id = EntryId(self.next);
        self.next += 1;
        destination.waiting += 1;
        owner.jobs.add(entry.message, key, id, entry.queued, 0);
        self.entries.insert(
            id,
            Entry {
                transport,
                queue: key,
                ..entry
            },
        );
    }

    /// Destinations and transports whose time out is over get another chance; gives when the next one is.
    pub fn revive(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut sooner = |until: Instant| next = Some(next.map_or(until, |known| known.min(until)));
        let mut over = Vec::new();
        for (key, destination) in &mut self.destinations {
            match destination.paused {
                Some(until) if until <= now => over.push(*key),
                Some(until) => sooner(until),
                None => {}
            }
        }
        for owner in &mut self.transports {
            match owner.paused {
                Some(until) if until <= now => {
                    owner.paused = None;
                    owner.dead = None;
                }
                Some(until) => sooner(until),
                None => {}
            }
        }
        for key in over {
            if let Some(destination) = self.destinations.get_mut(&key) {
                destination.paused = None;
            }
            self.mend(key);
            self.unblock(key);
            self.forget(key);
        }
        next
    }

    /// All dead destinations and transports get another chance at once.
    pub fn revive_all(&mut self) {
        for transport in self.transport_ids() {
            self.mend_transport(transport);
        }
        let keys: Vec<QueueKey> = self.destinations.keys().copied().collect();
        for key in keys {
            self.mend(key);
        }
    }
}
