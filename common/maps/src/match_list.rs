//! Match lists: host names, addresses, networks, strings, files of such, and tables, in the order they are written; `!` excepts.

use std::net::IpAddr;

use ipnet::IpNet;
use pf_config::{Config, Error, param, system};
use pf_text::hostaddr::{parse_literal, valid_ipv6};
use pf_text::split::list_braces;

use crate::cidr::parse_network;
use crate::{Lookup, LookupError, Options, Table};

/// How deep files may name files.
const MAX_DEPTH: usize = 100;

enum Item {
    Word(String),
    Network(IpNet),
    Table(Box<Table>),
}

struct Pattern {
    wanted: bool,
    item: Item,
}

/// What a list is matched with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subdomains {
    /// `domain` matches only itself, `.domain` its subdomains.
    ByDot,
    /// `domain` matches itself and its subdomains (`parent_domain_matches_subdomains`).
    ByParent,
    /// Names are strings: only the whole matches.
    Never,
}

/// A parsed match list.
pub struct MatchList {
    title: String,
    patterns: Vec<Pattern>,
    subdomains: Subdomains,
    /// A file of the list cannot be read: matching cannot tell.
    broken: Option<LookupError>,
}

impl std::fmt::Debug for MatchList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MatchList({})", self.title)
    }
}

/// Whether the parameter is in `parent_domain_matches_subdomains`, as a way to match.
///
/// # Errors
/// The parameter has a bad value.
pub fn subdomains_of(config: &Config, parameter: &str) -> Result<Subdomains, Error> {
    let list = config.get(param::PARENT_DOMAIN_MATCHES_SUBDOMAINS)?;
    let listed = pf_text::split::list(&list).any(|name| name.eq_ignore_ascii_case(parameter));
    Ok(if listed {
        Subdomains::ByParent
    } else {
        Subdomains::ByDot
    })
}

impl MatchList {
    /// Parses the list `value` of the parameter `title`.
    pub fn parse(title: &str, value: &str, subdomains: Subdomains, options: &Options) -> Self {
        let mut list = Self {
            title: title.to_owned(),
            patterns: Vec::new(),
            subdomains,
            broken: None,
        };
        let folding = Options {
            fold: true,
            ..options.clone()
        };
        list.add(value, true, 0, &folding);
        list
    }

    fn add(&mut self, value: &str, wanted: bool, depth: usize, options: &Options) {
        for word in list_braces(value) {
            let text = word.trim_start_matches('!');
            let wanted = wanted ^ ((word.len() - text.len()) % 2 == 1);
            if text.is_empty() {
                self.fail(format!("{}: no pattern after '!'", self.title));
                continue;
            }
            // A file is part of the list.
            if text.starts_with('/') {
                if depth >= MAX_DEPTH {
                    self.fail(format!("{}: too many nested files", self.title));
                    continue;
                }
                match std::fs::read(text) {
                    Ok(bytes) => {
                        let mut lines = String::new();
                        for line in pf_config::lines::Lines::new(&bytes) {
                            lines.push_str(&String::from_utf8_lossy(&line.text));
                            lines.push(' ');
                        }
                        self.add(&lines, wanted, depth + 1, options);
                    }
                    Err(err) => self.fail(format!("open file {text}: {}", system::reason(&err))),
                }
                continue;
            }
            let item = if is_table(text) {
                Item::Table(Box::new(Table::open(text, options)))
            } else if let Some(network) = network(text) {
                match network {
                    Ok(network) => Item::Network(network),
                    Err(why) => {
                        self.fail(format!("{}: {why}", self.title));
                        continue;
                    }
                }
            } else {
                Item::Word(
                    String::from_utf8_lossy(&pf_text::case::fold(text.as_bytes(), true))
                        .into_owned(),
                )
            };
            self.patterns.push(Pattern { wanted, item });
        }
    }

    fn fail(&mut self, why: String) {
        pf_log::warning!("{why}");
        self.broken.get_or_insert(LookupError(why));
    }

