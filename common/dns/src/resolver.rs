//! Asking servers.

use std::io;
use std::net::IpAddr;

use tokio::time::timeout;

use crate::answer::{Answer, Found, Trouble};
use crate::ask::ask;
use crate::check;
use crate::message::Message;
use crate::search::Appending;
use crate::{Data, Hosts, Kind, MAX_RECORDS, Record, ResolvConf};

/// How many questions an alias may lead to.
const MAX_ALIASES: usize = 10;

/// Why there is no answer when what came cannot be used.
const MALFORMED: &str = "Malformed or unexpected name server reply";
const NO_DATA: &str = "Host found but no data record of requested type";
const TRY_AGAIN: &str = "Host not found, try again";

/// The stub resolver of a process.
#[derive(Debug, Clone)]
pub struct Resolver {
    conf: ResolvConf,
    hosts: Hosts,
}

/// What one question was, for complaints about what came of it.
#[derive(Clone, Copy)]
struct Question<'a> {
    name: &'a str,
    kind: Kind,
    authentic: bool,
}

impl<'a> Question<'a> {
    fn new(name: &'a str, kind: Kind, authentic: bool) -> Self {
        Self {
            name,
            kind,
            authentic,
        }
    }

    /// What a server said of it.
    fn trouble(self, why: &str) -> Trouble {
        let Trouble { text, authentic } = self.malformed(why);
        let text = format!("Host or domain name not found. {text}");
        Trouble { text, authentic }
    }

    /// What is wrong with what a server said of it.
    fn malformed(self, why: &str) -> Trouble {
        let Self { name, kind, .. } = self;
        let kind = kind.name();
        self.says(format!(
            "Name service error for name={name} type={kind}: {why}"
        ))
    }

    fn says(self, text: String) -> Trouble {
        let authentic = self.authentic;
        Trouble { text, authentic }
    }
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

    /// The same, believing its servers on authenticity whatever `resolv.conf` says.
    pub(crate) fn trusting(mut self) -> Self {
        self.conf.trust_ad = true;
        self
    }

    /// The hosts file.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Looks a name up in DNS as it is. Aliases are followed; a null MX is an outcome of its own.
    pub async fn lookup(&self, name: &str, kind: Kind) -> Answer {
        self.search(name, kind, Appending::NONE).await
    }

    /// Looks a name up in DNS, perhaps with a domain of `resolv.conf` appended.
    pub async fn search(&self, name: &str, kind: Kind, appending: Appending) -> Answer {
        if kind != Kind::Ptr && !check::may_be_asked(name) {
            let text = format!("Name service error for {name}: invalid host or domain name");
            return Answer::NoName(Trouble {
                text,
                authentic: false,
            });
        }
        let mut wanted = name.to_owned();
        let mut authentic = true;
        for _ in 0..MAX_ALIASES {
            let asked = self.ask_in_domains(&wanted, kind, appending).await;
            let (whole, message) = match asked {
                Ok(answer) => answer,
                Err(_) => {
                    let question = Question::new(&wanted, kind, false);
                    return Answer::Retry(question.trouble(TRY_AGAIN));
                }
            };
            authentic &= message.authentic && self.conf.trust_ad;
            match answer(Question::new(&wanted, kind, authentic), &whole, message) {
                Next::Done(answer) => return answer,
                Next::Alias(target) => wanted = target,
            }
        }
        let text = format!("Name server loop for {wanted}");
        pf_log::warning!("dns_lookup: {text}");
        Answer::NoData(Trouble { text, authentic })
    }

    /// The addresses of a host, in DNS, of the families wanted.
    ///
    /// # Errors
    /// The outcome of the question that had no records; one that may be tried again before one that may not.
    pub async fn addresses(&self, name: &str, v4: bool, v6: bool) -> Result<Vec<IpAddr>, Answer> {
        self.addresses_in(name, v4, v6, Appending::NONE).await
    }

