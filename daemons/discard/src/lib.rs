//! The delivery agent that throws mail away and says that it was sent, with the nexthop as the reason (discard(8)).

use std::rc::Rc;

use pf_delivery::Undelivered;
use pf_dsn::{Dsn, Outcome, Status};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};

/// The service.
pub struct Discard {
    mail: Undelivered,
}

impl EventService for Discard {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        let mail = Undelivered::new(&context.config)?;
        Ok(Self { mail })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let outcome = |nexthop: &[u8]| Outcome::Sent(Status::from_text(nexthop, Dsn::new(2, 0, 0)));
        self.mail.serve(client.stream, outcome).await;
    }
}