    /// Whether there is nothing in the list.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.broken.is_none()
    }

    /// Whether a string (or a domain name) matches.
    ///
    /// # Errors
    /// A table or a file cannot tell.
    pub async fn matches(&self, name: &[u8]) -> Result<bool, LookupError> {
        self.check(Some(name), None).await
    }

    /// Whether a client matches, by its name or its address (in text form); either may be unknown.
    ///
    /// # Errors
    /// As [`matches`](Self::matches).
    pub async fn matches_host(
        &self,
        name: Option<&[u8]>,
        address: Option<&str>,
    ) -> Result<bool, LookupError> {
        self.check(name, address).await
    }

    async fn check(&self, name: Option<&[u8]>, address: Option<&str>) -> Result<bool, LookupError> {
        let name = name.map(|name| pf_text::case::fold(name, true));
        let ip: Option<IpAddr> = address.and_then(|text| text.parse().ok());
        for pattern in &self.patterns {
            let hit = match &pattern.item {
                Item::Word(word) => {
                    name.as_deref()
                        .is_some_and(|name| self.word(word.as_bytes(), name))
                        || address.is_some_and(|address| word.eq_ignore_ascii_case(address))
                }
                Item::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
                Item::Table(table) => self.table(table, name.as_deref(), address).await?,
            };
            if hit {
                return Ok(pattern.wanted);
            }
        }
        self.broken.clone().map_or(Ok(false), Err)
    }

    fn word(&self, pattern: &[u8], name: &[u8]) -> bool {
        if pattern == name {
            return true;
        }
        let Some(rest) = name.strip_suffix(pattern) else {
            return false;
        };
        match self.subdomains {
            Subdomains::Never => false,
            Subdomains::ByDot => pattern.first() == Some(&b'.') && !rest.is_empty(),
            Subdomains::ByParent => rest.last() == Some(&b'.'),
        }
    }

    async fn table(
        &self,
        table: &Table,
        name: Option<&[u8]>,
        address: Option<&str>,
    ) -> Result<bool, LookupError> {
        if let Some(name) = name {
            if self.found(table, name).await? {
                return Ok(true);
            }
            if self.subdomains != Subdomains::Never && !table.is_pattern() {
                let mut rest = name;
                while let Some(dot) = rest.iter().position(|byte| *byte == b'.') {
                    let from = if self.subdomains == Subdomains::ByParent {
                        dot + 1
                    } else {
                        dot
                    };
                    if self
                        .found(table, rest.get(from..).unwrap_or_default())
                        .await?
                    {
                        return Ok(true);
                    }
                    rest = rest.get(dot + 1..).unwrap_or_default();
                }
            }
        }
        match address {
            Some(address) => self.found(table, address.as_bytes()).await,
            None => Ok(false),
        }
    }

    async fn found(&self, table: &Table, key: &[u8]) -> Result<bool, LookupError> {
        match table.lookup(key).await {
            Lookup::Found(_) => Ok(true),
            Lookup::Missing => Ok(false),
            Lookup::Unavailable(err) => {
                let (kind, name) = (table.kind(), table.name());
                pf_log::warning!("{}: {kind}:{name}: table lookup problem", self.title);
                Err(err)
            }
        }
    }
}

/// Whether a word is `type:name`: not an IPv6 address or network, bracketed or not.
fn is_table(word: &str) -> bool {
    word.contains(':')
        && !word.starts_with('[')
        && !word
            .split('/')
            .next()
            .is_some_and(|address| valid_ipv6(address.as_bytes()))
}

/// The network that a word is, if it is meant to be one.
fn network(word: &str) -> Option<Result<IpNet, String>> {
    let numeric = word.starts_with('[')
        || word.contains('/')
        || word.contains(':')
        || word.parse::<IpAddr>().is_ok();
    numeric.then(|| parse_network(word))
}

/// The domains that this system is the final destination of: `mydestination`, and its own addresses in brackets.
#[derive(Debug)]
pub struct LocalDomains {
    destinations: MatchList,
    addresses: Vec<IpAddr>,
}

