//! The delivery agent that delivers nothing: as `error` it returns mail to its sender, as `retry` it leaves it for later, with the
//! nexthop as the reason (error(8)).

use std::rc::Rc;
use std::time::Duration;

use anyhow::bail;
use pf_attr::aio;
use pf_config::param;
use pf_delivery::{Agent, receive};
use pf_dsn::{Dsn, Outcome, Status};
use pf_queue::Queue;
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

/// The service.
pub struct Reject {
    agent: Agent,
    queue: Queue,
    /// Whether this is the `retry` service.
    retry: bool,
    timeout: Duration,
}

impl EventService for Reject {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let retry = match context.service.as_str() {
            "error" => false,
            "retry" => true,
            other => bail!("bad error service name: {other}"),
        };
        Ok(Self {
            agent: Agent::new(&context.config, None)?,
            queue: Queue::new(&context.config)?,
            retry,
            timeout: context.config.get(param::IPC_TIMEOUT)?,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let mut stream = aio::Stream::new(client.stream, self.timeout);
        let Some(job) = receive(&mut stream, &self.queue).await else {
            return;
        };
        let mut deferred = false;
        for at in 0..job.request.recipients.len() {
            let outcome = self.outcome(&job.request.nexthop);
            deferred |= self
                .agent
                .report(&job, at, "none", None, outcome)
                .await
                .is_later();
        }
        job.finish(&mut stream, deferred).await;
    }
}

impl Reject {
    /// `5.1.1 text` or `text`, as the transport table has it.
    fn outcome(&self, nexthop: &[u8]) -> Outcome {
        if self.retry {
            Outcome::Defer(Status::from_text(nexthop, Dsn::new(4, 0, 0)))
        } else {
            Outcome::Bounce(Status::from_text(nexthop, Dsn::new(5, 0, 0)))
        }
    }
}
