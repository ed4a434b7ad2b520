//! What restrictions ask of the world. The evaluation itself has no socket and no file: tests answer these questions from
//! memory.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Duration;

use pf_proto::resolve::Resolved;
use pf_proto::verify::Known;

/// What a table lookup brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Found(Vec<u8>),
    Missing,
    /// The table cannot tell; `retry`: just now.
    Failed {
        retry: bool,
    },
    /// No such table was opened at start-up.
    Unopened,
}

/// What matching a list brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    Yes,
    No,
    /// A table in the list cannot tell; `retry`: just now.
    Failed {
        retry: bool,
    },
}

/// The tables of known recipients, and the mappings that make an address acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressTable {
    LocalRecipient,
    SenderCanonical,
    RecipientCanonical,
    Canonical,
    VirtualAlias,
    VirtualMailbox,
    RelayRecipient,
    SenderLogin,
}

/// The lists of clients and hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HostList {
    Mynetworks,
    PermitMxBackupNetworks,
    Verp,
    Xclient,
    Xforward,
    /// `smtpd_client_event_limit_exceptions`.
    Uncounted,
    /// `smtpd_forbid_bare_newline_exclusions`.
    BareNewline,
    Debug,
}

/// The lists of commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommandList {
    Noop,
    Forbidden,
}

/// The tables that are asked for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextTable {
    RblReply,
    RejectFilter,
    RejectFooter,
    EhloKeywords,
    CommandFilter,
}

/// What is counted for each client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    Connect,
    Mail,
    Recipient,
    Auth,
    Disconnect,
}

/// What the counting service knows about a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Connections now; only for [`Event::Connect`].
    pub(crate) count: i64,
    /// Events in the time unit.
    pub(crate) rate: i64,
}

/// A record type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordType {
    A,
    Aaaa,
    Mx,
    Ns,
    Txt,
}

/// A DNS record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Record {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Mx(u16, String),
    Ns(String),
    Txt(Vec<u8>),
}

/// What a DNS lookup brought. The texts are the resolver's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dns {
    Found(Vec<Record>),
    /// No such name, or no such record.
    NotFound(String),
    NullMx,
    /// `smtpd_dns_reply_filter` took everything away.
    Filtered,
    Retry(String),
    Failed(String),
}

impl Dns {
    /// Why there is nothing, at length.
    pub(crate) fn full(&self) -> &str {
        match self {
            Dns::NotFound(why) | Dns::Retry(why) | Dns::Failed(why) => why,
            Dns::Filtered => "DNS reply filter policy",
            Dns::NullMx => "Domain does not accept mail (nullMX)",
            Dns::Found(_) => "",
        }
    }

    /// Why there is nothing, in short: `Host not found`.
    pub(crate) fn why(&self) -> &str {
        let full = self.full();
        full.rsplit_once(": ").map_or(full, |(_, why)| why)
    }
}

/// Why a host has no address, or an address no name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostError {
    /// It may be different later.
    pub(crate) temporary: bool,
    /// The system's words.
    pub(crate) text: String,
}

/// How bad a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Info,
    Warning,
}

/// The world as restrictions see it.
pub(crate) trait Ask {
    /// What a session keeps to be counted.
    type Counter: Default;

    /// Where an address is delivered; the recipient with its case folded.
    async fn resolve(&self, sender: &[u8], address: &[u8]) -> Rc<Resolved>;
    /// A lookup in a table that a restriction names; `fixed`: the key is a part of the thing looked for.
    async fn table(&self, name: &str, key: &[u8], fixed: bool) -> Answer;
    /// A lookup of a mail address in a table that a restriction names.
    async fn table_address(&self, name: &str, address: &[u8]) -> Answer;
    /// A lookup of a mail address in a table of the configuration.
    async fn address(&self, table: AddressTable, address: &[u8]) -> Answer;
    /// A lookup in a table of texts.
    async fn text(&self, table: TextTable, key: &[u8]) -> Answer;
    /// Whether a command is in a list.
    async fn command_in(&self, list: CommandList, word: &[u8]) -> bool;
    /// Counts an event of a client; `None`: nothing is known. `counter` is the session's own; it begins as the default.
    async fn count(&self, counter: &mut Self::Counter, event: Event, range: &str)
    -> Option<Counts>;
    /// Completes an address as one of our own.
    async fn rewrite(&self, address: &[u8]) -> Vec<u8>;
    /// Asks for the delivery of mail for a domain.
    async fn flush(&self, domain: &[u8]) -> pf_proto::flush::Status;
    /// Free bytes in the queue's file system.
    fn queue_space(&self) -> u64;
    /// Whether a host is in a list.
    async fn host_in(&self, list: HostList, name: &[u8], address: &[u8]) -> Membership;
    /// Whether a domain is one of ours.
    async fn is_local_domain(&self, domain: &[u8]) -> bool;
    /// Whether this is an address of an interface of this machine.
    fn own_address(&self, address: IpAddr) -> bool;
    /// Whether this is an address at which a proxy takes mail for this machine.
    fn proxy_address(&self, address: IpAddr) -> bool;
    /// Asks DNS.
    async fn dns(&self, name: &[u8], kind: RecordType) -> Dns;
    /// The addresses of a host, as the system's configuration says: the hosts file, DNS.
    async fn host_addresses(&self, name: &[u8]) -> Result<Vec<IpAddr>, HostError>;
    /// The name of an address, as the system's configuration says.
    async fn host_name(&self, address: IpAddr) -> Result<String, HostError>;
    /// Asks the address verification service; `None` when it does not answer.
    async fn verify(&self, address: &[u8]) -> Option<Known>;
    async fn sleep(&self, time: Duration);
    fn log(&self, severity: Severity, text: &[u8]);
}
