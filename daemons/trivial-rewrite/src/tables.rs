//! The tables that resolving asks.

use pf_config::{Config, Param, param};
use pf_maps::addr_find::{Finder, Strategy};
use pf_maps::match_list::{LocalDomains, MatchList, Subdomains, subdomains_of};
use pf_maps::{Lookup, LookupError, Maps, Options};
use pf_proto::resolve::Personality;

/// The outcome of a lookup; trouble was logged where it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// It is there.
    Found(T),
    /// It is not.
    Missing,
    /// It cannot be told.
    Unavailable,
}

impl<T> From<Lookup<T>> for Answer<T> {
    fn from(lookup: Lookup<T>) -> Self {
        match lookup {
            Lookup::Found(found) => Answer::Found(found),
            Lookup::Missing => Answer::Missing,
            Lookup::Unavailable(_) => Answer::Unavailable,
        }
    }
}

impl From<Result<bool, LookupError>> for Answer<()> {
    fn from(matched: Result<bool, LookupError>) -> Self {
        match matched {
            Ok(true) => Answer::Found(()),
            Ok(false) => Answer::Missing,
            Err(_) => Answer::Unavailable,
        }
    }
}

/// The lists of domains besides `mydestination`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainList {
    /// `virtual_alias_domains`
    VirtualAlias,
    /// `virtual_mailbox_domains`
    VirtualMailbox,
    /// `relay_domains`
    Relay,
}

impl DomainList {
    /// The parameter's name.
    pub fn name(self) -> &'static str {
        match self {
            DomainList::VirtualAlias => "virtual_alias_domains",
            DomainList::VirtualMailbox => "virtual_mailbox_domains",
            DomainList::Relay => "relay_domains",
        }
    }
}

/// What resolving wants to know. Addresses are in internal form.
pub trait Tables {
    /// Whether this machine is the final destination of a domain.
    async fn is_local(&self, domain: &[u8]) -> Answer<()>;
    /// Whether a domain is in a list.
    async fn is_listed(&self, list: DomainList, domain: &[u8]) -> Answer<()>;
    /// `sender_dependent_default_transport_maps`
    async fn sender_transport(&self, personality: Personality, sender: &[u8]) -> Answer<Vec<u8>>;
    /// `sender_dependent_relayhost_maps`
    async fn sender_relayhost(&self, personality: Personality, sender: &[u8]) -> Answer<Vec<u8>>;
    /// `transport_maps`, the entry `*` included.
    async fn transport(&self, personality: Personality, recipient: &[u8]) -> Answer<Vec<u8>>;
    /// `relocated_maps`
    async fn relocated(&self, recipient: &[u8]) -> Answer<Vec<u8>>;
}

/// The tables of one personality.
struct Overrides {
    transport: Maps,
    sender_transport: Maps,
    sender_relayhost: Maps,
}

/// The tables as configured.
pub struct Lists {
    finder: Finder,
    virtual_alias: MatchList,
    virtual_mailbox: MatchList,
    relay: MatchList,
    relocated: Maps,
    regular: Overrides,
    verify: Overrides,
    transport_strategy: Strategy,
}

impl Lists {
    /// Opens the tables.
    ///
    /// # Errors
    /// A parameter is malformed.
    pub fn open(config: &Config) -> Result<Self, pf_config::Error> {
        let options = Options::from_config(config)?;
        let maps = |key: Param<String>, options: &Options| {
            Maps::open(key.name(), &config.get(key)?, options)
        };
        // A stranger's address must not become part of a destination.
        let fixed = Options {
            no_substitution: true,
            ..options.clone()
        };
        let list = |key: Param<String>, subdomains: Subdomains| {
            let value = config.get(key)?;
            Ok::<_, pf_config::Error>(MatchList::parse(key.name(), &value, subdomains, &options))
        };
        let parents = subdomains_of(config, param::TRANSPORT_MAPS.name())? == Subdomains::ByParent;
        Ok(Self {
            finder: Finder::from_config(config)?,
            virtual_alias: list(param::VIRTUAL_ALIAS_DOMAINS, Subdomains::Never)?,
            virtual_mailbox: list(param::VIRTUAL_MAILBOX_DOMAINS, Subdomains::Never)?,
            relay: list(
                param::RELAY_DOMAINS,
                subdomains_of(config, param::RELAY_DOMAINS.name())?,
            )?,
            relocated: maps(param::RELOCATED_MAPS, &options)?,
            regular: Overrides {
                transport: maps(param::TRANSPORT_MAPS, &fixed)?,
                sender_transport: maps(param::SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS, &fixed)?,
                sender_relayhost: maps(param::SENDER_DEPENDENT_RELAYHOST_MAPS, &fixed)?,
            },
            verify: Overrides {
                transport: maps(param::ADDRESS_VERIFY_TRANSPORT_MAPS, &fixed)?,
                sender_transport: maps(
                    param::ADDRESS_VERIFY_SENDER_DEPENDENT_DEFAULT_TRANSPORT_MAPS,
                    &fixed,
                )?,
                sender_relayhost: maps(
                    param::ADDRESS_VERIFY_SENDER_DEPENDENT_RELAYHOST_MAPS,
                    &fixed,
                )?,
            },
            transport_strategy: Strategy {
                domain: true,
                parents,
                dot_parents: !parents,
                ..Strategy::ADDRESS
            },
        })
    }

    fn overrides(&self, personality: Personality) -> &Overrides {
        match personality {
            Personality::Regular => &self.regular,
            Personality::Verify => &self.verify,
        }
    }

    async fn find(&self, maps: &Maps, address: &[u8], strategy: Strategy) -> Answer<Vec<u8>> {
        if maps.is_empty() {
            return Answer::Missing;
        }
        self.finder
            .find(maps, address, strategy)
            .await
            .map(|hit| hit.value)
            .into()
    }

    fn local(&self) -> &LocalDomains {
        self.finder.local_domains()
    }
}

impl Tables for Lists {
    async fn is_local(&self, domain: &[u8]) -> Answer<()> {
        // One dot at the end does not count, two do.
        if domain.ends_with(b"..") {
            return Answer::Missing;
        }
        self.local().contains(domain).await.into()
    }

    async fn is_listed(&self, list: DomainList, domain: &[u8]) -> Answer<()> {
        let list = match list {
            DomainList::VirtualAlias => &self.virtual_alias,
            DomainList::VirtualMailbox => &self.virtual_mailbox,
            DomainList::Relay => &self.relay,
        };
        if list.is_empty() {
            return Answer::Missing;
        }
        list.matches(domain).await.into()
    }

    async fn sender_transport(&self, personality: Personality, sender: &[u8]) -> Answer<Vec<u8>> {
        self.find(
            &self.overrides(personality).sender_transport,
            sender,
            Strategy::DEFAULT,
        )
        .await
    }

    async fn sender_relayhost(&self, personality: Personality, sender: &[u8]) -> Answer<Vec<u8>> {
        self.find(
            &self.overrides(personality).sender_relayhost,
            sender,
            Strategy::DEFAULT,
        )
        .await
    }

    async fn transport(&self, personality: Personality, recipient: &[u8]) -> Answer<Vec<u8>> {
        let maps = &self.overrides(personality).transport;
        match self.find(maps, recipient, self.transport_strategy).await {
            Answer::Missing if !maps.is_empty() => maps.find(b"*").await.into(),
            answer => answer,
        }
    }

    async fn relocated(&self, recipient: &[u8]) -> Answer<Vec<u8>> {
        self.find(&self.relocated, recipient, Strategy::DEFAULT)
            .await
    }
}
