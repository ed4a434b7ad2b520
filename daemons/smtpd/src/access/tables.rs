//! Looking up hosts, networks and addresses in access tables, from the whole to its parts.

use bstr::ByteSlice as _;
use pf_proto::resolve::ResolveFlags;

use super::action::Entry;
use super::ask::{Answer, Ask};
use super::words::Kind;
use super::{Check, Decision, Status, Subject, class};
use crate::session::hostname::valid_hostaddr;
use crate::text::text;

/// What a table with trouble stands for.
const TROUBLE: &[u8] = b"451 4.3.5 Server configuration error";

/// Where to look, for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    pub(super) table: &'a str,
    pub(super) subject: &'a Subject,
    pub(super) default: Option<Kind>,
}

impl<'a> Lookup<'a> {
    fn entry(self, datum: &'a [u8]) -> Entry<'a> {
        Entry {
            table: self.table,
            datum,
            subject: self.subject,
            default: self.default,
        }
    }
}

/// A decision, and whether anything was found that made it.
pub(super) type Found = (Status, bool);

impl<A: Ask> Check<'_, A> {
    /// One lookup; `None`: not found.
    async fn lookup_once(
        &mut self,
        lookup: Lookup<'_>,
        key: &[u8],
        datum: &[u8],
        fixed: bool,
    ) -> Result<Option<Status>, super::Abort> {
        let value = match self.ask.table(lookup.table, key, fixed).await {
            Answer::Missing => return Ok(None),
            Answer::Found(value) => value,
            Answer::Failed { .. } => TROUBLE.to_vec(),
            Answer::Unopened => {
                self.warn(format!(
                    "check_access: unexpected dictionary: {}",
                    lookup.table
                ));
                TROUBLE.to_vec()
            }
        };
        self.act(lookup.entry(datum), &value).await.map(Some)
    }

    /// A lookup of a key as it is.
    pub(super) async fn check_exact(&mut self, lookup: Lookup<'_>, key: &[u8]) -> Decision {
        Ok(self
            .lookup_once(lookup, key, key, false)
            .await?
            .unwrap_or(Status::Dunno))
    }

    /// A lookup of a name and its parent domains.
    pub(super) async fn check_domain(
        &mut self,
        lookup: Lookup<'_>,
        domain: &[u8],
    ) -> Result<Found, super::Abort> {
        let numeric = valid_hostaddr(domain);
        let mut name = domain;
        let mut fixed = false;
        while !name.is_empty() {
            if let Some(status) = self.lookup_once(lookup, name, domain, fixed).await? {
                return Ok((status, true));
            }
            if numeric {
                break;
            }
            let Some(dot) = name.get(1..).and_then(|rest| rest.find_byte(b'.')) else {
                break;
            };
            let skip = if self.params.parents_match_subdomains {
                dot + 2
            } else {
                dot + 1
            };
            name = name.get(skip..).unwrap_or_default();
            fixed = true;
        }
        Ok((Status::Dunno, false))
    }

    /// A lookup of an address and the networks it is in.
    pub(super) async fn check_network(
        &mut self,
        lookup: Lookup<'_>,
        address: &[u8],
    ) -> Result<Found, super::Abort> {
        let delimiter = if address.contains(&b':') { b':' } else { b'.' };
        let mut network = address;
        let mut fixed = false;
        loop {
            if let Some(status) = self.lookup_once(lookup, network, address, fixed).await? {
                return Ok((status, true));
            }
            let Some(end) = network.rfind_byte(delimiter) else {
                return Ok((Status::Dunno, false));
            };
            network = network.get(..end).unwrap_or_default();
            fixed = true;
        }
    }

    /// A lookup of a host's name, then of its address.
    pub(super) async fn check_host(
        &mut self,
        lookup: Lookup<'_>,
        name: &[u8],
        address: &[u8],
    ) -> Decision {
        let (status, found) = self.check_domain(lookup, name).await?;
        if found || status != Status::Dunno {
            return Ok(status);
        }
        Ok(self.check_network(lookup, address).await?.0)
    }

    /// A lookup of a mail address and its parts.
    pub(super) async fn check_mail_address(
        &mut self,
        lookup: Lookup<'_>,
        address: &[u8],
    ) -> Decision {
        let resolved = self.resolve_for(lookup.subject, address).await;
        if resolved.flags.has(ResolveFlags::FAIL) {
            return Err(self.lookup_failure(address));
        }
        if !resolved.recipient.contains(&b'@') {
            self.warn(text![
                "check_mail_access: no @domain in address: ",
                resolved.recipient
            ]);
            return Ok(Status::Dunno);
        }
        let entry = lookup.entry(&resolved.recipient);
        let value = match self
            .ask
            .table_address(lookup.table, &resolved.recipient)
            .await
        {
            Answer::Missing => return Ok(Status::Dunno),
            Answer::Found(value) => {
                let status = self.act(entry, &value).await?;
                // A routed address must not be let in by a table: nobody knows where it goes.
                let suspicious = !self.params.allow_untrusted_routing
                    && resolved.flags.has(ResolveFlags::ROUTED)
                    && lookup.subject.class == class::RECIPIENT;
                return Ok(if status == Status::Permit && suspicious {
                    Status::Dunno
                } else {
                    status
                });
            }
            Answer::Failed { .. } => TROUBLE,
            Answer::Unopened => {
                self.warn(format!(
                    "check_mail_access: unexpected dictionary: {}",
                    lookup.table
                ));
                TROUBLE
            }
        };
        self.act(entry, value).await
    }
}
