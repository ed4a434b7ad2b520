//! What `master.cf` says, made ready to act on.

use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use pf_config::compat::Level;
use pf_config::master_cf::{self, Entry, Type};
use pf_config::{Config, param, system};
use pf_service::CLIENTS_VARIABLE;

/// Where a service's clients come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Network addresses.
    Inet(Vec<SocketAddr>),
    /// A socket or named pipe below the queue directory.
    Path(Type, PathBuf),
}

/// One service of `master.cf`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The first column.
    pub name: String,
    /// What identifies the service across reloads: the path below the queue directory, or the address.
    pub key: String,
    /// The second column.
    pub kind: Type,
    /// Where its clients come in.
    pub endpoint: Endpoint,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; the first is the program's name.
    pub args: Vec<String>,
    /// Where in `args` the value `stress=` is, for a service that strangers can overload.
    pub stress: Option<usize>,
    /// The time between wake-ups, if any.
    pub wakeup: Option<Duration>,
    /// Whether wake-ups begin only when the service was used.
    pub wakeup_optional: bool,
    /// The most clients at once; 0 for no limit.
    pub maxproc: u32,
    /// The most processes; 0 for no limit.
    pub processes: u32,
    /// Whether the program is one of ours that takes as many clients as it is told.
    pub takes_many: bool,
    /// How many connections the kernel may keep waiting.
    pub backlog: i32,
}

/// What all services share, and what was learned about programs.
#[derive(Debug, Default)]
pub struct Reader {
    /// `inet_interfaces` as it was at the start: a change needs a new start.
    interfaces: Option<String>,
    programs: HashMap<PathBuf, (SystemTime, bool)>,
}

/// How master was started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mode {
    /// Whether it left the terminal.
    pub detached: bool,
    /// Whether it is talkative.
    pub verbose: bool,
}

impl Reader {
    /// Reads `master.cf`. For a name and type that stands twice, the last entry counts.
    ///
    /// # Errors
    /// The operator's trouble, in Postfix's words.
    pub fn read(&mut self, config: &Config, mode: Mode) -> Result<Vec<Service>> {
        let path = config.directory().join("master.cf");
        let text = fs::read(&path).with_context(|| format!("open {}", path.display()))?;
        let mut disabled = config.get(param::MASTER_SERVICE_DISABLE)?;
        let protocols = config.get(param::INET_PROTOCOLS)?;
        if system::families(&protocols)? == (false, false) {
            pf_log::warning!("all network protocols are disabled (inet_protocols = {protocols})");
            pf_log::warning!("disabling all type \"inet\" services in master.cf");
            disabled = format!("inet,{disabled}");
        }
        let (entries, warnings) =
            master_cf::parse(&path.display().to_string(), &text, &|name, kind| {
                is_disabled(&disabled, name, kind)
            })?;
        for warning in warnings {
            pf_log::warning!("{warning}");
        }
        let mut services: Vec<Service> = Vec::new();
        for entry in &entries {
            let service = self
                .service(config, entry, mode)
                .map_err(|err| anyhow!("{}: line {}: {err:#}", path.display(), entry.line))?;
            if let Some(old) = services
                .iter_mut()
                .find(|old| old.key == service.key && old.kind == service.kind)
            {
                pf_log::warning!(
                    "duplicate master.cf entry for service \"{}\" ({}) -- using the last entry",
                    old.name,
                    old.key
                );
                *old = service;
            } else {
                services.push(service);
            }
        }
        Ok(services)
    }

