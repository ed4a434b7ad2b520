//! Who is next. Pure: arenas of transports, destinations, jobs and entries; the clock is passed in.
//!
//! A *job* is the part of one message that one transport delivers; its *entries* are groups of recipients for one destination.
//! Jobs of a transport are served in the order of arrival, but a long one may be overtaken by a short one when it has delivered
//! enough recipients to afford that (`slot_cost` recipients for each entry of the other, Postfix's SCHEDULER_README).

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use crate::feedback::Window;
use crate::params::TransportParams;

/// The number of a transport, a destination, an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportId(pub usize);
/// See [`TransportId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueKey(pub usize);
/// See [`TransportId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub usize);
/// The number of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub usize);

/// A group of recipients of one message for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub message: MessageId,
    pub transport: TransportId,
    pub queue: QueueKey,
    /// Indices into the message's recipients.
    pub recipients: Vec<usize>,
}

#[derive(Debug)]
struct Job {
    message: MessageId,
    waiting: VecDeque<EntryId>,
    /// How many entries it had in all.
    total: usize,
    /// How many entries were handed out.
    selected: usize,
    /// How many slots were used up by jobs that overtook it.
    spent: usize,
}

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
    /// Why it is dead: status code and reason.
    pub dead: Option<(Vec<u8>, Vec<u8>)>,
    last_delivery: Option<Instant>,
}

/// One transport.
#[derive(Debug)]
pub struct Transport {
    pub name: String,
    pub params: TransportParams,
    jobs: Vec<Job>,
    paused: Option<Instant>,
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
}

impl Scheduler {
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
            jobs: Vec::new(),
            paused: None,
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

    /// Whether a transport is out of order for now.
    pub fn is_paused(&self, transport: TransportId, now: Instant) -> bool {
        self.transports
            .get(transport.0)
            .is_some_and(|transport| transport.paused.is_some_and(|until| until > now))
    }

    /// Adds recipients of a message for a destination, in groups as large as the transport allows.
    pub fn add(
        &mut self,
        message: MessageId,
        transport: TransportId,
        queue: QueueKey,
        recipients: &[usize],
    ) {
        let Some(owner) = self.transports.get_mut(transport.0) else {
            return;
        };
        let size = if owner.params.recipients == 0 {
            recipients.len()
        } else {
            owner.params.recipients
        };
        let at = match owner.jobs.iter().position(|job| job.message == message) {
            Some(at) => at,
            None => {
                owner.jobs.push(Job {
                    message,
                    waiting: VecDeque::new(),
                    total: 0,
                    selected: 0,
                    spent: 0,
                });
                owner.jobs.len() - 1
            }
        };
        for group in recipients.chunks(size.max(1)) {
            let id = EntryId(self.next);
            self.next += 1;
            self.entries.insert(
                id,
                Entry {
                    message,
                    transport,
                    queue,
                    recipients: group.to_vec(),
                },
            );
            if let Some(job) = owner.jobs.get_mut(at) {
                job.waiting.push_back(id);
                job.total += 1;
            }
            if let Some(destination) = self.destinations.get_mut(&queue) {
                destination.waiting += 1;
            }
        }
    }

    fn open(&self, entry: EntryId, now: Instant) -> bool {
        self.entries
            .get(&entry)
            .and_then(|entry| self.destinations.get(&entry.queue))
            .is_some_and(|destination| {
                destination.busy < destination.window.size
                    && destination.paused.is_none_or(|until| until <= now)
            })
    }

