//! A world from memory, for tests.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use pf_proto::resolve::{ResolveFlags, Resolved};
use pf_proto::verify::{AddressStatus, Known};

use crate::access::ask::{
    AddressTable, Answer, Ask, CommandList, Counts, Dns, Event, HostError, HostList, Membership,
    Record, RecordType, Severity, TextTable,
};

/// Everything that a test may want to say about the world.
#[derive(Default)]
pub(crate) struct Fake {
    /// `table key` → value.
    pub(crate) tables: HashMap<String, String>,
    /// Tables that cannot tell.
    pub(crate) broken: Vec<String>,
    /// Domains with their class; others are remote.
    pub(crate) domains: HashMap<String, ResolveFlags>,
    pub(crate) resolver_fails: bool,
    /// Known recipients, aliases and owners: `Table address` → value.
    pub(crate) addresses: HashMap<String, String>,
    /// `List host-address`.
    pub(crate) hosts: Vec<String>,
    /// `TYPE name` → records.
    pub(crate) dns: HashMap<String, Vec<Record>>,
    /// `TYPE name` that cannot be asked just now.
    pub(crate) dns_retry: Vec<String>,
    pub(crate) verified: Option<(AddressStatus, String)>,
    pub(crate) texts: HashMap<String, String>,
    pub(crate) forbidden: Vec<String>,
    pub(crate) counts: Option<Counts>,
    pub(crate) full: bool,
    pub(crate) lines: RefCell<Vec<String>>,
    pub(crate) slept: RefCell<Duration>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        let mut fake = Self::default();
        fake.domains
            .insert("example.com".to_owned(), ResolveFlags::LOCAL);
        fake.domains
            .insert("relay.example".to_owned(), ResolveFlags::RELAY);
        fake.domains
            .insert("virtual.example".to_owned(), ResolveFlags::VIRTUAL);
        fake
    }

    /// The lines logged so far.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Ask for Fake {
    type Counter = ();

    async fn resolve(&self, _sender: &[u8], address: &[u8]) -> Rc<Resolved> {
        let mut recipient = shown(address).to_lowercase();
        if !recipient.contains('@') {
            recipient.push_str("@example.com");
        }
        let domain = recipient.rsplit('@').next().unwrap_or_default().to_owned();
        let mut flags = self
            .domains
            .get(&domain)
            .copied()
            .unwrap_or(ResolveFlags::DEFAULT);
        if self.resolver_fails {
            flags |= ResolveFlags::FAIL;
        }
        if recipient.contains("..") {
            flags |= ResolveFlags::ERROR;
        }
        if recipient.contains('%') {
            flags |= ResolveFlags::ROUTED;
        }
        Rc::new(Resolved {
            server_flags: 0,
            transport: b"smtp".to_vec(),
            nexthop: domain.into_bytes(),
            recipient: recipient.into_bytes(),
            flags,
        })
    }

    async fn table(&self, name: &str, key: &[u8], _fixed: bool) -> Answer {
        if self.broken.iter().any(|broken| broken == name) {
            return Answer::Failed { retry: true };
        }
        match self.tables.get(&format!("{name} {}", shown(key))) {
            Some(value) => Answer::Found(value.clone().into_bytes()),
            None => Answer::Missing,
        }
    }

    async fn table_address(&self, name: &str, address: &[u8]) -> Answer {
        let domain = address
            .split(|byte| *byte == b'@')
            .next_back()
            .unwrap_or_default();
        match self.table(name, address, false).await {
            Answer::Missing => self.table(name, domain, true).await,
            answer => answer,
        }
    }

    async fn address(&self, table: AddressTable, address: &[u8]) -> Answer {
        match self.addresses.get(&format!("{table:?} {}", shown(address))) {
            Some(value) => Answer::Found(value.clone().into_bytes()),
            None => Answer::Missing,
        }
    }

    async fn text(&self, table: TextTable, key: &[u8]) -> Answer {
        match self.texts.get(&format!("{table:?} {}", shown(key))) {
            Some(value) => Answer::Found(value.clone().into_bytes()),
            None => Answer::Missing,
        }
    }

    async fn command_in(&self, list: CommandList, word: &[u8]) -> bool {
        list == CommandList::Forbidden
            && self.forbidden.iter().any(|known| known.as_bytes() == word)
    }

    async fn count(&self, _counter: &mut (), event: Event, _range: &str) -> Option<Counts> {
        self.counts.filter(|_| event != Event::Disconnect)
    }

    async fn rewrite(&self, address: &[u8]) -> Vec<u8> {
        if address.contains(&b'@') {
            address.to_vec()
        } else {
            [address, b"@example.com"].concat()
        }
    }

    async fn flush(&self, domain: &[u8]) -> pf_proto::flush::Status {
        if domain == b"denied.example" {
            pf_proto::flush::Status::Deny
        } else {
            pf_proto::flush::Status::Ok
        }
    }

    fn queue_space(&self) -> u64 {
        if self.full { 1000 } else { 1 << 40 }
    }

    async fn host_in(&self, list: HostList, _name: &[u8], address: &[u8]) -> Membership {
        if self.hosts.contains(&format!("{list:?} {}", shown(address))) {
            Membership::Yes
        } else {
            Membership::No
        }
    }

    async fn is_local_domain(&self, domain: &[u8]) -> bool {
        domain == b"mail.example.com"
    }

    fn own_address(&self, address: IpAddr) -> bool {
        address.is_loopback()
    }

    fn proxy_address(&self, _address: IpAddr) -> bool {
        false
    }

    async fn dns(&self, name: &[u8], kind: RecordType) -> Dns {
        let key = format!("{kind:?} {}", shown(name));
        if self.dns_retry.contains(&key) {
            return Dns::Retry("Host not found, try again".to_owned());
        }
        match self.dns.get(&key) {
            Some(records) if records.is_empty() => Dns::NullMx,
            Some(records) => Dns::Found(records.clone()),
            None => Dns::NotFound("Host not found".to_owned()),
        }
    }

    async fn host_addresses(&self, name: &[u8]) -> Result<Vec<IpAddr>, HostError> {
        match self.dns(name, RecordType::A).await {
            Dns::Found(records) => Ok(records
                .iter()
                .filter_map(|record| match record {
                    Record::A(ip) => Some(IpAddr::V4(*ip)),
                    _ => None,
                })
                .collect()),
            _ => Err(HostError {
                temporary: false,
                text: "Name or service not known".to_owned(),
            }),
        }
    }

    async fn host_name(&self, _address: IpAddr) -> Result<String, HostError> {
        Ok("host.example".to_owned())
    }

    async fn verify(&self, _address: &[u8]) -> Option<Known> {
        self.verified.as_ref().map(|(status, reason)| Known {
            status: 0,
            address_status: *status,
            reason: reason.clone().into_bytes(),
        })
    }

    async fn sleep(&self, time: Duration) {
        *self.slept.borrow_mut() += time;
    }

    fn log(&self, severity: Severity, text: &[u8]) {
        let text = shown(text);
        self.lines.borrow_mut().push(match severity {
            Severity::Info => text,
            Severity::Warning => format!("warning: {text}"),
        });
    }
}