    fn service(&mut self, config: &Config, entry: &Entry, mode: Mode) -> Result<Service> {
        let (endpoint, key) = self.endpoint(config, entry)?;
        let process_limit = u32::try_from(config.get(param::DEFAULT_PROCESS_LIMIT)?)?;
        let maxproc = entry.maxproc.unwrap_or(process_limit);
        let directory = config.get(param::DAEMON_DIRECTORY)?;
        let program = PathBuf::from(format!("{directory}/{}", entry.command));
        let level_one = Level::parse("1").map_err(|_| anyhow!("level 1"))?;
        let old = config.level() < level_one;
        let chroot = entry.chroot_or(old);
        if old && entry.chroot.is_none() {
            pf_log::info!(
                "{}/master.cf: line {}: using backwards-compatible default setting chroot=y",
                config.directory().display(),
                entry.line
            );
        }
        let sockets = match &endpoint {
            Endpoint::Inet(addresses) => addresses.len(),
            Endpoint::Path(..) => 1,
        };
        let local = match &endpoint {
            Endpoint::Inet(addresses) => addresses.iter().all(|address| address.ip().is_loopback()),
            Endpoint::Path(kind, _) => *kind != Type::Pass,
        };
        let mut args = vec![entry.command.clone()];
        let mut add = |words: &[&str]| args.extend(words.iter().map(|word| (*word).to_owned()));
        match maxproc {
            0 => add(&["-z"]),
            1 => add(&["-l"]),
            _ => {}
        }
        if entry.command.rsplit('/').next() != Some(&entry.service) {
            add(&["-n", &entry.service]);
        }
        add(&["-t", entry.kind.name()]);
        if !mode.detached {
            add(&["-d"]);
        }
        if mode.verbose {
            add(&["-v"]);
        }
        if entry.unprivileged {
            add(&["-u"]);
        }
        if chroot {
            add(&["-c"]);
        }
        let mut stress = None;
        if !local && maxproc > 1 {
            args.extend(["-o".to_owned(), "stress=".to_owned()]);
            stress = Some(args.len() - 1);
        }
        if sockets > 1 {
            args.extend(["-s".to_owned(), sockets.to_string()]);
        }
        args.extend(entry.args.iter().cloned());
        let takes_many = self.takes_many(&program);
        Ok(Service {
            name: entry.service.clone(),
            key,
            kind: entry.kind,
            endpoint,
            program,
            args,
            stress,
            wakeup: Some(entry.wakeup).filter(|time| !time.is_zero()),
            wakeup_optional: entry.wakeup_optional,
            maxproc,
            processes: if takes_many {
                most_processes(maxproc)
            } else {
                maxproc
            },
            takes_many,
            backlog: i32::try_from(maxproc.max(process_limit)).unwrap_or(i32::MAX),
        })
    }

    /// Whether the program is one of ours that takes as many clients as it is told.
    fn takes_many(&mut self, program: &Path) -> bool {
        let Ok(changed) = fs::metadata(program).and_then(|status| status.modified()) else {
            return false;
        };
        if let Some((seen, answer)) = self.programs.get(program)
            && *seen == changed
        {
            return *answer;
        }
        let answer = mentions(program, CLIENTS_VARIABLE.as_bytes()).unwrap_or(false);
        self.programs.insert(program.to_owned(), (changed, answer));
        answer
    }

    fn endpoint(&mut self, config: &Config, entry: &Entry) -> Result<(Endpoint, String)> {
        let name = &entry.service;
        if entry.kind != Type::Inet {
            // Not by way of `join`, which a name that begins with a slash would escape.
            let class = if entry.private { "private" } else { "public" };
            let key = format!("{class}/{name}");
            return Ok((Endpoint::Path(entry.kind, key.clone().into()), key));
        }
        ensure!(!entry.private, "inet service cannot be private");
        let (host, port_name) = host_and_port(name)?;
        let port =
            port_number(port_name).with_context(|| format!("unknown service: {port_name}/tcp"))?;
        let addresses: Vec<IpAddr> = match host {
            Some(host) => addresses_of(host, &config.get(param::INET_PROTOCOLS)?)
                .with_context(|| format!("bad hostname or network address: {name}"))?,
            None => self.interfaces(config, name)?,
        };
        ensure!(
            !addresses.is_empty(),
            "service definition requires valid host name or address, or non-empty inet_interfaces setting"
        );
        // An address has one form here, however it is written.
        let key = match (host, addresses.as_slice()) {
            (None, _) => port.to_string(),
            (Some(host), [address]) if is_address(host) => format!("[{address}]:{port}"),
            (Some(host), _) => format!("[{host}]:{port}"),
        };
        Ok((
            Endpoint::Inet(
                addresses
                    .into_iter()
                    .map(|address| SocketAddr::new(address, port))
                    .collect(),
            ),
            key,
        ))
    }

