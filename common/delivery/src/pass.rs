//! Passing a recipient on to another delivery agent, as `mailbox_transport` and its like ask.

use std::path::Path;
use std::time::Duration;

use pf_attr::{Error, aio, check_announcement};
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::{info, warning};
use pf_proto::bounce::Recipient;
use pf_proto::deliver::{DeliveryReply, DeliveryRequest, PROTOCOL};
use pf_proto::{Address, Class};
use tokio::net::UnixStream;

use crate::{Agent, Job, Verdict};

/// Passes one recipient to `service`, `transport` or `transport:nexthop`, and waits for what became of it. The other agent marks
/// nothing in the queue file: that is left to the caller.
pub async fn pass(
    agent: &Agent,
    job: &Job,
    recipient: &Recipient,
    service: &[u8],
    limit: Duration,
) -> Verdict {
    let (transport, nexthop) = match service.iter().position(|byte| *byte == b':') {
        Some(colon) => (
            service.get(..colon).unwrap_or_default(),
            service.get(colon + 1..).unwrap_or_default(),
        ),
        None => (service, &b""[..]),
    };
    let transport = String::from_utf8_lossy(transport).into_owned();
    info!(
        "{}: passing <{}> to transport={transport}",
        job.queue_id(),
        String::from_utf8_lossy(&pf_address::quote_822(&recipient.address))
    );
    let mut request = DeliveryRequest {
        recipients: vec![Recipient {
            offset: -1,
            ..recipient.clone()
        }],
        ..job.request.clone()
    };
    if !nexthop.is_empty() {
        request.nexthop = nexthop.to_vec();
    }
    let address = Address::new(Path::new("."), Class::Private, &transport);
    let reason = match exchange(&address, &request, limit).await {
        Ok(reply) => {
            return if reply.deferred {
                Verdict::Later
            } else {
                Verdict::Done
            };
        }
        Err((Step::Sending, err)) => {
            warning!("{}: {err}", address.name());
            "mail transport unavailable"
        }
        Err((Step::Answer, err)) => {
            warning!("{}: malformed response: {err}", address.name());
            "unknown mail transport error"
        }
    };
    let outcome = Outcome::Defer(Status::new(Dsn::new(4, 3, 0), reason));
    agent
        .tell(
            &job.request,
            job.queue_id(),
            recipient,
            "none",
            None,
            outcome,
        )
        .await
}

enum Step {
    Sending,
    Answer,
}

async fn exchange(
    address: &Address,
    request: &DeliveryRequest,
    limit: Duration,
) -> Result<DeliveryReply, (Step, Error)> {
    let mut tries = 0_u32;
    // The other agent may only not have been started yet.
    let io = loop {
        match UnixStream::connect(address.path()).await {
            Ok(io) => break io,
            Err(err) => {
                tries = tries.saturating_add(1);
                if tries % 10 == 1 {
                    warning!(
                        "connect to {}: {}",
                        address.name(),
                        pf_config::system::reason(&err)
                    );
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    let mut stream = aio::Stream::new(io, limit);
    let greet = async {
        check_announcement(&stream.recv().await?, PROTOCOL)?;
        stream.send(&request.encode()).await
    };
    greet.await.map_err(|err| (Step::Sending, err))?;
    let answer = async {
        let message = stream.recv_unbounded().await?;
        DeliveryReply::decode(&mut message.decoder())
    };
    answer.await.map_err(|err| (Step::Answer, err))
}
