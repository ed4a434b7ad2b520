//! What all tasks of the process share, and its parameters for each transport.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use pf_config::Config;
use pf_delivery::Agent;
use pf_log::warning;
use pf_proto::client::Client as ProtoClient;
use pf_proto::deliver::flags;
use pf_proto::resolve::TrivialClient;
use pf_queue::Queue;
use pf_service::Flow;
use tokio::sync::{Notify, Semaphore};

use crate::active::Active;
use crate::intake::{Allowance, Places, Refill};
use crate::params::{Params, TransportParams};
use crate::route::RETRY;
use crate::scan::Wanted;
use crate::scheduler::{MessageId, QueueKey, Scheduler, TransportId, Trouble};

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
    pub places: Places,
    pub config: Config,
    /// The parameters of a transport that has none of its own.
    pub default_params: TransportParams,
    pub transports: RefCell<HashMap<String, TransportParams>>,
    pub messages: RefCell<HashMap<MessageId, Active>>,
    pub next_message: Cell<usize>,
    /// How many messages are in the active queue.
    pub active: Cell<usize>,
    /// How many messages are address probes.
    pub probes: Cell<usize>,
    pub pending: RefCell<HashMap<TransportId, usize>>,
    pub flow: Flow,
    /// How many queue files may be open at once while their recipients are resolved.
    pub opening: Arc<Semaphore>,
    pub work: Notify,
    pub scan: Notify,
    pub wanted: Cell<Wanted>,
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
        self.probes.set(self.probes.get() + usize::from(probe));
        self.messages.borrow_mut().insert(number, message);
        number
    }

    /// Takes a message out.
    pub fn remove_message(&self, number: MessageId) -> Option<Active> {
        let mut message = self.messages.borrow_mut().remove(&number)?;
        let allowance = std::mem::replace(&mut message.allowance, Allowance::new(0));
        allowance.end(&self.places);
        let probe = message.envelope.trace_flags & flags::MTA_VERIFY != 0;
        let probes = self.probes.get().saturating_sub(usize::from(probe));
        self.probes.set(probes);
        Some(message)
    }

    /// How many messages are address probes.
    pub fn probes(&self) -> usize {
        self.probes.get()
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

    /// Tells when a destination has more than a fifth of the active queue.
    pub fn warn_of_clog(&self, key: QueueKey) {
        let pause = self.params.clog_warning;
        if pause.is_zero() {
            return;
        }
        let limit = self.params.active_limit;
        let share = self
            .scheduler
            .borrow_mut()
            .clogging(key, limit / 5, Instant::now(), pause);
        for line in share
            .iter()
            .flat_map(|share| share.advice(self.active.get(), limit))
        {
            warning!("{line}");
        }
    }

    /// A message that overtakes another needs its recipients soon.
    pub fn grant_extra(&self, transport: TransportId) {
        let mut scheduler = self.scheduler.borrow_mut();
        let Some(number) = scheduler.overtook(transport) else {
            return;
        };
        let extra = scheduler
            .get(transport)
            .map_or(0, |owner| owner.params.extra);
        drop(scheduler);
        self.with_message(number, |message| {
            message.allowance.grant(&self.places, transport, extra);
        });
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
        let read = TransportParams::read(&self.config, name).unwrap_or_else(|err| {
            warning!("transport {name}: {err}");
            self.default_params.clone()
        });
        self.transports
            .borrow_mut()
            .insert(name.to_owned(), read.clone());
        read
    }

    /// When more recipients are read, after some of a transport's were dealt with.
    pub fn refill(&self, transport: TransportId) -> Refill {
        let scheduler = self.scheduler.borrow();
        let params = scheduler.get(transport).map(|owner| &owner.params);
        params.map_or(self.default_params.refill, |params| params.refill)
    }

    /// There may be something to deliver.
    pub fn wake(&self) {
        self.work.notify_one();
    }
}
