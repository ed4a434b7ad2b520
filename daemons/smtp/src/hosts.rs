//! From a destination to the servers to try, in order.

use std::hash::{BuildHasher as _, Hasher as _};
use std::net::IpAddr;

use pf_address::idn;
use pf_dns::{Answer, Data, Kind, Record, Resolver};
use pf_dsn::{Dsn, Status};
use pf_log::{info, warning};
use pf_net::Destination;

use crate::params::{Params, Preference};

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its address.
    pub at: Place,
    /// It is among the best ones of its destination.
    pub best: bool,
    /// Mail for it could come back to us.
    pub loop_detection: bool,
    /// How preferred it is; lower is better.
    preference: u16,
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On the network.
    Net(IpAddr, u16),
    /// Behind a local socket.
    Socket(String),
}

impl Server {
    /// The server behind a local socket.
    pub fn local(host: &str, path: &str) -> Self {
        Self {
            host: host.to_owned(),
            at: Place::Socket(path.to_owned()),
            best: true,
            loop_detection: false,
            preference: 0,
        }
    }

    /// `host[address]`, as in replies to the sender.
    pub fn title(&self) -> String {
        format!("{}[{}]", self.host, self.address_text())
    }

    /// The address alone, as a key of tables.
    pub fn address_text(&self) -> String {
        match &self.at {
            Place::Net(address, _) => address.to_string(),
            Place::Socket(path) => path.clone(),
        }
    }

    /// `host[address]:port`, as in the log.
    pub fn relay(&self) -> String {
        match &self.at {
            Place::Net(address, port) => format!("{}[{address}]:{port}", self.host),
            Place::Socket(_) => self.title(),
        }
    }

    fn is_ipv6(&self) -> bool {
        matches!(self.at, Place::Net(IpAddr::V6(_), _))
    }
}

/// What came of looking for servers.
pub struct Found {
    /// Those to try, in order.
    pub servers: Vec<Server>,
    /// Why there are none, or some are missing.
    pub trouble: Option<Status>,
    /// This system is among the exchangers of the destination.
    pub myself: bool,
}

impl Found {
    fn nothing(status: Status) -> Self {
        Self {
            servers: Vec::new(),
            trouble: Some(status),
            myself: false,
        }
    }
}

/// Whether a status says that mail comes back to us.
pub fn is_loop(status: &Status) -> bool {
    status.dsn.subject == 4 && status.dsn.detail == 6
}

/// The status of a question that had no answer. A soft error that came before makes it soft, too.
fn status(answer: &Answer, name: &str, soft: bool) -> Status {
    let text = answer
        .trouble()
        .map_or_else(String::new, |trouble| trouble.text.clone());
    let malformed = text.ends_with(pf_dns::MALFORMED);
    let prefixed = if malformed || !text.starts_with("Name service error") {
        text.clone()
    } else {
        format!("Host or domain name not found. {text}")
    };
    let class = if soft { 4 } else { 5 };
    match answer {
        Answer::NullMx(_) => Status::new(Dsn::new(5, 1, 0), text),
        Answer::Retry(_) => Status::new(Dsn::new(4, 4, 3), prefixed),
        Answer::Fail(_) => Status::new(Dsn::new(class, 4, 3), prefixed),
        Answer::Invalid(_) if !malformed => Status::new(
            Dsn::new(class, 4, 4),
            format!("Name service error for {name}: invalid host or domain name"),
        ),
        _ => Status::new(Dsn::new(class, 4, 4), prefixed),
    }
}

/// One search for the servers of a destination.
struct Search<'a> {
    params: &'a Params,
    resolver: &'a Resolver,
    port: u16,
    loop_detection: bool,
    trouble: Option<Status>,
}

/// Finds the servers of a destination.
pub async fn find(params: &Params, resolver: &Resolver, destination: &Destination) -> Found {
    let mut search = Search {
        params,
        resolver,
        port: destination.port,
        loop_detection: !params.lmtp && destination.port == 25,
        trouble: None,
    };
    let name = ascii(&destination.name);
    let in_dns = destination.exchangers && params.dns_enabled;
    if in_dns && params.srv_services.contains(&destination.service) {
        return search
            .services(&destination.service, &name, !params.lmtp)
            .await;
    }
    if in_dns && !params.lmtp {
        search.exchangers(&name).await
    } else {
        search.one_host(&name).await
    }
}

