//! The process: how it starts, and what wakes it up.

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pf_config::param;
use pf_delivery::Agent;
use pf_log::warning;
use pf_proto::client::{Client as ProtoClient, Policy};
use pf_proto::resolve::TrivialClient;
use pf_proto::{Address, Class, trigger};
use pf_queue::{Queue, QueueName};
use pf_service::event::EventService;
use pf_service::{Context, Kind, Limit, Share};
use tokio::sync::{Notify, Semaphore};
use tokio::task::spawn_local;

use crate::dispatch::dispatcher;
use crate::intake::Places;
use crate::params::{Params, TransportParams};
use crate::scan::{Run, Wanted, scanner};
use crate::scheduler::Scheduler;
use crate::shared::Shared;

/// How many queue files may be open at once while their recipients are resolved.
const MAX_OPEN: usize = 50;

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
            agent: Agent::new(config, None)?,
            queue: Queue::new(config)?,
            trivial,
            scheduler: RefCell::new(Scheduler::new(2 * params.recipient_limit)),
            config: config.clone(),
            transports: RefCell::default(),
            messages: RefCell::default(),
            next_message: Cell::new(0),
            active: Cell::new(0),
            places: Places::default(),
            default_params: TransportParams::general(config)?,
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
                    // What was dead gets another chance at once.
                    shared.scheduler.borrow_mut().revive_all();
                    shared.work.notify_one();
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
            let Some(id) = entry.id() else {
                warning!(
                    "qmgr_move: ignored: queue active id {}",
                    entry.name().display()
                );
                continue;
            };
            // It may have been flushed before its time.
            let moved = queue
                .set_time(QueueName::Active, &id, SystemTime::now())
                .and_then(|()| queue.rename(&id, QueueName::Active, QueueName::Incoming));
            if let Err(err) = moved {
                warning!(
                    "qmgr_move: rename {} from active to incoming: {err}",
                    id.as_str()
                );
            }
        }
    }
}