    /// How many entries of a transport could be delivered now, counted up to `most`.
    pub fn ready(&self, transport: TransportId, now: Instant, most: usize) -> usize {
        if self.is_paused(transport, now) {
            return 0;
        }
        let Some(owner) = self.transports.get(transport.0) else {
            return 0;
        };
        let mut room: HashMap<QueueKey, usize> = HashMap::new();
        let mut count = 0;
        for job in &owner.jobs {
            for entry in &job.waiting {
                let Some(queue) = self.entries.get(entry).map(|entry| entry.queue) else {
                    continue;
                };
                let Some(destination) = self.destinations.get(&queue) else {
                    continue;
                };
                if destination.paused.is_some_and(|until| until > now) {
                    continue;
                }
                let left = room
                    .entry(queue)
                    .or_insert_with(|| destination.window.size.saturating_sub(destination.busy));
                if *left > 0 {
                    *left -= 1;
                    count += 1;
                    if count >= most {
                        return count;
                    }
                }
            }
        }
        count
    }

    /// Takes the next entry of a transport; its destination is busy with it until [`finished`](Self::finished).
    pub fn select(&mut self, transport: TransportId, now: Instant) -> Option<EntryId> {
        if self.is_paused(transport, now) {
            return None;
        }
        let (job_at, entry_at) = self.pick(transport, now)?;
        let owner = self.transports.get_mut(transport.0)?;
        let job = owner.jobs.get_mut(job_at)?;
        let id = job.waiting.remove(entry_at)?;
        job.selected += 1;
        // The one that was overtaken pays.
        if job_at > 0 {
            let cost = 1;
            if let Some(first) = owner.jobs.first_mut() {
                first.spent += cost;
            }
        }
        owner.jobs.retain(|job| !job.waiting.is_empty());
        let queue = self.entries.get(&id)?.queue;
        let destination = self.destinations.get_mut(&queue)?;
        destination.waiting = destination.waiting.saturating_sub(1);
        destination.busy += 1;
        Some(id)
    }

    /// The job and the entry within it that are next.
    fn pick(&self, transport: TransportId, now: Instant) -> Option<(usize, usize)> {
        let owner = self.transports.get(transport.0)?;
        let find = |job: &Job| job.waiting.iter().position(|entry| self.open(*entry, now));
        let first = owner.jobs.first()?;
        // A job that has earned the slots lets the shortest of those behind it go first.
        if let Some(earned) = first.selected.checked_div(owner.params.slot_cost) {
            let earned = earned + owner.params.slot_loan;
            let available = earned.saturating_sub(first.spent);
            let candidate = owner
                .jobs
                .iter()
                .enumerate()
                .skip(1)
                .filter(|(_, job)| job.waiting.len() < first.waiting.len() && find(job).is_some())
                .min_by_key(|(_, job)| job.waiting.len());
            if let Some((at, job)) = candidate {
                let needed = job
                    .waiting
                    .len()
                    .max(owner.params.minimum_slots.min(job.waiting.len()));
                let discounted = needed * (100 - owner.params.slot_discount.min(100)) / 100;
                let long = first.total >= owner.params.minimum_slots;
                if long && available >= discounted.max(1) {
                    return find(job).map(|entry| (at, entry));
                }
            }
        }
        owner
            .jobs
            .iter()
            .enumerate()
            .find_map(|(at, job)| find(job).map(|entry| (at, entry)))
    }

    /// An entry is done with, whatever became of it. Gives it back.
    pub fn finished(&mut self, id: EntryId, now: Instant) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        let pause = self
            .transports
            .get(entry.transport.0)
            .map(|owner| (owner.params.rate_delay, owner.params.transport_rate_delay));
        if let Some(destination) = self.destinations.get_mut(&entry.queue) {
            destination.busy = destination.busy.saturating_sub(1);
            destination.last_delivery = Some(now);
            if let Some((delay, _)) = pause
                && !delay.is_zero()
            {
                destination.paused = Some(now + delay);
            }
        }
        if let (Some(owner), Some((_, delay))) = (self.transports.get_mut(entry.transport.0), pause)
            && !delay.is_zero()
        {
            owner.paused = Some(now + delay);
        }
        self.forget(entry.queue);
        Some(entry)
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

