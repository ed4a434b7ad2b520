//! A server: what it is called, and where it is.

use std::net::IpAddr;

use crate::params::Params;

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its address.
    pub at: Place,
    /// It is among the best ones of its destination.
    pub best: bool,
    /// Mail for it could come back to us.
    pub loop_detection: bool,
    /// How preferred it is; lower is better.
    pub(crate) preference: u16,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the network.
    Net(IpAddr, u16),
    /// Behind a local socket.
    Socket(String),
}

impl Place {
    /// The address or path alone.
    pub fn text(&self) -> String {
        match self {
            Place::Net(address, _) => address.to_string(),
            Place::Socket(path) => path.clone(),
        }
    }

    /// `host[address]`, as in replies to the sender.
    pub fn title(&self, host: &str) -> String {
        format!("{host}[{}]", self.text())
    }

    /// `host[address]:port`, as in the log.
    pub fn relay(&self, host: &str) -> String {
        match self {
            Place::Net(_, port) => format!("{}:{port}", self.title(host)),
            Place::Socket(_) => self.title(host),
        }
    }
}

impl Server {
    /// The server behind a local socket.
    pub fn local(host: &str, path: &str) -> Self {
        Self {
            host: host.to_owned(),
            at: Place::Socket(path.to_owned()),
            best: true,
            loop_detection: false,
            preference: 0,
        }
    }

    /// The address alone, as a key of tables.
    pub fn address_text(&self) -> String {
        self.at.text()
    }

    /// `host[address]:port`, as in the log.
    pub fn relay(&self) -> String {
        self.at.relay(&self.host)
    }

    pub(crate) fn is_ipv6(&self) -> bool {
        matches!(self.at, Place::Net(IpAddr::V6(_), _))
    }

    /// Whether it is this system: one of its addresses, or of a proxy's.
    pub(crate) fn is_own(&self, params: &Params) -> bool {
        match &self.at {
            Place::Net(address, _) => {
                params.own_addresses.contains(address) || params.proxy_addresses.contains(address)
            }
            Place::Socket(_) => false,
        }
    }
}