    /// The addresses of a service without a host name: `inet_interfaces`.
    fn interfaces(&mut self, config: &Config, name: &str) -> Result<Vec<IpAddr>> {
        let now = config.get(param::INET_INTERFACES)?;
        let then = self.interfaces.get_or_insert_with(|| now.clone()).clone();
        if then != now {
            pf_log::warning!("service {name}: ignoring inet_interfaces change");
            pf_log::warning!("to change inet_interfaces, stop and start Postfix");
        }
        let protocols = config.get(param::INET_PROTOCOLS)?;
        if then.eq_ignore_ascii_case("all") {
            let (v4, v6) = system::families(&protocols)?;
            let mut wild = Vec::new();
            if v4 {
                wild.push(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            }
            // A kernel without IPv6 has no such sockets.
            if v6 && Path::new("/proc/net/if_inet6").exists() {
                wild.push(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
            }
            return Ok(wild);
        }
        Ok(system::own_interfaces(&then, &protocols)?
            .into_iter()
            .map(|(address, _)| address)
            .collect())
    }
}

/// Whether these bytes stand somewhere in a file, which is read in pieces: programs are large.
fn mentions(path: &Path, wanted: &[u8]) -> std::io::Result<bool> {
    use std::io::Read as _;
    const PIECE: usize = 64 * 1024;
    let mut file = fs::File::open(path)?;
    let mut bytes = vec![0; PIECE + wanted.len()];
    // What is kept of the last piece, so that nothing is missed where two meet.
    let mut kept = 0;
    loop {
        let room = bytes.get_mut(kept..).unwrap_or_default();
        let count = file.read(room)?;
        let filled = kept + count;
        let seen = bytes.get(..filled).unwrap_or_default();
        if memchr::memmem::find(seen, wanted).is_some() {
            return Ok(true);
        }
        if count == 0 {
            return Ok(false);
        }
        kept = wanted.len().min(filled);
        bytes.copy_within(filled - kept..filled, 0);
    }
}

/// How many processes of a program that takes many clients: more than there are processors would gain nothing.
fn most_processes(maxproc: u32) -> u32 {
    let processors = std::thread::available_parallelism()
        .map_or(1, |count| u32::try_from(count.get()).unwrap_or(1));
    if maxproc == 0 {
        processors
    } else {
        processors.min(maxproc)
    }
}

/// `host:port`, `[host]:port` or `port`.
fn host_and_port(name: &str) -> Result<(Option<&str>, &str)> {
    let (host, port) = match name.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest
                .split_once(']')
                .ok_or_else(|| anyhow!("missing \"]\" in \"{name}\""))?;
            let port = rest
                .strip_prefix(':')
                .ok_or_else(|| anyhow!("garbage after \"]\" in \"{name}\""))?;
            (Some(host), port)
        }
        None => match name.rsplit_once(':') {
            Some(("", port)) => (None, port),
            Some((host, port)) => (Some(host), port),
            None => (None, name),
        },
    };
    if port.is_empty() {
        bail!("missing service name in \"{name}\"");
    }
    Ok((host, port))
}

