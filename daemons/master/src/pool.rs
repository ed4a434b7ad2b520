//! The processes of one service: who is free, and whether master itself must listen. No I/O, no clock.

use std::collections::BTreeMap;

use pf_proto::master::Availability;

/// One running process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its generation, as it tells in each status message.
    pub generation: u32,
    /// Whether it takes more clients.
    pub available: bool,
    /// Whether it ever served a client to the end.
    pub useful: bool,
    /// How many clients it takes at once; 0 for any number.
    pub share: u32,
    /// Whether it takes no new clients and ends when those it has are served.
    pub retired: bool,
}

/// The processes of one service.
#[derive(Debug, Default)]
pub struct Pool {
    members: BTreeMap<i32, Member>,
    /// The most processes; 0 for no limit.
    pub limit: u32,
    /// Whether no process may be started for now.
    pub throttled: bool,
}

/// What a status message changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// It was noted.
    Noted,
    /// No such process: it has ended meanwhile.
    Unknown,
    /// The process that has this id now is not the one that wrote.
    OldGeneration,
}

impl Pool {
    /// A service without processes.
    pub fn with_limit(limit: u32) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// Notes a process that was just started; it is free.
    pub fn started(&mut self, pid: i32, generation: u32, share: u32) {
        self.members.insert(
            pid,
            Member {
                generation,
                available: true,
                useful: false,
                share,
                retired: false,
            },
        );
    }

    /// How many clients the next process should take, so that all together take `maxproc`: what is left, divided among the
    /// processes that may still be started. 0 for any number.
    pub fn next_share(&self, maxproc: u32) -> u32 {
        if maxproc == 0 {
            return 0;
        }
        let given: u32 = self.counted().map(|member| member.share).sum();
        let count = u32::try_from(self.counted().count()).unwrap_or(u32::MAX);
        let places = self.limit.saturating_sub(count).max(1);
        maxproc.saturating_sub(given).div_ceil(places).max(1)
    }

    /// All processes of now take no new clients: a new generation begins.
    pub fn retire_all(&mut self) {
        for member in self.members.values_mut() {
            member.retired = true;
            member.available = false;
        }
    }

    /// Notes that a process has ended.
    pub fn ended(&mut self, pid: i32) -> Option<Member> {
        self.members.remove(&pid)
    }

    /// Notes a status message.
    pub fn update(&mut self, pid: i32, generation: u32, word: Availability) -> Update {
        match self.members.get_mut(&pid) {
            None => Update::Unknown,
            Some(member) if member.generation != generation => Update::OldGeneration,
            Some(_) if word == Availability::Busy => Update::Noted,
            Some(member) => {
                let available = word == Availability::Available;
                member.retired |= word == Availability::Retired;
                member.useful |= (available && !member.available) || member.retired;
                member.available = available && !member.retired;
                Update::Noted
            }
        }
    }

    /// Whether the next client has nobody to serve it, and a process may be started: then master listens.
    pub fn must_listen(&self) -> bool {
        !self.throttled && !self.members.values().any(|member| member.available) && self.has_room()
    }

    /// Whether all processes that may be started are, and all are taken.
    pub fn exhausted(&self) -> bool {
        !self.throttled && !self.members.values().any(|member| member.available) && !self.has_room()
    }

    /// Whether another process may be started.
    pub fn has_room(&self) -> bool {
        self.limit == 0
            || u32::try_from(self.counted().count()).is_ok_and(|count| count < self.limit)
    }

    /// The processes that count. One that waits for the last of its many clients would otherwise keep the service closed for
    /// everybody else; one that has a single client is in the way as it is in Postfix.
    fn counted(&self) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .filter(|member| !member.retired || member.share == 1)
    }

    /// All processes.
    pub fn pids(&self) -> impl Iterator<Item = i32> {
        self.members.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn master_listens_while_nobody_is_free_and_there_is_room() {
        let mut pool = Pool {
            limit: 2,
            ..Pool::default()
        };
        assert!(pool.must_listen());
        pool.started(10, 1, 1);
        assert!(!pool.must_listen());
        assert_eq!(pool.update(10, 1, Availability::Taken), Update::Noted);
        assert!(pool.must_listen() && !pool.exhausted());
        pool.started(11, 2, 1);
        pool.update(11, 2, Availability::Taken);
        assert!(!pool.must_listen() && pool.exhausted());
        assert_eq!(pool.ended(10).map(|member| member.useful), Some(false));
        assert!(pool.must_listen());
        pool.throttled = true;
        assert!(!pool.must_listen());
    }

    #[test]
    fn the_clients_are_divided_and_the_old_are_not_in_the_way() {
        let mut pool = Pool::with_limit(2);
        assert_eq!(pool.next_share(3), 2);
        pool.started(10, 1, 2);
        assert_eq!(pool.next_share(3), 1);
        pool.started(11, 2, 1);
        assert!(!pool.has_room() && !pool.must_listen());
        pool.retire_all();
        // The one with a single client still counts.
        assert!(pool.must_listen());
        assert_eq!(pool.next_share(3), 2);
        pool.started(12, 3, 2);
        assert!(!pool.has_room());
        pool.update(10, 1, Availability::Available);
        pool.update(12, 3, Availability::Busy);
        assert!(!pool.must_listen());
        pool.update(12, 3, Availability::Taken);
        assert!(pool.exhausted());
        pool.update(12, 3, Availability::Retired);
        assert!(pool.must_listen());
        assert_eq!(Pool::with_limit(4).next_share(0), 0);
    }

    #[test]
    fn gossip_of_strangers_is_ignored() {
        let mut pool = Pool::default();
        pool.started(10, 7, 1);
        assert_eq!(pool.update(11, 7, Availability::Taken), Update::Unknown);
        assert_eq!(
            pool.update(10, 6, Availability::Taken),
            Update::OldGeneration
        );
        assert!(!pool.must_listen());
        pool.update(10, 7, Availability::Taken);
        pool.update(10, 7, Availability::Available);
        assert_eq!(pool.ended(10).map(|member| member.useful), Some(true));
    }
}
