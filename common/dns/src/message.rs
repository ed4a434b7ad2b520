//! Queries and answers (RFC 1035, section 4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::name;

/// The only class of records that there is.
const IN: u16 = 1;

/// A type of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// IPv4 address.
    A,
    /// Name server.
    Ns,
    /// Alias.
    Cname,
    /// Start of authority.
    Soa,
    /// Name of an address.
    Ptr,
    /// Mail exchanger.
    Mx,
    /// Text.
    Txt,
    /// IPv6 address.
    Aaaa,
    /// Service location.
    Srv,
    /// TLS certificate association.
    Tlsa,
}

impl Kind {
    const ALL: [(Kind, u16, &'static str); 10] = [
        (Kind::A, 1, "A"),
        (Kind::Ns, 2, "NS"),
        (Kind::Cname, 5, "CNAME"),
        (Kind::Soa, 6, "SOA"),
        (Kind::Ptr, 12, "PTR"),
        (Kind::Mx, 15, "MX"),
        (Kind::Txt, 16, "TXT"),
        (Kind::Aaaa, 28, "AAAA"),
        (Kind::Srv, 33, "SRV"),
        (Kind::Tlsa, 52, "TLSA"),
    ];

    /// The number on the wire.
    pub fn number(self) -> u16 {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or(0, |(_, number, _)| *number)
    }

    /// The name in log lines.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or("", |(.., name)| name)
    }

    /// The type of this name, in upper or lower case.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(.., known)| known.eq_ignore_ascii_case(name))
            .map(|(kind, ..)| *kind)
    }

    fn from_number(number: u16) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known, _)| *known == number)
            .map(|(kind, ..)| *kind)
    }
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// A mail exchanger; the empty name is the null MX (RFC 7505).
    Mx {
        /// Lower is better.
        preference: u16,
        /// The host.
        host: String,
    },
    /// The name that an alias, an address or a zone leads to (CNAME, PTR, NS).
    Name(String),
    /// The strings of a text record, joined.
    Txt(Vec<u8>),
    /// A service location (RFC 2782).
    Srv {
        /// Lower is better.
        priority: u16,
        /// Among equals, how often.
        weight: u16,
        /// The port.
        port: u16,
        /// The host; empty for none.
        host: String,
    },
    /// Any other data, as it came.
    Raw(Vec<u8>),
}

/// One record of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The owner's name.
    pub name: String,
    /// The type.
    pub kind: Kind,
    /// How long it may be kept, in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

impl Record {
    /// The address that it names.
    pub fn address(&self) -> Option<IpAddr> {
        match self.data {
            Data::A(address) => Some(IpAddr::V4(address)),
            Data::Aaaa(address) => Some(IpAddr::V6(address)),
            _ => None,
        }
    }

    /// Whether it says that there is no such service.
    pub(crate) fn is_null(&self) -> bool {
        match &self.data {
            Data::Mx { host, .. } | Data::Srv { host, .. } => host.is_empty(),
            _ => false,
        }
    }

    /// The record as a line of a zone file, the form in which `smtp_dns_reply_filter` and its like see it.
    pub fn line(&self) -> Vec<u8> {
        let kind = self.kind.name();
        let mut line = format!("{}. {} IN {kind} ", self.name, self.ttl).into_bytes();
        let shown = match &self.data {
            Data::A(address) => address.to_string(),
            Data::Aaaa(address) => address.to_string(),
            Data::Mx { preference, host } => format!("{preference} {host}."),
            Data::Name(host) => format!("{host}."),
            Data::Srv {
                priority,
                weight,
                port,
                host,
            } => format!("{priority} {weight} {port} {host}."),
            Data::Txt(text) => {
                line.extend_from_slice(text);
                return line;
            }
            Data::Raw(bytes) => match (self.kind, bytes.as_slice()) {
                (Kind::Tlsa, [usage, selector, matching, rest @ ..]) => {
                    let hex: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
                    format!("{usage} {selector} {matching} {hex}")
                }
                _ => "[truncated record]".to_owned(),
            },
        };
        line.extend_from_slice(shown.as_bytes());
        line
    }
}

