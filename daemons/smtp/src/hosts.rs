//! From a destination to the servers to try, in order.

use std::net::IpAddr;

use pf_address::idn;
use pf_dns::{Answer, Data, Kind, Resolver};
use pf_dsn::{Dsn, Outcome, Status};

use crate::params::{Params, Preference};

/// A destination as the queue manager names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The domain or host.
    pub name: String,
    /// The port.
    pub port: u16,
    /// Whether mail exchangers are looked up: not for `[host]`.
    pub exchangers: bool,
}

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name.
    pub host: String,
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// How preferred it is; lower is better.
    preference: u16,
}

impl Server {
    /// `host[address]`, as in replies to the sender.
    pub fn title(&self) -> String {
        format!("{}[{}]", self.host, self.address)
    }

    /// `host[address]:port`, as in the log.
    pub fn relay(&self) -> String {
        format!("{}[{}]:{}", self.host, self.address, self.port)
    }
}

/// Parses `host`, `[host]`, `host:port`, `[host]:port`.
///
/// # Errors
/// What is wrong with it.
pub fn parse(nexthop: &str, default_port: &str) -> Result<Destination, String> {
    let (name, port, exchangers) = match nexthop.strip_prefix('[') {
        Some(rest) => {
            let (name, tail) = rest
                .split_once(']')
                .ok_or_else(|| format!("missing \"]\" in \"{nexthop}\""))?;
            let name = name
                .get(..5)
                .filter(|tag| tag.eq_ignore_ascii_case("ipv6:"))
                .map_or(name, |_| name.get(5..).unwrap_or(name));
            match tail.strip_prefix(':') {
                Some(port) => (name, port, false),
                None if tail.is_empty() => (name, default_port, false),
                None => return Err(format!("garbage after \"]\" in \"{nexthop}\"")),
            }
        }
        None => match nexthop.rsplit_once(':') {
            Some((name, port)) => (name, port, true),
            None => (nexthop, default_port, true),
        },
    };
    let port = port_number(port).ok_or_else(|| format!("unknown service: {port}/tcp"))?;
    Ok(Destination {
        name: name.to_owned(),
        port,
        exchangers,
    })
}

fn port_number(name: &str) -> Option<u16> {
    match name.parse() {
        Ok(0) => None,
        Ok(port) => Some(port),
        Err(_) => match name {
            "smtp" => Some(25),
            "lmtp" => Some(24),
            "submission" => Some(587),
            "submissions" | "smtps" => Some(465),
            _ => {
                let services = std::fs::read_to_string("/etc/services").unwrap_or_default();
                services.lines().find_map(|line| {
                    let mut words = line.split('#').next()?.split_whitespace();
                    let official = words.next()?;
                    let port = words.next()?.strip_suffix("/tcp")?;
                    (official == name || words.any(|alias| alias == name))
                        .then(|| port.parse().ok())?
                })
            }
        },
    }
}

/// What came of looking for servers.
pub enum Found {
    /// These, in the order to try.
    Servers(Vec<Server>),
    /// None, and that is final or not.
    None(Outcome),
    /// This system is the best exchanger: mail would come back to us.
    Loop,
}

/// The outcome of a question that had no answer.
fn outcome(answer: &Answer) -> Outcome {
    let text = answer
        .trouble()
        .map_or(String::new(), |trouble| trouble.text.clone());
    let prefixed = format!("Host or domain name not found. {text}");
    match answer {
        Answer::NullMx(_) => Outcome::Bounce(Status::new(Dsn::new(5, 1, 10), text)),
        Answer::Retry(_) => Outcome::Defer(Status::new(Dsn::new(4, 4, 3), prefixed)),
        Answer::Fail(_) => Outcome::Bounce(Status::new(Dsn::new(5, 4, 3), prefixed)),
        _ => Outcome::Bounce(Status::new(Dsn::new(5, 4, 4), prefixed)),
    }
}

/// Finds the servers of a destination.
pub async fn find(params: &Params, resolver: &Resolver, destination: &Destination) -> Found {
    if destination.exchangers && params.use_dns && !params.lmtp {
        exchangers(params, resolver, destination).await
    } else {
        match host(params, resolver, &destination.name, destination.port, 0).await {
            Ok(servers) => Found::Servers(ordered(params, servers)),
            Err(answer) => Found::None(outcome(&answer)),
        }
    }
}

/// All addresses of a host.
async fn host(
    params: &Params,
    resolver: &Resolver,
    name: &str,
    port: u16,
    preference: u16,
) -> Result<Vec<Server>, Answer> {
    let server = |address: IpAddr| Server {
        host: name.to_owned(),
        address,
        port,
        preference,
    };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![server(address)]);
    }
    let ascii = idn::to_ascii(name.as_bytes()).unwrap_or_else(|| name.to_owned());
    let addresses = if params.use_native && !params.use_dns {
        resolver.native(&ascii, params.ipv4, params.ipv6).await
    } else {
        match resolver.addresses(&ascii, params.ipv4, params.ipv6).await {
            Err(_) if params.use_native => resolver.native(&ascii, params.ipv4, params.ipv6).await,
            other => other,
        }
    };
    Ok(addresses?.into_iter().map(server).collect())
}

