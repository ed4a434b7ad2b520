//! Lists the mail queue to whoever connects: each message with its sender, its recipients, and why they wait (showq(8)).
//!
//! Every file is treated as hostile: `maildrop` holds what users put there. A file that makes no sense is skipped.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use pf_attr::announcement;
use pf_config::param;
use pf_log::warning;
use pf_proto::showq;
use pf_queue::{Check, Lister, Printer, Queue, QueueId, QueueName};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};
use tokio::io::AsyncWriteExt as _;
use tokio::task::JoinHandle;

/// The queues that are listed, in order.
const QUEUES: [QueueName; 5] = [
    QueueName::Maildrop,
    QueueName::Active,
    QueueName::Incoming,
    QueueName::Deferred,
    QueueName::Hold,
];

/// How much is collected before it is sent, in bytes.
const CHUNK: usize = 64 * 1024;

/// How many messages are read in one go.
const BATCH: usize = 32;
/// How many such parts of the listing are read at the same time.
const AHEAD: usize = 8;

/// The service.
pub struct Showq {
    lister: Arc<Lister>,
    timeout: Duration,
}

impl EventService for Showq {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            lister: Arc::new(Lister {
                queue: Queue::new(&context.config)?,
                empty: context.config.get(param::EMPTY_ADDRESS_RECIPIENT)?,
                printer: Printer {
                    utf8: context.config.get(param::SMTPUTF8_ENABLE)?,
                },
            }),
            timeout: context.config.get(param::IPC_TIMEOUT)?,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let mut stream = client.stream;
        // A client that goes away is no trouble of ours.
        let _ = tokio::time::timeout(self.timeout, self.list(&mut stream)).await;
    }
}

impl Showq {
    async fn list(&self, stream: &mut pf_service::Stream) -> std::io::Result<()> {
        let mut out = announcement(showq::PROTOCOL);
        for queue in QUEUES {
            let scan = match self.lister.queue.scan(queue) {
                Ok(scan) => scan,
                Err(err) => {
                    warning!("open directory {}: {err}", queue.as_str());
                    continue;
                }
            };
            let mut ids = scan.flatten().filter_map(|entry| entry.id());
            // The disk is asked for the next messages while it looks for these.
            let mut ahead: VecDeque<JoinHandle<Vec<u8>>> = VecDeque::new();
            loop {
                while ahead.len() < AHEAD {
                    let batch: Vec<QueueId> = ids.by_ref().take(BATCH).collect();
                    if batch.is_empty() {
                        break;
                    }
                    let lister = Arc::clone(&self.lister);
                    ahead.push_back(tokio::task::spawn_blocking(move || {
                        listed(&lister, queue, &batch)
                    }));
                }
                let Some(first) = ahead.pop_front() else {
                    break;
                };
                out.extend(first.await?);
                if out.len() >= CHUNK {
                    stream.write_all(&out).await?;
                    out.clear();
                }
            }
        }
        out.extend_from_slice(showq::END);
        stream.write_all(&out).await?;
        stream.flush().await
    }
}

/// A part of the listing.
fn listed(lister: &Lister, queue: QueueName, ids: &[QueueId]) -> Vec<u8> {
    let mut out = Vec::new();
    for id in ids {
        // Unfinished files are nobody's business yet.
        if let Check::Ready(status) = lister.queue.check(queue, id) {
            lister.message(queue, id, &status, &mut out);
        }
    }
    out
}
