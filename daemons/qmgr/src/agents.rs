//! Talking to a delivery agent: one connection for each delivery, as Postfix's agents expect.

use std::path::Path;
use std::time::Duration;

use pf_attr::{Error, aio, check_announcement};
use pf_log::warning;
use pf_proto::deliver::{DeliveryReply, DeliveryRequest, PROTOCOL};
use pf_proto::{Address, Class};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// An agent that is ready for a request.
pub struct Ready {
    stream: aio::Stream<UnixStream>,
    transport: String,
}

/// There is no agent of a transport to be had; why was told.
#[derive(Debug)]
pub struct Unavailable;

/// The agent ended before it said what became of the delivery; why was told.
#[derive(Debug)]
pub struct Crashed;

/// Connects to a transport's agents and waits until one is free, however long that takes.
///
/// # Errors
/// Nobody listens there, or it is no delivery agent.
pub async fn allocate(transport: &str, limit: Duration) -> Result<Ready, Unavailable> {
    let address = Address::new(Path::new("."), Class::Private, transport);
    let stream = UnixStream::connect(address.path()).await.map_err(|err| {
        warning!("connect to transport private/{transport}: {err}");
        Unavailable
    })?;
    let mut ready = Ready {
        stream: aio::Stream::new(stream, limit),
        transport: transport.to_owned(),
    };
    let greeting = ready.stream.recv_unbounded().await;
    match greeting.and_then(|list| check_announcement(&list, PROTOCOL)) {
        // That it has gone is noticed when it is given something to do.
        Ok(()) | Err(Error::Closed) => Ok(ready),
        Err(err) => {
            ready.malformed(&err);
            Err(Unavailable)
        }
    }
}

impl Ready {
    /// Hands the request over.
    ///
    /// # Errors
    /// The agent does not take it.
    pub async fn hand(&mut self, request: &DeliveryRequest) -> Result<(), Unavailable> {
        self.stream.send(&request.encode()).await.map_err(|err| {
            warning!("write to process ({}): {err}", self.transport);
            Unavailable
        })
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// The agent ended, or does not answer within `limit`.
    pub async fn answer(mut self, limit: Duration) -> Result<DeliveryReply, Crashed> {
        let reply = timeout(limit, self.stream.recv_unbounded())
            .await
            .unwrap_or(Err(Error::Timeout))
            .and_then(|list| DeliveryReply::decode(&mut list.decoder()));
        reply.map_err(|err| {
            self.malformed(&err);
            Crashed
        })
    }

    fn malformed(&self, err: &Error) {
        let socket = format!("private/{} socket", self.transport);
        if let Some(complaint) = err.about(&socket) {
            warning!("{complaint}");
        }
        warning!("{socket}: malformed response");
    }
}
