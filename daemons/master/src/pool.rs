//! The processes of one service: who is free, and whether master itself must listen. No I/O, no clock.

use std::collections::BTreeMap;

/// One running process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its generation, as it tells in each status message.
    pub generation: u32,
    /// Whether it takes more clients.
    pub available: bool,
    /// Whether it ever served a client to the end.
    pub useful: bool,
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
    pub fn started(&mut self, pid: i32, generation: u32) {
        self.members.insert(
            pid,
            Member {
                generation,
                available: true,
                useful: false,
            },
        );
    }

    /// Notes that a process has ended.
    pub fn ended(&mut self, pid: i32) -> Option<Member> {
        self.members.remove(&pid)
    }

    /// Notes a status message.
    pub fn update(&mut self, pid: i32, generation: u32, available: bool) -> Update {
        match self.members.get_mut(&pid) {
            None => Update::Unknown,
            Some(member) if member.generation != generation => Update::OldGeneration,
            Some(member) => {
                member.useful |= available && !member.available;
                member.available = available;
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

    fn has_room(&self) -> bool {
        self.limit == 0 || u32::try_from(self.members.len()).is_ok_and(|count| count < self.limit)
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
        pool.started(10, 1);
        assert!(!pool.must_listen());
        assert_eq!(pool.update(10, 1, false), Update::Noted);
        assert!(pool.must_listen() && !pool.exhausted());
        pool.started(11, 2);
        pool.update(11, 2, false);
        assert!(!pool.must_listen() && pool.exhausted());
        assert_eq!(pool.ended(10).map(|member| member.useful), Some(false));
        assert!(pool.must_listen());
        pool.throttled = true;
        assert!(!pool.must_listen());
    }

    #[test]
    fn gossip_of_strangers_is_ignored() {
        let mut pool = Pool::default();
        pool.started(10, 7);
        assert_eq!(pool.update(11, 7, false), Update::Unknown);
        assert_eq!(pool.update(10, 6, false), Update::OldGeneration);
        assert!(!pool.must_listen());
        pool.update(10, 7, false);
        pool.update(10, 7, true);
        assert_eq!(pool.ended(10).map(|member| member.useful), Some(true));
    }
}
