//! An agent that delivers nothing: what the nexthop says becomes of every recipient.

use std::time::Duration;

use pf_attr::aio;
use pf_config::{Config, Error, param};
use pf_dsn::Outcome;
use pf_queue::Queue;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::{Agent, receive};

/// What such an agent needs.
pub struct Undelivered {
    agent: Agent,
    queue: Queue,
    timeout: Duration,
}

impl Undelivered {
    /// Reads the parameters.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn new(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            agent: Agent::new(config, None)?,
            queue: Queue::new(config)?,
            timeout: config.get(param::IPC_TIMEOUT)?,
        })
    }

    /// Takes one request from a client and reports for each recipient what `outcome` makes of the nexthop.
    pub async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        outcome: impl Fn(&[u8]) -> Outcome,
    ) {
        let mut stream = aio::Stream::new(stream, self.timeout);
        let Some(job) = receive(&mut stream, &self.queue).await else {
            return;
        };
        let mut deferred = false;
        for at in 0..job.request.recipients.len() {
            let outcome = outcome(&job.request.nexthop);
            let verdict = self.agent.report(&job, at, "none", None, outcome).await;
            deferred |= verdict.is_later();
        }
        job.finish(&mut stream, deferred).await;
    }
}
