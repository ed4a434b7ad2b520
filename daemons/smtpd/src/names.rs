//! Names and addresses of others: DNS, the hosts file, and `smtpd_dns_reply_filter`.

use std::net::IpAddr;

use anyhow::Result;
use pf_config::{Config, param};
use pf_dns::{Answer, Data, Kind, Resolver, Trouble};
use pf_maps::{Lookup, Maps, Options};

use crate::access::ask::{Dns, HostError, Record, RecordType};
use crate::params::Params;
use crate::session::hostname::{Families, valid_hostaddr, valid_hostname};

/// Whom to ask for names.
pub(crate) struct Names {
    resolver: Resolver,
    filter: Maps,
    families: Families,
}

fn kind(kind: RecordType) -> Kind {
    match kind {
        RecordType::A => Kind::A,
        RecordType::Aaaa => Kind::Aaaa,
        RecordType::Mx => Kind::Mx,
        RecordType::Ns => Kind::Ns,
        RecordType::Txt => Kind::Txt,
    }
}

fn record(record: &pf_dns::Record) -> Option<Record> {
    Some(match (&record.data, record.kind) {
        (Data::A(ip), _) => Record::A(*ip),
        (Data::Aaaa(ip), _) => Record::Aaaa(*ip),
        (Data::Mx { preference, host }, _) => Record::Mx(*preference, host.clone()),
        (Data::Name(host), Kind::Ns) => Record::Ns(host.clone()),
        (Data::Txt(text), _) => Record::Txt(text.clone()),
        _ => return None,
    })
}

/// A record as `smtpd_dns_reply_filter` sees it.
fn shown(record: &pf_dns::Record) -> Vec<u8> {
    let mut line =
        format!("{}. {} IN {} ", record.name, record.ttl, record.kind.name()).into_bytes();
    match &record.data {
        Data::A(ip) => line.extend_from_slice(ip.to_string().as_bytes()),
        Data::Aaaa(ip) => line.extend_from_slice(ip.to_string().as_bytes()),
        Data::Mx { preference, host } => {
            line.extend_from_slice(format!("{preference} {host}.").as_bytes())
        }
        Data::Name(host) => line.extend_from_slice(format!("{host}.").as_bytes()),
        Data::Txt(text) => line.extend_from_slice(text),
        Data::Srv { .. } | Data::Raw(_) => {}
    }
    line
}

fn text(trouble: Trouble) -> String {
    trouble.text
}

impl Names {
    /// Reads the system's files and opens the filter; before the jail.
    pub(crate) fn open(config: &Config, params: &Params) -> Result<Self> {
        let filter = config.get(param::SMTPD_DNS_REPLY_FILTER)?;
        Ok(Self {
            resolver: Resolver::system(),
            filter: Maps::open(
                "smtpd_dns_reply_filter",
                &filter,
                &Options::from_config(config)?,
            ),
            families: params.families,
        })
    }

    pub(crate) async fn dns(&self, name: &[u8], wanted: RecordType) -> Dns {
        let Ok(name) = std::str::from_utf8(name) else {
            return Dns::NotFound("Host not found".to_owned());
        };
        match self.resolver.lookup(name, kind(wanted)).await {
            Answer::Found(found) => self.filtered(&found.records).await,
            Answer::NoName(trouble) | Answer::NoData(trouble) | Answer::Invalid(trouble) => {
                Dns::NotFound(text(trouble))
            }
            Answer::NullMx(_) => Dns::NullMx,
            Answer::Retry(trouble) => Dns::Retry(text(trouble)),
            Answer::Fail(trouble) => Dns::Failed(text(trouble)),
        }
    }

    /// What the filter leaves of an answer.
    async fn filtered(&self, records: &[pf_dns::Record]) -> Dns {
        let mut kept = Vec::with_capacity(records.len());
        for found in records {
            if !self.filter.is_empty() {
                match self.filter.find(&shown(found)).await {
                    Lookup::Missing => {}
                    Lookup::Found(action) if action.eq_ignore_ascii_case(b"IGNORE") => {
                        pf_log::info!("ignoring DNS RR: {}", pf_text::Show(&shown(found)));
                        continue;
                    }
                    Lookup::Found(action) => {
                        pf_log::warning!(
                            "smtpd_dns_reply_filter: unknown DNS filter action: \"{}\"",
                            pf_text::Show(&action)
                        );
                        return Dns::Retry("DNS reply filter error".to_owned());
                    }
                    Lookup::Unavailable(_) => {
                        return Dns::Retry("DNS reply filter error".to_owned());
                    }
                }
            }
            kept.extend(record(found));
        }
        if kept.is_empty() {
            Dns::Filtered
        } else {
            Dns::Found(kept)
        }
    }

    pub(crate) async fn addresses(&self, name: &[u8]) -> Result<Vec<IpAddr>, HostError> {
        let name = std::str::from_utf8(name).unwrap_or_default();
        if let Ok(ip) = name.parse() {
            return Ok(vec![ip]);
        }
        self.resolver
            .native(name, self.families.v4, self.families.v6)
            .await
            .map_err(|answer| host_error(&answer))
    }

    pub(crate) async fn name(&self, address: IpAddr) -> Result<String, HostError> {
        match self.resolver.names(address).await {
            Answer::Found(found) => found
                .records
                .iter()
                .find_map(|record| match &record.data {
                    // Numeric names would pass for addresses.
                    Data::Name(name)
                        if valid_hostname(name.as_bytes()) && !valid_hostaddr(name.as_bytes()) =>
                    {
                        Some(name.clone())
                    }
                    _ => None,
                })
                .ok_or_else(|| HostError {
                    temporary: false,
                    text: "Name or service not known".to_owned(),
                }),
            answer => Err(host_error(&answer)),
        }
    }
}

/// The system's words for why a host is not found.
fn host_error(answer: &Answer) -> HostError {
    let (temporary, text) = match answer {
        Answer::Retry(_) => (true, "Temporary failure in name resolution"),
        Answer::NoData(_) => (false, "No address associated with hostname"),
        _ => (false, "Name or service not known"),
    };
    HostError {
        temporary,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_shown_as_in_zone_files() {
        let record = pf_dns::Record {
            name: "example.com".to_owned(),
            kind: Kind::Mx,
            ttl: 300,
            data: Data::Mx {
                preference: 10,
                host: "mx.example.com".to_owned(),
            },
        };
        assert_eq!(shown(&record), b"example.com. 300 IN MX 10 mx.example.com.");
    }
}
