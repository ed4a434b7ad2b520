//! The spawn daemon: runs a command for each client, with the client as its standard input, output and error (spawn(8)).
//!
//! [`attributes`] is what `master.cf` says of the command, [`command`] runs it. Between clients the process has the rights of
//! the mail owner only.

mod attributes;
mod command;

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::Result;
use pf_config::param;
use pf_service::others::{Environment, MailOwner};
use pf_service::single::{SingleClient, SingleService};
use pf_service::{Context, Jail};

use attributes::Attributes;

/// The service.
#[derive(Debug)]
pub struct Spawn {
    attributes: Attributes,
    environment: Environment,
    owner: MailOwner,
}

impl SingleService for Spawn {
    const JAIL: Jail = Jail::Privileged;

    fn start(context: &Context) -> Result<Self> {
        let config = &context.config;
        let owner = MailOwner::new(config)?;
        let limit = match config.time(&format!("{}_time_limit", context.service))? {
            Some(limit) => limit,
            None => config.get(param::COMMAND_TIME_LIMIT)?,
        };
        Ok(Self {
            attributes: Attributes::parse(&context.argv, (owner.uid, owner.gid), limit)?,
            environment: pf_cli::exported(&config.get(param::EXPORT_ENVIRONMENT)?)
                .map_err(anyhow::Error::msg)?,
            owner,
        })
    }

    fn ready(&mut self, _context: &Context) -> Result<()> {
        self.owner.take_rights()
    }

    fn serve(&mut self, client: SingleClient, _context: &Context) -> Result<()> {
        let client: OwnedFd = match client {
            SingleClient::Unix(stream) => stream.into(),
            SingleClient::Tcp(stream) => stream.into(),
            SingleClient::Stdio => std::io::stdin().as_fd().try_clone_to_owned()?,
        };
        self.owner
            .as_root(|| command::run(&self.attributes, &self.environment, client))?
    }
}
