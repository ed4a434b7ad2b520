//! Destinations of mail: `host`, `[host]`, `host:service`, `[host]:service` (transport(5)).

use std::path::Path;

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

/// Parses `host`, `[host]`, `host:port`, `[host]:port`.
///
/// # Errors
/// What is wrong with it.
pub fn parse_destination(nexthop: &str, default_port: &str) -> Result<Destination, String> {
    let (name, service, exchangers) = match nexthop.strip_prefix('[') {
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
    if name.is_empty() {
        return Err(format!("empty hostname: {nexthop}"));
    }
    let port = port_number(service).ok_or_else(|| format!("unknown service: {service}/tcp"))?;
    Ok(Destination {
        name: name.to_owned(),
        service: service.to_owned(),
        port,
        exchangers,
    })
}

/// The number of a TCP port, from a number or a name of services(5).
pub fn port_number(name: &str) -> Option<u16> {
    match name.parse() {
        Ok(0) => None,
        Ok(port) => Some(port),
        Err(_) => match name {
            "smtp" => Some(25),
            "lmtp" => Some(24),
            "submission" => Some(587),
            "submissions" | "smtps" => Some(465),
            _ => {
                let services =
                    std::fs::read_to_string(Path::new("/etc/services")).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destinations() {
        let to =
            |text: &str| parse_destination(text, "smtp").map(|d| (d.name, d.port, d.exchangers));
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
                && to("[]").is_err()
                && to("a:nosuchservice").is_err()
        );
    }
}
