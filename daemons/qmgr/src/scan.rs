//! Mail is taken from the incoming and the deferred queue.

use std::os::unix::fs::PermissionsExt as _;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use pf_log::warning;
use pf_queue::{QueueId, QueueName, mode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_local;

use crate::active::{self, Taken, Wish};
use crate::shared::Shared;

/// What was asked for since a scan of a queue began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    pub incoming: Run,
    pub deferred: Run,
}

/// How a queue is gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Run {
    pub start: bool,
    /// Mail is taken whether its time has come or not.
    pub all: bool,
    /// `defer_transports` does not count.
    pub flush: bool,
}

/// One queue, while it is gone through.
struct Walk {
    queue: QueueName,
    scan: Option<pf_queue::Scan>,
    run: Run,
}

impl Walk {
    fn new(queue: QueueName) -> Self {
        Self {
            queue,
            scan: None,
            run: Run::default(),
        }
    }

    /// Begins when it was asked to, and is not under way. Modifiers count for a run that is under way and for the next.
    fn begin(&mut self, shared: &Shared, wanted: &mut Run) {
        if self.scan.is_some() {
            self.run.all |= wanted.all;
            self.run.flush |= wanted.flush;
            return;
        }
        if !wanted.start {
            return;
        }
        self.run = std::mem::take(wanted);
        match shared.queue.scan(self.queue) {
            Ok(scan) => self.scan = Some(scan),
            Err(err) => warning!("open directory {}: {err}", self.queue.as_str()),
        }
    }

    /// Goes on to the next message that can be taken, and starts it. False: the end, for now.
    fn step(&mut self, shared: &Rc<Shared>, permit: OwnedSemaphorePermit) -> bool {
        let mut permit = Some(permit);
        let Some(scan) = &mut self.scan else {
            return false;
        };
        for entry in scan.by_ref() {
            if let Some(id) = entry.ok().and_then(|entry| entry.id())
                && feed(shared, self.queue, id, self.run, &mut permit)
            {
                return true;
            }
        }
        self.scan = None;
        false
    }
}

/// Takes mail from the incoming and the deferred queue in turn, as it is asked to. When the active queue is full, new mail comes
/// first.
pub async fn scanner(shared: &Rc<Shared>) {
    let mut next_run = Instant::now() + shared.params.queue_run_delay;
    let mut incoming = Walk::new(QueueName::Incoming);
    let mut deferred = Walk::new(QueueName::Deferred);
    loop {
        let mut wanted = shared.wanted.get();
        if next_run <= Instant::now() {
            next_run = Instant::now() + shared.params.queue_run_delay;
            wanted.deferred.start = true;
        }
        incoming.begin(shared, &mut wanted.incoming);
        deferred.begin(shared, &mut wanted.deferred);
        shared.wanted.set(wanted);
        let walking = incoming.scan.is_some();
        let mut went_on = false;
        for walk in [&mut incoming, &mut deferred] {
            if walk.scan.is_none() || shared.active.get() >= shared.params.active_limit {
                continue;
            }
            let Ok(permit) = shared.opening.clone().acquire_owned().await else {
                return;
            };
            if walk.step(shared, permit) {
                went_on = true;
                if walk.queue == QueueName::Incoming && shared.params.flow_control {
                    // Whoever receives mail may go on.
                    shared.flow.put(1);
                }
            }
        }
        if walking && incoming.scan.is_none() && shared.params.flow_control {
            shared.flow.refill(shared.params.process_limit);
        }
        let wanted = shared.wanted.get();
        let again = |walk: &Walk, run: Run| run.start && walk.scan.is_none();
        if went_on || again(&incoming, wanted.incoming) || again(&deferred, wanted.deferred) {
            // Deliveries get their turn between files.
            tokio::task::yield_now().await;
            continue;
        }
        tokio::select! {
            () = shared.scan.notified() => {}
            () = tokio::time::sleep_until(next_run.into()) => {}
        }
    }
}

/// Moves a message to the active queue, if its time has come, and starts it.
fn feed(
    shared: &Rc<Shared>,
    queue: QueueName,
    id: QueueId,
    run: Run,
    permit: &mut Option<OwnedSemaphorePermit>,
) -> bool {
    let pf_queue::Check::Ready(status) = shared.queue.check(queue, &id) else {
        return false;
    };
    // The time of a deferred file is when to try next; that of a new one is now or before, or the clock was changed.
    let soon = SystemTime::now() + Duration::from_secs(1);
    if !run.all && status.modified().is_ok_and(|due| due > soon) {
        return false;
    }
    match shared.queue.rename(&id, queue, QueueName::Active) {
        Ok(()) => {}
        Err(err) => {
            warning!(
                "qmgr_active_feed: {}: rename from {} to active: {err}",
                id.as_str(),
                queue.as_str()
            );
            return false;
        }
    }
    let bits = status.permissions().mode() & 0o7777;
    let revive = bits & mode::UNTHROTTLE != 0;
    let wish = Wish {
        revive,
        all_transports: revive || run.flush,
        expire: bits & mode::EXPIRE != 0,
    };
    let bits = revive.then_some(bits & !mode::UNTHROTTLE);
    shared.active.set(shared.active.get() + 1);
    let shared = shared.clone();
    let permit = permit.take();
    spawn_local(async move {
        if active::take(&shared, id, wish, bits, permit).await == Taken::No {
            shared.count_down();
        }
    });
    true
}
