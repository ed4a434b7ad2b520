//! The world as it is: tables, lists, and the services of the mail system.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Result;
use pf_config::{Config, param};
use pf_maps::addr_find::{Finder, Strategy};
use pf_maps::match_list::{MatchList, Subdomains, subdomains_of};
use pf_maps::{Lookup, Maps, Options, Which};
use pf_proto::anvil::{Anvil, Event as AnvilEvent, Session as AnvilSession};
use pf_proto::client::{Client, Policy};
use pf_proto::flush::{FlushRequest, Status as Flushed};
use pf_proto::resolve::{Personality, ResolveFlags, Resolved, TrivialClient};
use pf_proto::rewrite::LOCAL;
use pf_proto::verify::{Known, Query};
use pf_proto::{Address, Class};

use crate::access::ask::{
    AddressTable, Answer, Ask, CommandList, Counts, Dns, Event, HostError, HostList, Membership,
    RecordType, Severity, TextTable,
};
use crate::names::Names;
use crate::params::Params;

/// How long a resolved address is remembered, and how many of them.
const RESOLVED_LIFE: Duration = Duration::from_secs(30);
const MAX_RESOLVED: usize = 1000;

/// A sender and a recipient.
type Route = (Vec<u8>, Vec<u8>);

/// Tables, lists and services.
pub(crate) struct World {
    access: HashMap<String, Maps>,
    access_strategy: Strategy,
    addresses: HashMap<&'static str, Maps>,
    texts: HashMap<&'static str, Maps>,
    hosts: HashMap<&'static str, MatchList>,
    noop: MatchList,
    forbidden: MatchList,
    flush_domains: MatchList,
    finder: Finder,
    own: Vec<IpAddr>,
    trivial: TrivialClient,
    resolved: RefCell<HashMap<Route, (Instant, Rc<Resolved>)>>,
    verify: Client,
    flush: Client,
    anvil: Option<Rc<Anvil>>,
    service: String,
    names: Names,
}

fn address_table(table: AddressTable) -> &'static str {
    match table {
        AddressTable::LocalRecipient => "local_recipient_maps",
        AddressTable::SenderCanonical => "sender_canonical_maps",
        AddressTable::RecipientCanonical => "recipient_canonical_maps",
        AddressTable::Canonical => "canonical_maps",
        AddressTable::VirtualAlias => "virtual_alias_maps",
        AddressTable::VirtualMailbox => "virtual_mailbox_maps",
        AddressTable::RelayRecipient => "relay_recipient_maps",
        AddressTable::SenderLogin => "smtpd_sender_login_maps",
    }
}

fn text_table(table: TextTable) -> &'static str {
    match table {
        TextTable::RblReply => "rbl_reply_maps",
        TextTable::RejectFilter => "smtpd_reject_filter_maps",
        TextTable::RejectFooter => "smtpd_reject_footer_maps",
        TextTable::EhloKeywords => "smtpd_discard_ehlo_keyword_address_maps",
        TextTable::CommandFilter => "smtpd_command_filter",
    }
}

fn host_list(list: HostList) -> &'static str {
    match list {
        HostList::Mynetworks => "mynetworks",
        HostList::PermitMxBackupNetworks => "permit_mx_backup_networks",
        HostList::Verp => "smtpd_authorized_verp_clients",
        HostList::Xclient => "smtpd_authorized_xclient_hosts",
        HostList::Xforward => "smtpd_authorized_xforward_hosts",
        HostList::Uncounted => "smtpd_client_event_limit_exceptions",
        HostList::BareNewline => "smtpd_forbid_bare_newline_exclusions",
        HostList::Debug => "debug_peer_list",
    }
}

fn answer(found: Lookup<Vec<u8>>) -> Answer {
    match found {
        Lookup::Found(value) => Answer::Found(value),
        Lookup::Missing => Answer::Missing,
        Lookup::Unavailable(_) => Answer::Failed { retry: true },
    }
}