fn ascii(name: &str) -> String {
    if name.is_ascii() {
        name.to_owned()
    } else {
        idn::to_ascii(name.as_bytes()).unwrap_or_else(|| name.to_owned())
    }
}

impl Search<'_> {
    fn is_soft(&self) -> bool {
        self.trouble
            .as_ref()
            .is_some_and(|status| status.dsn.class == 4)
    }

    /// Adds the addresses of a host.
    async fn addresses(
        &mut self,
        servers: &mut Vec<Server>,
        host: &str,
        preference: u16,
        port: u16,
    ) {
        let (params, resolver) = (self.params, self.resolver);
        let loop_detection = self.loop_detection;
        let server = |address: IpAddr| Server {
            host: host.to_owned(),
            at: Place::Net(address, port),
            best: false,
            loop_detection,
            preference,
        };
        if let Ok(address) = host.parse::<IpAddr>()
            && (address.is_ipv4() && params.ipv4 || address.is_ipv6() && params.ipv6)
        {
            servers.push(server(address));
            return;
        }
        if params.use_dns {
            match self.in_dns(host).await {
                Ok(found) => {
                    servers.extend(found.into_iter().map(server));
                    return;
                }
                Err(answer) => {
                    self.trouble = Some(status(&answer, host, self.is_soft()));
                    let absent = matches!(
                        answer,
                        Answer::NoName(_) | Answer::NoData(_) | Answer::Invalid(_)
                    );
                    if !absent {
                        return;
                    }
                }
            }
        }
        if params.use_native {
            match resolver.native(host, params.ipv4, params.ipv6).await {
                Ok(found) => servers.extend(found.into_iter().map(server)),
                Err(answer) => {
                    let (retry, why) = match answer {
                        Answer::Retry(_) => (true, "Temporary failure in name resolution"),
                        Answer::NoData(_) => (false, "No address associated with hostname"),
                        _ => (false, "Name or service not known"),
                    };
                    let class = if retry || self.is_soft() { 4 } else { 5 };
                    self.trouble = Some(Status::new(
                        Dsn::new(class, 4, 4),
                        format!("unable to look up host {host}: {why}"),
                    ));
                }
            }
        }
    }

    /// The addresses of a host in DNS; of several troubles the worst, and of equal ones the last.
    async fn in_dns(&self, host: &str) -> Result<Vec<IpAddr>, Answer> {
        let mut found = Vec::new();
        let mut trouble: Option<Answer> = None;
        for (wanted, kind) in [(self.params.ipv4, Kind::A), (self.params.ipv6, Kind::Aaaa)] {
            if !wanted {
                continue;
            }
            let answer = self.resolver.lookup(host, kind).await;
            found.extend(
                answer
                    .records()
                    .iter()
                    .filter_map(|record| match record.data {
                        Data::A(address) => Some(IpAddr::V4(address)),
                        Data::Aaaa(address) => Some(IpAddr::V6(address)),
                        _ => None,
                    }),
            );
            if answer.trouble().is_some()
                && trouble
                    .as_ref()
                    .is_none_or(|old| rank(&answer) >= rank(old))
            {
                trouble = Some(answer);
            }
        }
        match trouble {
            Some(answer) if found.is_empty() => Err(answer),
            _ => Ok(found),
        }
    }

    /// A host that is its own destination.
    async fn one_host(&mut self, name: &str) -> Found {
        let mut servers = Vec::new();
        self.addresses(&mut servers, name, 0, self.port).await;
        if self.loop_detection && servers.iter().any(|server| is_own(self.params, server)) {
            return Found::nothing(Status::new(
                Dsn::new(5, 4, 6),
                format!("mail for {name} loops back to myself"),
            ));
        }
        self.found(ordered(self.params, servers), false)
    }

    fn found(&mut self, mut servers: Vec<Server>, myself: bool) -> Found {
        let best = servers.first().map(|server| server.preference);
        for server in &mut servers {
            server.best = Some(server.preference) == best;
        }
        Found {
            trouble: self.trouble.take().filter(|_| servers.is_empty()),
            servers,
            myself,
        }
    }

    async fn exchangers(&mut self, name: &str) -> Found {
        let answer = self.resolver.lookup(name, Kind::Mx).await;
        let mut records = match &answer {
            Answer::Found(found) => found.records.clone(),
            // A domain without exchangers is its own.
            Answer::NoData(_) | Answer::NoName(_) => return self.one_host(name).await,
            // The name itself is at fault, and not what its exchangers are called.
            Answer::Invalid(trouble) if !trouble.text.ends_with(pf_dns::MALFORMED) => {
                return self.one_host(name).await;
            }
            Answer::NullMx(_) => return Found::nothing(status(&answer, name, false)),
            _ if self.params.ignore_mx_error => return self.one_host(name).await,
            _ => return Found::nothing(status(&answer, name, false)),
        };
        records.sort_by_key(|record| match &record.data {
            Data::Mx { preference, .. } => *preference,
            _ => u16::MAX,
        });
        let mut servers = Vec::new();
        let mut best = None;
        for record in &records {
            if let Data::Mx { preference, host } = &record.data {
                best.get_or_insert(*preference);
                self.addresses(&mut servers, host, *preference, self.port)
                    .await;
            }
        }
        if servers.is_empty() {
            warning!("no MX host for {name} has a valid address record");
            if let Some(status) = &mut self.trouble
                && self.params.defer_no_mx_address
            {
                status.dsn = status.dsn.with_class(4);
            }
        }
        let (servers, myself) = self.without_myself(servers, best, name);
        let servers = ordered(self.params, servers);
        self.found(servers, myself)
    }

    /// Takes out this system, and what is as far away as we are or farther: it would only send mail back.
    fn without_myself(
        &mut self,
        mut servers: Vec<Server>,
        best: Option<u16>,
        name: &str,
    ) -> (Vec<Server>, bool) {
        let own = servers
            .iter()
            .filter(|server| self.loop_detection && is_own(self.params, server))
            .map(|server| server.preference)
            .min();
        let Some(own) = own else {
            return (servers, false);
        };
        let nearest = servers.iter().map(|server| server.preference).min();
        servers.retain(|server| server.preference < own);
        if servers.is_empty() {
            self.trouble = Some(if best == nearest {
                Status::new(
                    Dsn::new(5, 4, 6),
                    format!("mail for {name} loops back to myself"),
                )
            } else {
                Status::new(
                    Dsn::new(4, 4, 4),
                    format!("unable to find primary relay for {name}"),
                )
            });
        }
        (servers, true)
    }

    /// The servers that SRV records name (RFC 2782).
    async fn services(&mut self, service: &str, name: &str, to_mx: bool) -> Found {
        let question = format!("_{service}._tcp.{name}");
        let answer = self.resolver.lookup(&question, Kind::Srv).await;
        let mut fall_back = self.params.srv_fallback;
        let mut servers = Vec::new();
        let mut myself = false;
        match &answer {
            Answer::Found(found) if is_null_service(&found.records) => {
                self.trouble = Some(Status::new(
                    Dsn::new(5, 1, 0),
                    format!("Domain {question} does not support SRV requests"),
                ));
            }
            Answer::Found(found) => {
                let records = by_weight(&found.records);
                let best = records.first().map(|(priority, ..)| *priority);
                for (priority, port, host) in &records {
                    self.addresses(&mut servers, host, *priority, *port).await;
                }
                if servers.is_empty() {
                    warning!("no SRV host for {question} has a valid address record");
                }
                (servers, myself) = self.without_myself(servers, best, &question);
            }
            Answer::NoData(_) | Answer::NoName(_) => {
                self.trouble = Some(status(&answer, &question, false))
            }
            _ => {
                fall_back |= self.params.ignore_srv_error;
                self.trouble = Some(status(&answer, &question, false));
            }
        }
        if servers.is_empty() && fall_back {
            let why = self
                .trouble
                .take()
                .map(|status| status.reason)
                .unwrap_or_default();
            info!(
                "skipping SRV lookup for {question}: {}",
                String::from_utf8_lossy(&why)
            );
            return if to_mx {
                self.exchangers(name).await
            } else {
                self.one_host(name).await
            };
        }
        let servers = balanced(self.params, servers);
        self.found(servers, myself)
    }
}

