//! Names and addresses of others: DNS, the hosts file, and `smtpd_dns_reply_filter`.

use std::net::IpAddr;

use anyhow::Result;
use pf_config::{Config, param};
use pf_dns::{Answer, Data, Kind, Resolver, Trouble};
use pf_maps::dns_filter::DnsFilter;
use pf_maps::{Maps, Options};

use crate::access::ask::{Dns, HostError, Record, RecordType};
use crate::params::Params;
use crate::session::hostname::{Families, valid_hostaddr, valid_hostname};

/// Whom to ask for names.
pub(crate) struct Names {
    resolver: Resolver,
    filter: DnsFilter,
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

fn text(trouble: Trouble) -> String {
    trouble.text
}

impl Names {
    /// Reads the system's files and opens the filter; before the jail.
    pub(crate) fn open(config: &Config, params: &Params) -> Result<Self> {
        let filter = config.get(param::SMTPD_DNS_REPLY_FILTER)?;
        Ok(Self {
            resolver: Resolver::system(),
            filter: DnsFilter::new(Maps::open(
                "smtpd_dns_reply_filter",
                &filter,
                &Options::from_config(config)?,
            )?),
            families: params.families,
        })
    }

    pub(crate) async fn dns(&self, name: &[u8], wanted: RecordType) -> Dns {
        let Ok(name) = std::str::from_utf8(name) else {
            return Dns::NotFound("Host not found".to_owned());
        };
        let kind = kind(wanted);
        let answer = self.resolver.lookup(name, kind).await;
        match self.filter.filter(name, kind, answer).await {
            Answer::Found(found) => Dns::Found(found.records.iter().filter_map(record).collect()),
            Answer::NoName(trouble) | Answer::NoData(trouble) | Answer::Invalid(trouble) => {
                Dns::NotFound(text(trouble))
            }
            Answer::NullMx(_) | Answer::NullSrv(_) => Dns::NullMx,
            Answer::Policy(_) => Dns::Filtered,
            Answer::Retry(trouble) => Dns::Retry(text(trouble)),
            Answer::Fail(trouble) => Dns::Failed(text(trouble)),
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
