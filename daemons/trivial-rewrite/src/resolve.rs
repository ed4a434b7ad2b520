//! Where an address is delivered: its local domains are stripped, its class found, and the transport and next hop of that
//! class overridden by the tables that override them.

use pf_dsn::Dsn;
use pf_log::warning;
use pf_proto::resolve::{Personality, ResolveFlags, Resolved};
use pf_text::Show;

use crate::rewrite::Rules;
use crate::tables::{Answer, DomainList, Tables};

mod strip;
#[cfg(test)]
mod tests;

/// The parameters of one personality.
#[derive(Debug, Clone)]
pub struct Transports {
    /// `local_transport`
    pub local: Named,
    /// `virtual_transport`
    pub virtual_mailbox: Named,
    /// `relay_transport`
    pub relay: Named,
    /// `default_transport`
    pub default: Named,
    /// `relayhost`; may be empty.
    pub relayhost: Vec<u8>,
    /// The name of `sender_dependent_default_transport_maps`.
    pub sender_transport_name: &'static str,
    /// The name of `sender_dependent_relayhost_maps`.
    pub sender_relayhost_name: &'static str,
    /// The name of `transport_maps`.
    pub transport_maps_name: &'static str,
}

/// A parameter's value and its name, to blame.
#[derive(Debug, Clone)]
pub struct Named {
    /// The parameter's name.
    pub name: &'static str,
    /// `transport` or `transport:nexthop`.
    pub value: Vec<u8>,
}

/// The parameters of resolving that both personalities share.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Rewriting, for what comes out of a local part.
    pub rules: Rules,
    /// `resolve_dequoted_address`
    pub dequoted: bool,
    /// `resolve_null_domain`
    pub null_domain: bool,
    /// `resolve_numeric_domain`
    pub numeric_domain: bool,
    /// `allow_min_user`
    pub allow_min_user: bool,
    /// `empty_address_recipient`
    pub empty_address: Vec<u8>,
    /// `myhostname`
    pub myhostname: Vec<u8>,
    /// `show_user_unknown_table_name`
    pub show_table: bool,
    /// `empty_address_relayhost_maps_lookup_key`
    pub null_relayhost_key: Vec<u8>,
    /// `empty_address_default_transport_maps_lookup_key`
    pub null_transport_key: Vec<u8>,
    /// `relocated_prefix_enable`
    pub relocated_prefix: bool,
    /// `smtputf8_enable`
    pub smtputf8: bool,
    /// `helpful_warnings`
    pub helpful_warnings: bool,
    /// `append_dot_mydomain` is on only because the configuration is an old one.
    pub legacy_append_dot: bool,
    /// The file that parameters are in, for warnings.
    pub main_cf: String,
    /// For delivery.
    pub regular: Transports,
    /// For address verification.
    pub verify: Transports,
}

/// There is no answer just now, or the address cannot be resolved; what is known so far is in the answer.
struct Stop;

/// Resolves an address in internal form.
pub async fn resolve<T: Tables>(
    settings: &Settings,
    tables: &T,
    personality: Personality,
    sender: &[u8],
    address: &[u8],
) -> Resolved {
    let mut job = Job {
        settings,
        tables,
        personality,
        transports: match personality {
            Personality::Regular => &settings.regular,
            Personality::Verify => &settings.verify,
        },
        sender,
        channel: b"CHANNEL NOT UPDATED".to_vec(),
        nexthop: b"NEXTHOP NOT UPDATED".to_vec(),
        recipient: b"NEXTRCPT NOT UPDATED".to_vec(),
        flags: ResolveFlags::default(),
    };
    // Either way the job holds the answer.
    let (Ok(()) | Err(Stop)) = job.run(address).await;
    Resolved {
        server_flags: 0,
        transport: job.channel,
        nexthop: job.nexthop,
        recipient: job.recipient,
        flags: job.flags,
    }
}

struct Job<'a, T> {
    settings: &'a Settings,
    tables: &'a T,
    personality: Personality,
    transports: &'a Transports,
    sender: &'a [u8],
    channel: Vec<u8>,
    nexthop: Vec<u8>,
    recipient: Vec<u8>,
    flags: ResolveFlags,
}