/// A port by number, or by name as in /etc/services.
fn port_number(name: &str) -> Option<u16> {
    if let Ok(number) = name.parse() {
        return Some(number);
    }
    let services = fs::read_to_string("/etc/services").unwrap_or_default();
    for line in services.lines() {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let (Some(official), Some(port)) = (words.next(), words.next()) else {
            continue;
        };
        if let Some(number) = port.strip_suffix("/tcp")
            && (official == name || words.any(|alias| alias == name))
        {
            return number.parse().ok();
        }
    }
    // A system without that file still has the names that mail uses.
    match name {
        "smtp" => Some(25),
        "submission" => Some(587),
        "submissions" | "smtps" => Some(465),
        "qmqp" => Some(628),
        _ => None,
    }
}

/// Whether this is an address, and no name.
fn is_address(host: &str) -> bool {
    host.contains(':') || host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn addresses_of(host: &str, protocols: &str) -> Result<Vec<IpAddr>> {
    let (v4, v6) = system::families(protocols)?;
    let found: Vec<IpAddr> = match host.parse::<IpAddr>() {
        Ok(address) if !v6 => vec![address.to_canonical()],
        Ok(address) => vec![address],
        Err(_) => (host, 0u16)
            .to_socket_addrs()?
            .map(|address| address.ip())
            .collect(),
    };
    let mut wanted = Vec::new();
    for address in found {
        if (if address.is_ipv4() { v4 } else { v6 }) && !wanted.contains(&address) {
            wanted.push(address);
        }
    }
    ensure!(!wanted.is_empty(), "no address");
    Ok(wanted)
}

/// Whether `master_service_disable` has this service: the first that fits of `name/type` and `type`, `!` to except.
fn is_disabled(list: &str, name: &str, kind: &str) -> bool {
    for pattern in pf_text::split::list(list) {
        // Long ago a dot stood in the place of the slash.
        let pattern = match pattern.rsplit_once('.') {
            Some((name, kind)) if !pattern.contains('/') => format!("{name}/{kind}"),
            _ => pattern.to_owned(),
        };
        let wanted = pattern.trim_start_matches('!');
        let fits = match wanted.rsplit_once('/') {
            Some(_) => wanted.eq_ignore_ascii_case(&format!("{name}/{kind}")),
            None => wanted.eq_ignore_ascii_case(kind),
        };
        if fits {
            return (pattern.len() - wanted.len()).is_multiple_of(2);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_inet_services() {
        assert_eq!(host_and_port("smtp").unwrap(), (None, "smtp"));
        assert_eq!(
            host_and_port("127.0.0.1:25").unwrap(),
            (Some("127.0.0.1"), "25")
        );
        assert_eq!(host_and_port("[::1]:25").unwrap(), (Some("::1"), "25"));
        assert!(host_and_port("[::1").is_err());
        assert!(host_and_port("host:").is_err());
    }

    #[test]
    fn a_program_tells_what_it_can() {
        let path = std::env::temp_dir().join(format!("pf-master-{}", std::process::id()));
        let mut bytes = vec![b'x'; 64 * 1024 - 3];
        bytes.extend_from_slice(b"POSTFIX_RS_CLIENTS");
        bytes.extend(vec![b'y'; 1000]);
        fs::write(&path, &bytes).unwrap();
        assert!(mentions(&path, b"POSTFIX_RS_CLIENTS").unwrap());
        assert!(!mentions(&path, b"POSTFIX_RS_CLIENTZ").unwrap());
        fs::remove_file(&path).unwrap();
    }

    #[test]
    fn services_are_disabled_by_name_and_type() {
        assert!(is_disabled("smtp/inet", "smtp", "inet"));
        assert!(!is_disabled("smtp/inet", "smtp", "unix"));
        assert!(is_disabled("inet", "anything", "inet"));
        assert!(!is_disabled("!submission/inet inet", "submission", "inet"));
        assert!(is_disabled("!!SMTP/inet", "smtp", "inet"));
        assert!(is_disabled("smtp.inet", "smtp", "inet"));
        assert!(!is_disabled("all */inet smtp", "smtp", "inet"));
    }
}
