//! Destinations of mail: `host`, `[host]`, `host:service`, `[host]:service` (transport(5)).

use std::path::Path;

use pf_text::hostaddr::{valid_hostaddr, valid_ipv6};
use pf_text::hostname::valid_hostname;

/// A destination as the queue manager names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The domain or host.
    pub name: String,
    /// The service as it was written: a name or a number.
    pub service: String,
    /// The port.
    pub port: u16,
    /// Whether mail exchangers are looked up: not for `[host]`.
    pub exchangers: bool,
}

/// Parses `host`, `[host]`, `host:port`, `[host]:port`. `known` are names of ports that the system's table need not know
/// (`known_tcp_ports`: `smtp=25, smtps=submissions=465`).
///
/// # Errors
/// What is wrong with it.
pub fn parse_destination(
    nexthop: &str,
    default_port: &str,
    known: &str,
) -> Result<Destination, String> {
    let malformed = |why: &str| Err(format!("{why} in server description: {nexthop}"));
    let (name, service, exchangers) = match nexthop.strip_prefix('[') {
        Some(rest) => {
            let Some((name, tail)) = rest.split_once(']') else {
                return malformed("missing \"]\"");
            };
            let Some(port) = tail.strip_prefix(':').or(tail.is_empty().then_some("")) else {
                return malformed("garbage after \"]\"");
            };
            let tagged = name
                .split_at_checked(5)
                .filter(|(tag, _)| tag.eq_ignore_ascii_case("ipv6:"));
            if tagged.is_some_and(|(_, address)| !valid_ipv6(address.as_bytes())) {
                return malformed("malformed IPv6 address");
            }
            (tagged.map_or(name, |(_, address)| address), port, false)
        }
        None => {
            let (name, port) = nexthop.rsplit_once(':').unwrap_or((nexthop, ""));
            (name, port, true)
        }
    };
    if name.is_empty() && exchangers {
        return malformed("missing host information");
    }
    if !valid_hostname(name.as_bytes()) && !valid_hostaddr(name.as_bytes()) {
        return malformed("valid hostname or network address required");
    }
    let numeric = service.starts_with(|first: char| first.is_ascii_digit());
    if numeric && !service.bytes().all(|byte| byte.is_ascii_digit()) {
        return malformed("garbage after numerical service");
    }
    let service = if service.is_empty() {
        default_port
    } else {
        service
    };
    let port = port_of(service, known).ok_or_else(|| {
        if numeric {
            format!("bad network port: {service} for destination: {nexthop}")
        } else {
            format!("unknown service: {service}/tcp")
        }
    })?;
    Ok(Destination {
        name: name.to_owned(),
        service: service.to_owned(),
        port,
        exchangers,
    })
}

/// The port of a service of the system's table, or a number.
pub fn port_number(name: &str) -> Option<u16> {
    port_of(
        name,
        "lmtp=24, smtp=25, smtps=submissions=465, submission=587",
    )
}

fn port_of(name: &str, known: &str) -> Option<u16> {
    let known = known
        .split([',', ' ', '\t'])
        .filter_map(|entry| entry.rsplit_once('='))
        .find(|(names, _)| names.split('=').any(|other| other == name));
    let name = known.map_or(name, |(_, port)| port);
    if let Ok(port) = name.parse() {
        return Some(port).filter(|port| *port > 0);
    }
    let services = std::fs::read_to_string(Path::new("/etc/services")).unwrap_or_default();
    let found = services.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let official = words.next()?;
        let port = words.next()?.strip_suffix("/tcp")?;
        (official == name || words.any(|alias| alias == name)).then(|| port.parse().ok())?
    });
    // Mail goes out also where nobody knows any services.
    found.or((name == "smtp").then_some(25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let known = "smtp=25, smtps=submissions=465, submission=587";
        let to = |text: &str| {
            parse_destination(text, "smtp", known).map(|d| (d.name, d.port, d.exchangers))
        };
        assert_eq!(to("a.example"), Ok(("a.example".into(), 25, true)));
        assert_eq!(to("[a.example]:26"), Ok(("a.example".into(), 26, false)));
        assert_eq!(
            to("a.example:submission"),
            Ok(("a.example".into(), 587, true))
        );
        assert_eq!(to("[IPv6:::1]"), Ok(("::1".into(), 25, false)));
        assert_eq!(to("a.example:"), Ok(("a.example".into(), 25, true)));
        assert_eq!(to("[a]:smtps"), Ok(("a".into(), 465, false)));
        assert_eq!(
            to("a..b"),
            Err("valid hostname or network address required in server description: a..b".into())
        );
        assert!(
            to("[a").is_err()
                && to("a:25x").is_err()
                && to("[ipv6:a]").is_err()
                && to("[a]b").is_err()
                && to("a:0").is_err()
                && to("[]").is_err()
                && to("a:nosuchservice").is_err()
        );
    }
}
