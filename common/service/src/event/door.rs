//! The listen sockets: who comes in.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Result, bail};
use nix::errno::Errno;
use nix::sys::socket::{SockFlag, accept4};
use tokio::io::AsyncReadExt as _;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};
use tokio::task::spawn_local;

use super::EventService;
use super::crew::{Crew, watch};
use super::datagrams::{DATAGRAM_SIZE, Datagrams};
use crate::{Client, Context, Flow, Kind, Stream, pass};

/// The longest trigger request, in bytes.
const TRIGGER_SIZE: usize = 1024;
/// How long a trigger's sender may take.
const TRIGGER_LIMIT: Duration = Duration::from_secs(10);
/// No more batches of datagrams than this are taken at the end.
const LAST_BATCHES: usize = 100;
/// How long a process must have had a client before it counts as one that works.
const PROOF_TIME: Duration = Duration::from_secs(1);

/// What kind of sockets the service listens on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listen {
    Unix,
    Inet,
    Pass,
    Fifo,
    Datagram,
}

impl Listen {
    pub(super) fn of(context: &Context) -> Result<Self> {
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

/// One listen socket.
pub(super) struct Door {
    socket: AsyncFd<OwnedFd>,
    listen: Listen,
    delay: Duration,
    flow: Flow,
}

impl Door {
    /// A listen socket; a client waits for `delay` when there is no token in `flow`.
    ///
    /// # Errors
    /// The event loop cannot watch the socket.
    pub(super) fn new(
        socket: OwnedFd,
        listen: Listen,
        delay: Duration,
        flow: Flow,
    ) -> io::Result<Self> {
        pf_sys::fd::set_nonblocking(&socket, true)?;
        Ok(Self {
            socket: watch(socket, Interest::READABLE)?,
            listen,
            delay,
            flow,
        })
    }

    /// Lets clients in until the task is ended.
    pub(super) async fn attend<S: EventService>(&self, service: &Rc<S>, crew: &Rc<Crew>) {
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

    /// Takes the datagrams that are left at the end: their senders have gone on long ago.
    pub(super) fn empty<S: EventService>(&self, service: &S) {
        if self.listen != Listen::Datagram {
            return;
        }
        let mut batch = Datagrams::default();
        let mut room = vec![0; DATAGRAM_SIZE];
        for _ in 0..LAST_BATCHES {
            match batch.receive(self.socket.get_ref(), &mut room) {
                Ok(more) => {
                    service.datagrams(&batch);
                    if !more {
                        return;
                    }
                }
                Err(_) => return,
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
            if S::KIND == Kind::Triggers {
                if let Some(request) = trigger_request(listen, fd).await {
                    service.trigger(request).await;
                }
                return;
            }
            match connected(listen, fd).await {
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

/// What a trigger's sender wrote; nobody waits for its end. It is there already, as a rule.
async fn trigger_request(listen: Listen, fd: OwnedFd) -> Option<Vec<u8>> {
    let mut bytes = vec![0; TRIGGER_SIZE];
    let there = match listen {
        // The connection itself is yet to come.
        Listen::Pass => Err(Errno::EAGAIN),
        _ => nix::unistd::read(&fd, &mut bytes),
    };
    let count = match there {
        Ok(count) => count,
        Err(Errno::EAGAIN) => {
            let mut client = match connected(listen, fd).await {
                Ok(client) => client,
                Err(err) => {
                    pf_log::warning!("{err}");
                    return None;
                }
            };
            tokio::time::timeout(TRIGGER_LIMIT, client.stream.read(&mut bytes))
                .await
                .ok()?
                .ok()?
        }
        Err(_) => return None,
    };
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