    /// A delivery to this destination went well.
    pub fn succeeded(&mut self, key: QueueKey) {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return;
        };
        if let Some(owner) = self.transports.get(destination.transport.0) {
            destination
                .window
                .succeeded(&owner.params, destination.busy.max(1));
            destination.dead = None;
        }
    }

    /// The destination as a whole failed. When that makes it dead, gives what waits for it, which is to be deferred; it is left
    /// alone for `pause`.
    pub fn failed(
        &mut self,
        key: QueueKey,
        status: (Vec<u8>, Vec<u8>),
        now: Instant,
        pause: Duration,
    ) -> Vec<Entry> {
        let Some(destination) = self.destinations.get_mut(&key) else {
            return Vec::new();
        };
        let Some(owner) = self.transports.get(destination.transport.0) else {
            return Vec::new();
        };
        if !destination.window.failed(&owner.params) {
            return Vec::new();
        }
        destination.dead = Some(status);
        destination.paused = Some(now + pause);
        self.take_waiting(|entry| entry.queue == key)
    }

    /// The transport is out of order: it is left alone for `pause`. Gives what waits for it.
    pub fn pause_transport(
        &mut self,
        transport: TransportId,
        now: Instant,
        pause: Duration,
    ) -> Vec<Entry> {
        if let Some(owner) = self.transports.get_mut(transport.0) {
            owner.paused = Some(now + pause);
        }
        self.take_waiting(|entry| entry.transport == transport)
    }

    fn take_waiting(&mut self, wanted: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        let mut taken = Vec::new();
        for owner in &mut self.transports {
            for job in &mut owner.jobs {
                job.waiting.retain(|id| {
                    let hit = self.entries.get(id).is_some_and(&wanted);
                    if hit {
                        taken.push(*id);
                    }
                    !hit
                });
            }
            owner.jobs.retain(|job| !job.waiting.is_empty());
        }
        taken
            .into_iter()
            .filter_map(|id| {
                let entry = self.entries.remove(&id)?;
                if let Some(destination) = self.destinations.get_mut(&entry.queue) {
                    destination.waiting = destination.waiting.saturating_sub(1);
                }
                Some(entry)
            })
            .collect()
    }

    /// Destinations and transports whose time out is over get another chance; gives when the next one is.
    pub fn revive(&mut self, now: Instant) -> Option<Instant> {
        let mut next: Option<Instant> = None;
        let mut sooner = |until: Instant| next = Some(next.map_or(until, |known| known.min(until)));
        let mut idle = Vec::new();
        for (key, destination) in &mut self.destinations {
            match destination.paused {
                Some(until) if until <= now => {
                    destination.paused = None;
                    if destination.dead.take().is_some()
                        && let Some(owner) = self.transports.get(destination.transport.0)
                    {
                        destination.window = Window::new(&owner.params);
                    }
                    idle.push(*key);
                }
                Some(until) => sooner(until),
                None => {}
            }
        }
        for owner in &mut self.transports {
            match owner.paused {
                Some(until) if until <= now => owner.paused = None,
                Some(until) => sooner(until),
                None => {}
            }
        }
        for key in idle {
            self.forget(key);
        }
        next
    }

    /// All dead destinations and transports get another chance at once.
    pub fn revive_all(&mut self) {
        for destination in self.destinations.values_mut() {
            if destination.dead.is_some() {
                destination.paused = None;
                destination.dead = None;
                if let Some(owner) = self.transports.get(destination.transport.0) {
                    destination.window = Window::new(&owner.params);
                }
            }
        }
        for owner in &mut self.transports {
            owner.paused = None;
        }
    }

    /// Whether more waits for the destination than it is busy with: then a connection is worth keeping.
    pub fn has_backlog(&self, key: QueueKey) -> bool {
        self.destinations
            .get(&key)
            .is_some_and(|destination| destination.waiting > 0)
    }

    /// Whether mail went there a moment ago: then a connection may be there to use again.
    pub fn was_used_since(&self, key: QueueKey, moment: Instant) -> bool {
        self.destinations
            .get(&key)
            .is_some_and(|destination| destination.last_delivery.is_some_and(|last| last > moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_config::Config;

    fn setup(settings: &[(&str, &str)]) -> (Scheduler, TransportId, Instant) {
        let mut scheduler = Scheduler::default();
        let config = Config::for_tests(settings);
        let transport =
            scheduler.transport("smtp", || TransportParams::read(&config, "smtp").unwrap());
        (scheduler, transport, Instant::now())
    }

    fn add(
        scheduler: &mut Scheduler,
        transport: TransportId,
        message: usize,
        destination: &str,
        recipients: usize,
    ) -> QueueKey {
        let queue =
            scheduler.destination(transport, destination.as_bytes(), destination.as_bytes());
        scheduler.add(
            MessageId(message),
            transport,
            queue,
            &(0..recipients).collect::<Vec<_>>(),
        );
        queue
    }

    #[test]
    fn windows_bound_what_goes_to_one_destination() {
        let (mut scheduler, transport, now) = setup(&[]);
        for message in 0..8 {
            add(&mut scheduler, transport, message, "a", 1);
        }
        add(&mut scheduler, transport, 9, "b", 1);
        assert_eq!(scheduler.ready(transport, now, 100), 6);
        let taken: Vec<_> = std::iter::from_fn(|| scheduler.select(transport, now)).collect();
        assert_eq!(taken.len(), 6);
        let first = scheduler.finished(taken[0], now).unwrap();
        assert_eq!((first.message, first.recipients), (MessageId(0), vec![0]));
        assert!(scheduler.select(transport, now).is_some());
    }

    #[test]
    fn recipients_are_split_into_groups() {
        let (mut scheduler, transport, now) =
            setup(&[("default_destination_recipient_limit", "2")]);
        add(&mut scheduler, transport, 1, "a", 5);
        let mut sizes = Vec::new();
        while let Some(id) = scheduler.select(transport, now) {
            sizes.push(scheduler.entry(id).unwrap().recipients.len());
        }
        assert_eq!(sizes, [2, 2, 1]);
    }

    #[test]
    fn a_short_message_overtakes_a_long_one() {
        let (mut scheduler, transport, now) = setup(&[
            ("default_destination_recipient_limit", "1"),
            ("default_destination_concurrency_limit", "1000"),
            ("initial_destination_concurrency", "1000"),
        ]);
        add(&mut scheduler, transport, 1, "a", 200);
        for _ in 0..20 {
            scheduler.select(transport, now).unwrap();
        }
        add(&mut scheduler, transport, 2, "b", 1);
        let mut before = 0;
        loop {
            let id = scheduler.select(transport, now).unwrap();
            if scheduler.entry(id).unwrap().message == MessageId(2) {
                break;
            }
            before += 1;
        }
        assert!(before < 5, "{before}");
    }

    #[test]
    fn a_dead_destination_gives_its_mail_back_and_is_revived() {
        let (mut scheduler, transport, now) = setup(&[("initial_destination_concurrency", "1")]);
        let queue = add(&mut scheduler, transport, 1, "a", 1);
        add(&mut scheduler, transport, 2, "a", 1);
        let id = scheduler.select(transport, now).unwrap();
        let rest = scheduler.failed(
            queue,
            (b"4.4.1".to_vec(), b"no".to_vec()),
            now,
            Duration::from_secs(60),
        );
        assert_eq!(rest.len(), 1);
        scheduler.finished(id, now);
        assert!(scheduler.queue(queue).unwrap().dead.is_some());
        assert_eq!(scheduler.revive(now), Some(now + Duration::from_secs(60)));
        assert_eq!(scheduler.revive(now + Duration::from_secs(61)), None);
        assert!(scheduler.queue(queue).is_none());
    }

    #[test]
    fn an_idle_destination_is_forgotten() {
        let (mut scheduler, transport, now) = setup(&[]);
        let queue = add(&mut scheduler, transport, 1, "a", 1);
        let id = scheduler.select(transport, now).unwrap();
        scheduler.finished(id, now);
        assert!(scheduler.queue(queue).is_none());
    }
}