/// How bad a trouble is; what may pass is worst, because it must not make a failure final.
fn rank(answer: &Answer) -> u8 {
    match answer {
        Answer::Retry(_) => 2,
        Answer::Fail(_) => 1,
        _ => 0,
    }
}

/// One record without a host says that there is no such service.
fn is_null_service(records: &[Record]) -> bool {
    matches!(records, [Record { data: Data::Srv { host, .. }, .. }] if host.is_empty())
}

/// The records by priority; among equals by chance, as their weights say.
fn by_weight(records: &[Record]) -> Vec<(u16, u16, String)> {
    let mut left: Vec<(u16, u16, u16, &String)> = records
        .iter()
        .filter_map(|record| match &record.data {
            Data::Srv {
                priority,
                weight,
                port,
                host,
            } => Some((*priority, *weight, *port, host)),
            _ => None,
        })
        .collect();
    let mut out = Vec::with_capacity(left.len());
    while let Some(priority) = left.iter().map(|(priority, ..)| *priority).min() {
        let equals = || left.iter().filter(|record| record.0 == priority);
        let total: u64 = equals().map(|record| u64::from(record.1)).sum();
        let mut threshold = chance() % (total + 1);
        let chosen = left.iter().position(|record| {
            if record.0 != priority {
                return false;
            }
            let weight = u64::from(record.1);
            if weight >= threshold {
                return true;
            }
            threshold -= weight;
            false
        });
        let Some(chosen) = chosen else { break };
        let (priority, _, port, host) = left.remove(chosen);
        out.push((priority, port, host.clone()));
    }
    out
}