async fn exchangers(params: &Params, resolver: &Resolver, destination: &Destination) -> Found {
    let ascii =
        idn::to_ascii(destination.name.as_bytes()).unwrap_or_else(|| destination.name.clone());
    let answer = resolver.lookup(&ascii, Kind::Mx).await;
    let records = match &answer {
        Answer::Found(found) => found.records.clone(),
        Answer::NoData(_) | Answer::NoName(_) | Answer::Invalid(_) => {
            // A domain without exchangers is its own.
            if matches!(answer, Answer::NoName(_) | Answer::Invalid(_)) && !params.use_native {
                return Found::None(outcome(&answer_as(answer, &destination.name)));
            }
            return match host(params, resolver, &destination.name, destination.port, 0).await {
                Ok(servers) => Found::Servers(ordered(params, servers)),
                Err(answer) => Found::None(outcome(&answer)),
            };
        }
        Answer::Retry(_) if params.ignore_mx_error => {
            return match host(params, resolver, &destination.name, destination.port, 0).await {
                Ok(servers) => Found::Servers(ordered(params, servers)),
                Err(answer) => Found::None(outcome(&answer)),
            };
        }
        _ => return Found::None(outcome(&answer)),
    };
    let mut servers = Vec::new();
    let mut trouble: Option<Answer> = None;
    for record in records {
        let Data::Mx {
            preference,
            host: name,
        } = record.data
        else {
            continue;
        };
        match host(params, resolver, &name, destination.port, preference).await {
            Ok(found) => servers.extend(found),
            Err(answer) => {
                if trouble.is_none() || matches!(answer, Answer::Retry(_)) {
                    trouble = Some(answer);
                }
            }
        }
    }
    let best = servers.iter().map(|server| server.preference).min();
    let own = servers
        .iter()
        .filter(|server| is_own(params, server))
        .map(|server| server.preference)
        .min();
    if let Some(own) = own {
        // Those that are as far away as we are, or farther, would only send it back.
        if Some(own) == best {
            return Found::Loop;
        }
        servers.retain(|server| server.preference < own);
    }
    if servers.is_empty() {
        let Some(answer) = trouble else {
            return Found::None(Outcome::Bounce(Status::new(
                Dsn::new(5, 4, 4),
                format!("unable to find primary relay for {}", destination.name),
            )));
        };
        let found = outcome(&answer);
        return Found::None(if params.defer_no_mx_address {
            Outcome::Defer(Status {
                dsn: found.status().dsn.with_class(4),
                ..found.status().clone()
            })
        } else {
            found
        });
    }
    Found::Servers(ordered(params, servers))
}

/// The same outcome under the name that the sender wrote.
fn answer_as(answer: Answer, _name: &str) -> Answer {
    answer
}

/// Whether a server is this system: one of its addresses, or of a proxy's, on our own port.
fn is_own(params: &Params, server: &Server) -> bool {
    server.port == 25
        && (params.own_addresses.contains(&server.address)
            || params.proxy_addresses.contains(&server.address))
}

/// Sorts by preference; equals by chance and by the preferred address family.
fn ordered(params: &Params, mut servers: Vec<Server>) -> Vec<Server> {
    use std::hash::{BuildHasher as _, Hasher as _};
    if params.randomize && servers.len() > 1 {
        let state = std::collections::hash_map::RandomState::new();
        servers.sort_by_cached_key(|server| {
            let mut hasher = state.build_hasher();
            hasher.write(server.address.to_string().as_bytes());
            hasher.finish()
        });
    }
    servers.sort_by_key(|server| {
        let family = match params.preference {
            Preference::Any => 0,
            Preference::V4 => u8::from(server.address.is_ipv6()),
            Preference::V6 => u8::from(server.address.is_ipv4()),
        };
        (server.preference, family)
    });
    servers.dedup_by(|one, other| one.address == other.address && one.port == other.port);
    if params.mx_address_limit > 0 {
        servers.truncate(params.mx_address_limit);
    }
    servers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let to = |text: &str| parse(text, "smtp").map(|d| (d.name, d.port, d.exchangers));
        assert_eq!(to("a.example"), Ok(("a.example".into(), 25, true)));
        assert_eq!(to("[a.example]:26"), Ok(("a.example".into(), 26, false)));
        assert_eq!(
            to("a.example:submission"),
            Ok(("a.example".into(), 587, true))
        );
        assert_eq!(to("[IPv6:::1]"), Ok(("::1".into(), 25, false)));
        assert!(
            to("[a").is_err()
                && to("[a]b").is_err()
                && to("a:0").is_err()
                && to("a:nosuchservice").is_err()
        );
    }
}
