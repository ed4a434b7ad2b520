//! Asking servers.

use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::message::{self, Message};
use crate::{Data, Hosts, Kind, Record, ResolvConf};

/// How many aliases may follow each other.
const MAX_ALIASES: usize = 10;

/// Records were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Those of the type that was asked for; never empty.
    pub records: Vec<Record>,
    /// The name at the end of the aliases.
    pub name: String,
    /// Whether a trusted server vouches for the answer (DNSSEC).
    pub authentic: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// `Name service error for name=... type=...: Host not found`, as in log lines.
    pub text: String,
    /// Whether a trusted server vouches for it.
    pub authentic: bool,
}

/// Why there is no answer when what came cannot be used.
pub const MALFORMED: &str = "Malformed or unexpected name server reply";

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records.
    Found(Found),
    /// There is no such name.
    NoName(Trouble),
    /// The name has no record of this type.
    NoData(Trouble),
    /// The domain takes no mail (RFC 7505).
    NullMx(Trouble),
    /// Nobody could tell; try again later.
    Retry(Trouble),
    /// Nobody can tell: the server refuses, or the answer makes no sense.
    Fail(Trouble),
    /// The name is no domain name.
    Invalid(Trouble),
}

impl Answer {
    /// The records; none for every other outcome.
    pub fn records(&self) -> &[Record] {
        match self {
            Answer::Found(found) => &found.records,
            _ => &[],
        }
    }

    /// Why there are no records.
    pub fn trouble(&self) -> Option<&Trouble> {
        match self {
            Answer::Found(_) => None,
            Answer::NoName(trouble)
            | Answer::NoData(trouble)
            | Answer::NullMx(trouble)
            | Answer::Retry(trouble)
            | Answer::Fail(trouble)
            | Answer::Invalid(trouble) => Some(trouble),
        }
    }
}

/// The stub resolver of a process.
#[derive(Debug, Clone)]
pub struct Resolver {
    conf: ResolvConf,
    hosts: Hosts,
}

impl Resolver {
    /// As the system's files say; read once, before a chroot hides them.
    pub fn system() -> Self {
        Self {
            conf: ResolvConf::system(),
            hosts: Hosts::system(),
        }
    }

    /// With these servers and this hosts file.
    pub fn new(conf: ResolvConf, hosts: Hosts) -> Self {
        Self { conf, hosts }
    }

    /// The hosts file.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Looks a name up in DNS. Aliases are followed; a single null MX is an outcome of its own.
    pub async fn lookup(&self, name: &str, kind: Kind) -> Answer {
        let plain = name.strip_suffix('.').unwrap_or(name);
        let trouble = |why: &str, authentic: bool| Trouble {
            text: format!(
                "Name service error for name={name} type={}: {why}",
                kind.name()
            ),
            authentic,
        };
        let checked = if kind == Kind::Ptr || plain.contains('_') {
            Ok(())
        } else {
            pf_text::hostname::check_hostname(plain.as_bytes())
        };
        if checked.is_err() && !plain.is_empty() {
            return Answer::Invalid(trouble("invalid host or domain name", false));
        }
        let mut wanted = plain.to_owned();
        for _ in 0..MAX_ALIASES {
            let message = match self.ask(&wanted, kind).await {
                Ok(message) => message,
                Err(_) => return Answer::Retry(trouble("Host not found, try again", false)),
            };
            let authentic = message.authentic && self.conf.trust_ad;
            match message.code {
                0 | 3 => {}
                2 => return Answer::Retry(trouble("Host not found, try again", authentic)),
                _ => return Answer::Fail(trouble("Non-recoverable error", authentic)),
            }
            let before = wanted.clone();
            let malformed = message.malformed;
            wanted = follow(&message, wanted);
            if kind != Kind::Cname && is_alias(&message, &wanted) {
                let text = format!("Name server loop for {name}");
                pf_log::warning!("dns_lookup: {text}");
                return Answer::NoData(Trouble { text, authentic });
            }
            let mut records: Vec<Record> = message
                .records
                .into_iter()
                .filter(|record| record.kind == kind && record.name.eq_ignore_ascii_case(&wanted))
                .collect();
            if kind == Kind::Mx {
                if let [
                    Record {
                        data: Data::Mx { host, .. },
                        ..
                    },
                ] = records.as_slice()
                    && host.is_empty()
                {
                    return Answer::NullMx(Trouble {
                        text: format!("Domain {name} does not accept mail (nullMX)"),
                        authentic,
                    });
                }
                let any = !records.is_empty();
                records.retain(usable_exchanger);
                if any && records.is_empty() {
                    return Answer::Invalid(trouble(MALFORMED, authentic));
                }
            }
            if !records.is_empty() {
                return Answer::Found(Found {
                    records,
                    name: wanted,
                    authentic,
                });
            }
            // That nothing of it could be read does not say that there is nothing.
            if malformed {
                return Answer::Retry(trouble(MALFORMED, authentic));
            }
            if message.code == 3 {
                return Answer::NoName(trouble("Host not found", authentic));
            }
            // An alias whose target the server left out is asked for itself.
            if wanted == before || kind == Kind::Cname {
                return Answer::NoData(trouble(
                    "Host found but no data record of requested type",
                    authentic,
                ));
            }
        }
        Answer::Fail(trouble("Too many aliases", false))
    }

