//! What all messages share, and the daemon's place in its skeleton.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use pf_config::{Config, param};
use pf_proto::client::{Client, Policy};
use pf_proto::resolve::TrivialClient;
use pf_proto::{Address, Class};
use pf_queue::{Queue, QueueId, QueueName};
use pf_service::event::EventService;
use pf_service::{Context, Flow, Limit, Share};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::finish::Pace;
use crate::notify::Notifier;
use crate::params::Params;
use crate::reports::Reports;
use crate::tables::Tables;

/// What all messages of this process share.
pub struct Service {
    pub(crate) params: Params,
    pub(crate) tables: Tables,
    pub(crate) trivial: Rc<TrivialClient>,
    pub(crate) reports: Reports,
    pub(crate) queue: Queue,
    pub(crate) flow: Flow,
    pub(crate) notifier: Notifier,
    pub(crate) pace: Pace,
    clients: Cell<usize>,
    pub(crate) ending: Ending,
}

/// Whether master wants the process to end now.
#[derive(Default)]
pub(crate) struct Ending {
    asked: Cell<bool>,
    changed: Notify,
}

impl Ending {
    /// Returns when the process is to end.
    pub(crate) async fn wait(&self) {
        while !self.asked.get() {
            self.changed.notified().await;
        }
    }
}

impl EventService for Service {
    const SHARE: Share = Share::One;
    const LIMIT: Limit = Limit::None;
    const IN_FLOW_DELAY: bool = true;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        Self::new(&context.config, context.flow.clone(), Path::new("."))
    }

    async fn ready(self: &Rc<Self>, _context: &Context) -> anyhow::Result<()> {
        let terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
        tokio::task::spawn_local(Rc::clone(self).end_on(terminate));
        Ok(())
    }

    async fn serve(self: Rc<Self>, client: pf_service::Client) {
        self.clients.set(self.clients.get() + 1);
        let _leave = Leave(&self.clients);
        if let Some(stream) = client.stream.into_unix() {
            self.message(stream).await;
        }
    }

    async fn stop(self: Rc<Self>) {
        self.notifier.flush().await;
    }
}

/// The exit status of a process that ends for SIGTERM, as Postfix's.
const SIGTERM_STATUS: i32 = 15;

/// Counts a client off, whatever ended it.
struct Leave<'a>(&'a Cell<usize>);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Service {
    /// Reads the parameters and opens the tables. `here` is the queue directory.
    ///
    /// # Errors
    /// A parameter or a table is malformed.
    pub(crate) fn new(config: &Config, flow: Flow, here: &Path) -> anyhow::Result<Self> {
        let params = Params::read(config)?;
        let policy = Policy {
            timeout: params.ipc_timeout,
            idle: config.get(param::IPC_IDLE)?,
            ttl: config.get(param::IPC_TTL)?,
            ..Policy::default()
        };
        // Connections made for one message are not kept, and one who does not answer is not asked for ever.
        let once = Policy {
            tries: Some(2),
            ..policy
        };
        let private = |name: &str| Address::new(here, Class::Private, name);
        let rewrite = private(&config.get(param::REWRITE_SERVICE_NAME)?);
        let trivial = Rc::new(TrivialClient::new(Client::new(rewrite, policy)));
        let queue_manager =
            Address::new(here, Class::Public, &config.get(param::QUEUE_SERVICE_NAME)?);
        Ok(Self {
            tables: Tables::open(config)?,
            trivial,
            reports: Reports {
                bounce: Client::new(private(&config.get(param::BOUNCE_SERVICE_NAME)?), once),
                trace: Client::new(private(&config.get(param::TRACE_SERVICE_NAME)?), once),
                verify: Client::new(
                    private(&config.get(param::ADDRESS_VERIFY_SERVICE_NAME)?),
                    policy,
                ),
                soft_bounce: config.get(param::SOFT_BOUNCE)?,
                resolution: u32::try_from(config.get(param::DELAY_LOGGING_RESOLUTION_LIMIT)?)
                    .unwrap_or(2),
            },
            queue: Queue::in_directory(config, here)?,
            flow,
            notifier: Notifier::new(queue_manager, Duration::from_secs(10)),
            pace: Pace::default(),
            clients: Cell::new(0),
            ending: Ending::default(),
            params,
        })
    }

    /// Ends the process when master asks for it: what is not in the queue yet is removed first.
    async fn end_on(self: Rc<Self>, mut terminate: Signal) {
        terminate.recv().await;
        self.ending.asked.set(true);
        self.ending.changed.notify_waiters();
        while self.clients.get() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        std::process::exit(SIGTERM_STATUS);
    }

    /// Whether the client that is served is the only one.
    pub(crate) fn is_alone(&self) -> bool {
        self.clients.get() <= 1
    }

    /// Removes the trace log of a message that is not kept.
    pub(crate) fn remove_trace(&self, id: &str) {
        if let Some(id) = QueueId::parse(id.as_bytes()) {
            // It may never have been made.
            let _ = self.queue.remove(QueueName::Trace, &id);
        }
    }
}
