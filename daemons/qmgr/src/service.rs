//! The process: what wakes it up, what it scans, and the state that all tasks share.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use pf_config::{Config, param};
use pf_delivery::Agent;
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_proto::client::{Client as ProtoClient, Policy};
use pf_proto::deliver::flags;
use pf_proto::resolve::TrivialClient;
use pf_proto::{Address, Class, trigger};
use pf_queue::{Queue, QueueId, QueueName};
use pf_service::event::EventService;
use pf_service::{Context, Flow, Kind, Limit, Share};
use tokio::sync::Notify;
use tokio::task::spawn_local;

use crate::active::{self, Active, Taken};
use crate::agents;
use crate::params::{Params, TransportParams};
use crate::scheduler::{Entry, MessageId, Scheduler, TransportId};

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
    /// Transports that could not be reached.
    broken: RefCell<HashSet<TransportId>>,
    pending: RefCell<HashMap<TransportId, usize>>,
    flow: Flow,
    work: Notify,
    scan: Notify,
    wanted: Cell<Wanted>,
}

/// Which scans were asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wanted {
    incoming: bool,
    deferred: bool,
    /// Deferred mail is taken whether its time has come or not.
    all: bool,
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

    /// Adds a message to those in the active queue.
    pub fn new_message(&self, message: Active) -> MessageId {
        let number = MessageId(self.next_message.get());
        self.next_message.set(number.0 + 1);
        self.messages.borrow_mut().insert(number, message);
        number
    }

    /// Takes a message out.
    pub fn remove_message(&self, number: MessageId) -> Option<Active> {
        self.messages.borrow_mut().remove(&number)
    }

    /// A message has left the active queue.
    pub fn count_down(&self) {
        let before = self.active.get();
        self.active.set(before.saturating_sub(1));
        if before == self.params.active_limit {
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

    /// Whether a transport is paused because it could not be reached.
    pub fn transport_is_broken(&self, transport: TransportId) -> bool {
        self.broken.borrow().contains(&transport)
    }

    /// There may be work for this transport.
    pub fn wake(&self, _transport: TransportId) {
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
            broken: RefCell::default(),
            pending: RefCell::default(),
            flow: context.flow.clone(),
            work: Notify::new(),
            scan: Notify::new(),
            wanted: Cell::new(Wanted {
                incoming: true,
                deferred: true,
                all: false,
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
                trigger::WAKEUP | trigger::SCAN_INCOMING => wanted.incoming = true,
                trigger::SCAN_DEFERRED => wanted.deferred = true,
                trigger::SCAN_ALL => wanted.all = true,
                trigger::FLUSH_DEAD => {
                    shared.scheduler.borrow_mut().revive_all();
                    shared.broken.borrow_mut().clear();
                    shared.work.notify_one();
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

/// Takes mail from the incoming and the deferred queue, as it is asked to.
async fn scanner(shared: &Rc<Shared>) {
    let mut next_run = Instant::now() + shared.params.queue_run_delay;
    loop {
        tokio::select! {
            () = shared.scan.notified() => {}
            () = tokio::time::sleep_until(next_run.into()) => {}
        }
        let mut wanted = shared.wanted.replace(Wanted::default());
        if next_run <= Instant::now() {
            next_run = Instant::now() + shared.params.queue_run_delay;
            wanted.deferred = true;
        }
        // New mail comes first, and again after each turn through old mail.
        if wanted.incoming {
            feed(shared, QueueName::Incoming, true).await;
            shared.flow.refill(shared.params.process_limit);
        }
        if wanted.deferred {
            feed(shared, QueueName::Deferred, wanted.all).await;
        }
    }
}

/// Moves the mail of one queue to the active queue, as far as there is room. `all`: whether its time has come or not.
async fn feed(shared: &Rc<Shared>, queue: QueueName, all: bool) {
    let scan = match shared.queue.scan(queue) {
        Ok(scan) => scan,
        Err(err) => {
            warning!("open directory {}: {err}", queue.as_str());
            return;
        }
    };
    let now = SystemTime::now();
    for entry in scan {
        let Some(id) = entry.ok().and_then(|entry| entry.id()) else {
            continue;
        };
        let pf_queue::Check::Ready(status) = shared.queue.check(queue, &id) else {
            continue;
        };
        // The time of a deferred file is when to try next; that of a new one is now or before, or the clock was changed.
        if !all && status.modified().is_ok_and(|due| due > now) {
            continue;
        }
        while shared.active.get() >= shared.params.active_limit {
            shared.scan.notified().await;
        }
        match shared.queue.rename(&id, queue, QueueName::Active) {
            Ok(()) => {}
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => continue,
            Err(err) => {
                warning!(
                    "rename {} from {} to active: {err}",
                    id.as_str(),
                    queue.as_str()
                );
                continue;
            }
        }
        shared.active.set(shared.active.get() + 1);
        if queue == QueueName::Incoming {
            // Whoever receives mail may go on.
            shared.flow.put(1);
        }
        start(shared, id);
        // Deliveries get their turn between files.
        tokio::task::yield_now().await;
    }
}

fn start(shared: &Rc<Shared>, id: QueueId) {
    let shared = shared.clone();
    spawn_local(async move {
        if active::take(&shared, id).await == Taken::No {
            shared.count_down();
        }
    });
}

/// Starts deliveries while there is something to deliver and somebody to do it.
async fn dispatcher(shared: &Rc<Shared>) {
    loop {
        let now = Instant::now();
        let next = shared.scheduler.borrow_mut().revive(now);
        let ids: Vec<TransportId> = shared.scheduler.borrow().transport_ids().collect();
        for id in ids {
            let paused = shared.scheduler.borrow().is_paused(id, now);
            if !paused {
                shared.broken.borrow_mut().remove(&id);
            }
            let waiting = shared.pending.borrow().get(&id).copied().unwrap_or(0);
            let room = MAX_PENDING.saturating_sub(waiting);
            let ready = shared
                .scheduler
                .borrow()
                .ready(id, now, waiting + room)
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
    let shared = shared.clone();
    spawn_local(async move {
        let agent = agents::allocate(&name, shared.params.ipc_timeout).await;
        if let Some(count) = shared.pending.borrow_mut().get_mut(&transport) {
            *count = count.saturating_sub(1);
        }
        let now = Instant::now();
        match agent {
            Ok(agent) => {
                let selected = shared.scheduler.borrow_mut().select(transport, now);
                // Another agent of the transport may be wanted at once.
                shared.work.notify_one();
                let Some(id) = selected else { return };
                let Some((entry, nexthop, extra)) = prepared(&shared, id, now) else {
                    return;
                };
                let Some(request) = active::request(&shared, &entry, extra, &nexthop) else {
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
    let mut rest = Vec::new();
    let mut why = Status::new(Dsn::new(4, 3, 0), "unknown mail transport error");
    match reply {
        Ok(reply) => {
            if reply.deferred {
                shared.with_message(entry.message, |message| message.deferred = true);
            }
            if reply.deferred && !reply.hop.reason.is_empty() {
                let status = (reply.hop.status.clone(), reply.hop.reason.clone());
                let dsn = Dsn::parse(&reply.hop.status).unwrap_or(Dsn::new(4, 0, 0));
                let reason = [
                    b"delivery temporarily suspended: ".as_slice(),
                    &reply.hop.reason,
                ]
                .concat();
                why = Status::new(dsn, reason);
                rest = shared.scheduler.borrow_mut().failed(
                    entry.queue,
                    status,
                    now,
                    shared.params.minimal_backoff,
                );
            } else {
                shared.scheduler.borrow_mut().succeeded(entry.queue);
            }
        }
        Err(err) => {
            // The agent crashed: what it did not report is tried again, later.
            warning!(
                "private/{transport} socket: malformed response or premature disconnect: {err}"
            );
            warning!(
                "transport {transport} failure -- see a previous warning/fatal/panic logfile record for the problem description"
            );
            for at in &entry.recipients {
                let outcome = Outcome::Defer(Status::new(
                    Dsn::new(4, 3, 0),
                    "unknown mail transport error",
                ));
                active::report(shared, entry.message, *at, "none", outcome).await;
            }
            shared.broken.borrow_mut().insert(entry.transport);
            rest = shared.scheduler.borrow_mut().pause_transport(
                entry.transport,
                now,
                shared.params.transport_retry,
            );
        }
    }
    shared.scheduler.borrow_mut().finished(id, now);
    active::release(shared, entry.message).await;
    defer_all(shared, rest, &why).await;
}

/// A transport that cannot be reached is left alone for a while, and what waits for it is deferred.
async fn broken_transport(shared: &Rc<Shared>, transport: TransportId, now: Instant) {
    shared.broken.borrow_mut().insert(transport);
    let waiting = shared.scheduler.borrow_mut().pause_transport(
        transport,
        now,
        shared.params.transport_retry,
    );
    let why = Status::new(Dsn::new(4, 3, 0), "mail transport unavailable");
    defer_all(shared, waiting, &why).await;
}

async fn defer_all(shared: &Rc<Shared>, entries: Vec<Entry>, why: &Status) {
    for entry in entries {
        for at in &entry.recipients {
            active::report(
                shared,
                entry.message,
                *at,
                "none",
                Outcome::Defer(why.clone()),
            )
            .await;
        }
        active::release(shared, entry.message).await;
    }
}
