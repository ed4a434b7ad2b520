//! From a destination to the hosts that serve it, in the order in which they are tried.

use std::net::IpAddr;

use pf_address::idn;
use pf_dns::{Answer, BadProbe, Data, Found, Kind, MAX_RECORDS, Record, Validating, by_weight};
use pf_log::{info, warning};
use pf_net::Destination;

use crate::level::Level;
use crate::options::{Family, Options};

/// A host at one of its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// What it was looked up as.
    pub name: String,
    /// What its address belongs to, at the end of aliases.
    pub owner: String,
    pub address: IpAddr,
    /// Its own port, if it has one.
    pub port: Option<u16>,
    /// Whether somebody vouches for its address.
    pub authentic: bool,
    /// Lower is better.
    preference: u16,
}

/// The MX or SRV records that led to hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchangers {
    /// Whether somebody vouches for them.
    pub authentic: bool,
}

/// What came of looking for hosts.
#[derive(Debug, Default)]
pub struct Hosts {
    pub hosts: Vec<Host>,
    pub exchangers: Option<Exchangers>,
    /// The last trouble on the way.
    pub trouble: String,
}

/// Looks for the hosts of destinations.
pub struct Search<'a> {
    options: &'a Options,
    dns: &'a Validating,
    v4: bool,
    v6: bool,
}

impl<'a> Search<'a> {
    /// With the address families of `inet_protocols`.
    pub fn new(options: &'a Options, dns: &'a Validating, (v4, v6): (bool, bool)) -> Self {
        Self {
            options,
            dns,
            v4,
            v6,
        }
    }

    /// Finds the hosts.
    ///
    /// # Errors
    /// `dnssec_probe` is malformed.
    pub async fn find(&self, destination: &Destination) -> Result<Hosts, BadProbe> {
        let name = &destination.name;
        if self.options.lmtp || !destination.exchangers {
            self.one_host(name).await
        } else if self.options.services {
            self.services(&destination.service, name).await
        } else {
            self.exchangers(name).await
        }
    }

    async fn exchangers(&self, domain: &str) -> Result<Hosts, BadProbe> {
        let mut found = match self.dns.lookup(&ascii(domain), Kind::Mx).await? {
            Answer::Found(found) => found,
            // A domain without exchangers is its own.
            Answer::NoName(_) | Answer::NoData(_) => return self.one_host(domain).await,
            other => return Ok(nothing(&other)),
        };
        found.records.sort_by_key(preference);
        let hosts = found
            .records
            .iter()
            .filter_map(|record| match &record.data {
                Data::Mx { preference, host } => Some((*preference, None, host.as_str())),
                _ => None,
            });
        let mut hosts = self.of_all(&found, hosts).await?;
        if hosts.hosts.is_empty() {
            warning!("no MX host for {domain} has a valid address record");
        }
        self.order(&mut hosts.hosts);
        Ok(hosts)
    }

    async fn services(&self, service: &str, domain: &str) -> Result<Hosts, BadProbe> {
        let question = format!("_{service}._tcp.{domain}");
        let found = match self.dns.lookup(&ascii(&question), Kind::Srv).await? {
            Answer::Found(found) => found,
            other => return Ok(nothing(&other)),
        };
        let records = by_weight(&found.records);
        let hosts = records.iter().map(|(priority, port, host)| {
            // A port of 0 is none.
            let port = Some(*port).filter(|port| *port > 0);
            (*priority, port, host.as_str())
        });
        let hosts = self.of_all(&found, hosts).await?;
        if hosts.hosts.is_empty() {
            warning!("no SRV host for {question} has a valid address record");
        }
        Ok(hosts)
    }

    /// The addresses of all hosts that an answer names.
    async fn of_all(
        &self,
        found: &Found,
        names: impl Iterator<Item = (u16, Option<u16>, &str)>,
    ) -> Result<Hosts, BadProbe> {
        let mut hosts = Hosts {
            exchangers: Some(Exchangers {
                authentic: found.authentic,
            }),
            ..Hosts::default()
        };
        // Where the way to a host can be forged, it does not matter whether its address can, unless TLSA records count there, too.
        let validate = found.authentic || self.options.insecure_mx != Level::May;
        for (preference, port, name) in names {
            self.add(&mut hosts, name, (preference, port), validate)
                .await?;
            if hosts.hosts.len() == MAX_RECORDS {
                break;
            }
        }
        Ok(hosts)
    }

