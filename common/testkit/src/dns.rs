//! A DNS server with a handful of names, on port 53 of an instance's own network.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};

use crate::Instance;

const NXDOMAIN: u8 = 3;
const SERVFAIL: u8 = 2;

/// The names that the server knows. What it does not know does not exist.
#[derive(Debug, Clone, Default)]
pub struct Dns {
    records: Vec<(String, u16, Vec<u8>)>,
    failing: Vec<(String, u8)>,
    large: Vec<String>,
    cut: Vec<String>,
    authentic: Vec<String>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Dns {
    /// A server that knows no name.
    pub fn new() -> Self {
        Self::default()
    }

    fn record(mut self, name: &str, kind: u16, data: Vec<u8>) -> Self {
        self.records.push((name.to_ascii_lowercase(), kind, data));
        self
    }

    /// Adds an address.
    #[must_use]
    pub fn a(self, name: &str, address: &str) -> Self {
        let address: Ipv4Addr = address.parse().unwrap();
        self.record(name, 1, address.octets().to_vec())
    }

    /// Adds an IPv6 address.
    #[must_use]
    pub fn aaaa(self, name: &str, address: &str) -> Self {
        let address: Ipv6Addr = address.parse().unwrap();
        self.record(name, 28, address.octets().to_vec())
    }

    /// Adds a mail exchanger; the null MX has preference 0 and the name `.`.
    #[must_use]
    pub fn mx(self, name: &str, preference: u16, host: &str) -> Self {
        let mut data = preference.to_be_bytes().to_vec();
        data.extend(encode(host));
        self.record(name, 15, data)
    }

    /// Adds an alias.
    #[must_use]
    pub fn cname(self, name: &str, target: &str) -> Self {
        self.record(name, 5, encode(target))
    }

    /// Adds the name of an IPv4 address.
    #[must_use]
    pub fn ptr(self, address: &str, name: &str) -> Self {
        let [a, b, c, d] = address.parse::<Ipv4Addr>().unwrap().octets();
        self.record(&format!("{d}.{c}.{b}.{a}.in-addr.arpa"), 12, encode(name))
    }

    /// Adds a text of at most 255 bytes.
    #[must_use]
    pub fn txt(self, name: &str, text: &str) -> Self {
        let mut data = vec![u8::try_from(text.len()).unwrap()];
        data.extend(text.as_bytes());
        self.record(name, 16, data)
    }

    /// Adds a service location.
    #[must_use]
    pub fn srv(self, name: &str, [priority, weight, port]: [u16; 3], host: &str) -> Self {
        let numbers = [priority, weight, port].map(u16::to_be_bytes).concat();
        self.record(name, 33, [numbers, encode(host)].concat())
    }

    /// Adds a record of any type with these bytes, however malformed.
    #[must_use]
    pub fn raw(self, name: &str, kind: u16, data: &[u8]) -> Self {
        self.record(name, kind, data.to_vec())
    }

    /// The server cannot tell anything of this name.
    #[must_use]
    pub fn servfail(self, name: &str) -> Self {
        self.code(name, SERVFAIL)
    }

    /// The server answers all questions about this name with this code.
    #[must_use]
    pub fn code(mut self, name: &str, code: u8) -> Self {
        self.failing.push((name.to_ascii_lowercase(), code));
        self
    }

    /// Answers about this name do not fit into a datagram.
    #[must_use]
    pub fn large(mut self, name: &str) -> Self {
        self.large.push(name.to_ascii_lowercase());
        self
    }

    /// Answers about this name end one byte too early.
    #[must_use]
    pub fn cut(mut self, name: &str) -> Self {
        self.cut.push(name.to_ascii_lowercase());
        self
    }

    /// The server vouches for what it says of this name, as one does that validates signatures (DNSSEC); of the root, for `.`.
    #[must_use]
    pub fn authentic(mut self, name: &str) -> Self {
        self.authentic
            .push(name.trim_matches('.').to_ascii_lowercase());
        self
    }

    /// Answers on 127.0.0.1 port 53 of the instance's network until the test's process ends.
    pub fn start(self, instance: &Instance) -> Self {
        let socket = instance.udp("127.0.0.1:53");
        let server = self.clone();
        std::thread::spawn(move || server.serve(&socket));
        let listener = instance.listen("127.0.0.1:53");
        let server = self.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = server.stream(&mut stream);
            }
        });
        self
    }

    /// The questions so far, as `name type-number`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn serve(&self, socket: &UdpSocket) {
        let mut buffer = [0; 1500];
        while let Ok((len, client)) = socket.recv_from(&mut buffer) {
            if let Some((name, mut answer)) = self.answer(&buffer[..len]) {
                if self.large.contains(&name) {
                    // Nothing but the question, and that there is more.
                    answer.truncate(12 + name.len() + 2 + 4);
                    answer[2] |= 2;
                    answer[7] = 0;
                }
                let _ = socket.send_to(&answer, client);
            }
        }
    }

    fn stream(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut len = [0; 2];
        stream.read_exact(&mut len)?;
        let mut query = vec![0; usize::from(u16::from_be_bytes(len))];
        stream.read_exact(&mut query)?;
        if let Some((_, answer)) = self.answer(&query) {
            let len = u16::try_from(answer.len()).unwrap();
            stream.write_all(&[&len.to_be_bytes(), answer.as_slice()].concat())?;
        }
        Ok(())
    }

    /// The answer to a query of one question, if it is one, and the name in it.
    fn answer(&self, query: &[u8]) -> Option<(String, Vec<u8>)> {
        let (mut name, mut at) = (String::new(), 12);
        loop {
            let len = usize::from(*query.get(at)?);
            at += 1;
            if len == 0 {
                break;
            }
            if !name.is_empty() {
                name.push('.');
            }
            name += &String::from_utf8_lossy(query.get(at..at + len)?).to_ascii_lowercase();
            at += len;
        }
        let kind = u16::from_be_bytes([*query.get(at)?, *query.get(at + 1)?]);
        let question = query.get(12..at + 4)?;
        self.asked.lock().unwrap().push(format!("{name} {kind}"));
        let mut wanted = name.clone();
        let mut answers: Vec<(Vec<u8>, u16, &[u8])> = Vec::new();
        for _ in 0..8 {
            let owner = encode(&wanted);
            if let Some((_, _, target)) = self
                .records
                .iter()
                .find(|(n, k, _)| *n == wanted && *k == 5 && kind != 5)
            {
                answers.push((owner, 5, target));
                wanted = decode(target);
                continue;
            }
            for (_, _, data) in self
                .records
                .iter()
                .filter(|(n, k, _)| *n == wanted && *k == kind)
            {
                answers.push((owner.clone(), kind, data));
            }
            break;
        }
        let known = self.records.iter().any(|(n, _, _)| *n == wanted);
        let failing = self.failing.iter().find(|(other, _)| *other == name);
        let code = if let Some((_, code)) = failing {
            *code
        } else if known || !answers.is_empty() {
            0
        } else {
            NXDOMAIN
        };
        let mut reply = query.get(..2)?.to_vec();
        let authentic = if self.authentic.contains(&name) {
            0x20
        } else {
            0
        };
        reply.extend([0x85, 0x80 | authentic | code, 0, 1]);
        reply.extend(u16::try_from(answers.len()).ok()?.to_be_bytes());
        reply.extend([0, 0, 0, 0]);
        reply.extend(question);
        for (owner, kind, data) in answers {
            reply.extend(owner);
            reply.extend(kind.to_be_bytes());
            reply.extend([0, 1, 0, 0, 14, 16]);
            reply.extend(u16::try_from(data.len()).ok()?.to_be_bytes());
            reply.extend(data);
        }
        if self.cut.contains(&name) {
            reply.pop();
        }
        Some((name, reply))
    }
}

fn encode(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn decode(mut bytes: &[u8]) -> String {
    let mut labels = Vec::new();
    while let Some((&len, rest)) = bytes.split_first() {
        if len == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(&rest[..usize::from(len)]).into_owned());
        bytes = &rest[usize::from(len)..];
    }
    labels.join(".")
}