/// A parsed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u16,
    pub(crate) truncated: bool,
    pub(crate) authentic: bool,
    pub(crate) code: u8,
    pub(crate) question: (String, u16),
    /// How many records the answer announces.
    pub(crate) answers: u16,
    pub(crate) records: Vec<Record>,
    /// A record of the type that was asked for made no sense and is left out.
    pub(crate) malformed: bool,
    /// The answer ends before its last record does, or has a record of another class.
    pub(crate) corrupt: bool,
}

/// A query for one name and type; asks for the server's word on authenticity (RFC 6840, section 5.7) and for large answers.
pub(crate) fn query(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut out = id.to_be_bytes().to_vec();
    // Recursion desired, authentic data wanted; one question, one additional record (EDNS).
    out.extend([0x01, 0x20, 0, 1, 0, 0, 0, 0, 0, 1]);
    name::write(&mut out, name)?;
    out.extend(kind.number().to_be_bytes());
    out.extend([0, 1]);
    // OPT: root, type 41, 1232 bytes of payload, no flags, no options.
    out.extend([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    Some(out)
}

fn number(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(
        message.get(at..at + 2)?.try_into().ok()?,
    ))
}

fn long(message: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(
        message.get(at..at + 4)?.try_into().ok()?,
    ))
}

/// Parses an answer. A record that is malformed is left out; the others are used.
pub(crate) fn parse(message: &[u8]) -> Option<Message> {
    let flags = number(message, 2)?;
    if flags & 0x8000 == 0 || number(message, 4)? != 1 {
        return None;
    }
    let (question, mut at) = name::read(message, 12)?;
    let wanted = number(message, at)?;
    at += 4;
    let (mut records, mut malformed, mut corrupt) = (Vec::new(), false, false);
    let answers = number(message, 6)?;
    for _ in 0..answers {
        let Some((owner, fixed)) = name::read(message, at) else {
            corrupt = true;
            break;
        };
        let (Some(kind), Some(IN), Some(ttl), Some(len)) = (
            number(message, fixed),
            number(message, fixed + 2),
            long(message, fixed + 4),
            number(message, fixed + 8),
        ) else {
            corrupt = true;
            break;
        };
        let data = fixed + 10;
        let end = data + usize::from(len);
        if end > message.len() {
            corrupt = true;
            break;
        }
        at = end;
        let Some(kind) = Kind::from_number(kind) else {
            continue;
        };
        match record_data(message, kind, data, end) {
            Some(data) => records.push(Record {
                name: owner,
                kind,
                ttl,
                data,
            }),
            None => {
                malformed |= kind.number() == wanted;
                if matches!(kind, Kind::A | Kind::Aaaa) {
                    pf_log::warning!("extract_answer: bad address length: {len}");
                }
            }
        }
    }
    Some(Message {
        id: number(message, 0)?,
        truncated: flags & 0x0200 != 0,
        authentic: flags & 0x0020 != 0,
        code: u8::try_from(flags & 15).ok()?,
        question: (question, wanted),
        answers,
        records,
        malformed,
        corrupt,
    })
}

