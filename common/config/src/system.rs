//! Defaults that depend on the machine: its name, its accounts, the networks of its interfaces.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;

use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

use crate::Error;

/// What stands for the domain of a machine whose name has none.
const DEFAULT_DOMAIN: &str = "localdomain";

/// What strerror(3) says of an error, without Rust's error number.
pub fn reason(err: &io::Error) -> String {
    let mut text = err.to_string();
    if let (Some(_), Some(end)) = (err.raw_os_error(), text.rfind(" (os error ")) {
        text.truncate(end);
    }
    text
}

/// The last part of the name by which the program was called.
pub(crate) fn process_name() -> String {
    std::env::args_os()
        .next()
        .as_deref()
        .and_then(|arg| Path::new(arg).file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn hostname() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// The machine's name; one without a dot gets `domain`, or else a domain that says so.
pub fn full_hostname(domain: Option<&str>) -> String {
    let name = hostname();
    if name.contains('.') {
        name
    } else {
        format!("{name}.{}", domain.unwrap_or(DEFAULT_DOMAIN))
    }
}

/// What follows the first dot.
pub fn domain_of(host: &str) -> &str {
    host.split_once('.')
        .map_or(DEFAULT_DOMAIN, |(_, domain)| domain)
}

/// The first line of the file that a parameter names, as Debian allows for `myorigin`.
pub(crate) fn first_line(parameter: &str, path: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|err| Error(format!("{path}: open file {path}: {}", reason(&err))))?;
    let line = text.lines().next().unwrap_or_default().trim().to_owned();
    if line.is_empty() {
        return Err(Error(format!("{parameter} file {path} is empty")));
    }
    Ok(line)
}

/// The complaint about a configuration file that cannot be read.
pub fn unreadable(path: &str, err: &io::Error) -> String {
    let attempt = match err.kind() {
        io::ErrorKind::IsADirectory => "read",
        _ => "open",
    };
    format!("{attempt} {path}: {}", reason(err))
}

/// Reads a file; once more, after a pause, when somebody changes it meanwhile: it may be half written.
pub fn read_quiet_file(path: &Path) -> io::Result<Vec<u8>> {
    const TRIES: u32 = 10;
    const PAUSE: Duration = Duration::from_millis(300);
    let mut tries = 0;
    loop {
        let mut file = File::open(path)?;
        let before = file.metadata()?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let after = file.metadata()?;
        tries += 1;
        let quiet = before.modified()? == after.modified()? && before.len() == after.len();
        if quiet || tries >= TRIES {
            return Ok(text);
        }
        std::thread::sleep(PAUSE);
    }
}

/// An address of an interface with the length of its network's prefix.
pub type Interface = (IpAddr, u32);

/// Which address families `inet_protocols` allows: IPv4, IPv6.
///
/// # Errors
/// It has a word other than `all`, `ipv4`, `ipv6`.
pub fn families(protocols: &str) -> Result<(bool, bool), Error> {
    let mut found = (false, false);
    for word in protocols.split([',', ' ', '\t', '\r', '\n']) {
        match word {
            "" => {}
            "all" => found = (true, true),
            "ipv4" => found.0 = true,
            "ipv6" => found.1 = true,
            _ => {
                return Err(Error(format!(
                    "unknown inet_protocols value \"{word}\" in \"{protocols}\""
                )));
            }
        }
    }
    Ok(found)
}

/// The addresses of the interfaces that are up, IPv4 first.
fn local_interfaces(protocols: (bool, bool)) -> Result<Vec<Interface>, Error> {
    let list = getifaddrs().map_err(|err| {
        Error(format!(
            "inet_addr_local[getifaddrs]: getifaddrs: {}",
            reason(&err.into())
        ))
    })?;
    let mut v4 = Vec::new();
    let mut v6 = Vec::new();
    for entry in list {
        if !entry.flags.contains(InterfaceFlags::IFF_UP) {
            continue;
        }
        let (Some(address), Some(mask)) = (entry.address, entry.netmask) else {
            continue;
        };
        if let (Some(address), Some(mask)) = (address.as_sockaddr_in(), mask.as_sockaddr_in()) {
            let mask = u32::from(mask.ip());
            if protocols.0 && !address.ip().is_unspecified() {
                v4.push((IpAddr::V4(address.ip()), mask.leading_ones()));
            }
        } else if let (Some(address), Some(mask)) =
            (address.as_sockaddr_in6(), mask.as_sockaddr_in6())
        {
            let mask = u128::from(mask.ip());
            if protocols.1 && !address.ip().is_unspecified() {
                v6.push((IpAddr::V6(address.ip()), mask.leading_ones()));
            }
        }
    }
    v4.extend(v6);
    Ok(v4)
}

/// The addresses of `inet_interfaces`, with the lengths of their networks; of all interfaces for `all`.
///
/// # Errors
/// A name or address is none of an interface of this host.
pub fn own_interfaces(interfaces: &str, protocols: &str) -> Result<Vec<Interface>, Error> {
    let protocols = families(protocols)?;
    if protocols == (false, false) {
        return Ok(Vec::new());
    }
    let local = local_interfaces(protocols)?;
    if local.is_empty() {
        return Err(Error("could not find any active network interfaces".into()));
    }
    match interfaces {
        "all" => return Ok(local),
        "loopback-only" => {
            return Ok(local
                .into_iter()
                .filter(|(address, _)| address.is_loopback())
                .collect());
        }
        _ => {}
    }
    let mut own: Vec<Interface> = Vec::new();
    for name in interfaces.split([',', ' ', '\t']).filter(|n| !n.is_empty()) {
        for address in addresses_of(name, protocols)? {
            if own.iter().any(|(known, _)| *known == address) {
                continue;
            }
            let found = local.iter().find(|(known, _)| *known == address);
            own.push(*found.ok_or_else(|| {
                Error(format!(
                    "parameter inet_interfaces: no local interface found for {address}"
                ))
            })?);
        }
    }
    Ok(own)
}

fn addresses_of(name: &str, protocols: (bool, bool)) -> Result<Vec<IpAddr>, Error> {
    let bare = name
        .strip_prefix('[')
        .and_then(|n| n.strip_suffix(']'))
        .unwrap_or(name);
    let all: Vec<IpAddr> = match bare.parse() {
        Ok(address) => vec![address],
        Err(_) => (bare, 0_u16)
            .to_socket_addrs()
            .map(|found| found.map(|a| a.ip()).collect())
            .unwrap_or_default(),
    };
    let wanted: Vec<IpAddr> = all
        .into_iter()
        .filter(|address| {
            if address.is_ipv4() {
                protocols.0
            } else {
                protocols.1
            }
        })
        .collect();
    if wanted.is_empty() {
        return Err(Error(format!(
            "config variable inet_interfaces: host not found: {name}"
        )));
    }
    Ok(wanted)
}

/// How far around an own address its network reaches.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Class,
    Subnet,
    Host,
}