impl<T: Tables> Job<'_, T> {
    async fn run(&mut self, address: &[u8]) -> Result<(), Stop> {
        let (address, remote) = self.strip_local_domains(address).await?;
        self.recipient = address.internal();
        let remote = self.check_domain().await? && remote;
        let domain = pf_address::domain(&self.recipient)
            .unwrap_or_default()
            .to_vec();
        // Operators in the local part may mean something to the next host, whatever they mean here.
        let first = self.recipient.iter().position(|ch| b"@!%".contains(ch));
        if first != pf_address::domain_at(&self.recipient) {
            self.flags |= ResolveFlags::ROUTED;
        }
        let blame = if remote {
            self.remote_class(&domain).await?
        } else {
            self.warn_both(
                &domain,
                "mydestination",
                &[DomainList::VirtualAlias, DomainList::VirtualMailbox],
            )
            .await;
            self.nexthop.clone_from(&domain);
            self.flags |= ResolveFlags::LOCAL;
            self.use_transport(&self.transports.local.clone())
        };
        self.split_channel(blame)?;
        self.look_up_transport(&domain).await?;
        self.look_up_relocated().await?;
        // Delivery commands might take such an address for an option.
        if !self.settings.allow_min_user && self.recipient.first() == Some(&b'-') {
            self.flags |= ResolveFlags::ERROR;
        }
        Ok(())
    }

    fn fail(&mut self) -> Stop {
        self.flags |= ResolveFlags::FAIL;
        Stop
    }

    /// A lookup that must have an answer.
    fn sure<A>(&mut self, name: &str, answer: Answer<A>) -> Result<Option<A>, Stop> {
        match answer {
            Answer::Found(found) => Ok(Some(found)),
            Answer::Missing => Ok(None),
            Answer::Unavailable => {
                warning!("{name} lookup failure");
                Err(self.fail())
            }
        }
    }

    fn use_transport(&mut self, named: &Named) -> &'static str {
        self.channel.clone_from(&named.value);
        named.name
    }

    /// Transport and next hop of an address elsewhere; gives the parameter to blame for the transport.
    async fn remote_class(&mut self, domain: &[u8]) -> Result<&'static str, Stop> {
        let transports = self.transports;
        if self.listed(DomainList::VirtualAlias, domain).await? {
            self.warn_both(
                domain,
                "virtual_alias_domains",
                &[DomainList::VirtualMailbox, DomainList::Relay],
            )
            .await;
            self.channel = b"error".to_vec();
            self.nexthop = b"5.1.1 User unknown".to_vec();
            if self.settings.show_table {
                self.nexthop.extend_from_slice(b" in virtual alias table");
            }
            self.flags |= ResolveFlags::ALIAS;
            return Ok("virtual_alias_domains");
        }
        if self.listed(DomainList::VirtualMailbox, domain).await? {
            self.warn_both(domain, "virtual_mailbox_domains", &[DomainList::Relay])
                .await;
            self.nexthop = domain.to_vec();
            self.flags |= ResolveFlags::VIRTUAL;
            return Ok(self.use_transport(&transports.virtual_mailbox));
        }
        let blame = if self.listed(DomainList::Relay, domain).await? {
            self.flags |= ResolveFlags::RELAY;
            self.use_transport(&transports.relay)
        } else {
            let blame = self.default_transport().await?;
            self.flags |= ResolveFlags::DEFAULT;
            blame
        };
        self.nexthop = match self.sender_relayhost().await? {
            Some(relay) => relay,
            None if !transports.relayhost.is_empty() => transports.relayhost.clone(),
            None => domain.to_vec(),
        };
        Ok(blame)
    }

    async fn default_transport(&mut self) -> Result<&'static str, Stop> {
        let name = self.transports.sender_transport_name;
        let key = if self.sender.is_empty() {
            &self.settings.null_transport_key
        } else {
            self.sender
        };
        let answer = self.tables.sender_transport(self.personality, key).await;
        match self.sure(name, answer)? {
            None => Ok(self.use_transport(&self.transports.default.clone())),
            Some(found) => {
                if found.is_empty() {
                    warning!("{name}: ignoring null lookup result for {}", Show(key));
                }
                self.channel = if found.is_empty() || found.eq_ignore_ascii_case(b"DUNNO") {
                    self.transports.default.value.clone()
                } else {
                    found
                };
                Ok(name)
            }
        }
    }

    async fn sender_relayhost(&mut self) -> Result<Option<Vec<u8>>, Stop> {
        let name = self.transports.sender_relayhost_name;
        let key = if self.sender.is_empty() {
            &self.settings.null_relayhost_key
        } else {
            self.sender
        };
        let answer = self.tables.sender_relayhost(self.personality, key).await;
        let found = self.sure(name, answer)?;
        if found.as_ref().is_some_and(Vec::is_empty) {
            warning!("{name}: ignoring null lookup result for {}", Show(key));
        }
        Ok(found.filter(|found| !found.is_empty() && !found.eq_ignore_ascii_case(b"DUNNO")))
    }

    async fn listed(&mut self, list: DomainList, domain: &[u8]) -> Result<bool, Stop> {
        let answer = self.tables.is_listed(list, domain).await;
        Ok(self.sure(list.name(), answer)?.is_some())
    }

    async fn warn_both(&self, domain: &[u8], first: &str, others: &[DomainList]) {
        if !self.settings.helpful_warnings {
            return;
        }
        for other in others {
            if matches!(
                self.tables.is_listed(*other, domain).await,
                Answer::Found(())
            ) {
                warning!(
                    "do not list domain {} in BOTH {first} and {}",
                    Show(domain),
                    other.name()
                );
            }
        }
    }

    /// An explicit next hop in a transport parameter overrides all before it.
    fn split_channel(&mut self, blame: &str) -> Result<(), Stop> {
        if let Some(colon) = memchr::memchr(b':', &self.channel) {
            let nexthop = self.channel.split_off(colon);
            if let Some(nexthop) = nexthop.get(1..).filter(|nexthop| !nexthop.is_empty()) {
                self.nexthop = nexthop.to_vec();
            }
        }
        if self.channel.is_empty() {
            warning!(
                "file {}: parameter {blame}: null transport is not allowed",
                self.settings.main_cf
            );
            return Err(self.fail());
        }
        Ok(())
    }

    /// The transport table overrides transport, next hop or both; it has no say on virtual aliases.
    async fn look_up_transport(&mut self, domain: &[u8]) -> Result<(), Stop> {
        if self.flags.has(ResolveFlags::ALIAS) {
            return Ok(());
        }
        let answer = self
            .tables
            .transport(self.personality, &self.recipient)
            .await;
        let Some(found) = self.sure(self.transports.transport_maps_name, answer)? else {
            return Ok(());
        };
        let (channel, nexthop) = match memchr::memchr(b':', &found) {
            Some(colon) => (
                found.get(..colon).unwrap_or_default(),
                found.get(colon + 1..).unwrap_or_default(),
            ),
            None => (found.as_slice(), &b""[..]),
        };
        if !channel.is_empty() {
            self.channel = channel.to_vec();
        }
        if !nexthop.is_empty() {
            self.nexthop = nexthop.to_vec();
        } else if !channel.is_empty() {
            // A new transport without a next hop: the old one would make no sense to it.
            self.nexthop = match channel {
                b"error" | b"retry" => b"Address is undeliverable".to_vec(),
                _ => domain.to_vec(),
            };
        }
        Ok(())
    }

    async fn look_up_relocated(&mut self) -> Result<(), Stop> {
        let answer = self.tables.relocated(&self.recipient).await;
        let Some(found) = self.sure("relocated_maps", answer)? else {
            return Ok(());
        };
        self.channel = b"error".to_vec();
        self.nexthop = if self.settings.relocated_prefix {
            [b"5.1.6 User has moved to ", found.as_slice()].concat()
        } else {
            let (dsn, text) = pf_dsn::split_text(&found, Dsn::new(5, 2, 0));
            if Dsn::parse_prefix(&found).is_none() || text.is_empty() {
                warning!(
                    "relocated_maps result must contain RFC 3463 status and text: '{:.100}'",
                    Show(&found)
                );
                b"5.2.0 Mailbox is unavailable".to_vec()
            } else {
                [dsn.to_string().as_bytes(), b" ", text].concat()
            }
        };
        Ok(())
    }
}
