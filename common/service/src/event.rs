//! The event-driven skeleton: one thread, many clients.
//!
//! Master hears of this process only when it fills up or has room again, not for each client. When master ends, or begins a
//! new generation, no more clients are taken and the process ends when the last one is served.

use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::socket::{MsgFlags, SockFlag, accept4, recv};
use pf_config::param;
use pf_proto::master::Availability;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};

use crate::start::{begin, end, enter_jail};
use crate::{
    CLIENTS_VARIABLE, Client, Context, Jail, Kind, LISTEN_FD, Limit, Share, Status, Stream, pass,
};

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

/// The longest trigger request, in bytes.
const TRIGGER_SIZE: usize = 1024;
/// How long a trigger's sender may take.
const TRIGGER_LIMIT: Duration = Duration::from_secs(10);
/// The longest datagram, in bytes; the rest of a longer one is lost.
const DATAGRAM_SIZE: usize = 4096;
/// No more datagrams than this are taken at once.
const DATAGRAM_BATCH: usize = 64;
/// How long a process that takes any number of clients waits for them to finish when master has gone or begins anew. They keep
/// connections that are idle most of the time, and come again.
const GRACE: Duration = Duration::from_millis(200);

/// How long a process must have had a client before it counts as one that works.
const PROOF_TIME: Duration = Duration::from_secs(1);
/// How many slots a process counts as when its clients are not limited (`default_process_limit`).
const SLOTS: u64 = 100;

/// Datagrams that came in together.
#[derive(Debug, Default)]
pub struct Datagrams {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Datagrams {
    /// Each datagram.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let one = self.bytes.get(from..*end).unwrap_or_default();
            from = *end;
            one
        })
    }

    /// Receives what is waiting, up to a whole batch; false when nothing more is waiting after it.
    fn receive(&mut self, socket: &OwnedFd, room: &mut [u8]) -> io::Result<bool> {
        use std::os::fd::AsRawFd as _;
        self.bytes.clear();
        self.ends.clear();
        while self.ends.len() < DATAGRAM_BATCH {
            match recv(socket.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT) {
                Ok(count) => {
                    self.bytes
                        .extend_from_slice(room.get(..count).unwrap_or_default());
                    self.ends.push(self.bytes.len());
                }
                Err(err) if self.ends.is_empty() => return Err(err.into()),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }
}

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
        pf_sys::fd::set_nonblocking(&socket, true)?;
        let socket = watch(socket, Interest::READABLE)?;
        let (service, crew) = (service.clone(), crew.clone());
        let delay = if S::IN_FLOW_DELAY {
            context.config.get(param::IN_FLOW_DELAY)?
        } else {
            Duration::ZERO
        };
        let flow = context.flow.clone();
        sockets.push(spawn_local(async move {
            let door = Door {
                socket,
                listen,
                delay,
                flow,
            };
            door.attend(&service, &crew).await;
        }));
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
    for socket in sockets {
        socket.abort();
    }
    if end != End::Idle {
        crew.retire();
    }
    let last_clients = async {
        while crew.clients.get() > 0 {
            crew.changed.notified().await;
        }
    };
    if S::SHARE == Share::Many && end == End::MasterGone {
        let _ = tokio::time::timeout(GRACE, last_clients).await;
    } else {
        last_clients.await;
    }
    service.stop().await;
    watchdog.abort();
    Ok(())
}

/// Has the event loop watch a descriptor.
#[allow(
    deprecated,
    reason = "unsound only for types whose descriptor may change or close; these own theirs for life"
)]
fn watch<T: std::os::fd::AsRawFd>(fd: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(fd, interest)
}

/// What kind of sockets the service listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listen {
    Unix,
    Inet,
    Pass,
    Fifo,
    Datagram,
}