impl Style {
    fn parse(text: &str) -> Result<Self, Error> {
        let mut found = Vec::new();
        for word in text
            .split([',', ' ', '\t', '\r', '\n'])
            .filter(|word| !word.is_empty())
        {
            found.push(match word {
                "class" => Self::Class,
                "subnet" => Self::Subnet,
                "host" => Self::Host,
                _ => {
                    return Err(Error(format!(
                        "unknown mynetworks mask style value \"{word}\" in \"{text}\""
                    )));
                }
            });
        }
        found.dedup();
        match found.as_slice() {
            [style] => Ok(*style),
            _ => Err(Error(format!(
                "bad mynetworks_style value: {text}; specify exactly one value"
            ))),
        }
    }
}

/// The list of networks that `mynetworks_style` makes of the own interfaces, each followed by a space as Postfix has it.
///
/// # Errors
/// A value is bad, or the interfaces cannot be found out.
pub fn networks(style: &str, interfaces: &str, protocols: &str) -> Result<String, Error> {
    let style = Style::parse(style)?;
    let mut found: Vec<String> = Vec::new();
    for interface in own_interfaces(interfaces, protocols)? {
        let network = network(style, interface)?;
        if !found.contains(&network) {
            found.push(network);
        }
    }
    Ok(found.into_iter().map(|network| network + " ").collect())
}

fn network(style: Style, (address, prefix): Interface) -> Result<String, Error> {
    match address {
        IpAddr::V4(address) => {
            let length = match style {
                Style::Host => 32,
                Style::Subnet => prefix,
                Style::Class => match u32::from(address).leading_ones() {
                    0 => 8,
                    1 => 16,
                    2 => 24,
                    3 => 4,
                    _ => {
                        return Err(Error(format!(
                            "mynetworks_core: unknown address class: {address}"
                        )));
                    }
                },
            };
            let mask = u32::MAX.checked_shl(32 - length.min(32)).unwrap_or(0);
            let base = Ipv4Addr::from(u32::from(address) & mask);
            Ok(format!("{base}/{length}"))
        }
        IpAddr::V6(address) => {
            let length = match style {
                Style::Host => 128,
                Style::Subnet | Style::Class => prefix,
            };
            let mask = u128::MAX.checked_shl(128 - length.min(128)).unwrap_or(0);
            let base = Ipv6Addr::from(u128::from(address) & mask);
            Ok(format!("[{base}]/{length}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_by_style() {
        let v4 = (IpAddr::from([192, 0, 2, 77]), 28);
        let of = |style, interface| network(style, interface).unwrap();
        assert_eq!(of(Style::Host, v4), "192.0.2.77/32");
        assert_eq!(of(Style::Subnet, v4), "192.0.2.64/28");
        assert_eq!(of(Style::Class, v4), "192.0.2.0/24");
        let v6 = ("fd00::7".parse().unwrap(), 64);
        assert_eq!(of(Style::Subnet, v6), "[fd00::]/64");
        assert_eq!(of(Style::Class, v6), "[fd00::]/64");
        assert_eq!(of(Style::Host, v6), "[fd00::7]/128");
        assert_eq!(
            of(Style::Subnet, (IpAddr::from([10, 0, 0, 1]), 0)),
            "0.0.0.0/0"
        );
    }

    #[test]
    fn reasons_are_those_of_the_c_library() {
        let text = |code| reason(&io::Error::from_raw_os_error(code));
        assert_eq!(text(nix::libc::EIO), "Input/output error");
        assert_eq!(text(nix::libc::ENOMEM), "Cannot allocate memory");
        assert_eq!(reason(&io::Error::other("why")), "why");
    }

    #[test]
    fn domains() {
        assert_eq!(domain_of("a.b.c"), "b.c");
        assert_eq!(domain_of("host"), "localdomain");
    }
}
