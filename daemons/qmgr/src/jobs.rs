//! The jobs of one transport, and which of them goes first. Pure.
//!
//! Each job is the share of one message that this transport delivers. Jobs are served in the order of arrival. Each entry that a
//! job has handed out earns it a part of a *slot*; a job with enough slots makes room for a smaller one behind it, which it must
//! be able to pay for in full over its own life. So a mailing list delays nobody, and is delayed by a bounded share itself
//! (Postfix's SCHEDULER_README).

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Instant;

use crate::params::TransportParams;
use crate::scheduler::{EntryId, MessageId, QueueKey};

/// Entries for one destination that wait in one job.
#[derive(Debug)]
struct Peer {
    queue: QueueKey,
    waiting: VecDeque<EntryId>,
}

#[derive(Debug)]
struct Job {
    peers: VecDeque<Peer>,
    /// Entries that were made so far.
    read: i64,
    /// Entries that were handed out or taken away.
    selected: i64,
    /// Recipients still in the queue file: an upper bound for entries to come.
    unread: i64,
    /// In parts of a slot: what is left of those earned.
    available: i64,
    /// Slots used, less those that were paid for in advance.
    used: i64,
    /// How deep it is in a pile of jobs that overtook each other; 0: in its own place.
    level: u32,
    parent: Option<MessageId>,
    children: Vec<MessageId>,
    /// When this is the list's, its destinations are all busy.
    blocked: u64,
    queued: Instant,
}

impl Job {
    fn has_entries(&self) -> bool {
        self.selected < self.read
    }

    fn most(&self) -> i64 {
        self.read + self.unread
    }
}

/// The jobs of a transport, in the order in which they are served.
#[derive(Debug)]
pub struct Jobs {
    jobs: HashMap<MessageId, Job>,
    order: VecDeque<MessageId>,
    current: Option<MessageId>,
    tag: u64,
    /// Destinations that keep jobs from being served.
    blocking: HashSet<QueueKey>,
    /// The last job that overtook another while it had unread recipients.
    pub overtook: Option<MessageId>,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            jobs: HashMap::new(),
            order: VecDeque::new(),
            current: None,
            tag: 1,
            blocking: HashSet::new(),
            overtook: None,
        }
    }
}

impl Jobs {
    /// Adds an entry of a message that was queued at `queued`; `unread` recipients of it are still in the file.
    pub fn add(
        &mut self,
        message: MessageId,
        queue: QueueKey,
        entry: EntryId,
        queued: Instant,
        unread: usize,
    ) {
        if !self.jobs.contains_key(&message) {
            self.link(message, queued);
        }
        let Some(job) = self.jobs.get_mut(&message) else {
            return;
        };
        job.unread = i64::try_from(unread).unwrap_or(i64::MAX / 4);
        job.read += 1;
        match job.peers.iter_mut().find(|peer| peer.queue == queue) {
            Some(peer) => peer.waiting.push_back(entry),
            None => job.peers.push_back(Peer {
                queue,
                waiting: VecDeque::from([entry]),
            }),
        }
        if job.blocked == self.tag {
            job.blocked = 0;
            self.current = self.order.front().copied();
        }
    }

    /// The last waiting entry of a message for a destination: recipients may be added to it.
    pub fn last(&self, message: MessageId, queue: QueueKey) -> Option<EntryId> {
        let job = self.jobs.get(&message)?;
        let peer = job.peers.iter().find(|peer| peer.queue == queue)?;
        peer.waiting.back().copied()
    }

    /// How many messages wait for a destination.
    pub fn messages_for(&self, queue: QueueKey) -> usize {
        let waits = |peer: &Peer| peer.queue == queue && !peer.waiting.is_empty();
        self.jobs
            .values()
            .filter(|job| job.peers.iter().any(waits))
            .count()
    }

    fn link(&mut self, message: MessageId, queued: Instant) {
        // Only jobs in their own place are in the order of arrival.
        let mut at = self.order.len();
        let mut current = self.current;
        while at > 0 {
            let before = self.order.get(at - 1).copied();
            let Some(job) = before.and_then(|id| self.jobs.get(&id)) else {
                break;
            };
            if job.parent.is_none() && job.queued <= queued {
                break;
            }
            if current == before {
                current = None;
            }
            at -= 1;
        }
        self.order.insert(at, message);
        if current.is_none() {
            self.current = Some(message);
        }
        self.jobs.insert(
            message,
            Job {
                peers: VecDeque::new(),
                read: 0,
                selected: 0,
                unread: 0,
                available: 0,
                used: 0,
                level: 0,
                parent: None,
                children: Vec::new(),
                blocked: 0,
                queued,
            },
        );
    }