impl Listen {
    fn of(context: &Context) -> Result<Self> {
        let transport = context.options.transport.as_deref().unwrap_or_default();
        Ok(match transport.to_ascii_lowercase().as_str() {
            "unix" => Listen::Unix,
            "inet" => Listen::Inet,
            "pass" => Listen::Pass,
            "fifo" => Listen::Fifo,
            "unix-dgram" => Listen::Datagram,
            _ => bail!("unsupported transport type: {transport}"),
        })
    }
}

/// Why no more clients are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Master has ended, or begins a new generation.
    MasterGone,
    /// The process has served its clients.
    Done,
    /// Nobody came.
    Idle,
}

/// The clients of this process, and what master knows of them.
struct Crew {
    status: AsyncFd<Status>,
    /// Whether our own master told a share, and so understands how our processes end.
    own_master: bool,
    many: bool,
    share: usize,
    clients: Cell<usize>,
    served: Cell<u64>,
    proven: Cell<bool>,
    close: Cell<bool>,
    changed: Notify,
    room: Notify,
}

impl Crew {
    fn new(share: Share) -> Result<Self> {
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
            close: Cell::new(false),
            changed: Notify::new(),
            room: Notify::new(),
        })
    }

    fn full(&self) -> bool {
        self.clients.get() >= self.share
    }

    fn notify(&self, availability: Availability) {
        if self.status.get_ref().notify(availability).is_err() {
            self.close.set(true);
        }
    }

    fn joined(&self) {
        self.clients.set(self.clients.get() + 1);
        if self.full() {
            self.notify(Availability::Taken);
        }
        self.changed.notify_one();
    }

    fn left(&self) {
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
    fn prove(&self) {
        if !self.close.get() && !self.full() && !self.proven.replace(true) {
            self.notify(Availability::Taken);
            self.notify(Availability::Available);
        }
    }

    /// Tells master that it may start another process while the last clients here are served.
    fn retire(&self) {
        // When master has gone, nobody needs to know.
        let _ = self.status.get_ref().notify(if self.own_master {
            Availability::Retired
        } else {
            Availability::Taken
        });
    }

    /// Returns when the process should take no more clients: master has gone, it has served enough, or nobody came.
    async fn until_done(&self, idle: Duration, uses: u64) -> End {
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
                () = self.changed.notified() => {}
                _ = self.status.ready(Interest::READABLE | Interest::ERROR) => return End::MasterGone,
                () = tokio::time::sleep(idle), if nobody && !idle.is_zero() => return End::Idle,
            }
        }
    }
}

/// One listen socket.
struct Door {
    socket: AsyncFd<OwnedFd>,
    listen: Listen,
    delay: Duration,
    flow: crate::Flow,
}

impl Door {
    /// Lets clients in until the task is ended.
    async fn attend<S: EventService>(&self, service: &Rc<S>, crew: &Rc<Crew>) {
        if self.listen == Listen::Datagram {
            return self.attend_datagrams(service, crew).await;
        }
        loop {
            while crew.full() {
                crew.room.notified().await;
            }
            let Ok(mut guard) = self.socket.readable().await else {
                return;
            };
            // Another door may have let the last one in.
            if crew.full() || crew.close.get() {
                continue;
            }
            match guard.try_io(|socket| self.take(socket.get_ref())) {
                Ok(Ok(Arrival::Client(fd))) => self.admit(service, crew, fd).await,
                Ok(Ok(Arrival::Request(bytes))) => {
                    crew.joined();
                    service.clone().trigger(bytes).await;
                    crew.left();
                }
                Ok(Err(err)) => pause(&err).await,
                // Another process was faster; but the service is not idle, and neither are its processes to be.
                Err(_would_block) => crew.changed.notify_one(),
            }
            // The others get a turn before the next one is let in.
            tokio::task::yield_now().await;
        }
    }

