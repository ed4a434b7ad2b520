//! How many recipients of a message may be in memory. Each message has a few places of its own; each transport lends all that it
//! has left to the message that first needs them, and gets them back when that message needs no more. A message that overtakes
//! others gets some more, which the transport then owes itself.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::scheduler::TransportId;

/// The most recipients that are read at once: everything else waits meanwhile.
const MOST_AT_ONCE: usize = 5000;

/// All places, and who has them.
#[derive(Debug, Default)]
pub struct Places {
    /// How many recipients are in memory.
    used: Cell<usize>,
    /// What each transport can lend; less than nothing when it lent what is kept for those that overtake.
    unused: RefCell<HashMap<TransportId, isize>>,
}

/// The places of one message.
#[derive(Debug)]
pub struct Allowance {
    /// How many there are, borrowed ones included.
    limit: usize,
    /// How many are taken.
    used: usize,
    borrowed: Vec<(TransportId, usize)>,
    read: Instant,
}

/// When more recipients are read, for the message that was just worked on.
#[derive(Debug, Clone, Copy)]
pub struct Refill {
    /// So many free places are worth a read.
    pub limit: usize,
    /// After this time, one is.
    pub delay: Duration,
}

impl Allowance {
    /// `minimum`: places that each message has.
    pub fn new(minimum: usize) -> Self {
        Self {
            limit: minimum.max(1),
            used: 0,
            borrowed: Vec::new(),
            read: Instant::now(),
        }
    }

    /// How many recipients to read first, when so many fit into memory (`total`).
    pub fn first(&self, places: &Places, total: usize) -> usize {
        total
            .saturating_sub(places.used.get())
            .max(self.limit)
            .min(MOST_AT_ONCE)
    }

    /// How many more to read; 0: it is not time yet.
    pub fn more(&self, refill: Refill, now: Instant) -> usize {
        let free = self.limit.saturating_sub(self.used);
        let waited = now.saturating_duration_since(self.read) >= refill.delay;
        if self.used == 0 {
            free.clamp(1, MOST_AT_ONCE)
        } else if free >= refill.limit.max(1) || waited {
            free.min(MOST_AT_ONCE)
        } else {
            0
        }
    }

    /// So many recipients were read.
    pub fn take(&mut self, places: &Places, count: usize) {
        self.read = Instant::now();
        self.used += count;
        places.used.set(places.used.get() + count);
    }

    /// So many are done with.
    pub fn free(&mut self, places: &Places, count: usize) {
        self.used = self.used.saturating_sub(count);
        places.used.set(places.used.get().saturating_sub(count));
    }

    /// A transport has recipients of this message: what it can lend, `limit` at the most for all messages, is lent.
    pub fn borrow(&mut self, places: &Places, transport: TransportId, limit: usize) {
        let mut unused = places.unused.borrow_mut();
        let unused = unused.entry(transport).or_insert(limit.cast_signed());
        let lent = usize::try_from(*unused).unwrap_or(0);
        *unused = (*unused).min(0);
        self.add(transport, lent);
    }

    /// More of what its transports got back meanwhile.
    pub fn borrow_again(&mut self, places: &Places) {
        let transports: Vec<_> = self.borrowed.iter().map(|(known, _)| *known).collect();
        for transport in transports {
            self.borrow(places, transport, 0);
        }
    }

    /// The message has overtaken another: it gets half of what is left of the `extra` places for such messages.
    pub fn grant(&mut self, places: &Places, transport: TransportId, extra: usize) {
        let mut unused = places.unused.borrow_mut();
        let unused = unused.entry(transport).or_default();
        let left = extra.saturating_add_signed((*unused).min(0));
        let lent = left.div_ceil(2);
        *unused -= lent.cast_signed();
        self.add(transport, lent);
    }

    fn add(&mut self, transport: TransportId, lent: usize) {
        self.limit += lent;
        match self
            .borrowed
            .iter_mut()
            .find(|(known, _)| *known == transport)
        {
            Some((_, all)) => *all += lent,
            None => self.borrowed.push((transport, lent)),
        }
    }

    /// All recipients were read: what is not needed is given back.
    pub fn settle(&mut self, places: &Places) {
        let mut spare = self.limit.saturating_sub(self.used);
        let mut unused = places.unused.borrow_mut();
        for (transport, lent) in &mut self.borrowed {
            let back = spare.min(*lent);
            *lent -= back;
            spare -= back;
            self.limit -= back;
            *unused.entry(*transport).or_default() += back.cast_signed();
        }
    }

    /// The message has ended.
    pub fn end(mut self, places: &Places) {
        let used = self.used;
        self.free(places, used);
        self.settle(places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFILL: Refill = Refill {
        limit: 3,
        delay: Duration::from_secs(5),
    };

    #[test]
    fn places_are_lent_and_given_back() {
        let (places, smtp) = (Places::default(), TransportId(0));
        let mut list = Allowance::new(2);
        assert_eq!(list.first(&places, 10), 10);
        list.take(&places, 10);
        list.borrow(&places, smtp, 12);
        list.borrow(&places, smtp, 12);
        let now = Instant::now();
        assert_eq!(list.more(REFILL, now), 4);
        list.take(&places, 4);
        assert_eq!(list.more(REFILL, now), 0);
        list.free(&places, 2);
        // Two free places are too few, for five seconds.
        assert_eq!(list.more(REFILL, Instant::now()), 0);
        assert_eq!(list.more(REFILL, now + Duration::from_secs(9)), 2);
        let mut other = Allowance::new(2);
        assert_eq!(other.first(&places, 10), 2);
        other.borrow(&places, smtp, 12);
        assert_eq!(other.limit, 2);
        list.end(&places);
        assert_eq!((places.used.get(), places.unused.borrow()[&smtp]), (0, 12));
        other.borrow_again(&places);
        assert_eq!(other.limit, 14);
    }

    #[test]
    fn those_that_overtake_get_half_of_what_is_left_for_them() {
        let (places, smtp) = (Places::default(), TransportId(0));
        let mut list = Allowance::new(0);
        list.borrow(&places, smtp, 10);
        let (mut first, mut second) = (Allowance::new(0), Allowance::new(0));
        first.grant(&places, smtp, 7);
        second.grant(&places, smtp, 7);
        assert_eq!((first.limit, second.limit), (5, 3));
        first.borrow_again(&places);
        assert_eq!(first.limit, 5);
        for allowance in [first, second, list] {
            allowance.end(&places);
        }
        assert_eq!(places.unused.borrow()[&smtp], 10);
    }

    #[test]
    fn a_message_always_gets_on() {
        let places = Places::default();
        let mut one = Allowance::new(0);
        assert_eq!(one.more(REFILL, Instant::now()), 1);
        one.take(&places, 1);
        assert_eq!(one.more(REFILL, Instant::now()), 0);
        one.free(&places, 1);
        assert_eq!(one.more(REFILL, Instant::now()), 1);
    }
}