impl World {
    /// Opens every table and list; before the jail. `guarded`: the restrictions apply; without them no tables are needed, and
    /// an ordinary user could not open them.
    pub(crate) fn open(config: &Config, params: &Params, guarded: bool) -> Result<Self> {
        let options = Options::from_config(config)?;
        let maps = |name: &'static str, key| -> Result<(&'static str, Maps)> {
            let value: String = if guarded {
                config.get(key)?
            } else {
                String::new()
            };
            Ok((name, Maps::open(name, &value, &options)?))
        };
        let list = |name: &'static str, key, subdomains| -> Result<(&'static str, MatchList)> {
            let value: String = config.get(key)?;
            Ok((name, MatchList::parse(name, &value, subdomains, &options)))
        };
        let by_parameter = |name: &'static str, key| list(name, key, subdomains_of(config, name)?);
        let words = |name, key| -> Result<MatchList> { Ok(list(name, key, Subdomains::Never)?.1) };
        let access = params
            .restrictions
            .tables()
            .into_iter()
            .map(|table| {
                let maps = Maps::open(&table, &table, &options)?;
                Ok((table, maps))
            })
            .collect::<Result<_>>()?;
        // A queue that was left at a path of its own is where the daemon works.
        let queue = Path::new(".");
        let policy = Policy {
            timeout: params.ipc_timeout,
            idle: config.get(param::IPC_IDLE)?,
            ttl: config.get(param::IPC_TTL)?,
            ..Policy::default()
        };
        let client = |class, service: &str, tries| {
            Client::new(
                Address::new(queue, class, service),
                Policy { tries, ..policy },
            )
        };
        let interfaces: String = config.get(param::INET_INTERFACES)?;
        let protocols: String = config.get(param::INET_PROTOCOLS)?;
        let own = pf_config::system::own_interfaces(&interfaces, &protocols)?;
        Ok(Self {
            access,
            access_strategy: Strategy {
                full: true,
                without_extension: true,
                local_part: false,
                at_domain: false,
                domain: true,
                dot_parents: !params.parents_match_subdomains,
                parents: params.parents_match_subdomains,
                local_part_at: true,
            },
            addresses: [
                maps("local_recipient_maps", param::LOCAL_RECIPIENT_MAPS)?,
                maps("sender_canonical_maps", param::SENDER_CANONICAL_MAPS)?,
                maps("recipient_canonical_maps", param::RECIPIENT_CANONICAL_MAPS)?,
                maps("canonical_maps", param::CANONICAL_MAPS)?,
                maps("virtual_alias_maps", param::VIRTUAL_ALIAS_MAPS)?,
                maps("virtual_mailbox_maps", param::VIRTUAL_MAILBOX_MAPS)?,
                maps("relay_recipient_maps", param::RELAY_RECIPIENT_MAPS)?,
                maps("smtpd_sender_login_maps", param::SMTPD_SENDER_LOGIN_MAPS)?,
            ]
            .into(),
            texts: [
                maps("rbl_reply_maps", param::RBL_REPLY_MAPS)?,
                maps("smtpd_reject_filter_maps", param::SMTPD_REJECT_FILTER_MAPS)?,
                maps("smtpd_reject_footer_maps", param::SMTPD_REJECT_FOOTER_MAPS)?,
                maps(
                    "smtpd_discard_ehlo_keyword_address_maps",
                    param::SMTPD_DISCARD_EHLO_KEYWORD_ADDRESS_MAPS,
                )?,
                maps("smtpd_command_filter", param::SMTPD_COMMAND_FILTER)?,
            ]
            .into(),
            hosts: [
                by_parameter("mynetworks", param::MYNETWORKS)?,
                by_parameter(
                    "permit_mx_backup_networks",
                    param::PERMIT_MX_BACKUP_NETWORKS,
                )?,
                list(
                    "smtpd_authorized_verp_clients",
                    param::SMTPD_AUTHORIZED_VERP_CLIENTS,
                    Subdomains::ByDot,
                )?,
                list(
                    "smtpd_authorized_xclient_hosts",
                    param::SMTPD_AUTHORIZED_XCLIENT_HOSTS,
                    Subdomains::ByDot,
                )?,
                list(
                    "smtpd_authorized_xforward_hosts",
                    param::SMTPD_AUTHORIZED_XFORWARD_HOSTS,
                    Subdomains::ByDot,
                )?,
                by_parameter(
                    "smtpd_client_event_limit_exceptions",
                    param::SMTPD_CLIENT_EVENT_LIMIT_EXCEPTIONS,
                )?,
                list(
                    "smtpd_forbid_bare_newline_exclusions",
                    param::SMTPD_FORBID_BARE_NEWLINE_EXCLUSIONS,
                    subdomains_of(config, "mynetworks")?,
                )?,
                by_parameter("debug_peer_list", param::DEBUG_PEER_LIST)?,
            ]
            .into(),
            noop: words("smtpd_noop_commands", param::SMTPD_NOOP_COMMANDS)?,
            forbidden: words("smtpd_forbidden_commands", param::SMTPD_FORBIDDEN_COMMANDS)?,
            flush_domains: by_parameter("fast_flush_domains", param::FAST_FLUSH_DOMAINS)?.1,
            finder: Finder::from_config(config)?,
            own: own.into_iter().map(|(address, _)| address).collect(),
            trivial: TrivialClient::new(client(Class::Private, &params.rewrite_service, None)),
            resolved: RefCell::default(),
            verify: client(Class::Private, &params.verify_service, Some(2)),
            flush: client(Class::Public, &params.flush_service, Some(2)),
            anvil: params
                .rates
                .counted()
                .then(|| Anvil::new(queue, params.ipc_timeout)),
            service: params.service.clone(),
            names: Names::open(config, params)?,
        })
    }

    /// Completes an address in internal form; the service works on the quoted form.
    async fn internal(&self, address: &[u8]) -> Result<Vec<u8>, pf_attr::Error> {
        if address.is_empty() {
            return Ok(Vec::new());
        }
        let quoted = pf_address::quote_822(address);
        let rewritten = self.trivial.rewrite(LOCAL, &quoted).await?;
        Ok(pf_address::unquote_822(&rewritten))
    }

    async fn ask_resolver(
        &self,
        sender: &[u8],
        address: &[u8],
    ) -> Result<Resolved, pf_attr::Error> {
        let sender = self.internal(sender).await?;
        let address = self.internal(address).await?;
        let resolved = self
            .trivial
            .resolve(Personality::Regular, &sender, &address)
            .await?;
        let mut resolved = (*resolved).clone();
        resolved.recipient = pf_text::case::fold(&resolved.recipient, true);
        Ok(resolved)
    }
}

