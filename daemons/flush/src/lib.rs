//! The `flush` daemon: a log, for each site that asked for it, of the messages that wait for the site, and their delivery on
//! demand.
//!
//! Requests are read and answered here; [`logs`] does what they ask for, in the file system.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use pf_attr::aio;
use pf_config::param;
use pf_maps::match_list::{MatchList, subdomains_of};
use pf_proto::flush::{FlushRequest, PROTOCOL, Status, reply};
use pf_proto::{Address, Class};
use pf_queue::{Queue, QueueId};
use pf_service::event::EventService;
use pf_service::{Client, Context, Limit, Share, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub mod logs;

use logs::Logs;

/// The service.
pub struct Flush {
    domains: MatchList,
    logs: Arc<Logs>,
    refresh_time: Duration,
    ipc_timeout: Duration,
}

/// What came in first on a connection.
enum Opening {
    /// A trigger from master.
    Trigger,
    /// The beginning of a request.
    Request(Vec<u8>),
    /// Nothing.
    Closed,
}

/// What is to be done after the reply.
enum Later {
    Nothing,
    /// Bring logs that were not read for this long up to date.
    Refresh(Duration),
}

impl EventService for Flush {
    const SHARE: Share = Share::One;
    const LIMIT: Limit = Limit::None;

    async fn start(context: &Context) -> Result<Self> {
        let config = &context.config;
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let key = param::FAST_FLUSH_DOMAINS;
        Ok(Self {
            domains: MatchList::parse(
                key.name(),
                &config.get(key)?,
                subdomains_of(config, key.name())?,
                &pf_maps::Options::from_config(config)?,
            ),
            logs: Arc::new(Logs {
                queue: Queue::new(config)?,
                qmgr: Address::new(
                    std::path::Path::new("."),
                    Class::Public,
                    &config.get(param::QUEUE_SERVICE_NAME)?,
                ),
                purge_time: config.get(param::FAST_FLUSH_PURGE_TIME)?,
            }),
            refresh_time: config.get(param::FAST_FLUSH_REFRESH_TIME)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        let mut stream = aio::Stream::new(client.stream, self.ipc_timeout);
        // Whoever sends a trigger may be gone already.
        let announced = stream.send(&pf_attr::announcement(PROTOCOL)).await;
        let opening = match tokio::time::timeout(self.ipc_timeout, open(stream.get_mut())).await {
            Ok(opening) => opening,
            Err(_) => {
                pf_log::warning!("timeout while waiting for data from a client");
                return;
            }
        };
        let pending = match opening {
            Opening::Trigger => return self.refresh(self.refresh_time).await,
            Opening::Closed => return,
            Opening::Request(_) if announced.is_err() => return,
            Opening::Request(bytes) => bytes,
        };
        let mut stream =
            aio::Stream::with_pending(stream.into_parts().0, self.ipc_timeout, pending);
        let (status, later) = match stream.recv().await {
            Ok(message) => match FlushRequest::decode(&mut message.decoder()) {
                Ok(request) => self.answer(&request).await,
                Err(err) => {
                    pf_log::warning!("malformed request: {err}");
                    (Status::Bad, Later::Nothing)
                }
            },
            Err(err) => {
                pf_log::warning!("malformed request: {err}");
                (Status::Bad, Later::Nothing)
            }
        };
        // What was asked for is done, or will be, whether the client still waits or not.
        let _gone = stream.send(&reply(status)).await;
        // Standard output is buffered.
        let _gone = stream.get_mut().flush().await;
        if let Later::Refresh(age) = later {
            drop(stream);
            self.refresh(age).await;
        }
    }
}

/// Reads until it shows whether this is master's trigger, two bytes, or a request.
async fn open(stream: &mut Stream) -> Opening {
    let mut bytes = Vec::with_capacity(1024);
    while bytes.len() < 2 {
        if !matches!(stream.read_buf(&mut bytes).await, Ok(1..)) {
            return Opening::Closed;
        }
    }
    if bytes == [pf_proto::trigger::WAKEUP, 0] {
        Opening::Trigger
    } else {
        Opening::Request(bytes)
    }
}

impl Flush {
    async fn answer(&self, request: &FlushRequest<'_>) -> (Status, Later) {
        let status = match request {
            FlushRequest::Refresh => return (Status::Ok, Later::Refresh(self.refresh_time)),
            FlushRequest::Purge => return (Status::Ok, Later::Refresh(Duration::ZERO)),
            FlushRequest::Add { site, queue_id } => match QueueId::parse(queue_id) {
                Some(id) => match self.log_of(site).await {
                    Ok(log) => self.run(move |logs| logs.add(&log, &id)).await,
                    Err(status) => status,
                },
                None => Status::Bad,
            },
            FlushRequest::SendSite { site } => match self.log_of(site).await {
                Ok(log) => self.run(move |logs| logs.send_site(&log, true)).await,
                Err(status) => status,
            },
            FlushRequest::SendFile { queue_id } => match QueueId::parse(queue_id) {
                Some(id) => {
                    self.run(move |logs| {
                        logs.send_file(&id);
                        Ok(())
                    })
                    .await
                }
                None => Status::Bad,
            },
        };
        (status, Later::Nothing)
    }

    /// The log of a site, if the site may have one; else the answer.
    async fn log_of(&self, site: &[u8]) -> Result<QueueId, Status> {
        match self.domains.matches(site).await {
            Ok(true) => {}
            Ok(false) => return Err(Status::Deny),
            Err(err) => {
                pf_log::warning!("{}: {err}", param::FAST_FLUSH_DOMAINS.name());
                return Err(Status::Fail);
            }
        }
        let name = logs::log_name(site).ok_or(Status::Deny)?;
        QueueId::parse(name.as_bytes()).ok_or(Status::Bad)
    }

    async fn refresh(&self, age: Duration) {
        self.run(move |logs| logs.refresh(age)).await;
    }

    /// Work on files, off the event loop.
    async fn run(&self, work: impl FnOnce(&Logs) -> Result<()> + Send + 'static) -> Status {
        let logs = Arc::clone(&self.logs);
        let done = tokio::task::spawn_blocking(move || work(&logs)).await;
        match done.map_err(anyhow::Error::from).and_then(|result| result) {
            Ok(()) => Status::Ok,
            Err(err) => {
                pf_log::error!("{err:#}");
                Status::Fail
            }
        }
    }
}
