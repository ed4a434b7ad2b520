//! Chance among equals.

use std::hash::{BuildHasher as _, Hasher as _};

use crate::{Data, Record};

/// Service locations by priority; among equals by chance, as their weights say (RFC 2782): priority, port and host of each.
pub fn by_weight(records: &[Record]) -> Vec<(u16, u16, String)> {
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

/// Brings things into an order that nobody knows beforehand.
pub fn shuffle<T>(things: &mut [T]) {
    things.sort_by_cached_key(|_| chance());
}

fn chance() -> u64 {
    std::collections::hash_map::RandomState::new()
        .build_hasher()
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

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
