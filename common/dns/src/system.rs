//! `/etc/resolv.conf` (resolv.conf(5)).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// Whom to ask, and how patiently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvConf {
    /// The servers, in order; at most three.
    pub servers: Vec<SocketAddr>,
    /// How long one server may take.
    pub timeout: Duration,
    /// How often all of them are asked.
    pub attempts: u32,
    /// Whether the servers' word on authenticity counts (`options trust-ad`).
    pub trust_ad: bool,
    /// Domains to append to names.
    pub search: Vec<String>,
    /// A name with this many dots is first tried as it is.
    pub ndots: usize,
}

impl Default for ResolvConf {
    fn default() -> Self {
        Self {
            servers: vec![SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53)],
            timeout: Duration::from_secs(5),
            attempts: 2,
            trust_ad: false,
            search: Vec::new(),
            ndots: 1,
        }
    }
}

impl ResolvConf {
    /// Reads the system's file; without one, a server on this host is asked.
    pub fn system() -> Self {
        Self::parse(&std::fs::read_to_string(Path::new("/etc/resolv.conf")).unwrap_or_default())
    }

    /// Parses the file's text.
    pub fn parse(text: &str) -> Self {
        let mut conf = Self {
            servers: Vec::new(),
            ..Self::default()
        };
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // A scope behind the address does not matter to us.
                    let address = words
                        .next()
                        .and_then(|word| word.split('%').next()?.parse().ok());
                    if let (Some(address), true) = (address, conf.servers.len() < 3) {
                        conf.servers.push(SocketAddr::new(address, 53));
                    }
                }
                Some("domain" | "search") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => {
                    for option in words {
                        let number = |name: &str| option.strip_prefix(name)?.parse::<u32>().ok();
                        if let Some(seconds) = number("timeout:") {
                            conf.timeout = Duration::from_secs(u64::from(seconds.clamp(1, 30)));
                        } else if let Some(attempts) = number("attempts:") {
                            conf.attempts = attempts.clamp(1, 5);
                        } else if let Some(dots) = number("ndots:") {
                            conf.ndots = usize::try_from(dots.min(15)).unwrap_or(1);
                        } else if option == "trust-ad" {
                            conf.trust_ad = true;
                        }
                    }
                }
                _ => {}
            }
        }
        if conf.servers.is_empty() {
            conf.servers = Self::default().servers;
        }
        conf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_file() {
        let conf = ResolvConf::parse(
            "# c\nnameserver 127.0.0.1\nnameserver ::1\nsearch a b\noptions timeout:1 attempts:3 trust-ad\n",
        );
        assert_eq!(conf.servers.len(), 2);
        assert_eq!(
            (conf.timeout, conf.attempts, conf.trust_ad),
            (Duration::from_secs(1), 3, true)
        );
        assert_eq!(conf.search, ["a", "b"]);
        assert_eq!(ResolvConf::parse("").servers, ResolvConf::default().servers);
    }
}
