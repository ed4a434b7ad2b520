//! The `bounce` daemon, which serves three services: `bounce` and `defer` keep, for each message, a log of the recipients
//! that could not be reached, `trace` one of deliveries that are to be reported; on request a log is sent to the sender as a
//! notification after RFC 3464.
//!
//! One request is read and checked here; [`logfile`] appends to the log; [`notify`] decides who is
//! told, [`report`] writes the message from a [`template`], the log and the [`original`] message, and hands it to cleanup.

use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail};
use pf_attr::{aio, announcement};
use pf_proto::bounce::{Command, FLAG_CLEAN, Message, PROTOCOL, Recipient, Request, Status};
use pf_queue::bounce_log::{Entry, encode};
use pf_queue::{Queue, QueueId, QueueName};
use pf_service::event::EventService;
use pf_service::{Client, Context, Share, Stream};
use tokio::io::AsyncWriteExt as _;

pub mod logfile;
pub mod notify;
pub mod original;
pub mod params;
pub mod report;
pub mod template;
pub mod templates;
mod wrap;

use notify::{DONE, FAILED, Job, Notifier};
use params::Params;
use report::{REQUIRETLS_ESMTP, REQUIRETLS_HEADER};
use template::Facts;
use templates::Templates;

/// The reply to a request that was not understood.
const MALFORMED: i32 = -1;

/// The service.
pub struct Bounce {
    notifier: Notifier,
    show: Option<Show>,
}

/// What `postconf` wants to see instead of a service.
#[derive(Debug, Clone, Copy)]
enum Show {
    Templates,
    Expanded,
}

impl EventService for Bounce {
    const SHARE: Share = Share::One;

    async fn start(context: &Context) -> Result<Self> {
        let config = context.config.clone();
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let (show, logs) = match context.service.as_str() {
            "dump_templates" => (Some(Show::Templates), QueueName::Bounce),
            "expand_templates" => (Some(Show::Expanded), QueueName::Bounce),
            name => match name.parse() {
                Ok(logs @ (QueueName::Bounce | QueueName::Defer | QueueName::Trace)) => {
                    (None, logs)
                }
                _ => bail!("malformed service name: {name}"),
            },
        };
        let mut templates = Templates::default();
        let file = config.get(pf_config::param::BOUNCE_TEMPLATE_FILE)?;
        if !file.is_empty() {
            let text = std::fs::read(&file)
                .map_err(|err| anyhow!("open {file}: {}", pf_config::system::reason(&err)))?;
            let text = String::from_utf8(text).with_context(|| format!("read file {file}"))?;
            templates.load(&file, &text, |why| pf_log::warning!("{why}"))?;
        }
        Ok(Self {
            notifier: Notifier {
                params: Params::new(&config)?,
                queue: Arc::new(Queue::new(&config)?),
                config,
                templates,
                logs,
            },
            show,
        })
    }

    async fn serve(self: Rc<Self>, client: Client) {
        if let Some(show) = self.show {
            self.show(show, client.stream).await;
            return;
        }
        let limit = self.notifier.params.ipc_timeout;
        let mut stream = aio::Stream::new(client.stream, limit);
        if stream.send(&announcement(PROTOCOL)).await.is_err() {
            return;
        }
        let message = match stream.recv().await {
            Ok(message) => message,
            Err(pf_attr::Error::Closed) => return,
            Err(err) => {
                pf_log::warning!("malformed request: {err}");
                return;
            }
        };
        let request = match Request::decode(&mut message.decoder()) {
            Ok(request) => request,
            Err(err) => {
                pf_log::warning!("malformed request: {err}");
                // The client may be gone already.
                let _gone = stream.send(&Request::reply(MALFORMED)).await;
                return;
            }
        };
        let clean = request.flags & FLAG_CLEAN != 0;
        let id = log_id(&request.command).and_then(QueueId::parse);
        let status = match self.answer(request).await {
            Ok(status) => status,
            Err(err) => {
                pf_log::fatal!("{err:#}");
                FAILED
            }
        };
        let sent = stream.send(&Request::reply(status)).await;
        if clean
            && (status != DONE || sent.is_err())
            && let Some(id) = id
            && let Err(err) = logfile::remove(&self.notifier.queue, self.notifier.logs, &id)
        {
            pf_log::warning!("{err}");
        }
    }
}

/// The message whose log a request is about; `None` for a request without log.
fn log_id(command: &Command) -> Option<&[u8]> {
    match command {
        Command::Append { id, .. } => Some(id),
        Command::Flush(message) | Command::Warn(message) | Command::Trace(message) => {
            Some(&message.id)
        }
        Command::Verp { message, .. } => Some(&message.id),
        Command::One { .. } => None,
    }
}

