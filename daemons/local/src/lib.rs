//! The delivery agent for local recipients (local(8)): one recipient becomes aliases, the lines of a `.forward` file, a mailbox, a
//! command, or mail to other addresses.
//!
//! The life of one request: [`Local`] receives it, [`recipient`] decides for each recipient, [`alias`], [`dot_forward`] and
//! [`include`] expand it, [`token`] and [`resolve`] take the results, [`mailbox`], [`file`], [`command`] and [`forward`]
//! deliver. How a mailbox is locked and a command run is `pf-delivery`'s business.
//!
//! The process has the rights of root, but works with those of `mail_owner`, and with a user's while it touches what is the
//! user's.

mod alias;
mod biff;
mod command;
mod delivery;
mod dot_forward;
mod expand;
mod file;
mod forward;
mod include;
mod mailbox;
mod params;
mod recipient;
mod resolve;
mod state;
mod token;
mod unknown;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use pf_attr::aio;
use pf_config::{Config, param};
use pf_delivery::{Agent, DeliveredTo, Job, receive};
use pf_log::warning;
use pf_maps::{Maps, Options};
use pf_proto::client::{Client, Policy};
use pf_proto::deliver::flags;
use pf_proto::resolve::TrivialClient;
use pf_proto::{Address, Class};
use pf_queue::Queue;
use pf_service::single::{SingleClient, SingleService};
use pf_service::{Context, Jail, block_on};
use pf_sys::identity::EffectiveIdentity;

use crate::delivery::Delivery;
use crate::params::Params;

/// The service.
pub struct Local {
    params: Params,
    agent: Agent,
    queue: Queue,
    aliases: Maps,
    mailbox_transports: Maps,
    fallback_transports: Maps,
    mailbox_commands: Maps,
    trivial: TrivialClient,
    service: String,
    process_name: String,
    host: String,
    /// The rights of `mail_owner`, for as long as nobody else's are needed.
    identity: Option<EffectiveIdentity>,
}

fn tables(config: &Config, name: &str, paranoid: bool) -> Result<Maps> {
    let options = Options {
        no_substitution: true,
        no_proxy: paranoid,
        ..Options::from_config(config)?
    };
    let value = config.string(name)?.unwrap_or_default();
    Ok(Maps::open(name, &value, &options)?)
}

impl SingleService for Local {
    const JAIL: Jail = Jail::Privileged;

    fn start(context: &Context) -> Result<Self> {
        if let Some(word) = context.argv.first() {
            bail!("unexpected command-line argument: {word}");
        }
        let config = &context.config;
        let params = Params::read(config)?;
        params::limit_file_size(config)?;
        let rewrite = config.get(param::REWRITE_SERVICE_NAME)?;
        let policy = Policy {
            timeout: params.ipc_timeout,
            idle: config.get(param::IPC_IDLE)?,
            ttl: config.get(param::IPC_TTL)?,
            ..Policy::default()
        };
        let address = Address::new(Path::new("."), Class::Private, &rewrite);
        Ok(Self {
            agent: Agent::new(config, Some("local_delivery_status_filter"))?,
            queue: Queue::new(config)?,
            aliases: tables(config, "alias_maps", true)?,
            mailbox_transports: tables(config, "mailbox_transport_maps", false)?,
            fallback_transports: tables(config, "fallback_transport_maps", false)?,
            mailbox_commands: tables(config, "mailbox_command_maps", true)?,
            trivial: TrivialClient::new(Client::new(address, policy)),
            service: context.service.clone(),
            process_name: context.process_name.clone(),
            host: pf_sys::host::hostname()?,
            params,
            identity: None,
        })
    }

    fn ready(&mut self, _context: &Context) -> Result<()> {
        let (uid, gid) = self.params.mail_owner;
        self.identity =
            Some(EffectiveIdentity::switch(uid, gid).with_context(|| format!("seteuid({uid})"))?);
        Ok(())
    }

    fn is_outdated(&self) -> bool {
        pf_maps::needs_restart()
    }

    fn serve(&mut self, client: SingleClient, _context: &Context) -> Result<()> {
        let SingleClient::Unix(stream) = client else {
            bail!("unsupported transport type");
        };
        stream.set_nonblocking(true)?;
        block_on(async {
            let stream = tokio::net::UnixStream::from_std(stream)?;
            let mut stream = aio::Stream::new(stream, self.params.ipc_timeout);
            if let Some(job) = receive(&mut stream, &self.queue).await {
                let deferred = self.deliver(&job).await;
                job.finish(&mut stream, deferred).await;
            }
            Ok(())
        })?
    }
}

impl Local {
    /// Delivers to all recipients of a request; true when one is left for later.
    async fn deliver(&self, job: &Job) -> bool {
        let loops = match DeliveredTo::read(job, true) {
            Ok(loops) => loops,
            Err(err) => {
                warning!("{}: {err}", job.queue_id());
                pf_delivery::copy::mark_corrupt(&job.file, job.queue_id());
                return true;
            }
        };
        let mut deferred = false;
        for recipient in &job.request.recipients {
            let delivery = Delivery::new(self, job, &loops);
            let later = delivery.run(recipient).await;
            if !later
                && job.request.flags & flags::SUCCESS != 0
                && let Ok(offset) = u64::try_from(recipient.offset)
                && offset > 0
                && let Err(err) = pf_queue::edit::mark_done(&job.file, offset)
            {
                // Should this fail, the recipient gets the mail twice: better than not at all.
                warning!("{}: mark recipient done: {err}", job.queue_id());
            }
            deferred |= later;
        }
        deferred
    }
}