    async fn addresses_in(
        &self,
        name: &str,
        v4: bool,
        v6: bool,
        appending: Appending,
    ) -> Result<Vec<IpAddr>, Answer> {
        let mut found = Vec::new();
        let mut trouble: Option<Answer> = None;
        for (wanted, kind) in [(v4, Kind::A), (v6, Kind::Aaaa)] {
            if !wanted {
                continue;
            }
            let answer = self.search(name, kind, appending).await;
            found.extend(answer.records().iter().filter_map(Record::address));
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

    /// The addresses of a host in the hosts file, or else in DNS, where it may be short of a domain of `resolv.conf`.
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
            self.addresses_in(name, v4, v6, Appending::ALL).await
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

    /// Asks for a name, as it is and with domains appended, until there is something. The name that was found, and what of it; or
    /// else the most telling answer.
    async fn ask_in_domains(
        &self,
        name: &str,
        kind: Kind,
        appending: Appending,
    ) -> io::Result<(String, Message)> {
        let names = appending.names(name, &self.conf);
        let mut best: Option<(u8, String, io::Result<Message>)> = None;
        for (number, whole) in names.into_iter().enumerate() {
            let asked = self.ask(&whole, kind).await;
            let rank = match &asked {
                Ok(message) if message.code == 0 && message.answers > 0 => {
                    return asked.map(|message| (whole, message));
                }
                _ if number == 0 && whole == name => 4,
                Ok(message) if message.code == 0 => 3,
                Ok(message) if matches!(message.code, 2 | 4 | 5) => 2,
                Ok(message) if message.code == 3 => 1,
                // Nothing better is to be had from this server.
                _ => 0,
            };
            if best.as_ref().is_none_or(|(other, ..)| rank >= *other) {
                best = Some((rank, whole, asked));
            }
            if rank == 0 {
                break;
            }
        }
        let Some((_, whole, asked)) = best else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        asked.map(|message| (whole, message))
    }

    /// Asks all servers in turn, as often as configured, until one answers.
    async fn ask(&self, name: &str, kind: Kind) -> io::Result<Message> {
        let mut last: io::Result<Message> = Err(io::ErrorKind::TimedOut.into());
        for _ in 0..self.conf.attempts {
            for server in &self.conf.servers {
                match timeout(self.conf.timeout, ask(*server, name, kind)).await {
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

/// What a message leads to.
enum Next {
    /// The end.
    Done(Answer),
    /// Another question: the server left out what the name is an alias of.
    Alias(String),
}

/// What a server said to a question; `asked` is the whole name, its domain included.
fn answer(question: Question<'_>, asked: &str, message: Message) -> Next {
    let kind = question.kind;
    let done = |answer| Next::Done(answer);
    match (message.code, message.answers) {
        (0, 1..) => {}
        (0, 0) => return done(Answer::NoData(question.trouble(NO_DATA))),
        // Another server may know, or this one another time: failed, not implemented, refused.
        (2 | 4 | 5, _) => return done(Answer::Retry(question.trouble(TRY_AGAIN))),
        (3, _) => return done(Answer::NoName(question.trouble("Host not found"))),
        _ => return done(Answer::Fail(question.trouble("Non-recoverable error"))),
    }
    let unusable = || question.malformed(MALFORMED);
    if message.corrupt {
        return done(Answer::Retry(unusable()));
    }
    if check::owners(&message.records, asked, kind).is_err() {
        return done(Answer::Invalid(unusable()));
    }
    // In messages names have no dot at their end.
    let owner = asked.strip_suffix('.').unwrap_or(asked);
    // Who asks for an alias does not want to go where it leads.
    let last = if kind == Kind::Cname {
        owner.to_owned()
    } else {
        follow(&message, owner.to_owned())
    };
    let is_alias = |record: &Record| record.kind == Kind::Cname && kind != Kind::Cname;
    let aliased = message.records.iter().any(is_alias);
    let mut records: Vec<Record> = message
        .records
        .into_iter()
        .filter(|record| record.kind == kind && record.name.eq_ignore_ascii_case(&last))
        .collect();
    // One record without a host is enough.
    if let Some(record) = records.iter().find(|record| record.is_null()) {
        return done(null(question, record));
    }
    let before = records.len();
    records.retain(|record| check::target(record, asked).is_ok());
    let misnamed = records.len() < before;
    if records.len() > MAX_RECORDS {
        pf_log::warning!(
            "DNS record count limit ({MAX_RECORDS}) exceeded -- dropping excess record(s) after qname={} qtype={}",
            question.name,
            kind.name()
        );
        records.truncate(MAX_RECORDS);
    }
    if !records.is_empty() {
        return done(Answer::Found(Found {
            records,
            name: last,
            authentic: question.authentic,
        }));
    }
    if aliased {
        return Next::Alias(last);
    }
    // That nothing of it could be read does not say that there is nothing.
    done(if message.malformed {
        Answer::Retry(unusable())
    } else if misnamed {
        Answer::Invalid(unusable())
    } else {
        Answer::NoData(unusable())
    })
}

/// A record that says that there is no such service.
fn null(question: Question<'_>, record: &Record) -> Answer {
    let name = question.name;
    match record.kind {
        Kind::Srv => {
            Answer::NullSrv(question.says(format!("Domain {name} does not support SRV requests")))
        }
        _ => Answer::NullMx(question.says(format!("Domain {name} does not accept mail (nullMX)"))),
    }
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
    use tokio::net::UdpSocket;

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
                b'f' => reply(query, 1, &[]),
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
            assert!(matches!(ask("r.example").await, Answer::Retry(_)));
            assert!(matches!(ask("f.example").await, Answer::Fail(_)));
            assert!(matches!(ask("d.example").await, Answer::NoData(_)));
            assert!(matches!(ask("-.example").await, Answer::NoName(_)));
            let Answer::NoName(trouble) = ask("x.example").await else {
                panic!("found")
            };
            assert_eq!(
                trouble.text,
                "Host or domain name not found. Name service error for name=x.example type=MX: Host not found"
            );
        });
    }

    #[test]
    fn an_alias_can_be_asked_for() {
        run(async {
            let name = b"\x01a\x07example\x00";
            let resolver = server(|query| reply(query, 0, &[(5, name)])).await;
            let answer = resolver.lookup("b.example", Kind::Cname).await;
            let [record] = answer.records() else {
                panic!("{answer:?}")
            };
            assert_eq!(record.data, Data::Name("a.example".into()));
        });
    }

    #[test]
    fn the_root_can_be_asked_for() {
        run(async {
            let name = b"\x01a\x07example\x00";
            let resolver = server(|query| reply(query, 0, &[(2, name)])).await;
            let answer = resolver.lookup(".", Kind::Ns).await;
            let [record] = answer.records() else {
                panic!("{answer:?}")
            };
            assert_eq!(record.data, Data::Name("a.example".into()));
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
