//! The clients of this process, and what master knows of them.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::time::{ClockId, clock_gettime};
use pf_proto::master::Availability;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use crate::{CLIENTS_VARIABLE, Share, Status};

/// How many slots a process counts as when its clients are not limited (`default_process_limit`).
const SLOTS: u64 = 100;

/// Has the event loop watch a descriptor.
#[allow(
    deprecated,
    reason = "unsound only for types whose descriptor may change or close; these own theirs for life"
)]
pub(super) fn watch<T: std::os::fd::AsRawFd>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(fd, interest)
}

/// How often it is looked at how busy the clients keep this process.
const EFFORT_TIME: Duration = Duration::from_millis(200);

/// How much processor time the event loop has had by a moment.
#[derive(Debug, Clone, Copy)]
struct Effort {
    at: Instant,
    processor: Duration,
}

impl Effort {
    fn now() -> Option<Self> {
        let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
        Some(Self {
            at: Instant::now(),
            processor: time.into(),
        })
    }
}

/// Why no more clients are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Master has ended, or begins a new generation.
    MasterGone,
    /// The process has served its clients.
    Done,
    /// Nobody came.
    Idle,
    /// A table has changed that only a new process can open.
    Outdated,
}

/// The clients of this process, and what master knows of them.
pub(super) struct Crew {
    pub(super) status: AsyncFd<Status>,
    /// Whether our own master told a share, and so understands how our processes end.
    own_master: bool,
    many: bool,
    share: usize,
    pub(super) clients: Cell<usize>,
    served: Cell<u64>,
    pub(super) proven: Cell<bool>,
    effort: Cell<Option<Effort>>,
    pub(super) close: Cell<bool>,
    pub(super) changed: Notify,
    pub(super) room: Notify,
}

impl Crew {
    pub(super) fn new(share: Share) -> Result<Self> {
        let said = match std::env::var(CLIENTS_VARIABLE) {
            Ok(text) => Some(
                text.parse()
                    .with_context(|| format!("bad {CLIENTS_VARIABLE}: {text}"))?,
            ),
            Err(_) => None,
        };
        let own_master = said.is_some();
        let many = share == Share::Many;
        let share = match (said, share) {
            // The limit is on processes for such a service: its clients keep idle connections, and would wait for each other.
            (_, Share::Many) | (Some(0), Share::One) => usize::MAX,
            (Some(count), Share::One) => count,
            (None, Share::One) => 1,
        };
        let status = watch(Status::inherit()?, Interest::READABLE | Interest::ERROR)?;
        Ok(Self {
            status,
            own_master,
            many,
            share,
            clients: Cell::new(0),
            served: Cell::new(0),
            proven: Cell::new(false),
            effort: Cell::new(None),
            close: Cell::new(false),
            changed: Notify::new(),
            room: Notify::new(),
        })
    }

    pub(super) fn full(&self) -> bool {
        self.clients.get() >= self.share
    }

    fn notify(&self, availability: Availability) {
        if self.status.get_ref().notify(availability).is_err() {
            self.close.set(true);
        }
    }

    pub(super) fn joined(&self) {
        self.clients.set(self.clients.get() + 1);
        if self.full() {
            self.notify(Availability::Taken);
        } else if self.own_master && self.is_busy() {
            self.notify(Availability::Busy);
        }
        self.changed.notify_one();
    }

    /// Whether clients have kept a processor busy of late. Asked when one comes, so that nobody wakes up to ask.
    fn is_busy(&self) -> bool {
        let last = self.effort.get();
        if last.is_some_and(|last| last.at.elapsed() < EFFORT_TIME) {
            return false;
        }
        let now = Effort::now();
        self.effort.set(now);
        match (last, now) {
            (Some(last), Some(now)) => {
                let time = now.at.duration_since(last.at);
                now.processor.saturating_sub(last.processor) > time / 2
            }
            _ => false,
        }
    }

    pub(super) fn left(&self) {
        let was_full = self.full();
        self.clients.set(self.clients.get().saturating_sub(1));
        self.served.set(self.served.get().saturating_add(1));
        if was_full && !self.close.get() {
            self.proven.set(true);
            self.notify(Availability::Available);
            self.room.notify_waiters();
        } else {
            self.prove();
        }
        self.changed.notify_one();
    }

    /// Tells master once that this program works: when it fails later, that is no failure to start.
    pub(super) fn prove(&self) {
        if !self.close.get() && !self.full() && !self.proven.replace(true) {
            self.notify(Availability::Taken);
            self.notify(Availability::Available);
        }
    }

    /// Tells master that it may start another process while the last clients here are served.
    pub(super) fn retire(&self) {
        // When master has gone, nobody needs to know.
        let _ = self.status.get_ref().notify(if self.own_master {
            Availability::Retired
        } else {
            Availability::Taken
        });
    }

    /// Returns when the process should take no more clients: master has gone, it has served enough, nobody
    /// came, or what it knows is out of date.
    pub(super) async fn until_done(&self, idle: Duration, uses: u64) -> End {
        // Each slot counts for itself, as if it were a process of Postfix.
        let uses = match (self.many, self.share) {
            (true, _) => uses,
            (false, usize::MAX) => uses.saturating_mul(SLOTS),
            (false, share) => uses.saturating_mul(u64::try_from(share).unwrap_or(u64::MAX)),
        };
        loop {
            if self.close.get() {
                return End::MasterGone;
            }
            let nobody = self.clients.get() == 0;
            // Clients that keep their connection must not find it closed in the middle of something.
            if uses > 0 && self.served.get() >= uses && (!self.many || nobody) {
                return End::Done;
            }
            tokio::select! {
                () = pf_maps::restart_wanted() => return End::Outdated,
                () = self.changed.notified() => {}
                _ = self.status.ready(Interest::READABLE | Interest::ERROR) => return End::MasterGone,
                () = tokio::time::sleep(idle), if nobody && !idle.is_zero() => return End::Idle,
            }
        }
    }
}