/// The data of a record between `at` and `end`; names inside must end there.
fn record_data(message: &[u8], kind: Kind, at: usize, end: usize) -> Option<Data> {
    let bytes = message.get(at..end)?;
    let host = |at: usize| {
        name::read(message, at)
            .filter(|(_, behind)| *behind == end)
            .map(|(name, _)| name)
    };
    Some(match kind {
        Kind::A => Data::A(<[u8; 4]>::try_from(bytes).ok()?.into()),
        Kind::Aaaa => Data::Aaaa(<[u8; 16]>::try_from(bytes).ok()?.into()),
        Kind::Mx if bytes.len() > 2 => Data::Mx {
            preference: number(message, at)?,
            host: host(at + 2)?,
        },
        Kind::Srv if bytes.len() > 6 => Data::Srv {
            priority: number(message, at)?,
            weight: number(message, at + 2)?,
            port: number(message, at + 4)?,
            host: host(at + 6)?,
        },
        Kind::Mx | Kind::Srv => return None,
        Kind::Cname | Kind::Ptr | Kind::Ns => Data::Name(host(at)?),
        Kind::Txt => {
            let (mut text, mut rest) = (Vec::new(), bytes);
            while let Some((len, tail)) = rest.split_first() {
                let Some((part, tail)) = tail.split_at_checked(usize::from(*len)) else {
                    pf_log::warning!("extract_answer: bad TXT string length: {len}");
                    return None;
                };
                text.extend_from_slice(part);
                rest = tail;
            }
            Data::Txt(text)
        }
        Kind::Soa | Kind::Tlsa => Data::Raw(bytes.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(records: &[(u16, &[u8])]) -> Vec<u8> {
        let mut out = query(7, "a.example", Kind::Mx).unwrap();
        out.truncate(12 + 11 + 4);
        out[2] = 0x81;
        out[3] = 0xa0;
        out[7] = u8::try_from(records.len()).unwrap();
        out[11] = 0;
        for (kind, data) in records {
            out.extend([0xc0, 12]);
            out.extend(kind.to_be_bytes());
            out.extend([0, 1, 0, 0, 0, 60]);
            out.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            out.extend_from_slice(data);
        }
        out
    }

    #[test]
    fn good_records_survive_bad_ones() {
        let message = parse(&answer(&[
            (15, &[0]),
            (15, &[0, 5, 0xc0, 12]),
            (1, &[1, 2, 3]),
            (1, &[1, 2, 3, 4]),
            (52, &[]),
        ]))
        .unwrap();
        assert!(message.authentic && !message.truncated && message.malformed && !message.corrupt);
        let data: Vec<_> = message
            .records
            .iter()
            .map(|record| record.data.clone())
            .collect();
        assert_eq!(
            data,
            [
                Data::Mx {
                    preference: 5,
                    host: "a.example".into()
                },
                Data::A(Ipv4Addr::new(1, 2, 3, 4)),
                Data::Raw(vec![])
            ]
        );
    }

    #[test]
    fn an_answer_that_ends_early_is_corrupt() {
        let mut cut = answer(&[(1, &[1, 2, 3, 4]), (1, &[1, 2, 3, 4])]);
        cut.truncate(cut.len() - 1);
        assert!(parse(&cut).unwrap().corrupt);
    }

    #[test]
    fn records_are_shown_as_in_zone_files() {
        let shown = |kind, data: &[u8]| {
            let message = parse(&answer(&[(kind, data)])).unwrap();
            String::from_utf8(message.records[0].line()).unwrap()
        };
        assert_eq!(
            shown(15, &[0, 5, 0xc0, 12]),
            "a.example. 60 IN MX 5 a.example."
        );
        assert_eq!(shown(1, &[192, 0, 2, 1]), "a.example. 60 IN A 192.0.2.1");
        assert_eq!(
            shown(33, &[0, 1, 0, 2, 0, 25, 0xc0, 12]),
            "a.example. 60 IN SRV 1 2 25 a.example."
        );
        assert_eq!(
            shown(52, &[3, 1, 1, 0xab, 0]),
            "a.example. 60 IN TLSA 3 1 1 ab00"
        );
        assert_eq!(
            shown(52, &[3, 1]),
            "a.example. 60 IN TLSA [truncated record]"
        );
    }

    proptest! {
        #[test]
        fn any_length_of_any_type_is_safe(kind in 0u16..60, data in prop::collection::vec(any::<u8>(), 0..64)) {
            let message = parse(&answer(&[(kind, &data)]));
            prop_assert!(message.is_some());
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
