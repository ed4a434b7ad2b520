//! The delivery agent for commands of the administrator (pipe(8)): mail for other mail systems, lists, filters.
//!
//! [`attributes`] reads the words in `master.cf`, [`macros`] fills in the recipients; running a command is `pf-delivery`'s
//! business.

mod attributes;
mod macros;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pf_address::Delimiters;
use pf_attr::aio;
use pf_config::param;
use pf_delivery::command::{Program, Run};
use pf_delivery::copy::Envelope;
use pf_delivery::{Agent, DeliveredTo, Job, command, receive};
use pf_dsn::{Dsn, Outcome, Status};
use pf_log::warning;
use pf_proto::deliver::flags;
use pf_queue::Queue;
use pf_service::single::{SingleClient, SingleService};
use pf_service::{Jail, block_on};
use pf_sys::identity::EffectiveIdentity;

use crate::attributes::Attributes;
use crate::macros::{Macros, Trouble};

/// The service.
pub struct Pipe {
    attributes: Attributes,
    agent: Agent,
    queue: Queue,
    service: String,
    process_name: String,
    /// Where `master.cf` is.
    directory: String,
    /// `transport_time_limit`, or else `command_time_limit`
    limit: Duration,
    /// `export_environment`
    export: String,
    /// `recipient_delimiter`
    delimiters: Vec<u8>,
    /// `owner_request_special`
    owner_special: bool,
    /// `double_bounce_sender`
    double_bounce: String,
    /// `enable_original_recipient`
    original_recipient: bool,
    mail_owner: (u32, u32),
    timeout: Duration,
    /// The rights of `mail_owner`, for as long as nobody else's are needed.
    identity: Option<EffectiveIdentity>,
}

impl SingleService for Pipe {
    const JAIL: Jail = Jail::Privileged;

    fn start(context: &pf_service::Context) -> Result<Self> {
        let config = &context.config;
        let limit = match config.time(&format!("{}_time_limit", context.service))? {
            Some(limit) => limit,
            None => config.get(param::COMMAND_TIME_LIMIT)?,
        };
        Ok(Self {
            attributes: Attributes::parse(&context.argv, config)?,
            agent: Agent::new(config, Some("pipe_delivery_status_filter"))?,
            queue: Queue::new(config)?,
            service: context.service.clone(),
            process_name: context.process_name.clone(),
            directory: config.directory().display().to_string(),
            limit,
            export: config.get(param::EXPORT_ENVIRONMENT)?,
            delimiters: config.get(param::RECIPIENT_DELIMITER)?.into_bytes(),
            owner_special: config.get(param::OWNER_REQUEST_SPECIAL)?,
            double_bounce: config.get(param::DOUBLE_BOUNCE_SENDER)?,
            original_recipient: config.get(param::ENABLE_ORIGINAL_RECIPIENT)?,
            mail_owner: config.accounts()?.mail_owner,
            timeout: config.get(param::IPC_TIMEOUT)?,
            identity: None,
        })
    }

    fn ready(&mut self, _context: &pf_service::Context) -> Result<()> {
        let (uid, gid) = self.mail_owner;
        self.identity =
            Some(EffectiveIdentity::switch(uid, gid).with_context(|| format!("seteuid({uid})"))?);
        Ok(())
    }

    fn serve(&mut self, client: SingleClient, _context: &pf_service::Context) -> Result<()> {
        let SingleClient::Unix(stream) = client else {
            bail!("unsupported transport type");
        };
        stream.set_nonblocking(true)?;
        block_on(async {
            let stream = tokio::net::UnixStream::from_std(stream)?;
            let mut stream = aio::Stream::new(stream, self.timeout);
            if let Some(job) = receive(&mut stream, &self.queue).await {
                ensure!(!job.request.nexthop.is_empty(), "empty nexthop hostname");
                let deferred = self.deliver(&job).await;
                job.finish(&mut stream, deferred).await;
            }
            Ok(())
        })?
    }
}

