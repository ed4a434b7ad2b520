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

/// Why there is no agent.
#[derive(Debug)]
pub enum Unready {
    /// Nobody listens there, or it is no delivery agent.
    Broken,
    /// All agents are busy, for longer than they should.
    Busy,
}

/// How a delivery failed; the log tells more.
#[derive(Debug)]
pub enum Failed {
    /// The agent did not take the request.
    Unsent,
    /// It took the request. What became of the recipients is known to the agent alone.
    Crashed,
}

fn complain(err: &Error, transport: &str) {
    if let Some(words) = err.complaint(&socket(transport)) {
        warning!("{words}");
    }
}

fn socket(transport: &str) -> String {
    format!("private/{transport} socket")
}

/// Connects to a transport's agents and waits until one is free: `limit` to send it something, `wait` for its announcement.
///
/// # Errors
/// Nobody listens there, it is no delivery agent, or none is free.
pub async fn allocate(transport: &str, limit: Duration, wait: Duration) -> Result<Ready, Unready> {
    let address = Address::new(Path::new("."), Class::Private, transport);
    let stream = UnixStream::connect(address.path()).await.map_err(|err| {
        warning!("connect to transport private/{transport}: {err}");
        Unready::Broken
    })?;
    let mut stream = aio::Stream::new(stream, limit);
    let announcement = timeout(wait, stream.recv_unbounded()).await.map_err(|_| {
        warning!("timeout connecting to transport: {transport}");
        Unready::Busy
    })?;
    match announcement.and_then(|list| check_announcement(&list, PROTOCOL)) {
        Ok(()) => {}
        // When it takes a request nevertheless, it may do.
        Err(
            err @ (Error::Closed | Error::Io(_) | Error::Missing(_) | Error::Unexpected { .. }),
        ) => {
            complain(&err, transport);
        }
        Err(err) => {
            complain(&err, transport);
            warning!("{}: malformed response", socket(transport));
            return Err(Unready::Broken);
        }
    }
    Ok(Ready {
        stream,
        transport: transport.to_owned(),
    })
}

impl Ready {
    /// Hands the request over and waits for the answer.
    ///
    /// # Errors
    /// The agent ended, or does not answer within `limit`.
    pub async fn deliver(
        mut self,
        request: &DeliveryRequest,
        limit: Duration,
    ) -> Result<DeliveryReply, Failed> {
        let transport = &self.transport;
        if let Err(err) = self.stream.send(&request.encode()).await {
            warning!("write to process ({transport}): {err}");
            return Err(Failed::Unsent);
        }
        let Ok(answer) = timeout(limit, self.stream.recv_unbounded()).await else {
            let id = String::from_utf8_lossy(&request.id);
            warning!("{id}: timeout receiving delivery status from transport: {transport}");
            return Err(Failed::Crashed);
        };
        let answer = answer.and_then(|list| {
            let mut list = list.decoder();
            let reply = DeliveryReply::decode(&mut list)?;
            if let Err(err) = list.end() {
                complain(&err, transport);
            }
            Ok(reply)
        });
        answer.map_err(|err| {
            if !matches!(err, Error::Io(_)) {
                complain(&err, transport);
            }
            warning!("{}: malformed response", socket(transport));
            Failed::Crashed
        })
    }
}