    /// Takes the next entry. `open`: whether a destination can take one more delivery.
    pub fn select(
        &mut self,
        params: &TransportParams,
        now: Instant,
        open: impl Fn(QueueKey) -> bool,
    ) -> Option<EntryId> {
        let mut first = self.current?;
        if params.slot_cost >= 2 {
            first = self.preempt(first, params, now);
        }
        let mut at = self.order.iter().position(|id| *id == first)?;
        while let Some(id) = self.order.get(at).copied() {
            let job = self.jobs.get_mut(&id)?;
            if job.blocked == self.tag {
                at += 1;
                continue;
            }
            let found = job
                .peers
                .iter()
                .position(|peer| !peer.waiting.is_empty() && open(peer.queue));
            if let Some(which) = found {
                let entry = take(job, which);
                job.selected += 1;
                job.available += 1;
                job.used += 1;
                let done = !job.has_entries() && job.unread == 0;
                self.current = Some(id);
                if done {
                    self.retire(id, cost(params));
                }
                return entry;
            }
            if job.has_entries() {
                job.blocked = self.tag;
                for peer in job.peers.iter().filter(|peer| !peer.waiting.is_empty()) {
                    self.blocking.insert(peer.queue);
                }
                at += 1;
            } else {
                // It comes back when more of its recipients are read. What follows takes its place.
                self.retire(id, cost(params));
            }
        }
        self.current = None;
        None
    }

    /// A destination may have room again: jobs that wait for it are looked at again.
    pub fn unblock(&mut self, queue: QueueKey) {
        if self.blocking.contains(&queue) {
            self.tag += 1;
            self.blocking.clear();
            self.current = self.order.front().copied();
        }
    }

    /// Takes all waiting entries for a destination out, in the order in which they came.
    pub fn remove(&mut self, queue: QueueKey, cost: i64) -> Vec<(MessageId, EntryId)> {
        let mut taken = Vec::new();
        let mut empty = Vec::new();
        for id in &self.order {
            let Some(job) = self.jobs.get_mut(id) else {
                continue;
            };
            let Some(at) = job.peers.iter().position(|peer| peer.queue == queue) else {
                continue;
            };
            if let Some(peer) = job.peers.remove(at) {
                job.selected += i64::try_from(peer.waiting.len()).unwrap_or(0);
                taken.extend(peer.waiting.into_iter().map(|entry| (*id, entry)));
            }
            if !job.has_entries() && job.unread == 0 {
                empty.push(*id);
            }
        }
        for id in empty {
            self.retire(id, cost);
        }
        self.blocking.remove(&queue);
        taken
    }

    /// The best job to overtake `current` with, if it can be paid for; otherwise `current` itself.
    fn preempt(&mut self, current: MessageId, params: &TransportParams, now: Instant) -> MessageId {
        let cost = cost(params);
        let Some(job) = self.jobs.get(&current) else {
            return current;
        };
        let minimum = number(params.minimum_slots).saturating_mul(cost);
        if job.available <= 0 || job.most() < minimum {
            return current;
        }
        // What it can earn at least, for as long as it lives.
        let affordable = (job.read - job.selected + job.available) / cost;
        let ready = job.available / cost;
        let Some((candidate, needed)) = self.candidate(current, affordable, now) else {
            return current;
        };
        let share = 100 - number(params.slot_discount.min(100));
        if (ready + number(params.slot_loan)).saturating_mul(100) < needed.saturating_mul(share) {
            return current;
        }
        self.overtake(current, candidate, needed, cost);
        candidate
    }

    /// The job behind `current` that has waited longest for its size, and how many entries it still has.
    fn candidate(
        &self,
        current: MessageId,
        affordable: i64,
        now: Instant,
    ) -> Option<(MessageId, i64)> {
        if affordable <= 0 {
            return None;
        }
        let at = self.order.iter().position(|id| *id == current)?;
        let mut best = None;
        let mut best_score = 0.0;
        for id in self.order.iter().skip(at + 1) {
            let Some(job) = self.jobs.get(id) else {
                continue;
            };
            if !job.children.is_empty() || job.blocked == self.tag {
                continue;
            }
            let waited = now
                .saturating_duration_since(job.queued)
                .as_secs_f64()
                .floor()
                + 1.0;
            let needed = job.most() - job.selected;
            if needed > 0 && needed <= affordable {
                let total = f64::from(i32::try_from(job.most()).unwrap_or(i32::MAX));
                let score = waited / total;
                if score > best_score {
                    best_score = score;
                    best = Some((*id, needed));
                }
            }
            // Those behind it have not waited longer, and none is smaller than one entry.
            if waited <= best_score && job.level == 0 {
                break;
            }
        }
        best
    }

    fn overtake(&mut self, current: MessageId, candidate: MessageId, needed: i64, cost: i64) {
        self.pop(candidate, cost);
        self.order.retain(|id| *id != candidate);
        let at = self
            .order
            .iter()
            .position(|id| *id == current)
            .unwrap_or_default();
        self.order.insert(at, candidate);
        let mut level = 0;
        if let Some(parent) = self.jobs.get_mut(&current) {
            parent.children.push(candidate);
            // Paid in advance, so that nobody else is let past with the same slots.
            parent.available -= needed.saturating_mul(cost);
            level = parent.level;
        }
        if let Some(job) = self.jobs.get_mut(&candidate) {
            job.parent = Some(current);
            job.level = level + 1;
            job.used = -needed;
            if job.unread > 0 {
                self.overtook = Some(candidate);
            }
        }
        self.current = Some(candidate);
    }

