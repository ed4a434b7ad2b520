//! `/etc/hosts` (hosts(5)).

use std::net::IpAddr;

/// The names and addresses of a hosts file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    lines: Vec<(IpAddr, Vec<String>)>,
}

impl Hosts {
    /// Reads the system's file.
    pub fn system() -> Self {
        Self::parse(&std::fs::read_to_string("/etc/hosts").unwrap_or_default())
    }

    /// Parses the file's text.
    pub fn parse(text: &str) -> Self {
        let lines = text
            .lines()
            .filter_map(|line| {
                let mut words = line.split('#').next()?.split_whitespace();
                let address = words.next()?.parse().ok()?;
                Some((address, words.map(str::to_owned).collect()))
            })
            .collect();
        Self { lines }
    }

    /// All addresses of a name.
    pub fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let name = name.strip_suffix('.').unwrap_or(name);
        self.lines
            .iter()
            .filter(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .map(|(address, _)| *address)
            .collect()
    }

    /// The first name of an address.
    pub fn name(&self, address: IpAddr) -> Option<&str> {
        self.lines
            .iter()
            .find(|(known, _)| *known == address)
            .and_then(|(_, names)| names.first().map(String::as_str))
    }
}
