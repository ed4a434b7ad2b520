//! The client's end, for event-driven daemons.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::{Event, List, PROTOCOL, encode_request, ident, number, take, value};
use crate::{Address, Class};

/// The pause before the second try.
const TRY_DELAY: Duration = Duration::from_secs(1);
/// No more idle connections than this are kept.
const MAX_IDLE: usize = 32;

/// The way to the anvil service; shared by all sessions of a process.
#[derive(Debug)]
pub struct Anvil {
    address: Address,
    limit: Duration,
    idle: RefCell<Vec<Connection>>,
}

#[derive(Debug)]
struct Connection {
    io: UnixStream,
    pending: Vec<u8>,
}

/// The events of one remote client.
#[derive(Debug)]
pub struct Session {
    anvil: Rc<Anvil>,
    ident: Vec<u8>,
    connection: Option<Connection>,
}

impl Anvil {
    /// The service below the queue directory (`.` for a daemon); `limit` (`ipc_timeout`) bounds each exchange.
    pub fn new(queue_directory: &Path, limit: Duration) -> Rc<Self> {
        Rc::new(Self {
            address: Address::new(queue_directory, Class::Private, "anvil"),
            limit,
            idle: RefCell::new(Vec::new()),
        })
    }

    /// A session for this client of this service. Nothing is sent yet.
    pub fn session(self: &Rc<Self>, service: &str, client: &str) -> Session {
        Session {
            anvil: self.clone(),
            ident: ident(service, client),
            connection: None,
        }
    }

    async fn open(&self) -> std::io::Result<Connection> {
        let io = UnixStream::connect(self.address.path()).await?;
        let mut connection = Connection {
            io,
            pending: Vec::new(),
        };
        let greeting = connection.receive().await?;
        if value(&greeting, "protocol") == Some(PROTOCOL.as_bytes()) {
            Ok(connection)
        } else {
            Err(std::io::Error::other("unexpected protocol announcement"))
        }
    }
}

impl Connection {
    async fn receive(&mut self) -> std::io::Result<List> {
        loop {
            if let Some(list) = take(&mut self.pending).map_err(std::io::Error::other)? {
                return Ok(list);
            }
            self.pending.reserve(256);
            if self.io.read_buf(&mut self.pending).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    async fn exchange(&mut self, event: Event, ident: &[u8]) -> std::io::Result<List> {
        self.io.write_all(&encode_request(event, ident)).await?;
        self.receive().await
    }
}

impl Session {
    /// Tells of an event; gives the reply, or `None` (after a warning) when the service does not answer or refuses.
    async fn tell(&mut self, event: Event) -> Option<List> {
        for again in [false, true] {
            if again {
                tokio::time::sleep(TRY_DELAY).await;
            }
            match timeout(self.anvil.limit, self.exchange(event)).await {
                Ok(Ok(list)) => return (number(&list, "status") == Some(0)).then_some(list),
                Ok(Err(err)) => {
                    self.connection = None;
                    if again {
                        self.warn(&err);
                    }
                }
                Err(_) => {
                    self.connection = None;
                    self.warn(&std::io::ErrorKind::TimedOut.into());
                }
            }
        }
        None
    }

    fn warn(&self, err: &std::io::Error) {
        pf_log::warning!(
            "problem talking to server {}: {}",
            self.anvil.address.name(),
            pf_sys::error::text(err)
        );
    }

    async fn exchange(&mut self, event: Event) -> std::io::Result<List> {
        let kept = if self.connection.is_none() {
            self.anvil.idle.borrow_mut().pop()
        } else {
            None
        };
        if let Some(mut kept) = kept {
            // A kept connection may have been closed meanwhile; that costs nothing but a new one.
            if let Ok(list) = kept.exchange(event, &self.ident).await {
                self.connection = Some(kept);
                return Ok(list);
            }
            self.anvil.idle.borrow_mut().clear();
        }
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.anvil.open().await?,
        };
        let list = connection.exchange(event, &self.ident).await?;
        self.connection = Some(connection);
        Ok(list)
    }

    /// A client connected: how many connections it has, and its connections in the time unit.
    pub async fn connect(&mut self) -> Option<(i32, i32)> {
        let list = self.tell(Event::Connect).await?;
        Some((number(&list, "count")?, number(&list, "rate")?))
    }

    /// A message, recipient, TLS session or authentication: how many of them in the time unit.
    pub async fn event(&mut self, event: Event) -> Option<i32> {
        number(&self.tell(event).await?, "rate")
    }

    /// The client has gone. A session that is dropped without this is noticed by the service too, at the price of a new
    /// connection.
    pub async fn disconnect(mut self) {
        if self.connection.is_none() || self.tell(Event::Disconnect).await.is_none() {
            return;
        }
        let mut idle = self.anvil.idle.borrow_mut();
        if let Some(connection) = self.connection.take()
            && idle.len() < MAX_IDLE
        {
            idle.push(connection);
        }
    }
}