    /// Takes a job off the pile that it is on; what it did not use is given back.
    fn pop(&mut self, id: MessageId, cost: i64) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let (level, used, parent) = (job.level, job.used, job.parent.take());
        let children = std::mem::take(&mut job.children);
        job.level = 0;
        for child in &children {
            if let Some(child) = self.jobs.get_mut(child) {
                child.parent = parent;
            }
        }
        if let Some(parent) = parent.and_then(|parent| self.jobs.get_mut(&parent)) {
            if level == parent.level + 1 {
                parent.available -= used.saturating_mul(cost);
            }
            parent.children.retain(|child| *child != id);
            parent.children.extend(children);
        }
    }

    fn retire(&mut self, id: MessageId, cost: i64) {
        self.pop(id, cost);
        if let Some(at) = self.order.iter().position(|other| *other == id) {
            self.order.remove(at);
            if self.current == Some(id) {
                self.current = self.order.get(at).copied();
            }
        }
        self.jobs.remove(&id);
    }
}

/// The next entry of a peer; the peers take turns.
fn take(job: &mut Job, which: usize) -> Option<EntryId> {
    let mut peer = job.peers.remove(which)?;
    let entry = peer.waiting.pop_front();
    if !peer.waiting.is_empty() {
        job.peers.push_back(peer);
    }
    entry
}

/// How many entries earn a slot.
pub fn cost(params: &TransportParams) -> i64 {
    number(params.slot_cost).max(1)
}

fn number(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX / 1000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use pf_config::Config;

    fn params() -> TransportParams {
        TransportParams::read(&Config::for_tests(&[]), "smtp").unwrap()
    }

    /// `count` entries of a message, each for a destination of its own.
    fn fill(jobs: &mut Jobs, message: usize, count: usize, queued: Instant) {
        for at in 0..count {
            let id = message * 1000 + at;
            jobs.add(MessageId(message), QueueKey(id), EntryId(id), queued, 0);
        }
    }

    fn order(jobs: &mut Jobs, now: Instant) -> Vec<usize> {
        let params = params();
        std::iter::from_fn(|| jobs.select(&params, now, |_| true))
            .map(|entry| entry.0 / 1000)
            .collect()
    }

    #[test]
    fn equals_are_served_in_turn() {
        let now = Instant::now();
        let mut jobs = Jobs::default();
        fill(&mut jobs, 2, 2, now);
        fill(&mut jobs, 1, 2, now - Duration::from_secs(5));
        assert_eq!(order(&mut jobs, now), [1, 1, 2, 2]);
        assert!(jobs.jobs.is_empty() && jobs.order.is_empty());
    }

    #[test]
    fn a_list_lets_single_mail_past_for_a_fifth_of_its_time() {
        let now = Instant::now();
        let mut jobs = Jobs::default();
        fill(&mut jobs, 1, 100, now);
        for message in 2..60 {
            fill(&mut jobs, message, 1, now);
        }
        let order = order(&mut jobs, now);
        let end = order.iter().rposition(|message| *message == 1).unwrap();
        // Of the 58 others, as many as 100 entries pay for came first: about one for five.
        let before = end + 1 - 100;
        assert!((19..=23).contains(&before), "{before}");
        assert_eq!(order.len(), 158);
        assert!(jobs.jobs.is_empty());
    }

    #[test]
    fn a_small_job_lets_nobody_past() {
        let now = Instant::now();
        let mut jobs = Jobs::default();
        fill(&mut jobs, 1, 14, now);
        fill(&mut jobs, 2, 1, now);
        let order = order(&mut jobs, now);
        // Three slots at a cost of five are the least.
        assert_eq!(order.last(), Some(&2));
    }

    #[test]
    fn a_full_destination_holds_nobody_else_up() {
        let now = Instant::now();
        let params = params();
        let mut jobs = Jobs::default();
        jobs.add(MessageId(1), QueueKey(1), EntryId(1), now, 0);
        jobs.add(MessageId(2), QueueKey(2), EntryId(2), now, 0);
        let open = |queue: QueueKey| queue == QueueKey(2);
        assert_eq!(jobs.select(&params, now, open), Some(EntryId(2)));
        assert_eq!(jobs.select(&params, now, open), None);
        jobs.unblock(QueueKey(1));
        assert_eq!(jobs.select(&params, now, |_| true), Some(EntryId(1)));
    }

    #[test]
    fn the_entries_of_a_dead_destination_come_out() {
        let now = Instant::now();
        let mut jobs = Jobs::default();
        for message in 1..4 {
            jobs.add(MessageId(message), QueueKey(1), EntryId(message), now, 0);
        }
        jobs.add(MessageId(3), QueueKey(2), EntryId(9), now, 0);
        let taken = jobs.remove(QueueKey(1), 5);
        assert_eq!(taken.len(), 3);
        assert_eq!(order(&mut jobs, now), [0]);
    }
}
