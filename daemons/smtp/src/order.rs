//! In which order servers are tried. No I/O.

use crate::params::{Params, Preference};
use crate::server::Server;

/// Sorts by preference; equals by chance and by the preferred address family.
pub(crate) fn ordered(params: &Params, mut servers: Vec<Server>) -> Vec<Server> {
    if servers.len() < 2 {
        return servers;
    }
    if params.randomize {
        pf_dns::shuffle(&mut servers);
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