impl Bounce {
    /// Writes the templates to the standard output.
    async fn show(&self, show: Show, mut out: Stream) {
        let notifier = &self.notifier;
        let params = &notifier.params;
        let text = match show {
            Show::Templates => notifier.templates.dump(params.obsolete_from).into_bytes(),
            Show::Expanded => {
                let expanded = notifier.templates.expand(&Facts {
                    config: &notifier.config,
                    delay_warning_time: params.delay_warning_time,
                    maximal_queue_lifetime: params.maximal_queue_lifetime,
                    smtputf8: params.smtputf8,
                });
                match expanded {
                    Ok(text) => text,
                    Err(err) => {
                        pf_log::fatal!("{err}");
                        return;
                    }
                }
            }
        };
        let written = async {
            out.write_all(&text).await?;
            out.flush().await
        };
        if let Err(err) = written.await {
            pf_log::warning!("write: {err}");
        }
    }

    /// Checks a request and carries it out.
    async fn answer(&self, request: Request) -> Result<i32> {
        let flags = request.flags;
        let job = |message| self.job(flags, message);
        match request.command {
            Command::Append {
                id,
                recipient,
                status,
            } => self.append(&id, recipient, status).await,
            Command::Flush(message) => match job(message) {
                Some(job) => self.notifier.flush(&job).await,
                None => Ok(MALFORMED),
            },
            Command::Warn(message) => match job(message) {
                Some(job) => self.notifier.warn(&job).await,
                None => Ok(MALFORMED),
            },
            Command::Trace(message) => match job(message) {
                Some(job) => self.notifier.trace(&job).await,
                None => Ok(MALFORMED),
            },
            Command::Verp {
                message,
                delimiters,
            } => {
                let Some(job) = job(message) else {
                    return Ok(MALFORMED);
                };
                let [first, second] = *delimiters.as_slice() else {
                    pf_log::warning!(
                        "malformed verp delimiter string: {}",
                        String::from_utf8_lossy(&delimiters)
                    );
                    return Ok(MALFORMED);
                };
                self.notifier.verp(&job, (first, second)).await
            }
            Command::One {
                message,
                recipient,
                status,
            } => {
                if self.notifier.logs != QueueName::Bounce {
                    pf_log::warning!(
                        "wrong service name \"{}\" for one-recipient bouncing",
                        self.notifier.logs
                    );
                    return Ok(MALFORMED);
                }
                let Some(job) = job(message) else {
                    return Ok(MALFORMED);
                };
                let (recipient, status) = self.printable(recipient, status);
                self.notifier.one(&job, recipient, status).await
            }
        }
    }

    async fn append(&self, id: &[u8], recipient: Recipient, status: Status) -> Result<i32> {
        let Some(id) = self.id(id) else {
            return Ok(MALFORMED);
        };
        let (recipient, status) = self.printable(recipient, status);
        let params = &self.notifier.params;
        let text = encode(&Entry { recipient, status }, params.old_log);
        let (queue, logs, lock) = (self.notifier.queue.clone(), self.notifier.logs, params.lock);
        tokio::task::spawn_blocking(move || logfile::append(&queue, logs, &id, &text, lock))
            .await??;
        Ok(DONE)
    }

    fn id(&self, id: &[u8]) -> Option<QueueId> {
        let parsed = QueueId::parse(id);
        if parsed.is_none() {
            pf_log::warning!("malformed queue id: {}", String::from_utf8_lossy(id));
        }
        parsed
    }

    /// A request about a message, its text made printable; `None` when it makes no sense.
    fn job(&self, flags: i32, mut message: Message) -> Option<Job> {
        let queue = std::str::from_utf8(&message.queue)
            .ok()
            .and_then(|name| name.parse().ok());
        let Some(queue) = queue else {
            pf_log::warning!(
                "malformed queue name: {}",
                String::from_utf8_lossy(&message.queue)
            );
            return None;
        };
        let id = self.id(&message.id)?;
        for text in [
            &mut message.encoding,
            &mut message.sender,
            &mut message.envid,
        ] {
            self.clean(text);
        }
        let params = &self.notifier.params;
        let sendopts = &mut message.sendopts;
        if params.requiretls && *sendopts & REQUIRETLS_ESMTP != 0 {
            // A report about a message that was sent with REQUIRETLS does not say that TLS is optional.
            *sendopts &= !REQUIRETLS_HEADER;
            if params.requiretls_redact {
                *sendopts &= !REQUIRETLS_ESMTP;
                message.ret = pf_dsn::Ret::Hdrs.bits();
            }
        }
        Some(Job {
            flags,
            queue,
            id,
            message,
        })
    }

    fn clean(&self, text: &mut Vec<u8>) {
        let clean = if self.notifier.params.smtputf8 {
            pf_text::printable_utf8(text, b'?')
        } else {
            pf_text::printable(text, b'?')
        };
        if let std::borrow::Cow::Owned(clean) = clean {
            *text = clean;
        }
    }

    fn printable(&self, mut recipient: Recipient, mut status: Status) -> (Recipient, Status) {
        for text in [
            &mut recipient.address,
            &mut recipient.original,
            &mut recipient.dsn_original,
            &mut status.status,
            &mut status.action,
            &mut status.reason,
            &mut status.diagnostic_type,
            &mut status.diagnostic_text,
            &mut status.mta_type,
            &mut status.mta_name,
        ] {
            self.clean(text);
        }
        (recipient, status)
    }
}