    /// Hands datagrams over until the task is ended.
    async fn attend_datagrams<S: EventService>(&self, service: &Rc<S>, crew: &Rc<Crew>) {
        let mut batch = Datagrams::default();
        let mut room = vec![0; DATAGRAM_SIZE];
        loop {
            let Ok(mut guard) = self.socket.readable().await else {
                return;
            };
            match guard.try_io(|socket| batch.receive(socket.get_ref(), &mut room)) {
                Ok(Ok(more)) => {
                    if !more {
                        guard.clear_ready();
                    }
                    crew.joined();
                    service.datagrams(&batch);
                    crew.left();
                    if more {
                        tokio::task::yield_now().await;
                    }
                }
                Ok(Err(err)) => pause(&err).await,
                Err(_would_block) => {}
            }
        }
    }

    /// Takes what has arrived, without waiting.
    fn take(&self, socket: &OwnedFd) -> io::Result<Arrival> {
        use std::os::fd::AsRawFd as _;
        if self.listen == Listen::Fifo {
            let mut bytes = vec![0; TRIGGER_SIZE];
            let count = nix::unistd::read(socket.as_fd(), &mut bytes)?;
            bytes.truncate(count);
            return Ok(Arrival::Request(bytes));
        }
        let fd = accept4(
            socket.as_raw_fd(),
            SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        )?;
        Ok(Arrival::Client(pf_sys::fd::adopt_accepted(fd)))
    }

    async fn admit<S: EventService>(&self, service: &Rc<S>, crew: &Rc<Crew>, fd: OwnedFd) {
        let (service, crew) = (service.clone(), crew.clone());
        let listen = self.listen;
        let delay = if self.delay.is_zero() || self.flow.take() {
            Duration::ZERO
        } else {
            self.delay
        };
        crew.joined();
        if !crew.proven.get() {
            // Some clients stay for long.
            let crew = crew.clone();
            spawn_local(async move {
                tokio::time::sleep(PROOF_TIME).await;
                crew.prove();
            });
        }
        let work = async move {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            match connected(listen, fd).await {
                Ok(client) if S::KIND == Kind::Triggers => {
                    if let Some(request) = trigger_request(client).await {
                        service.trigger(request).await;
                    }
                }
                Ok(client) => service.serve(client).await,
                Err(err) => pf_log::warning!("{err}"),
            }
        };
        let task = spawn_local(work);
        spawn_local(async move {
            // The panic hook has logged what happened.
            let _ = task.await;
            crew.left();
        });
    }
}

enum Arrival {
    Client(OwnedFd),
    Request(Vec<u8>),
}

async fn connected(listen: Listen, fd: OwnedFd) -> io::Result<Client> {
    Ok(match listen {
        Listen::Inet => Client {
            stream: Stream::Tcp(TcpStream::from_std(fd.into())?),
            passed: None,
        },
        Listen::Pass => pass::receive(UnixStream::from_std(fd.into())?).await?,
        _ => Client {
            stream: Stream::Unix(UnixStream::from_std(fd.into())?),
            passed: None,
        },
    })
}

/// What a trigger's sender wrote; nobody waits for its end.
async fn trigger_request(mut client: Client) -> Option<Vec<u8>> {
    let mut bytes = vec![0; TRIGGER_SIZE];
    let count = tokio::time::timeout(TRIGGER_LIMIT, client.stream.read(&mut bytes))
        .await
        .ok()?
        .ok()?;
    bytes.truncate(count);
    (count > 0).then_some(bytes)
}

/// After a failure to let somebody in: a pause, unless the failure concerns only the one who knocked.
async fn pause(err: &io::Error) {
    if matches!(
        err.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    ) {
        return;
    }
    pf_log::error!("accept connection: {}", pf_sys::error::text(err));
    // Out of descriptors or memory: the others who share the socket may have some.
    tokio::time::sleep(Duration::from_secs(1)).await;
}

/// Has the kernel end the process when its event loop stands still for `limit` (`daemon_timeout`).
async fn watchdog(limit: Duration) {
    let seconds = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX);
    loop {
        nix::unistd::alarm::set(seconds.max(3));
        tokio::time::sleep(limit / 3).await;
    }
}
