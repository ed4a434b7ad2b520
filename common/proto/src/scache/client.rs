//! The client's end, for event-driven agents.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use pf_attr::{Error, aio, check_announcement};
use pf_log::warning;
use tokio::io::Interest;
use tokio::net::UnixStream;

use super::{OK, PROTOCOL, Request, ready};
use crate::Address;

/// How often a request is tried, and the pause before it is tried again.
const TRIES: u32 = 2;
const DELAY: Duration = Duration::from_secs(1);

/// A connection that another agent has left.
#[derive(Debug)]
pub struct Kept {
    /// The descriptor.
    pub fd: OwnedFd,
    /// What is known of the destination; empty when an endpoint was asked for.
    pub destination: Vec<u8>,
    /// What is known of the connection.
    pub endpoint: Vec<u8>,
}

/// The way to the service; shared by all tasks of a process.
#[derive(Debug)]
pub struct Scache {
    address: Address,
    limit: Duration,
    idle: RefCell<Option<aio::Stream<UnixStream>>>,
    disabled: Cell<bool>,
}

impl Scache {
    /// The service at `address`; `limit` bounds each step.
    pub fn new(address: Address, limit: Duration) -> Self {
        Self {
            address,
            limit,
            idle: RefCell::new(None),
            disabled: Cell::new(false),
        }
    }

    /// Leaves a connection to whoever comes next; without the service it is closed.
    pub async fn save(&self, request: &Request, fd: OwnedFd) {
        // It is never given twice, whatever becomes of the answer: two agents would speak in one session.
        let given = Cell::new(false);
        let done = self.with_stream(async |stream| {
            if given.get() {
                return Ok(OK);
            }
            stream.send(&request.encode()).await?;
            stream.recv().await?.decoder().str("dummy")?;
            let socket = stream.get_ref();
            socket
                .async_io(Interest::WRITABLE, || {
                    pf_sys::fd::send_fd(socket, fd.as_fd())
                })
                .await?;
            given.set(true);
            stream.recv().await?.decoder().int("status")
        });
        let _ = done.await;
    }

    /// Remembers where a destination leads to.
    pub async fn bind(&self, request: &Request) {
        let done = self.with_stream(async |stream| {
            stream.send(&request.encode()).await?;
            stream.recv().await?.decoder().int("status")
        });
        let _ = done.await;
    }

    /// A connection, if there is one.
    pub async fn find(&self, request: &Request) -> Option<Kept> {
        let found = self.with_stream(async |stream| {
            stream.send(&request.encode()).await?;
            let reply = stream.recv().await?;
            let mut list = reply.decoder();
            let status = list.int("status")?;
            let destination = match request {
                Request::FindDestination { .. } => list.str("property")?.to_vec(),
                _ => Vec::new(),
            };
            let endpoint = list.str("property")?.to_vec();
            if status != OK {
                return Ok(None);
            }
            stream.send(&ready()).await?;
            let socket = stream.get_ref();
            let fd = socket
                .async_io(Interest::READABLE, || pf_sys::fd::recv_fd(socket))
                .await?;
            stream.send(&ready()).await?;
            Ok(Some(Kept {
                fd,
                destination,
                endpoint,
            }))
        });
        found.await.flatten()
    }

    /// Whether the service was given up.
    pub fn is_disabled(&self) -> bool {
        self.disabled.get()
    }

    /// Does the work on the kept connection or on a new one; after two failures the service is given up.
    async fn with_stream<T>(
        &self,
        work: impl AsyncFn(&mut aio::Stream<UnixStream>) -> Result<T, Error>,
    ) -> Option<T> {
        for tries in 0..TRIES {
            if self.disabled.get() {
                return None;
            }
            if tries > 0 {
                tokio::time::sleep(DELAY).await;
            }
            match self.try_with(&work).await {
                Ok(done) => return Some(done),
                Err(err) if is_absence(&err) => {}
                Err(err) => {
                    warning!("problem talking to service {}: {err}", self.address.name());
                }
            }
        }
        warning!("disabling connection caching");
        self.disabled.set(true);
        None
    }

    async fn try_with<T>(
        &self,
        work: &impl AsyncFn(&mut aio::Stream<UnixStream>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let kept = self.idle.borrow_mut().take();
        let alive = kept.filter(|stream| {
            let mut byte = [0];
            let read = stream.get_ref().try_read(&mut byte);
            matches!(read, Err(err) if err.kind() == ErrorKind::WouldBlock)
        });
        let mut stream = match alive {
            Some(stream) => stream,
            None => {
                let connected = UnixStream::connect(self.address.path()).await?;
                let mut stream = aio::Stream::new(connected, self.limit);
                check_announcement(&stream.recv().await?, PROTOCOL)?;
                stream
            }
        };
        let done = tokio::time::timeout(self.limit, work(&mut stream)).await;
        let done = done.unwrap_or(Err(Error::Timeout))?;
        *self.idle.borrow_mut() = Some(stream);
        Ok(done)
    }
}

/// Whether the service is not there, or has gone: nothing to complain about.
fn is_absence(err: &Error) -> bool {
    matches!(err, Error::Closed)
        || matches!(err, Error::Io(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::BrokenPipe))
}
