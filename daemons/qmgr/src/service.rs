//! The process: what wakes it up, what it scans, and the state that all tasks share.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pf_config::{Config, param};
use pf_delivery::Agent;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_proto::client::{Client as ProtoClient, Policy};
use pf_proto::deliver::flags;
use pf_proto::resolve::TrivialClient;
use pf_proto::{Address, Class, trigger};
use pf_queue::{Queue, QueueId, QueueName, mode};
use pf_service::event::EventService;
use pf_service::{Context, Flow, Kind, Limit, Share};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_local;

use crate::active::{self, Active, RETRY, Taken, Wish};
use crate::agents;
use crate::params::{Params, TransportParams};
use crate::scheduler::{Entry, MessageId, QueueKey, Scheduler, TransportId, Trouble};

/// How many recipients are read at once, at least and at most.
const LEAST_RECIPIENTS: usize = 1000;
const MOST_RECIPIENTS: usize = 5000;
/// How many queue files may be open at once while their recipients are resolved.
const MAX_OPEN: usize = 50;
/// How many connections of one transport may wait for a free agent.
const MAX_PENDING: usize = 2;
/// How long a connection may be kept after a delivery, and so may be there for the next.
const RECENT: Duration = Duration::from_secs(2);

/// What all tasks of the process share.
pub struct Shared {
    pub params: Params,
    pub queue: Queue,
    pub agent: Agent,
    pub trivial: TrivialClient,
    pub bounce: ProtoClient,
    pub defer: ProtoClient,
    pub trace: ProtoClient,
    pub scheduler: RefCell<Scheduler>,
    config: Config,
    transports: RefCell<HashMap<String, TransportParams>>,
    messages: RefCell<HashMap<MessageId, Active>>,
    next_message: Cell<usize>,
    /// How many messages are in the active queue.
    active: Cell<usize>,
    /// How many recipients are in memory.
    recipients: Cell<usize>,
    /// How many messages are address probes.
    probes: Cell<usize>,
    pending: RefCell<HashMap<TransportId, usize>>,
    flow: Flow,
    /// How many queue files may be open at once while their recipients are resolved.
    opening: Arc<Semaphore>,
    work: Notify,
    scan: Notify,
    wanted: Cell<Wanted>,
}

/// What was asked for since a scan of a queue began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted {
    incoming: Run,
    deferred: Run,
}

/// How a queue is gone through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Run {
    start: bool,
    /// Mail is taken whether its time has come or not.
    all: bool,
    /// What was dead gets another chance before, and `defer_transports` does not count.
    flush: bool,
}

impl Shared {
    /// Works on a message; `None` when it has ended.
    pub fn with_message<T>(
        &self,
        number: MessageId,
        work: impl FnOnce(&mut Active) -> T,
    ) -> Option<T> {
        self.messages.borrow_mut().get_mut(&number).map(work)
    }

    /// Adds a message to those in the active queue. `probe`: it only asks whether an address works.
    pub fn new_message(&self, message: Active, probe: bool) -> MessageId {
        let number = MessageId(self.next_message.get());
        self.next_message.set(number.0 + 1);
        self.remember_recipients(message.envelope.recipients.len());
        self.probes.set(self.probes.get() + usize::from(probe));
        self.messages.borrow_mut().insert(number, message);
        number
    }

    /// Takes a message out.
    pub fn remove_message(&self, number: MessageId) -> Option<Active> {
        let message = self.messages.borrow_mut().remove(&number)?;
        self.forget_recipients(message.envelope.recipients.len());
        let probe = message.envelope.trace_flags & flags::MTA_VERIFY != 0;
        let probes = self.probes.get().saturating_sub(usize::from(probe));
        self.probes.set(probes);
        Some(message)
    }

    /// How many messages are address probes.
    pub fn probes(&self) -> usize {
        self.probes.get()
    }

    /// How many recipients of one more message there is room for: a few, even when all is full.
    pub fn recipient_room(&self) -> usize {
        self.params
            .recipient_limit
            .saturating_sub(self.recipients.get())
            .clamp(LEAST_RECIPIENTS, MOST_RECIPIENTS)
    }

    /// So many more recipients are in memory.
    pub fn remember_recipients(&self, count: usize) {
        self.recipients.set(self.recipients.get() + count);
    }

    /// So many fewer.
    pub fn forget_recipients(&self, count: usize) {
        self.recipients
            .set(self.recipients.get().saturating_sub(count));
    }