    /// A host that is its own destination.
    async fn one_host(&self, name: &str) -> Result<Hosts, BadProbe> {
        let mut hosts = Hosts::default();
        self.add(&mut hosts, &ascii(name), (0, None), true).await?;
        self.order(&mut hosts.hosts);
        Ok(hosts)
    }

    /// Adds the addresses of a host; no more than fit.
    async fn add(
        &self,
        hosts: &mut Hosts,
        name: &str,
        (preference, port): (u16, Option<u16>),
        validate: bool,
    ) -> Result<(), BadProbe> {
        let host = |owner: &str, address: IpAddr, authentic: bool, port: Option<u16>| Host {
            name: name.to_owned(),
            owner: owner.to_owned(),
            address,
            port,
            authentic,
            preference,
        };
        if let Ok(address) = name.parse::<IpAddr>()
            && (address.is_ipv4() && self.v4 || address.is_ipv6() && self.v6)
        {
            hosts.hosts.push(host(name, address, false, port));
            return Ok(());
        }
        let mut new = Vec::new();
        let mut may_be_native = self.options.natively;
        if self.options.in_dns {
            match self.in_dns(name, validate).await? {
                Ok(records) => {
                    may_be_native = false;
                    new.extend(records.iter().filter_map(|(record, authentic)| {
                        Some(host(&record.name, record.address()?, *authentic, port))
                    }));
                }
                Err(answer) => {
                    may_be_native &= matches!(answer, Answer::NoName(_) | Answer::NoData(_));
                    hosts.trouble = nothing(&answer).trouble;
                }
            }
        }
        if may_be_native {
            match self.dns.resolver().native(name, self.v4, self.v6).await {
                // Such a host has the port of the destination, whatever a record said that led to it.
                Ok(found) => {
                    new.extend(found.into_iter().map(|it| host(name, it, false, None)));
                }
                Err(answer) => {
                    let why = answer.native_reason();
                    hosts.trouble = format!("unable to look up host {name}: {why}");
                }
            }
        }
        for host in new {
            if hosts.hosts.len() == MAX_RECORDS {
                let kind = match host.address {
                    IpAddr::V4(_) => Kind::A,
                    IpAddr::V6(_) => Kind::Aaaa,
                };
                warning!(
                    "DNS record count limit ({MAX_RECORDS}) exceeded -- dropping excess record(s) after qname={name} qtype={}",
                    kind.name()
                );
                break;
            }
            hosts.hosts.push(host);
        }
        Ok(())
    }

    /// The addresses of a host in DNS, and whether somebody vouches for each; of several troubles the worst, and of equal ones the
    /// last.
    async fn in_dns(
        &self,
        name: &str,
        validate: bool,
    ) -> Result<Result<Vec<(Record, bool)>, Answer>, BadProbe> {
        let mut found = Vec::new();
        let mut trouble: Option<Answer> = None;
        for (wanted, kind) in [(self.v4, Kind::A), (self.v6, Kind::Aaaa)] {
            if !wanted {
                continue;
            }
            let answer = if validate {
                self.dns.lookup(name, kind).await?
            } else {
                self.dns.resolver().lookup(name, kind).await
            };
            let authentic = validate && answer.authentic();
            found.extend(answer.records().iter().map(|it| (it.clone(), authentic)));
            let worse = |old: &Answer| answer.badness() >= old.badness();
            if answer.trouble().is_some() && trouble.as_ref().is_none_or(worse) {
                trouble = Some(answer);
            }
        }
        Ok(match trouble {
            Some(answer) if found.is_empty() => Err(answer),
            _ => Ok(found),
        })
    }

    /// Sorts by preference; equals by the preferred family, and by chance.
    fn order(&self, hosts: &mut [Host]) {
        pf_dns::shuffle(hosts);
        hosts.sort_by_key(|host| {
            let is_last = match self.options.family {
                Family::Any => false,
                Family::V4 => host.address.is_ipv6(),
                Family::V6 => host.address.is_ipv4(),
            };
            (host.preference, is_last)
        });
    }
}

fn preference(record: &Record) -> u16 {
    match &record.data {
        Data::Mx { preference, .. } => *preference,
        _ => u16::MAX,
    }
}

fn nothing(answer: &Answer) -> Hosts {
    let trouble = answer.trouble().map(|trouble| trouble.text.clone());
    Hosts {
        trouble: trouble.unwrap_or_default(),
        ..Hosts::default()
    }
}

/// The name as DNS has it.
fn ascii(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    match idn::to_ascii(name.as_bytes()) {
        Some(ascii) => {
            info!("{name} asciified to {ascii}");
            ascii
        }
        None => name.to_owned(),
    }
}