impl Ask for World {
    type Counter = Option<AnvilSession>;

    async fn resolve(&self, sender: &[u8], address: &[u8]) -> Rc<Resolved> {
        let route = (sender.to_vec(), address.to_vec());
        if let Some((asked, known)) = self.resolved.borrow().get(&route)
            && asked.elapsed() < RESOLVED_LIFE
        {
            return Rc::clone(known);
        }
        match self.ask_resolver(sender, address).await {
            Ok(resolved) => {
                let resolved = Rc::new(resolved);
                let mut cache = self.resolved.borrow_mut();
                if cache.len() >= MAX_RESOLVED {
                    cache.clear();
                }
                // What failed just now may work the next time.
                if !resolved.flags.has(ResolveFlags::FAIL) {
                    cache.insert(route, (Instant::now(), Rc::clone(&resolved)));
                }
                resolved
            }
            Err(_) => Rc::new(Resolved {
                server_flags: 0,
                transport: Vec::new(),
                nexthop: Vec::new(),
                recipient: address.to_vec(),
                flags: ResolveFlags::FAIL,
            }),
        }
    }

    async fn table(&self, name: &str, key: &[u8], fixed: bool) -> Answer {
        let which = if fixed { Which::FixedOnly } else { Which::All };
        match self.access.get(name) {
            Some(maps) => answer(maps.find_in(key, which).await),
            None => Answer::Unopened,
        }
    }

    async fn table_address(&self, name: &str, address: &[u8]) -> Answer {
        match self.access.get(name) {
            Some(maps) => {
                let found = self.finder.find(maps, address, self.access_strategy).await;
                answer(found.map(|hit| hit.value))
            }
            None => Answer::Unopened,
        }
    }

    async fn address(&self, table: AddressTable, address: &[u8]) -> Answer {
        match self.addresses.get(address_table(table)) {
            Some(maps) if !maps.is_empty() => {
                let found = self.finder.find(maps, address, Strategy::DEFAULT).await;
                answer(found.map(|hit| hit.value))
            }
            _ => Answer::Missing,
        }
    }