    /// The number of a transport.
    pub fn transport(&self, name: &str) -> TransportId {
        self.scheduler
            .borrow_mut()
            .transport(name, || self.transport_params(name))
    }

    /// Where mail goes that cannot be delivered for this reason now; `None`: to nobody, it must be deferred here.
    pub fn retry_queue(&self, trouble: &Trouble) -> Option<QueueKey> {
        let retry = self.transport(RETRY);
        let nexthop = trouble.nexthop();
        let mut scheduler = self.scheduler.borrow_mut();
        if scheduler.transport_trouble(retry).is_some() {
            return None;
        }
        let key = scheduler.destination(retry, &nexthop, &nexthop);
        match scheduler.queue(key) {
            Some(queue) if queue.dead.is_none() => Some(key),
            _ => None,
        }
    }

    /// A message has left the active queue.
    pub fn count_down(&self) {
        let before = self.active.get();
        self.active.set(before.saturating_sub(1));
        if before >= self.params.active_limit {
            // A scan may have stopped for want of room.
            self.scan.notify_one();
        }
    }

    /// The parameters of a transport, read when it is first met.
    pub fn transport_params(&self, name: &str) -> TransportParams {
        if let Some(known) = self.transports.borrow().get(name) {
            return known.clone();
        }
        let read = active::default_params(&self.config, name)
            .or_else(|| active::default_params(&self.config, "default"))
            .unwrap_or(TransportParams {
                concurrency: 20,
                initial: 5,
                recipients: 50,
                rate_delay: Duration::ZERO,
                transport_rate_delay: Duration::ZERO,
                slot_cost: 5,
                slot_loan: 3,
                slot_discount: 50,
                minimum_slots: 3,
                positive: crate::feedback::Feedback::Constant(1.0),
                negative: crate::feedback::Feedback::Constant(1.0),
                cohort_limit: 1,
            });
        self.transports
            .borrow_mut()
            .insert(name.to_owned(), read.clone());
        read
    }

    /// There may be something to deliver.
    pub fn wake(&self) {
        self.work.notify_one();
    }
}

/// The service.
pub struct Qmgr {
    shared: Rc<Shared>,
}

impl EventService for Qmgr {
    const SHARE: Share = Share::Many;
    const KIND: Kind = Kind::Triggers;
    const LIMIT: Limit = Limit::One;
    const MAX_IDLE: bool = false;
    const MAX_USE: bool = false;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let config = &context.config;
        let params = Params::read(config)?;
        let once = Policy {
            timeout: params.ipc_timeout,
            idle: Duration::ZERO,
            tries: Some(2),
            ..Policy::default()
        };
        let client =
            |name: &str| ProtoClient::new(Address::new(Path::new("."), Class::Private, name), once);
        let rewrite = config.get(param::REWRITE_SERVICE_NAME)?;
        let kept = Policy {
            timeout: params.ipc_timeout,
            idle: Duration::from_secs(100),
            ..Policy::default()
        };
        let trivial = TrivialClient::new(ProtoClient::new(
            Address::new(Path::new("."), Class::Private, &rewrite),
            kept,
        ));
        let shared = Rc::new(Shared {
            bounce: client(&config.get(param::BOUNCE_SERVICE_NAME)?),
            defer: client(&config.get(param::DEFER_SERVICE_NAME)?),
            trace: client(&config.get(param::TRACE_SERVICE_NAME)?),
            agent: Agent::new(config, "default_delivery_status_filter")?,
            queue: Queue::new(config)?,
            trivial,
            scheduler: RefCell::default(),
            config: config.clone(),
            transports: RefCell::default(),
            messages: RefCell::default(),
            next_message: Cell::new(0),
            active: Cell::new(0),
            recipients: Cell::new(0),
            probes: Cell::new(0),
            pending: RefCell::default(),
            flow: context.flow.clone(),
            opening: Arc::new(Semaphore::new(MAX_OPEN)),
            work: Notify::new(),
            scan: Notify::new(),
            wanted: Cell::new(Wanted {
                incoming: Run {
                    start: true,
                    ..Run::default()
                },
                deferred: Run {
                    start: true,
                    ..Run::default()
                },
            }),
            params,
        });
        Ok(Self { shared })
    }

    async fn ready(self: &Rc<Self>, _context: &Context) -> anyhow::Result<()> {
        self.take_over();
        let shared = self.shared.clone();
        spawn_local(async move { scanner(&shared).await });
        let shared = self.shared.clone();
        spawn_local(async move { dispatcher(&shared).await });
        self.shared.scan.notify_one();
        Ok(())
    }

    async fn trigger(self: Rc<Self>, request: Vec<u8>) {
        let shared = &self.shared;
        let mut wanted = shared.wanted.get();
        for letter in request {
            match letter {
                trigger::WAKEUP | trigger::SCAN_INCOMING => wanted.incoming.start = true,
                trigger::SCAN_DEFERRED => wanted.deferred.start = true,
                trigger::SCAN_ALL => {
                    wanted.incoming.all = true;
                    wanted.deferred.all = true;
                }
                trigger::FLUSH_DEAD => {
                    wanted.incoming.flush = true;
                    wanted.deferred.flush = true;
                }
                other => pf_log::debug!("request: ignored: {other}"),
            }
        }
        shared.wanted.set(wanted);
        shared.scan.notify_one();
    }
}