    /// The addresses of a host, in DNS, of the families wanted.
    ///
    /// # Errors
    /// The outcome of the question that had no records; one that may be tried again before one that may not.
    pub async fn addresses(&self, name: &str, v4: bool, v6: bool) -> Result<Vec<IpAddr>, Answer> {
        let mut found = Vec::new();
        let mut trouble: Option<Answer> = None;
        for (wanted, kind) in [(v4, Kind::A), (v6, Kind::Aaaa)] {
            if !wanted {
                continue;
            }
            let answer = self.lookup(name, kind).await;
            for record in answer.records() {
                match record.data {
                    Data::A(address) => found.push(IpAddr::V4(address)),
                    Data::Aaaa(address) => found.push(IpAddr::V6(address)),
                    _ => {}
                }
            }
            if answer.trouble().is_some()
                && (trouble.is_none() || matches!(answer, Answer::Retry(_)))
            {
                trouble = Some(answer);
            }
        }
        match trouble {
            Some(answer) if found.is_empty() => Err(answer),
            _ => Ok(found),
        }
    }

    /// The addresses of a host in the hosts file, or else in DNS.
    ///
    /// # Errors
    /// As [`addresses`](Self::addresses).
    pub async fn native(&self, name: &str, v4: bool, v6: bool) -> Result<Vec<IpAddr>, Answer> {
        let known: Vec<IpAddr> = self
            .hosts
            .addresses(name)
            .into_iter()
            .filter(|address| if address.is_ipv4() { v4 } else { v6 })
            .collect();
        if known.is_empty() {
            self.addresses(name, v4, v6).await
        } else {
            Ok(known)
        }
    }

    /// The names of an address: of the hosts file, or else those of its PTR records.
    pub async fn names(&self, address: IpAddr) -> Answer {
        if let Some(name) = self.hosts.name(address) {
            let data = Data::Name(name.to_owned());
            let record = Record {
                name: reverse(address),
                kind: Kind::Ptr,
                ttl: 0,
                data,
            };
            return Answer::Found(Found {
                records: vec![record],
                name: reverse(address),
                authentic: false,
            });
        }
        self.lookup(&reverse(address), Kind::Ptr).await
    }

    /// Asks all servers in turn, as often as configured, until one answers.
    async fn ask(&self, name: &str, kind: Kind) -> io::Result<Message> {
        let mut last: io::Result<Message> = Err(io::ErrorKind::TimedOut.into());
        for _ in 0..self.conf.attempts {
            for server in &self.conf.servers {
                match timeout(self.conf.timeout, ask_one(*server, name, kind)).await {
                    // A server that fails may be worse than the next one.
                    Ok(Ok(message)) if matches!(message.code, 0 | 3) => return Ok(message),
                    Ok(other) => {
                        if other.is_ok() || last.is_err() {
                            last = other;
                        }
                    }
                    Err(_) => {}
                }
            }
        }
        last
    }
}

async fn ask_one(server: SocketAddr, name: &str, kind: Kind) -> io::Result<Message> {
    // Seeded by the system for each use; with the random port, what a forger has to guess.
    let id = u16::try_from(
        std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish()
            & 0xffff,
    )
    .unwrap_or(0);
    let query = message::query(id, name, kind).ok_or(io::ErrorKind::InvalidInput)?;
    let any: IpAddr = if server.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(&query).await?;
    let mut buffer = vec![0; 4096];
    loop {
        let count = socket.recv(&mut buffer).await?;
        let Some(answer) = message::parse(buffer.get(..count).unwrap_or_default()) else {
            continue;
        };
        if !answers(&answer, id, name, kind) {
            continue;
        }
        return if answer.truncated {
            ask_by_tcp(server, &query, id, name, kind).await
        } else {
            Ok(answer)
        };
    }
}

