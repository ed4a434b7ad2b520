//! `check_*_{mx,ns,a}_access`: tables that judge a domain by its servers.

use std::net::IpAddr;

use super::address::ascii;
use super::ask::{Ask, Dns, Record, RecordType};
use super::tables::Lookup;
use super::words::Servers;
use super::{Check, Decision, Status};
use crate::session::hostname::{bare_mailhost_address, valid_hostaddr};
use crate::text::text;

/// The most server addresses that are looked at in one restriction.
const MAX_ADDRESSES: usize = 100;

impl<A: Ask> Check<'_, A> {
    /// Judges the domain of `name`, or `name` itself.
    pub(super) async fn check_servers(
        &mut self,
        lookup: Lookup<'_>,
        name: &[u8],
        servers: Servers,
    ) -> Decision {
        let domain = pf_address::domain(name).unwrap_or(name);
        if domain.first() == Some(&b'[') {
            // A literal is its own mail server; it has no name server.
            let bare = match domain {
                [b'[', inner @ .., b']'] if servers != Servers::Ns => bare_mailhost_address(inner),
                _ => None,
            };
            return match bare {
                Some(bare) => Ok(self.check_network(lookup, bare).await?.0),
                None => Ok(Status::Dunno),
            };
        }
        let Some(hosts) = self.server_names(&ascii(domain), name, servers).await else {
            return Ok(Status::Dunno);
        };
        let mut count = 0;
        for host in hosts {
            let host = host.as_slice();
            if valid_hostaddr(host) {
                let (status, found) = self.check_network(lookup, host).await?;
                if found || status != Status::Dunno {
                    return Ok(status);
                }
                continue;
            }
            if servers != Servers::Addresses {
                let (status, found) = self.check_domain(lookup, host).await?;
                if found || status != Status::Dunno {
                    return Ok(status);
                }
            }
            let addresses = match self.ask.host_addresses(host).await {
                Ok(addresses) => addresses,
                Err(why) => {
                    if servers != Servers::Addresses {
                        self.warn(text![
                            "Unable to look up ",
                            servers.name(),
                            " host ",
                            host,
                            " for ",
                            lookup.subject.class,
                            " ",
                            lookup.subject.name,
                            ": ",
                            why.text
                        ]);
                    }
                    continue;
                }
            };
            for ip in addresses {
                count += 1;
                if count > MAX_ADDRESSES {
                    self.warn(text![
                        "check_server_access: ",
                        servers.name(),
                        " server address count limit (",
                        MAX_ADDRESSES.to_string(),
                        ") exceeded for ",
                        lookup.subject.class,
                        " ",
                        lookup.subject.name,
                        " -- ignoring the remainder"
                    ]);
                    return Ok(Status::Dunno);
                }
                if let Some(decision) = self.check_server_address(lookup, ip).await? {
                    return Ok(decision);
                }
            }
        }
        Ok(Status::Dunno)
    }

    async fn check_server_address(
        &mut self,
        lookup: Lookup<'_>,
        ip: IpAddr,
    ) -> Result<Option<Status>, super::Abort> {
        if !self.params.families.allow(ip) {
            return Ok(None);
        }
        let (status, found) = self
            .check_network(lookup, ip.to_string().as_bytes())
            .await?;
        Ok((found || status != Status::Dunno).then_some(status))
    }

    /// The names of the servers; `None`: there are none, or nobody knows.
    async fn server_names(
        &mut self,
        domain: &[u8],
        name: &[u8],
        servers: Servers,
    ) -> Option<Vec<Vec<u8>>> {
        let kind = match servers {
            Servers::Addresses => return Some(vec![domain.to_vec()]),
            Servers::Mx => RecordType::Mx,
            Servers::Ns => RecordType::Ns,
        };
        let mut asked = domain;
        let mut dns = self.ask.dns(asked, kind).await;
        match (&dns, servers) {
            (Dns::NullMx, _) => return None,
            (Dns::NotFound(_), Servers::Mx) => return Some(vec![domain.to_vec()]),
            (Dns::NotFound(_), _) => {
                // A name inside a zone: ask for the zone.
                while matches!(dns, Dns::NotFound(_)) {
                    let Some(parent) = memchr::memchr(b'.', asked)
                        .and_then(|dot| asked.get(dot + 1..))
                        .filter(|parent| !parent.is_empty())
                    else {
                        asked = name;
                        break;
                    };
                    asked = parent;
                    dns = self.ask.dns(asked, kind).await;
                }
            }
            _ => {}
        }
        let Dns::Found(records) = dns else {
            self.warn(text![
                "Unable to look up ",
                servers.name(),
                " host for ",
                asked,
                ": ",
                dns.why()
            ]);
            return None;
        };
        let names = records.into_iter().filter_map(|record| match record {
            Record::Mx(_, host) | Record::Ns(host) => Some(host.into_bytes()),
            _ => None,
        });
        Some(names.collect())
    }
}