/// A number that nobody knows beforehand.
fn chance() -> u64 {
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

/// Whether a server is this system: one of its addresses, or of a proxy's.
fn is_own(params: &Params, server: &Server) -> bool {
    match &server.at {
        Place::Net(address, _) => {
            params.own_addresses.contains(address) || params.proxy_addresses.contains(address)
        }
        Place::Socket(_) => false,
    }
}

/// Sorts by preference; equals by chance and by the preferred address family.
fn ordered(params: &Params, mut servers: Vec<Server>) -> Vec<Server> {
    if servers.len() < 2 {
        return servers;
    }
    if params.randomize {
        servers.sort_by_cached_key(|_| chance());
    }
    servers.sort_by_key(|server| {
        let last = match params.preference {
            Preference::Any => false,
            Preference::V4 => server.is_ipv6(),
            Preference::V6 => !server.is_ipv6(),
        };
        (server.preference, last)
    });
    balanced(params, servers)
}

/// Takes out some servers of a family that would leave no room for the other one.
fn balanced(params: &Params, mut servers: Vec<Server>) -> Vec<Server> {
    let limit = params.mx_address_limit.min(pf_dns::MAX_RECORDS);
    if limit == 0 || !params.balance {
        return servers;
    }
    let v6 = servers.iter().filter(|server| server.is_ipv6()).count();
    let v4 = servers.len() - v6;
    if v4 == 0 || v6 == 0 || servers.len() <= limit {
        return servers;
    }
    let v4_first = servers.first().is_some_and(|server| !server.is_ipv6());
    let (mut keep4, mut keep6) = if v6 <= limit / 2 {
        (limit - v6, v6)
    } else if v4 <= limit / 2 {
        (v4, limit - v4)
    } else {
        let v4_part = (limit + usize::from(v4_first)) / 2;
        (v4_part, limit - v4_part)
    };
    servers.retain(|server| {
        let keep = if server.is_ipv6() {
            &mut keep6
        } else {
            &mut keep4
        };
        let kept = *keep > 0;
        *keep = keep.saturating_sub(1);
        kept
    });
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn srv(priority: u16, weight: u16, host: &str) -> Record {
        Record {
            name: String::new(),
            kind: Kind::Srv,
            ttl: 0,
            data: Data::Srv {
                priority,
                weight,
                port: 25,
                host: host.to_owned(),
            },
        }
    }

    #[test]
    fn services_go_by_priority_then_chance() {
        let records = [srv(2, 0, "c"), srv(1, 0, "a"), srv(1, 100, "b")];
        let mut first = std::collections::HashSet::new();
        for _ in 0..500 {
            let order = by_weight(&records);
            assert_eq!(order.len(), 3);
            assert_eq!(order[2].2, "c");
            first.insert(order[0].2.clone());
        }
        assert!(first.contains("b"));
        assert!(is_null_service(&[srv(0, 0, "")]) && !is_null_service(&records));
    }
}
