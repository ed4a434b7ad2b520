//! A session as it is handed to another process: the descriptor, and what there is to know, as lines of `name=value`.

use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pf_log::warning;
use pf_proto::scache::Kept;

use crate::connection::{Connection, Link};
use crate::features::Features;
use crate::params::Params;
use crate::server::{Place, Server};
use crate::session::Session;

/// The server is among the best ones of its destination.
const BEST: u32 = 1 << 12;
/// A firewall that cannot cope with a dot at the start of a packet.
const DELAY_DOT: u32 = 1 << 17;
/// The XFORWARD attributes.
const XFORWARD: [(&str, u32); 7] = [
    ("NAME", 1 << 7),
    ("ADDR", 1 << 8),
    ("PROTO", 1 << 9),
    ("HELO", 1 << 10),
    ("SOURCE", 1 << 11),
    ("PORT", 1 << 18),
    ("IDENT", 1 << 20),
];

/// What is known of the destination.
pub fn destination(session: &Session, nexthop: &str) -> Vec<u8> {
    let (address, port) = match &session.place {
        Place::Net(address, port) => (address.to_string(), port.to_be()),
        Place::Socket(path) => (path.clone(), 0),
    };
    let best = if session.best { BEST } else { 0 };
    format!(
        "destination={nexthop}\nhost_name={}\nhost_addr={address}\nhost_port={port}\ndestination_features={best}\n\n",
        session.host
    )
    .into_bytes()
}

/// What is known of the session.
pub fn endpoint(params: &Params, session: &Session) -> Vec<u8> {
    let left = params.reuse_time.saturating_sub(session.made.elapsed());
    let until = SystemTime::now() + left;
    let until = until.duration_since(UNIX_EPOCH).unwrap_or_default();
    format!(
        "tls_level=0\nreuse_count={}\nendpoint_features={}\nexpire_time={}\n\n",
        session.reuses,
        bits(&session.features, session.delay_dot),
        until.as_secs()
    )
    .into_bytes()
}

fn bits(features: &Features, delay_dot: bool) -> u32 {
    let mut bits = 0;
    for (has, bit) in [
        (features.esmtp, 1),
        (features.eightbit, 1 << 1),
        (features.pipelining, 1 << 2),
        (features.size, 1 << 3),
        (features.dsn, 1 << 15),
        (delay_dot, DELAY_DOT),
        (features.smtputf8, 1 << 21),
    ] {
        bits |= if has { bit } else { 0 };
    }
    let offered = |name: &str| features.xforward.iter().any(|other| other == name);
    XFORWARD
        .iter()
        .filter(|(name, _)| offered(name))
        .fold(bits, |bits, (_, bit)| bits | bit)
}

fn features(bits: u32) -> Features {
    let has = |bit: u32| bits & bit != 0;
    Features {
        esmtp: has(1),
        eightbit: has(1 << 1),
        pipelining: has(1 << 2),
        size: has(1 << 3),
        dsn: has(1 << 15),
        smtputf8: has(1 << 21),
        xforward: XFORWARD
            .iter()
            .filter(|(_, bit)| has(*bit))
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        ..Features::default()
    }
}

fn value<'a>(properties: &'a str, name: &str) -> Option<&'a str> {
    properties
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
}

fn number<T: std::str::FromStr>(properties: &str, name: &str) -> Option<T> {
    value(properties, name)?.parse().ok()
}

/// A session that another process has left; `server` is the one that was asked for, if it was not a destination.
pub fn revive(params: &Params, kept: Kept, server: Option<&Server>) -> Option<Session> {
    let session = try_revive(params, kept, server);
    if session.is_none() {
        warning!("bad cached session attribute");
    }
    session
}

fn try_revive(params: &Params, kept: Kept, server: Option<&Server>) -> Option<Session> {
    let known = String::from_utf8(kept.endpoint).ok()?;
    let bound = String::from_utf8(kept.destination).ok()?;
    let (host, place, best) = match server {
        Some(server) => (server.host.clone(), server.at.clone(), server.best),
        None => {
            let address = value(&bound, "host_addr")?;
            let port: u16 = number(&bound, "host_port")?;
            let place = match address.parse::<IpAddr>() {
                Ok(address) if port > 0 => Place::Net(address, u16::from_be(port)),
                _ => Place::Socket(address.to_owned()),
            };
            let best = number::<u32>(&bound, "destination_features")? & BEST != 0;
            (value(&bound, "host_name")?.to_owned(), place, best)
        }
    };
    let bits: u32 = number(&known, "endpoint_features")?;
    let until = UNIX_EPOCH + Duration::from_secs(number(&known, "expire_time")?);
    let left = until.duration_since(SystemTime::now()).unwrap_or_default();
    let age = params.reuse_time.saturating_sub(left);
    let link = Link::adopt(kept.fd, matches!(place, Place::Net(..))).ok()?;
    let mut session = Session::with(params, Connection::new(link), host, place, best);
    session.features = features(bits);
    session.delay_dot = bits & DELAY_DOT != 0;
    session.reuses = number(&known, "reuse_count")?;
    session.made = Instant::now().checked_sub(age)?;
    session.cacheable = true;
    session.revived = true;
    Some(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_survive() {
        let all = Features {
            esmtp: true,
            pipelining: true,
            dsn: true,
            xforward: vec!["NAME".to_owned(), "IDENT".to_owned()],
            ..Features::default()
        };
        assert_eq!(features(bits(&all, true)), all);
        assert_eq!(bits(&all, true) & DELAY_DOT, DELAY_DOT);
    }

    #[test]
    fn lines_of_properties() {
        assert_eq!(value("a=b=c\nab=d\n\n", "a"), Some("b=c"));
        assert_eq!(number::<u16>("n=70000\n", "n"), None);
    }
}
