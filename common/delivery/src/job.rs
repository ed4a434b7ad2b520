//! One delivery request, from its arrival to its answer.

use std::fs::File;
use std::time::Duration;

use pf_attr::{Error, aio};
use pf_log::warning;
use pf_proto::bounce::{Recipient, Status};
use pf_proto::deliver::{DeliveryReply, DeliveryRequest, Moment, PROTOCOL};
use pf_queue::{Check, Queue, QueueId, QueueName};
use pf_sys::lock::{Mode, Style, lock};
use tokio::io::{AsyncRead, AsyncWrite};

/// A request, and the message's open queue file.
#[derive(Debug)]
pub struct Job {
    /// What the queue manager asks for.
    pub request: DeliveryRequest,
    /// The message's queue id.
    pub id: QueueId,
    /// The queue file, open for in-place edits; the lock on it keeps others from cleaning it away.
    pub file: File,
    /// What is wrong with the destination as a whole, once that is known.
    pub hop: Option<Status>,
}

/// Announces the protocol and receives one request. `None` when the peer only closed the connection, or sent nonsense, in which
/// case it was answered.
pub async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut aio::Stream<S>,
    queue: &Queue,
) -> Option<Job> {
    if stream.send(&pf_attr::announcement(PROTOCOL)).await.is_err() {
        return None;
    }
    let message = match stream.recv_unbounded().await {
        Ok(message) => message,
        Err(Error::Closed) => return None,
        Err(err) => {
            warning!("delivery request: {err}");
            return None;
        }
    };
    let job = match DeliveryRequest::decode(&mut message.decoder()) {
        Ok((request, count)) => with_recipients(stream, queue, request, count).await,
        Err(err) => {
            warning!("delivery request: error receiving common attributes: {err}");
            None
        }
    };
    if job.is_none() {
        answer(
            stream,
            &DeliveryReply {
                deferred: true,
                ..DeliveryReply::default()
            },
        )
        .await;
    }
    job
}

async fn with_recipients<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut aio::Stream<S>,
    queue: &Queue,
    mut request: DeliveryRequest,
    count: usize,
) -> Option<Job> {
    for _ in 0..count {
        let message = match stream.recv().await {
            Ok(message) => message,
            Err(err) => {
                warning!("delivery request: error receiving recipient attributes: {err}");
                return None;
            }
        };
        match Recipient::decode(&mut message.decoder()) {
            Ok(recipient) => request.recipients.push(recipient),
            Err(err) => {
                warning!("delivery request: error receiving recipient attributes: {err}");
                return None;
            }
        }
    }
    let name = std::str::from_utf8(&request.queue)
        .ok()
        .and_then(|name| name.parse::<QueueName>().ok());
    let (Some(name), Some(id)) = (name, QueueId::parse(&request.id)) else {
        warning!(
            "delivery request: bad queue name or id: {}/{}",
            String::from_utf8_lossy(&request.queue),
            String::from_utf8_lossy(&request.id)
        );
        return None;
    };
    let Check::Ready(_) = queue.check(name, &id) else {
        warning!(
            "open {} {}: not a complete queue file",
            name.as_str(),
            id.as_str()
        );
        return None;
    };
    let file = match queue.open(name, &id, true) {
        Ok(file) => file,
        Err(err) => {
            warning!("open {} {}: {err}", name.as_str(), id.as_str());
            return None;
        }
    };
    match lock(&file, Style::Flock, Mode::Shared, false) {
        Ok(true) => {}
        other => {
            warning!("shared lock {} {}: {other:?}", name.as_str(), id.as_str());
            return None;
        }
    }
    // Mail that one agent passes on to another keeps the time of the first.
    if !request.times.handoff.is_set() {
        request.times.handoff = Moment::now();
    }
    Some(Job {
        request,
        id,
        file,
        hop: None,
    })
}

/// How long the queue manager may take to close the connection.
const CLOSE_LIMIT: Duration = Duration::from_secs(60);

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut aio::Stream<S>,
    reply: &DeliveryReply,
) {
    if stream.send(&reply.encode()).await.is_ok() {
        // The queue manager closes first: it must not see the end of the connection before the answer.
        let _ = tokio::time::timeout(CLOSE_LIMIT, stream.recv_unbounded()).await;
    }
}

impl Job {
    /// The queue id as text.
    pub fn queue_id(&self) -> &str {
        self.id.as_str()
    }

    /// Answers the request: `deferred` when recipients are left for later.
    pub async fn finish<S: AsyncRead + AsyncWrite + Unpin>(
        self,
        stream: &mut aio::Stream<S>,
        deferred: bool,
    ) {
        let reply = DeliveryReply {
            hop: self.hop.unwrap_or_default(),
            deferred,
        };
        // The lock is given up before the queue manager hears of the end.
        drop(self.file);
        answer(stream, &reply).await;
    }
}
