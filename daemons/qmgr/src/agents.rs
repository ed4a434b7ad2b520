//! Talking to a delivery agent: one connection for each delivery, as Postfix's agents expect.

use std::path::Path;
use std::time::Duration;

use pf_attr::{Error, aio, check_announcement};
use pf_proto::deliver::{DeliveryReply, DeliveryRequest, PROTOCOL};
use pf_proto::{Address, Class};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// An agent that is ready for a request.
pub struct Ready(aio::Stream<UnixStream>);

/// Connects to a transport's agents and waits until one is free, however long that takes.
///
/// # Errors
/// Nobody listens there, or it is no delivery agent.
pub async fn allocate(transport: &str, limit: Duration) -> Result<Ready, Error> {
    let address = Address::new(Path::new("."), Class::Private, transport);
    let stream = UnixStream::connect(address.path()).await?;
    let mut stream = aio::Stream::new(stream, limit);
    let announcement = stream.recv_unbounded().await?;
    check_announcement(&announcement, PROTOCOL)?;
    Ok(Ready(stream))
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
    ) -> Result<DeliveryReply, Error> {
        self.0.send(&request.encode()).await?;
        let message = timeout(limit, self.0.recv_unbounded())
            .await
            .map_err(|_| Error::Timeout)??;
        DeliveryReply::decode(&mut message.decoder())
    }
}