impl Pipe {
    /// Delivers to all recipients at once; true when they are left for later.
    async fn deliver(&self, job: &Job) -> bool {
        let Some(outcome) = self.outcome(job) else {
            return true;
        };
        let mut deferred = false;
        for at in 0..job.request.recipients.len() {
            deferred |= self
                .agent
                .report(job, at, &self.service, None, outcome.clone())
                .await
                .is_later();
        }
        deferred
    }

    /// What becomes of the message; `None`: the queue file is damaged.
    fn outcome(&self, job: &Job) -> Option<Outcome> {
        let request = &job.request;
        let attributes = &self.attributes;
        let [first, others @ ..] = request.recipients.as_slice() else {
            return None;
        };
        for (flag, wanted) in [
            ('D', attributes.form.delivered_to),
            ('O', attributes.form.original_to),
        ] {
            if wanted && !others.is_empty() {
                warning!(
                    "pipe flag `{flag}' requires {}_destination_recipient_limit = 1",
                    self.service
                );
                return Some(misconfigured());
            }
        }
        if attributes.size != 0 && request.data_size > attributes.size {
            return Some(Outcome::Bounce(Status::new(
                Dsn::new(5, 2, 3),
                "message too large",
            )));
        }
        if request.flags & flags::PROBE != 0 {
            let name = attributes.command.first().map_or("", String::as_str);
            return Some(Outcome::Sent(Status::new(
                Dsn::new(2, 0, 0),
                format!("delivers to command: {name}"),
            )));
        }
        if attributes.form.delivered_to {
            match DeliveredTo::read(job, true) {
                Ok(loops) if loops.contains(&first.address) => {
                    let reason = [b"mail forwarding loop for ", first.address.as_slice()].concat();
                    return Some(Outcome::Bounce(Status::new(Dsn::new(5, 4, 6), reason)));
                }
                Ok(_) => {}
                Err(err) => {
                    warning!("{}: {err}", job.queue_id());
                    pf_delivery::copy::mark_corrupt(&job.file, job.queue_id());
                    return None;
                }
            }
        }
        let sender = if request.sender.is_empty() {
            attributes.null_sender.as_bytes()
        } else {
            &request.sender
        };
        let macros = Macros {
            request,
            sender,
            style: attributes.style,
            delimiters: Delimiters {
                set: &self.delimiters,
                owner_request_special: self.owner_special,
                double_bounce_sender: self.double_bounce.as_bytes(),
            },
        };
        let words = match macros.words(&attributes.command) {
            Ok(words) => words,
            Err(trouble) => {
                match trouble {
                    Trouble::Unknown(name) => warning!(
                        "file {}/master.cf: service {}: unknown macro name: \"{name}\"",
                        self.directory,
                        self.service
                    ),
                    Trouble::Syntax(err) => warning!("{err}"),
                }
                return Some(misconfigured());
            }
        };
        let run = Run {
            program: &Program::Words(words),
            identity: attributes.identity,
            limit: self.limit,
            environment: &[],
            export: &self.export,
            directory: attributes.directory.as_deref(),
            chroot: attributes.chroot.as_deref(),
            process_name: &self.process_name,
        };
        let envelope = Envelope {
            sender,
            original: if self.original_recipient {
                &first.original
            } else {
                b""
            },
            delivered: &first.address,
        };
        Some(
            match command::deliver(&run, job, &attributes.form, &envelope)? {
                Outcome::Sent(status) => Outcome::Sent(self.success(&status.reason)),
                other => other,
            },
        )
    }

    /// What is told of a success: the beginning of what the command said is part of it.
    fn success(&self, output: &[u8]) -> Status {
        let mut reason = format!("delivered via {} service", self.service).into_bytes();
        let said = output.trim_ascii_end();
        if !said.is_empty() {
            reason.extend_from_slice(b" (");
            reason.extend_from_slice(said.get(..100).unwrap_or(said));
            reason.push(b')');
        }
        let action = if self.attributes.is_final {
            "delivered"
        } else {
            "relayed"
        };
        Status {
            action: Some(action.into()),
            ..Status::new(Dsn::new(2, 0, 0), reason)
        }
    }
}

fn misconfigured() -> Outcome {
    Outcome::Defer(Status::new(
        Dsn::new(4, 3, 5),
        "mail system configuration error",
    ))
}
