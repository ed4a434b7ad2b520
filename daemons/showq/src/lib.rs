//! Lists the mail queue to whoever connects: each message with its sender, its recipients, and why they wait (showq(8)).
//!
//! Every file is treated as hostile: `maildrop` holds what users put there. A file that makes no sense is skipped.

use std::rc::Rc;
use std::time::Duration;

use pf_attr::announcement;
use pf_config::param;
use pf_log::warning;
use pf_proto::showq;
use pf_queue::{Check, Lister, Printer, Queue, QueueName};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share};
use tokio::io::AsyncWriteExt as _;

/// The queues that are listed, in order.
const QUEUES: [QueueName; 5] = [
    QueueName::Active,
    QueueName::Incoming,
    QueueName::Deferred,
    QueueName::Hold,
    QueueName::Maildrop,
];

/// How much is collected before it is sent, in bytes.
const CHUNK: usize = 64 * 1024;

/// The service.
pub struct Showq {
    lister: Lister,
    timeout: Duration,
}

impl EventService for Showq {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            lister: Lister {
                queue: Queue::new(&context.config)?,
                empty: context.config.get(param::EMPTY_ADDRESS_RECIPIENT)?,
                printer: Printer {
                    utf8: context.config.get(param::SMTPUTF8_ENABLE)?,
                },
            },
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
            for id in scan.flatten().filter_map(|entry| entry.id()) {
                // Unfinished files are nobody's business yet, but in maildrop one wants to see that something is there.
                let Check::Ready(status) = self.lister.queue.check(queue, &id) else {
                    continue;
                };
                self.lister.message(queue, &id, &status, &mut out);
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