impl LocalDomains {
    /// Reads the parameters.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn from_config(config: &Config) -> Result<Self, Error> {
        let options = Options::from_config(config)?;
        let value = config.get(param::MYDESTINATION)?;
        let destinations = MatchList::parse("mydestination", &value, Subdomains::Never, &options);
        let protocols = config.get(param::INET_PROTOCOLS)?;
        let mut addresses: Vec<IpAddr> =
            system::own_interfaces(&config.get(param::INET_INTERFACES)?, &protocols)?
                .into_iter()
                .map(|(address, _)| address)
                .collect();
        let proxies = config.get(param::PROXY_INTERFACES)?;
        addresses.extend(
            pf_text::split::list(&proxies)
                .filter_map(|word| word.trim_matches(['[', ']']).parse::<IpAddr>().ok()),
        );
        Ok(Self {
            destinations,
            addresses,
        })
    }

    /// Whether the domain is ours. A trailing dot does not count.
    ///
    /// # Errors
    /// A table of `mydestination` cannot tell.
    pub async fn contains(&self, domain: &[u8]) -> Result<bool, LookupError> {
        let domain = domain.strip_suffix(b".").unwrap_or(domain);
        if domain.is_empty() {
            return Ok(false);
        }
        if self.destinations.matches(domain).await? {
            return Ok(true);
        }
        Ok(literal(domain).is_some_and(|address| self.is_own_address(address)))
    }

    /// Whether an address is one of this host's, or of a proxy in front of it.
    pub fn is_own_address(&self, address: IpAddr) -> bool {
        self.addresses.contains(&address)
    }
}

/// The address in `[1.2.3.4]` or `[IPv6:::1]`; says what is wrong with another literal.
fn literal(domain: &[u8]) -> Option<IpAddr> {
    let inner = domain.strip_prefix(b"[")?.strip_suffix(b"]")?;
    parse_literal(inner).unwrap_or_else(|why| {
        pf_log::warning!("{why}");
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn host(list: &str, subdomains: Subdomains, name: &str, address: &str) -> bool {
        let list = MatchList::parse("test", list, subdomains, &Options::default());
        let name = Some(name.as_bytes()).filter(|name| !name.is_empty());
        let address = Some(address).filter(|address| !address.is_empty());
        wait(list.matches_host(name, address)).unwrap()
    }

    #[test]
    fn names_and_their_subdomains() {
        use Subdomains::{ByDot, ByParent, Never};
        assert!(host("A.example", ByDot, "a.Example", ""));
        assert!(!host("a.example", ByDot, "b.a.example", ""));
        assert!(
            host(".a.example", ByDot, "b.a.example", "")
                && !host(".a.example", ByDot, "a.example", "")
        );
        assert!(
            host("a.example", ByParent, "b.a.example", "")
                && !host("a.example", ByParent, "ba.example", "")
        );
        assert!(!host("a.example", Never, "b.a.example", ""));
        assert!(host("inline:{.a.example=x}", ByDot, "b.a.example", ""));
        assert!(host("inline:{a.example=x}", ByParent, "b.a.example", ""));
    }

    #[test]
    fn addresses_networks_and_exceptions() {
        let list = "!10.1.1.1 10.0.0.0/8, [::1] [2001:db8::]/32 cidr:{{192.0.2.0/24 x}}";
        let by = |address: &str| host(list, Subdomains::ByDot, "", address);
        assert!(by("10.2.3.4") && by("::1") && by("2001:db8::9") && by("192.0.2.9"));
        assert!(!by("10.1.1.1") && !by("11.0.0.1") && !by("::2"));
    }

    #[test]
    fn trouble_is_told() {
        let list = MatchList::parse("test", "a fail:x b", Subdomains::ByDot, &Options::default());
        assert_eq!(wait(list.matches(b"a")), Ok(true));
        assert!(wait(list.matches(b"b")).is_err());
        let list = MatchList::parse(
            "test",
            "a /no/such/file",
            Subdomains::ByDot,
            &Options::default(),
        );
        assert_eq!(wait(list.matches(b"a")), Ok(true));
        assert!(wait(list.matches(b"c")).is_err());
    }
}
