//! The spawn daemon: runs a command for each client, with the client as its standard input, output and error (spawn(8)).
//!
//! [`attributes`] is what `master.cf` says of the command, [`command`] runs it. Between clients the process has the rights of
//! the mail owner only.

mod attributes;
mod command;

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use pf_config::param;
use pf_service::single::{SingleClient, SingleService};
use pf_service::{Context, Jail};
use pf_sys::identity::{self, EffectiveIdentity};

use attributes::Attributes;

/// The service.
#[derive(Debug)]
pub struct Spawn {
    attributes: Attributes,
    environment: command::Environment,
    owner: (u32, u32),
    /// While it is there, the process has the rights of the mail owner.
    modest: Option<EffectiveIdentity>,
}

impl SingleService for Spawn {
    const JAIL: Jail = Jail::Privileged;

    fn start(context: &Context) -> Result<Self> {
        let config = &context.config;
        let name = config.get(param::MAIL_OWNER)?;
        let owner =
            identity::user_by_name(&name)?.with_context(|| format!("unknown user: {name}"))?;
        let limit = match config.time(&format!("{}_time_limit", context.service))? {
            Some(limit) => limit,
            None => config.get(param::COMMAND_TIME_LIMIT)?,
        };
        Ok(Self {
            attributes: Attributes::parse(&context.argv, (owner.uid, owner.gid), limit)?,
            environment: pf_cli::exported(&config.get(param::EXPORT_ENVIRONMENT)?)
                .map_err(anyhow::Error::msg)?,
            owner: (owner.uid, owner.gid),
            modest: None,
        })
    }

    fn ready(&mut self, _context: &Context) -> Result<()> {
        self.be_modest()
    }

    fn serve(&mut self, client: SingleClient, _context: &Context) -> Result<()> {
        let client: OwnedFd = match client {
            SingleClient::Unix(stream) => stream.into(),
            SingleClient::Tcp(stream) => stream.into(),
            SingleClient::Stdio => std::io::stdin().as_fd().try_clone_to_owned()?,
        };
        // Back to root, to become the user that the command runs as.
        self.modest = None;
        let result = command::run(&self.attributes, &self.environment, client);
        self.be_modest()?;
        result
    }
}

impl Spawn {
    fn be_modest(&mut self) -> Result<()> {
        let taken = EffectiveIdentity::switch(self.owner.0, self.owner.1);
        self.modest = Some(taken.context("become the mail owner")?);
        Ok(())
    }
}