impl Qmgr {
    /// What an earlier queue manager left in the active queue is taken up again.
    fn take_over(&self) {
        let queue = &self.shared.queue;
        let Ok(scan) = queue.scan(QueueName::Active) else {
            return;
        };
        for entry in scan.flatten() {
            if let Some(id) = entry.id()
                && let Err(err) = queue.rename(&id, QueueName::Active, QueueName::Incoming)
            {
                warning!("rename {} from active to incoming: {err}", id.as_str());
            }
        }
    }
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

    /// Begins when it was asked to, and is not under way; modifiers wait for the next beginning.
    fn begin(&mut self, shared: &Shared, wanted: &mut Run) {
        if self.scan.is_some() || !wanted.start {
            return;
        }
        self.run = std::mem::take(wanted);
        if self.run.flush {
            shared.scheduler.borrow_mut().revive_all();
            shared.work.notify_one();
        }
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
async fn scanner(shared: &Rc<Shared>) {
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
                "{}: rename from {} to active: {err}",
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

/// Starts deliveries while there is something to deliver and somebody to do it.
async fn dispatcher(shared: &Rc<Shared>) {
    loop {
        let now = Instant::now();
        let next = shared.scheduler.borrow_mut().revive(now);
        let ids: Vec<TransportId> = shared.scheduler.borrow().transport_ids().collect();
        for id in ids {
            let waiting = shared.pending.borrow().get(&id).copied().unwrap_or(0);
            let room = MAX_PENDING.saturating_sub(waiting);
            let ready = shared
                .scheduler
                .borrow()
                .ready(id, waiting + room)
                .saturating_sub(waiting);
            for _ in 0..ready.min(room) {
                allocate(shared, id);
            }
        }
        match next {
            Some(at) => {
                tokio::select! {
                    () = shared.work.notified() => {}
                    () = tokio::time::sleep_until(at.into()) => {}
                }
            }
            None => shared.work.notified().await,
        }
    }
}

/// Waits for an agent of a transport and gives it the entry that is next by then.
fn allocate(shared: &Rc<Shared>, transport: TransportId) {
    let Some(name) = shared
        .scheduler
        .borrow()
        .get(transport)
        .map(|transport| transport.name.clone())
    else {
        return;
    };
    *shared.pending.borrow_mut().entry(transport).or_default() += 1;
    shared.scheduler.borrow_mut().reserve(transport);
    let shared = shared.clone();
    spawn_local(async move {
        let agent = agents::allocate(&name, shared.params.ipc_timeout).await;
        // A transport that pauses does so before each delivery, the first one too.
        let pause = shared.transport_params(&name).transport_rate_delay;
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if let Some(count) = shared.pending.borrow_mut().get_mut(&transport) {
            *count = count.saturating_sub(1);
        }
        let now = Instant::now();
        shared.scheduler.borrow_mut().allocated(transport);
        match agent {
            Ok(agent) => {
                let selected = shared.scheduler.borrow_mut().select(transport, now);
                // Another agent of the transport may be wanted at once.
                shared.work.notify_one();
                let Some(id) = selected else { return };
                let Some((entry, nexthop, extra)) = prepared(&shared, id, now) else {
                    return;
                };
                let Some(request) =
                    active::request(&shared, entry.message, &entry.recipients, extra, &nexthop)
                else {
                    return;
                };
                let reply = agent.deliver(&request, shared.params.daemon_timeout).await;
                ended(&shared, id, &entry, &name, reply).await;
            }
            Err(err) => {
                warning!("connect to transport private/{name}: {err}");
                broken_transport(&shared, transport, now).await;
            }
        }
        shared.work.notify_one();
    });
}

fn prepared(
    shared: &Shared,
    id: crate::scheduler::EntryId,
    now: Instant,
) -> Option<(Entry, Vec<u8>, i32)> {
    let scheduler = shared.scheduler.borrow();
    let entry = scheduler.entry(id)?.clone();
    let nexthop = scheduler.queue(entry.queue)?.nexthop.clone();
    let mut extra = 0;
    if scheduler.has_backlog(entry.queue) {
        extra |= flags::CONNECTION_STORE;
    }
    if extra != 0
        || now
            .checked_sub(RECENT)
            .is_some_and(|moment| scheduler.was_used_since(entry.queue, moment))
    {
        extra |= flags::CONNECTION_LOAD;
    }
    Some((entry, nexthop, extra))
}

/// An agent has answered, or failed to.
async fn ended(
    shared: &Rc<Shared>,
    id: crate::scheduler::EntryId,
    entry: &Entry,
    transport: &str,
    reply: Result<pf_proto::deliver::DeliveryReply, pf_attr::Error>,
) {
    let now = Instant::now();
    let trouble = match reply {
        Ok(reply) => {
            if reply.deferred {
                shared.with_message(entry.message, |message| message.deferred = true);
            }
            shared
                .scheduler
                .borrow_mut()
                .mend_transport(entry.transport);
            (reply.deferred && !reply.hop.status.is_empty())
                .then_some((reply.hop.status, reply.hop.reason))
        }
        Err(err) => {
            // The agent crashed: what it did not report is tried again, later.
            warning!("private/{transport} socket: premature disconnect: {err}");
            let why = "unknown mail transport error";
            for at in &entry.recipients {
                let outcome = Outcome::Defer(Status::new(Dsn::new(4, 3, 0), why));
                active::report(shared, entry.message, *at, "none", outcome).await;
            }
            Some((b"4.3.0".to_vec(), why.as_bytes().to_vec()))
        }
    };
    match trouble {
        None => shared.scheduler.borrow_mut().succeeded(entry.queue),
        Some((status, reason)) => {
            let known = std::str::from_utf8(&status).is_ok() && Dsn::parse(&status).is_some();
            let reason: &[u8] = if reason.is_empty() {
                b"unknown error"
            } else {
                &reason
            };
            let trouble = Trouble {
                status: if known { status } else { b"4.0.0".to_vec() },
                reason: [b"delivery temporarily suspended: ", reason].concat(),
            };
            let dead = shared.scheduler.borrow_mut().failed(
                entry.queue,
                trouble.clone(),
                now,
                shared.params.minimal_backoff,
            );
            if dead {
                elsewhere(shared, entry.queue, &trouble).await;
            }
        }
    }
    shared.scheduler.borrow_mut().finished(id, now);
    active::release(shared, entry.message).await;
}

/// A transport that cannot be reached is left alone for a while, and what waits for it is deferred.
async fn broken_transport(shared: &Rc<Shared>, transport: TransportId, now: Instant) {
    let trouble = Trouble {
        status: b"4.3.0".to_vec(),
        reason: b"mail transport unavailable".to_vec(),
    };
    let queues = {
        let mut scheduler = shared.scheduler.borrow_mut();
        let pause = shared.params.transport_retry;
        scheduler.break_transport(transport, trouble.clone(), now, pause);
        scheduler.queues_of(transport)
    };
    for queue in queues {
        elsewhere(shared, queue, &trouble).await;
    }
}

/// What waits for a destination goes to the retry agent, which defers it; when there is none, it is deferred here.
async fn elsewhere(shared: &Rc<Shared>, queue: QueueKey, trouble: &Trouble) {
    let entries = shared.scheduler.borrow_mut().take_waiting(queue);
    if entries.is_empty() {
        return;
    }
    if let Some(retry) = shared.retry_queue(trouble) {
        let mut scheduler = shared.scheduler.borrow_mut();
        for entry in entries {
            scheduler.give(entry, retry);
        }
        shared.wake();
        return;
    }
    let dsn = Dsn::parse(&trouble.status).unwrap_or(Dsn::new(4, 0, 0));
    for entry in entries {
        for at in &entry.recipients {
            let status = Status::new(dsn, trouble.reason.clone());
            active::report(shared, entry.message, *at, "none", Outcome::Defer(status)).await;
        }
        active::release(shared, entry.message).await;
    }
}
