//! What Postfix programs say to each other over their local sockets: one module for each internal protocol, with request and
//! reply types that both ends share, so that neither can drift from the other.
//!
//! How attributes are encoded is `pf-attr`'s business; what a request means is the server's. This crate also owns how a
//! client finds, reaches and re-reaches a server ([`Address`], [`call`](sync_call), and with feature `aio` [`client`]).

use std::path::{Path, PathBuf};
use std::time::Duration;

use pf_attr::{Decoder, Encoder, Error};

pub mod anvil;
pub mod bounce;
pub mod cleanup;
#[cfg(feature = "aio")]
pub mod client;
pub mod deliver;
pub mod dialect;
pub mod flush;
pub mod master;
pub mod nbdb;
#[cfg(feature = "aio")]
pub mod post_mail;
pub mod proxymap;
pub mod resolve;
pub mod rewrite;
pub mod scache;
pub mod showq;
pub mod trigger;
pub mod verify;

/// Who may connect to a service's socket: the directory under `queue_directory` that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// `private/`: the mail system only.
    Private,
    /// `public/`: every local user.
    Public,
}

impl Class {
    /// The name of the directory.
    pub fn directory(self) -> &'static str {
        match self {
            Class::Private => "private",
            Class::Public => "public",
        }
    }
}

/// Where a service listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    path: PathBuf,
    name: String,
}

impl Address {
    /// The socket of `service`, in its directory below `queue_directory` (which is `.` for a daemon: it works there).
    pub fn new(queue_directory: &Path, class: Class, service: &str) -> Self {
        Self::below(queue_directory, class.directory(), service)
    }

    /// The socket of `service` in any `directory` below `queue_directory`.
    pub fn below(queue_directory: &Path, directory: &str, service: &str) -> Self {
        let name = format!("{directory}/{service}");
        Self {
            path: queue_directory.join(&name),
            name,
        }
    }

    /// The socket's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `private/service` or `public/service`, as log lines have it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A request that one attribute list carries, answered by one attribute list.
pub trait Request {
    /// What the server answers.
    type Reply;

    /// The protocol that the server announces on a new connection; `None` for the few that announce nothing.
    const PROTOCOL: Option<&'static str>;

    /// Adds the request's attributes.
    fn encode(&self, list: Encoder) -> Encoder;

    /// Takes the reply's attributes; the end of the list is checked by the caller.
    ///
    /// # Errors
    /// The list is not such a reply.
    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Self::Reply, Error>;
}

/// One request over a connection of its own, blocking; `timeout` (`ipc_timeout`) bounds each step.
///
/// # Errors
/// The server cannot be reached or does not answer as agreed.
pub fn sync_call<R: Request>(
    address: &Address,
    timeout: Duration,
    request: &R,
) -> Result<R::Reply, Error> {
    let mut stream = pf_attr::sync::Stream::connect(address.path(), timeout)?;
    sync_exchange(&mut stream, true, request)
}

/// One request over an open connection, blocking. `fresh`: the server has yet to announce its protocol.
///
/// # Errors
/// As [`sync_call`].
pub fn sync_exchange<R: Request>(
    stream: &mut pf_attr::sync::Stream,
    fresh: bool,
    request: &R,
) -> Result<R::Reply, Error> {
    if let (true, Some(protocol)) = (fresh, R::PROTOCOL) {
        pf_attr::check_announcement(&stream.recv()?, protocol)?;
    }
    stream.send(&request.encode(Encoder::new()).end())?;
    let message = stream.recv()?;
    let mut list = message.decoder();
    let reply = request.decode_reply(&mut list)?;
    list.end()?;
    Ok(reply)
}
