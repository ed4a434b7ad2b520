//! The whole of it: finds the servers of a destination, connects to the first one that can be reached, and talks to it.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use pf_config::{Config, param};
use pf_dns::{Resolver, Validating};
use pf_log::{debug, info};

use crate::connection::Connection;
use crate::destination::{self, Destination};
use crate::hosts::Search;
use crate::options::Options;
use crate::policy;
use crate::session::{End, Manners, Session};
use crate::tlsa::Tlsa;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// There was a session.
    Talked,
    /// There was none, or not much of one. It was told.
    Failed,
    /// There would have been more with TLS.
    NeedsTls,
}

/// What is to be done.
pub struct Probe<'a> {
    options: &'a Options,
    config: &'a Config,
    own_name: String,
    line_limit: usize,
    tls: bool,
}

impl<'a> Probe<'a> {
    /// `tls`: where TLS is offered, it is wanted.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn new(options: &'a Options, config: &'a Config, tls: bool) -> Result<Self> {
        Ok(Self {
            options,
            config,
            own_name: config.get(param::MYHOSTNAME)?,
            line_limit: config.count(param::LINE_LENGTH_LIMIT)?,
            tls,
        })
    }

    /// Does it.
    ///
    /// # Errors
    /// The destination makes no sense, or a parameter has a bad value.
    pub async fn run(&self, destination: &OsStr) -> Result<Outcome> {
        let (text, parsed) = destination::parse(self.options, self.config, destination)?;
        let connected = match &parsed {
            Destination::Socket(path) => self.socket(&text, path).await,
            Destination::Network(parsed) => self.network(&text, parsed).await?,
        };
        let Some((connection, server)) = connected else {
            return Ok(Outcome::Failed);
        };
        if !self.options.silent {
            info!("Connected to {server}");
        }
        let manners = Manners {
            verb: if self.options.lmtp { "LHLO" } else { "EHLO" },
            own_name: &self.own_name,
            greeting_limit: self.connect_limit(),
            command_limit: Duration::from_secs(self.options.command_limit),
            line_limit: self.line_limit,
            silent: self.options.silent,
            wrapper: self.options.wrapper,
            tls: self.tls,
        };
        Ok(match Session::new(connection, &manners).run().await {
            End::Quit => Outcome::Talked,
            End::Refused => Outcome::Failed,
            End::NeedsTls => Outcome::NeedsTls,
        })
    }

    fn connect_limit(&self) -> Duration {
        Duration::from_secs(self.options.connect_limit)
    }

    /// A connection to a local socket, and what the server is called.
    async fn socket(&self, text: &str, path: &Path) -> Option<(Connection, String)> {
        let server = format!("{}[{}]", self.own_name, path.display());
        let why = if Connection::is_possible(path) {
            match Connection::to_socket(path, self.connect_limit()).await {
                Ok(connection) => return Some((connection, server)),
                Err(why) => format!("connect to {server}: {why}"),
            }
        } else {
            format!("unix-domain name too long: {}", path.display())
        };
        info!("Failed to establish session to {text}: {why}");
        None
    }

    /// A connection to the first server that can be reached, and what that is called.
    async fn network(
        &self,
        text: &str,
        destination: &pf_net::Destination,
    ) -> Result<Option<(Connection, String)>> {
        let probe = self.config.get(param::DNSSEC_PROBE)?;
        let families = pf_config::system::families(&self.config.get(param::INET_PROTOCOLS)?)?;
        let dns = Validating::new(Resolver::system(), &probe);
        let tlsa = Tlsa::new(
            &dns,
            self.options.force_tlsa,
            self.options.logging.records(),
        );
        let search = Search::new(self.options, &dns, families);
        let found = search.find(destination).await?;
        if found.hosts.is_empty() {
            info!("Destination address lookup failed: {}", found.trouble);
        }
        for host in &found.hosts {
            let port = host.port.unwrap_or(destination.port);
            let name = &host.name;
            let level = policy::level(self.options, &tlsa, found.exchangers, host, port).await?;
            let why = if let Some(level) = level {
                debug!("{name}: TLS level {}", level.name());
                let server = format!("{name}[{}]:{port}", host.address);
                match Connection::to_address(host.address, port, self.connect_limit()).await {
                    Ok(connection) => return Ok(Some((connection, server))),
                    Err(why) => format!("connect to {server}: {why}"),
                }
            } else {
                format!("TLSA lookup error for {name}:{port}")
            };
            info!("Failed to establish session to {text} via {name}:{port}: {why}");
        }
        Ok(None)
    }
}
