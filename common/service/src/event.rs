//! The event-driven skeleton: one thread, many clients.
//!
//! Master hears of this process only when it fills up or has room again, not for each client. When master ends, or begins a
//! new generation, or a table has changed that this process may no longer open, no more clients are taken and the process ends when
//! the last one is served.

mod crew;
mod datagrams;
mod door;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use pf_config::param;
use tokio::task::{LocalSet, spawn_local};

use crate::start::{begin, end, enter_jail};
use crate::{Client, Context, Jail, Kind, LISTEN_FD, Limit, Share, Stream};
use crew::{Crew, End};
pub use datagrams::Datagrams;
use door::{Door, Listen};

/// A service that takes many clients at once.
pub trait EventService: Sized + 'static {
    /// The number of clients at once when master says nothing.
    const SHARE: Share;
    /// What comes in on the sockets.
    const KIND: Kind = Kind::Connections;
    /// The number of processes that the service can live with.
    const LIMIT: Limit = Limit::Any;
    /// The rights that the service needs.
    const JAIL: Jail = Jail::Any;
    /// Whether a new client waits for `in_flow_delay` when the queue manager is behind.
    const IN_FLOW_DELAY: bool = false;
    /// Whether the process ends after `max_idle` without a client.
    const MAX_IDLE: bool = true;
    /// Whether the process ends after `max_use` clients.
    const MAX_USE: bool = true;

    /// Before the jail: reads parameters, opens tables.
    ///
    /// # Errors
    /// The operator's trouble; the process ends with it.
    fn start(context: &Context) -> impl Future<Output = Result<Self>>;

    /// Inside the jail, before the first client.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    fn ready(self: &Rc<Self>, _context: &Context) -> impl Future<Output = Result<()>> {
        async { Ok(()) }
    }

    /// Serves one client from start to end.
    fn serve(self: Rc<Self>, _client: Client) -> impl Future<Output = ()> {
        async {}
    }

    /// Acts on one trigger request.
    fn trigger(self: Rc<Self>, _request: Vec<u8>) -> impl Future<Output = ()> {
        async {}
    }

    /// Takes the datagrams that were waiting.
    fn datagrams(&self, _batch: &Datagrams) {}

    /// How long the process stays without a client, given `max_idle`; zero for ever.
    fn idle_limit(&self, max_idle: Duration) -> Duration {
        max_idle
    }

    /// How long the event loop may stand still before the process is ended, given `daemon_timeout`.
    fn watchdog_limit(&self, daemon_timeout: Duration) -> Duration {
        daemon_timeout
    }

    /// Before the process ends in good order.
    fn stop(self: Rc<Self>) -> impl Future<Output = ()> {
        async {}
    }
}

/// How long a process that takes any number of clients waits for them to finish when master has gone or begins anew, or when it
/// has to make room for a process that sees the tables as they are now. They keep
/// connections that are idle most of the time, and come again.
const GRACE: Duration = Duration::from_millis(200);

/// A daemon's main function.
pub fn run<S: EventService>() -> ExitCode {
    end(start::<S>())
}

fn start<S: EventService>() -> Result<()> {
    let context = begin(S::LIMIT, S::JAIL)?;
    // A bug in the service of one client is logged like everything else; the process goes on.
    std::panic::set_hook(Box::new(|info| pf_log::bug!("{info}")));
    // Better to find a few events at once than to interrupt, at each, the process that causes them.
    pf_sys::process::prefer_batches();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build()
        .context("cannot make an event loop")?;
    let result = LocalSet::new().block_on(&runtime, main::<S>(context));
    // Work that still runs in the background is not waited for: whatever it does is safe to interrupt.
    runtime.shutdown_background();
    result
}

async fn main<S: EventService>(context: Context) -> Result<()> {
    let service = S::start(&context).await?;
    enter_jail(&context)?;
    let service = Rc::new(service);
    service.ready(&context).await?;
    if context.options.stand_alone {
        let stream = Stream::Stdio(tokio::io::stdin(), tokio::io::stdout());
        service
            .clone()
            .serve(Client {
                stream,
                passed: None,
            })
            .await;
        service.stop().await;
        return Ok(());
    }
    let listen = Listen::of(&context)?;
    let crew = Rc::new(Crew::new(S::SHARE)?);
    let mut sockets = Vec::new();
    for number in LISTEN_FD..LISTEN_FD + context.options.sockets {
        let socket =
            pf_sys::fd::inherit(number).with_context(|| format!("listen descriptor {number}"))?;
        let (service, crew) = (service.clone(), crew.clone());
        let delay = if S::IN_FLOW_DELAY {
            context.config.get(param::IN_FLOW_DELAY)?
        } else {
            Duration::ZERO
        };
        let door = Rc::new(Door::new(socket, listen, delay, context.flow.clone())?);
        let attended = door.clone();
        let task = spawn_local(async move {
            attended.attend(&service, &crew).await;
        });
        sockets.push((door, task));
    }
    let idle = if S::MAX_IDLE {
        service.idle_limit(context.config.get(param::MAX_IDLE)?)
    } else {
        Duration::ZERO
    };
    let uses = if S::MAX_USE {
        u64::try_from(context.config.get(param::MAX_USE)?)?
    } else {
        0
    };
    let limit = service.watchdog_limit(context.config.get(param::DAEMON_TIMEOUT)?);
    let watchdog = spawn_local(watchdog(limit));
    let end = crew.until_done(idle, uses).await;
    crew.close.set(true);
    for (door, task) in sockets {
        task.abort();
        door.empty(&*service);
    }
    if end != End::Idle {
        crew.retire();
    }
    let last_clients = async {
        while crew.clients.get() > 0 {
            crew.changed.notified().await;
        }
    };
    if S::SHARE == Share::Many && matches!(end, End::MasterGone | End::Outdated) {
        let _ = tokio::time::timeout(GRACE, last_clients).await;
    } else {
        last_clients.await;
    }
    service.stop().await;
    watchdog.abort();
    Ok(())
}

/// Has the kernel end the process when its event loop stands still for `limit` (`daemon_timeout`).
async fn watchdog(limit: Duration) {
    let seconds = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX);
    loop {
        nix::unistd::alarm::set(seconds.max(3));
        tokio::time::sleep(limit / 3).await;
    }
}
