//! In which order servers are tried. No I/O.

use std::hash::{BuildHasher as _, Hasher as _};

use pf_dns::{Data, Record};

use crate::params::{Params, Preference};
use crate::server::Server;

/// The records by priority; among equals by chance, as their weights say.
pub(crate) fn by_weight(records: &[Record]) -> Vec<(u16, u16, String)> {
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

/// Sorts by preference; equals by chance and by the preferred address family.
pub(crate) fn ordered(params: &Params, mut servers: Vec<Server>) -> Vec<Server> {
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
pub(crate) fn balanced(params: &Params, mut servers: Vec<Server>) -> Vec<Server> {
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
    use pf_dns::Kind;

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
    }
}