    async fn text(&self, table: TextTable, key: &[u8]) -> Answer {
        match self.texts.get(text_table(table)) {
            // One table, and a command may become an empty one.
            Some(maps) if table == TextTable::CommandFilter => match maps.tables().first() {
                Some(filter) => answer(filter.lookup(key).await),
                None => Answer::Missing,
            },
            Some(maps) if !maps.is_empty() => answer(maps.find(key).await),
            _ => Answer::Missing,
        }
    }

    async fn command_in(&self, list: CommandList, word: &[u8]) -> bool {
        let list = match list {
            CommandList::Noop => &self.noop,
            CommandList::Forbidden => &self.forbidden,
        };
        // A list that cannot tell forbids nothing: this is no security feature.
        !list.is_empty() && list.matches(word).await.unwrap_or(false)
    }

    async fn count(
        &self,
        counter: &mut Self::Counter,
        event: Event,
        range: &str,
    ) -> Option<Counts> {
        let anvil = self.anvil.as_ref()?;
        let mut session = match counter.take() {
            Some(session) => session,
            None if event == Event::Disconnect => return None,
            None => anvil.session(&self.service, range),
        };
        let counts = match event {
            Event::Connect => session.connect().await,
            Event::Mail => session
                .event(AnvilEvent::Message)
                .await
                .map(|rate| (0, rate)),
            Event::Recipient => session
                .event(AnvilEvent::Recipient)
                .await
                .map(|rate| (0, rate)),
            Event::Auth => session.event(AnvilEvent::Auth).await.map(|rate| (0, rate)),
            Event::Disconnect => {
                session.disconnect().await;
                return None;
            }
        };
        *counter = Some(session);
        counts.map(|(count, rate)| Counts {
            count: i64::from(count),
            rate: i64::from(rate),
        })
    }

    async fn rewrite(&self, address: &[u8]) -> Vec<u8> {
        self.internal(address)
            .await
            .unwrap_or_else(|_| address.to_vec())
    }

    async fn flush(&self, domain: &[u8]) -> Flushed {
        match self.flush_domains.matches(domain).await {
            Ok(true) => self
                .flush
                .call(&FlushRequest::SendSite { site: domain })
                .await
                .unwrap_or(Flushed::Fail),
            Ok(false) => Flushed::Deny,
            Err(_) => Flushed::Fail,
        }
    }

    fn queue_space(&self) -> u64 {
        match nix::sys::statvfs::statvfs(".") {
            Ok(space) => space
                .blocks_available()
                .saturating_mul(space.fragment_size()),
            Err(err) => {
                pf_log::warning!("statvfs .: {err}");
                u64::MAX
            }
        }
    }

    async fn host_in(&self, list: HostList, name: &[u8], address: &[u8]) -> Membership {
        let Some(list) = self
            .hosts
            .get(host_list(list))
            .filter(|list| !list.is_empty())
        else {
            return Membership::No;
        };
        match list
            .matches_host(Some(name), std::str::from_utf8(address).ok())
            .await
        {
            Ok(true) => Membership::Yes,
            Ok(false) => Membership::No,
            Err(_) => Membership::Failed { retry: true },
        }
    }

    async fn is_local_domain(&self, domain: &[u8]) -> bool {
        self.finder
            .local_domains()
            .contains(domain)
            .await
            .unwrap_or(false)
    }

    fn own_address(&self, address: IpAddr) -> bool {
        self.own.contains(&address)
    }

    fn proxy_address(&self, address: IpAddr) -> bool {
        self.finder.local_domains().is_own_address(address)
    }

    async fn dns(&self, name: &[u8], kind: RecordType) -> Dns {
        self.names.dns(name, kind).await
    }

    async fn host_addresses(&self, name: &[u8]) -> Result<Vec<IpAddr>, HostError> {
        self.names.addresses(name).await
    }

    async fn host_name(&self, address: IpAddr) -> Result<String, HostError> {
        self.names.name(address).await
    }

    async fn verify(&self, address: &[u8]) -> Option<Known> {
        self.verify.call(&Query { address }).await.ok()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    fn log(&self, severity: Severity, text: &[u8]) {
        let text = pf_text::Show(text);
        match severity {
            Severity::Info => pf_log::info!("{text}"),
            Severity::Warning => pf_log::warning!("{text}"),
        }
    }
}
