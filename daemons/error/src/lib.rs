//! The delivery agent that delivers nothing: as `error` it returns mail to its sender, as `retry` it leaves it for later, with the
//! nexthop as the reason (error(8)).

use std::rc::Rc;

use anyhow::bail;
use pf_delivery::Undelivered;
use pf_dsn::{Dsn, Outcome, Status};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

/// The service.
pub struct Reject {
    mail: Undelivered,
    /// Whether this is the `retry` service.
    retry: bool,
}

impl EventService for Reject {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let retry = match context.service.as_str() {
            "error" => false,
            "retry" => true,
            other => bail!("bad error service name: {other}"),
        };
        let mail = Undelivered::new(&context.config)?;
        Ok(Self { mail, retry })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        // `5.1.1 text` or `text`, as the transport table has it.
        let outcome = |nexthop: &[u8]| {
            if self.retry {
                Outcome::Defer(Status::from_text(nexthop, Dsn::new(4, 0, 0)))
            } else {
                Outcome::Bounce(Status::from_text(nexthop, Dsn::new(5, 0, 0)))
            }
        };
        self.mail.serve(client.stream, outcome).await;
    }
}
