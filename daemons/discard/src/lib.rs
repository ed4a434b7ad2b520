//! The delivery agent that throws mail away and says that it was sent, with the nexthop as the reason (discard(8)).

use std::rc::Rc;
use std::time::Duration;

use pf_attr::aio;
use pf_config::param;
use pf_delivery::{Agent, receive};
use pf_dsn::{Dsn, Outcome, Status};
use pf_queue::Queue;
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

/// The service.
pub struct Discard {
    agent: Agent,
    queue: Queue,
    timeout: Duration,
}

impl EventService for Discard {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            agent: Agent::new(&context.config, None)?,
            queue: Queue::new(&context.config)?,
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
            let status = Status::from_text(&job.request.nexthop, Dsn::new(2, 0, 0));
            deferred |= self
                .agent
                .report(&job, at, "none", None, Outcome::Sent(status))
                .await
                .is_later();
        }
        job.finish(&mut stream, deferred).await;
    }
}