async fn ask_by_tcp(
    server: SocketAddr,
    query: &[u8],
    id: u16,
    name: &str,
    kind: Kind,
) -> io::Result<Message> {
    let mut stream = TcpStream::connect(server).await?;
    let len = u16::try_from(query.len()).map_err(io::Error::other)?;
    let mut framed = len.to_be_bytes().to_vec();
    framed.extend_from_slice(query);
    stream.write_all(&framed).await?;
    let len = stream.read_u16().await?;
    let mut buffer = vec![0; usize::from(len)];
    stream.read_exact(&mut buffer).await?;
    message::parse(&buffer)
        .filter(|answer| answers(answer, id, name, kind))
        .ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Whether this is the answer to our question.
fn answers(answer: &Message, id: u16, name: &str, kind: Kind) -> bool {
    answer.id == id
        && answer.question.1 == kind.number()
        && answer.question.0.eq_ignore_ascii_case(name)
}

/// The name at the end of the aliases of an answer.
fn follow(message: &Message, mut name: String) -> String {
    for _ in 0..MAX_ALIASES {
        let next = message
            .records
            .iter()
            .find_map(|record| match &record.data {
                Data::Name(target)
                    if record.kind == Kind::Cname && record.name.eq_ignore_ascii_case(&name) =>
                {
                    Some(target.clone())
                }
                _ => None,
            });
        match next {
            Some(target) => name = target,
            None => break,
        }
    }
    name
}

/// Whether a name still is an alias: after all aliases were followed, they lead nowhere.
fn is_alias(message: &Message, name: &str) -> bool {
    message
        .records
        .iter()
        .any(|record| record.kind == Kind::Cname && record.name.eq_ignore_ascii_case(name))
}

/// An exchanger whose name cannot be a host is no exchanger.
fn usable_exchanger(record: &Record) -> bool {
    match &record.data {
        Data::Mx { host, .. } if host.is_empty() => false,
        Data::Mx { host, .. } => {
            let numeric = host.parse::<IpAddr>().is_ok();
            if numeric {
                pf_log::warning!(
                    "numeric domain name in resource data of MX record for {}: {host}",
                    record.name
                );
            }
            let fine = numeric || pf_text::hostname::valid_hostname(host.as_bytes());
            if !fine {
                pf_log::warning!(
                    "malformed domain name in resource data of MX record for {}: {host}",
                    record.name
                );
            }
            fine
        }
        _ => true,
    }
}

/// The name under which the names of an address are kept.
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::new();
            for byte in address.octets().iter().rev() {
                name.push_str(&format!("{:x}.{:x}.", byte & 15, byte >> 4));
            }
            name + "ip6.arpa"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each question with what `reply` makes of it.
    async fn server(reply: impl Fn(&[u8]) -> Vec<u8> + 'static) -> Resolver {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::task::spawn_local(async move {
            let mut buffer = [0; 512];
            while let Ok((count, client)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&reply(&buffer[..count]), client).await;
            }
        });
        let conf = ResolvConf {
            servers: vec![address],
            timeout: std::time::Duration::from_millis(200),
            attempts: 1,
            ..ResolvConf::default()
        };
        Resolver::new(conf, Hosts::parse("192.0.2.1 known.example\n"))
    }

    fn reply(query: &[u8], code: u8, records: &[(u16, &[u8])]) -> Vec<u8> {
        let end = 12 + query[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
        let mut out = query[..end].to_vec();
        (out[2], out[3]) = (0x81, 0x80 | code);
        (out[7], out[11]) = (u8::try_from(records.len()).unwrap(), 0);
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60, 0, u8::try_from(data.len()).unwrap()]);
            out.extend_from_slice(data);
        }
        out
    }

    fn run(future: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, future);
    }

    #[test]
    fn outcomes_are_told_apart() {
        run(async {
            let resolver = server(|query| match query[13] {
                b'm' => reply(query, 0, &[(15, &[0, 9, 0xc0, 12])]),
                b'n' => reply(query, 0, &[(15, &[0, 0, 0])]),
                b'b' => reply(query, 0, &[(15, &[0])]),
                b'h' => reply(query, 0, &[(15, b"\x00\x01\x02-x\x00")]),
                b'l' => reply(query, 0, &[(5, &[0xc0, 12])]),
                b'x' => reply(query, 3, &[]),
                b's' => reply(query, 2, &[]),
                b'r' => reply(query, 5, &[]),
                _ => reply(query, 0, &[]),
            })
            .await;
            let ask = async |name: &str| resolver.lookup(name, Kind::Mx).await;
            assert!(matches!(ask("m.example").await, Answer::Found(_)));
            assert!(matches!(ask("n.example").await, Answer::NullMx(_)));
            assert!(matches!(ask("s.example").await, Answer::Retry(_)));
            assert!(matches!(ask("b.example").await, Answer::Retry(_)));
            assert!(matches!(ask("h.example").await, Answer::Invalid(_)));
            let Answer::NoData(trouble) = ask("l.example").await else {
                panic!("a loop of aliases leads nowhere")
            };
            assert_eq!(trouble.text, "Name server loop for l.example");
            assert!(matches!(ask("r.example").await, Answer::Fail(_)));
            assert!(matches!(ask("d.example").await, Answer::NoData(_)));
            assert!(matches!(ask("-.example").await, Answer::Invalid(_)));
            let Answer::NoName(trouble) = ask("x.example").await else {
                panic!("found")
            };
            assert_eq!(
                trouble.text,
                "Name service error for name=x.example type=MX: Host not found"
            );
        });
    }

    #[test]
    fn the_hosts_file_comes_first() {
        run(async {
            let resolver = server(|query| reply(query, 3, &[])).await;
            assert_eq!(
                resolver.native("known.example", true, true).await.unwrap(),
                ["192.0.2.1".parse::<IpAddr>().unwrap()]
            );
            assert!(matches!(
                resolver.native("other.example", true, false).await,
                Err(Answer::NoName(_))
            ));
            assert!(matches!(
                resolver.names("192.0.2.1".parse().unwrap()).await,
                Answer::Found(_)
            ));
        });
    }
}
