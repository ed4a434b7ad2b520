//! The client of a service that answers many requests on one connection (rewrite, resolve, verify, anvil, proxymap, ...).
//!
//! Idle connections are kept and used again, so that a task of an event-driven daemon rarely connects. Two tasks never share
//! a connection: a second one opens its own.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use pf_attr::{Encoder, Error, aio, check_announcement};
use tokio::net::UnixStream;

use crate::{Address, Request};

/// How long and how often a client tries.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Bounds each send and each receive (`ipc_timeout`).
    pub timeout: Duration,
    /// An idle connection is closed after this time (`ipc_idle`).
    pub idle: Duration,
    /// A connection is closed after this time, idle or not (`ipc_ttl`).
    pub ttl: Duration,
    /// How many tries before the error is the caller's; `None`: until the server answers.
    pub tries: Option<u32>,
    /// The pause between tries, the first repetition excepted.
    pub delay: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(3600),
            idle: Duration::from_secs(5),
            ttl: Duration::from_secs(1000),
            tries: None,
            delay: Duration::from_secs(1),
        }
    }
}

struct Connection {
    stream: aio::Stream<UnixStream>,
    opened: Instant,
    used: Instant,
}

/// Calls one service; shared by all tasks of a process.
pub struct Client {
    address: Address,
    policy: Policy,
    idle: RefCell<Vec<Connection>>,
}

/// No more idle connections than this are kept.
const MAX_IDLE: usize = 8;

/// The pause before a full queue of clients is tried again.
const CROWD_DELAY: Duration = Duration::from_millis(50);
/// How often somebody is waited for who does not listen yet, and the pause between.
const CONNECT_TRIES: u32 = 10;
const CONNECT_DELAY: Duration = Duration::from_secs(10);

impl Client {
    /// A client that has not connected yet.
    pub fn new(address: Address, policy: Policy) -> Self {
        Self {
            address,
            policy,
            idle: RefCell::new(Vec::new()),
        }
    }

    /// Where this client connects.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Sends one request and receives its reply, on a kept connection where there is one.
    ///
    /// A server that went away is tried again, at once the first time (it may only have closed an idle connection) and then
    /// after each [`Policy::delay`], with a warning each time.
    ///
    /// # Errors
    /// No try of [`Policy::tries`] succeeded, or nobody listens, where there is no limit of tries: that takes 100 seconds.
    pub async fn call<R: Request>(&self, request: &R) -> Result<R::Reply, Error> {
        let mut tries: u32 = 0;
        loop {
            match self.try_call(request).await {
                Ok(reply) => return Ok(reply),
                Err((err, kept)) => {
                    // A kept connection that has gone says nothing about the server.
                    if kept {
                        self.idle.borrow_mut().clear();
                        continue;
                    }
                    if matches!(err, Error::Unreachable(_)) {
                        return Err(err);
                    }
                    tries = tries.saturating_add(1);
                    if tries > 1 || !gone(&err) {
                        pf_log::warning!(
                            "problem talking to server {}: {}",
                            self.address.name(),
                            err
                        );
                    }
                    if self.policy.tries.is_some_and(|limit| tries >= limit) {
                        return Err(err);
                    }
                    tokio::time::sleep(self.policy.delay).await;
                }
            }
        }
    }

    /// Closes the kept connections, for a server that asked for it.
    pub fn disconnect(&self) {
        self.idle.borrow_mut().clear();
    }

    async fn try_call<R: Request>(&self, request: &R) -> Result<R::Reply, (Error, bool)> {
        let kept = self.take_idle();
        let reused = kept.is_some();
        let mut connection = match kept {
            Some(connection) => connection,
            None => self
                .connect(R::PROTOCOL)
                .await
                .map_err(|err| (err, false))?,
        };
        let reply = exchange(&mut connection.stream, request)
            .await
            .map_err(|err| (err, reused))?;
        connection.used = Instant::now();
        let mut idle = self.idle.borrow_mut();
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
        Ok(reply)
    }

    /// Where nobody listens the mail system may be about to start: without a limit of tries, that is waited for.
    async fn reach(&self) -> Result<UnixStream, Error> {
        let mut count = 0;
        let end = Instant::now() + self.policy.timeout;
        loop {
            let err = match UnixStream::connect(self.address.path()).await {
                Ok(stream) => return Ok(stream),
                // More clients than the server's queue holds.
                Err(err) if err.kind() == std::io::ErrorKind::WouldBlock => {
                    if Instant::now() > end {
                        return Err(Error::Timeout);
                    }
                    tokio::time::sleep(CROWD_DELAY).await;
                    continue;
                }
                Err(err) if self.policy.tries.is_some() => return Err(err.into()),
                Err(err) => pf_sys::error::text(&err),
            };
            count += 1;
            let path = self.address.path();
            let path = path.strip_prefix(".").unwrap_or(path).display();
            let problem = format!("connect #{count} to subsystem {path}: {err}");
            if count > CONNECT_TRIES {
                return Err(Error::Unreachable(problem));
            }
            pf_log::warning!("{problem}");
            tokio::time::sleep(CONNECT_DELAY).await;
        }
    }

    async fn connect(&self, protocol: Option<&'static str>) -> Result<Connection, Error> {
        let now = Instant::now();
        let stream = self.reach().await?;
        let mut stream = aio::Stream::new(stream, self.policy.timeout);
        if let Some(protocol) = protocol {
            check_announcement(&stream.recv().await?, protocol)?;
        }
        Ok(Connection {
            stream,
            opened: now,
            used: now,
        })
    }

    /// The most recently used connection that is neither too old nor closed by the server.
    fn take_idle(&self) -> Option<Connection> {
        let now = Instant::now();
        let mut idle = self.idle.borrow_mut();
        idle.retain(|connection| {
            now.duration_since(connection.used) < self.policy.idle
                && now.duration_since(connection.opened) < self.policy.ttl
        });
        idle.pop()
    }
}

/// One request over an open connection whose announcement was received.
///
/// # Errors
/// The connection failed, or the reply is not as agreed.
pub async fn exchange<R: Request>(
    stream: &mut aio::Stream<UnixStream>,
    request: &R,
) -> Result<R::Reply, Error> {
    stream.send(&request.encode(Encoder::new()).end()).await?;
    let message = stream.recv().await?;
    let mut list = message.decoder();
    let reply = request.decode_reply(&mut list)?;
    list.end()?;
    Ok(reply)
}

/// Whether the error only says that the server is not there just now.
fn gone(err: &Error) -> bool {
    match err {
        Error::Closed | Error::Truncated(_) => true,
        Error::Io(err) => matches!(
            err.kind(),
            std::io::ErrorKind::BrokenPipe
                | std::io::ErrorKind::NotFound
                | std::io::ErrorKind::ConnectionReset
        ),
        _ => false,
    }
}
