//! Whether we take mail for a destination: the restrictions that keep a server from relaying for everybody.

use pf_proto::resolve::{ResolveFlags, Resolved};

use super::address::{ascii, is_literal};
use super::ask::{Ask, Dns, HostList, Membership, Record, RecordType};
use super::{Abort, Check, Decision, Status, Subject, class};
use crate::session::errors::Classes;
use crate::text::text;

impl<A: Ask> Check<'_, A> {
    /// Our own destinations, and those that we relay to; `None`: none of these.
    fn accepted(&self, resolved: &Resolved) -> Option<bool> {
        let Some(domain) = pf_address::domain(&resolved.recipient) else {
            return Some(true);
        };
        if !self.params.allow_untrusted_routing && resolved.flags.has(ResolveFlags::ROUTED) {
            return Some(false);
        }
        if resolved.flags.has(ResolveFlags::CLASS_FINAL) {
            return Some(true);
        }
        if resolved.flags.has(ResolveFlags::RELAY) {
            if self.params.compatible.relay_domains {
                self.info(&text![
                    "using backwards-compatible default setting relay_domains=$mydestination to accept mail for domain \"",
                    domain, "\""
                ]);
            }
            return Some(true);
        }
        None
    }

    /// Whether mail for this recipient is ours to take.
    pub(super) async fn authorized_destination(&mut self, recipient: &[u8]) -> Result<bool, Abort> {
        let resolved = self
            .resolve_for(&Subject::new(recipient, class::RECIPIENT), recipient)
            .await;
        if resolved.flags.has(ResolveFlags::FAIL) {
            return Err(self.lookup_failure(recipient));
        }
        Ok(self.accepted(&resolved).unwrap_or(false))
    }

    pub(super) async fn reject_unauth_destination(&mut self, code: i64, dsn: &str) -> Decision {
        let Some(recipient) = self.session.recipient.clone() else {
            return Ok(Status::Dunno);
        };
        if self.authorized_destination(&recipient).await? {
            return Ok(Status::Dunno);
        }
        let reason = text!["<", recipient, ">: Relay access denied"];
        Ok(self.reject(Classes::POLICY, code, dsn.as_bytes(), &reason))
    }

    /// Mail for a domain that lists this machine as a backup.
    pub(super) async fn permit_mx_backup(&mut self, name: &str) -> Decision {
        let Some(recipient) = self.session.recipient.clone() else {
            return Ok(Status::Dunno);
        };
        if !self.params.warned_mx_backup.replace(true) {
            self.warn(format!(
                "support for restriction \"permit_mx_backup\" will be removed from {}; instead, specify \"relay_domains\"",
                self.params.mail_name
            ));
        }
        if self.is_mx_backup(&recipient).await? {
            self.permit(name.as_bytes(), class::RECIPIENT, &recipient, None)
        } else {
            Ok(Status::Dunno)
        }
    }

    async fn is_mx_backup(&mut self, recipient: &[u8]) -> Result<bool, Abort> {
        let resolved = self
            .resolve_for(&Subject::new(recipient, class::RECIPIENT), recipient)
            .await;
        if resolved.flags.has(ResolveFlags::FAIL) {
            return Err(self.lookup_failure(recipient));
        }
        if let Some(accepted) = self.accepted(&resolved) {
            return Ok(accepted);
        }
        let Some(domain) = pf_address::domain(&resolved.recipient) else {
            return Ok(true);
        };
        if is_literal(domain) {
            return Ok(false);
        }
        let domain = ascii(domain);
        let mut servers: Vec<(u16, String)> = match self.ask.dns(&domain, RecordType::Mx).await {
            Dns::Found(records) => records
                .into_iter()
                .filter_map(|record| match record {
                    Record::Mx(preference, host) => Some((preference, host)),
                    _ => None,
                })
                .collect(),
            dns @ (Dns::Retry(_) | Dns::Filtered) => {
                let reason = text![
                    "<",
                    recipient,
                    ">: ",
                    class::RECIPIENT,
                    " rejected: Unable to look up mail exchanger information: ",
                    dns.why()
                ];
                self.defer_if_reject(450, "4.4.4", reason);
                return Ok(false);
            }
            _ => return Ok(false),
        };
        servers.sort_by_key(|(preference, _)| *preference);
        let best = servers.first().map(|(preference, _)| *preference);
        let backups =
            servers.split_off(servers.partition_point(|(preference, _)| Some(*preference) == best));
        if self.is_listed(&servers, recipient).await || !self.is_listed(&backups, recipient).await {
            return Ok(false);
        }
        if !self.params.restrict_mx_backup {
            return Ok(true);
        }
        for (_, host) in &servers {
            if !self.is_authorized_server(host, recipient).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether one of the hosts is this machine: by name, else by address.
    async fn is_listed(&mut self, servers: &[(u16, String)], recipient: &[u8]) -> bool {
        for (_, host) in servers {
            if self.ask.is_local_domain(host.as_bytes()).await {
                return true;
            }
        }
        for (_, host) in servers {
            match self.ask.host_addresses(host.as_bytes()).await {
                Ok(addresses) => {
                    if addresses
                        .iter()
                        .any(|ip| self.ask.own_address(*ip) || self.ask.proxy_address(*ip))
                    {
                        return true;
                    }
                }
                Err(why) => {
                    let reason = text![
                        "<",
                        recipient,
                        ">: ",
                        class::RECIPIENT,
                        " rejected: Unable to look up mail exchanger host ",
                        host,
                        ": ",
                        why.text
                    ];
                    self.defer_if_reject(450, "4.4.4", reason);
                }
            }
        }
        false
    }

    /// Whether all addresses of a host are in `permit_mx_backup_networks`.
    async fn is_authorized_server(&mut self, host: &str, recipient: &[u8]) -> bool {
        let mut addresses = Vec::new();
        let mut failure = None;
        for (wanted, kind) in [
            (self.params.families.v4, RecordType::A),
            (self.params.families.v6, RecordType::Aaaa),
        ] {
            if !wanted {
                continue;
            }
            match self.ask.dns(host.as_bytes(), kind).await {
                Dns::Found(records) => {
                    addresses.extend(records.iter().filter_map(|record| match record {
                        Record::A(ip) => Some(std::net::IpAddr::V4(*ip)),
                        Record::Aaaa(ip) => Some(std::net::IpAddr::V6(*ip)),
                        _ => None,
                    }))
                }
                dns => failure = Some(dns.why().to_owned()),
            }
        }
        if addresses.is_empty() {
            let reason = text![
                "<",
                recipient,
                ">: ",
                class::RECIPIENT,
                " rejected: Unable to look up host ",
                host,
                " as mail exchanger: ",
                failure.unwrap_or_default()
            ];
            self.defer_if_reject(450, "4.4.4", reason);
            return false;
        }
        for ip in addresses {
            let shown = ip.to_string();
            let list = HostList::PermitMxBackupNetworks;
            match self
                .ask
                .host_in(list, host.as_bytes(), shown.as_bytes())
                .await
            {
                Membership::Yes => {}
                Membership::No => return false,
                Membership::Failed { .. } => {
                    self.warn(format!(
                        "all_auth_mx_addr: permit_mx_backup_networks lookup error for address {shown} for {host}"
                    ));
                    let reason = text![
                        "<",
                        recipient,
                        ">: ",
                        class::RECIPIENT,
                        " rejected: Unable to verify host ",
                        host,
                        " as mail exchanger"
                    ];
                    self.defer_if_reject(450, "4.4.4", reason);
                    return false;
                }
            }
        }
        true
    }
}
