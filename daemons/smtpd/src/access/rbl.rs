//! DNS lists: `reject_rbl_*`, `reject_rhsbl_*`, `permit_dnswl_client`, `permit_rhswl_client`.

use std::net::{IpAddr, Ipv4Addr};

use bstr::ByteSlice as _;
use pf_config::expand::{self, Filter, Options};

use super::address::ascii;
use super::ask::{Answer, Ask, Dns, Record, RecordType, TextTable};
use super::{Abort, Check, Decision, Status, class};
use crate::expand::session_value;
use crate::session::errors::Classes;
use crate::session::hostname::valid_hostname;
use crate::text::{all_digits, text};

/// How much of a list's TXT records is shown, in bytes.
const MAX_TXT: usize = 500;

/// What a DNS list says.
enum Listed {
    Yes {
        txt: Vec<u8>,
    },
    No,
    /// Nobody knows just now.
    Unknown,
}

/// The name under which an address is listed, with a dot at its end.
fn reversed(address: IpAddr) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    match address {
        IpAddr::V4(ip) => {
            for octet in ip.octets().iter().rev() {
                let _ = write!(name, "{octet}.");
            }
        }
        IpAddr::V6(ip) => {
            for octet in ip.octets().iter().rev() {
                let _ = write!(name, "{:x}.{:x}.", octet & 0xf, octet >> 4);
            }
        }
    }
    name
}

impl<A: Ask> Check<'_, A> {
    /// Asks a list; `list` may say which answers count: `domain=127.0.0.[2..11]`.
    async fn ask_list(&mut self, prefix: &[u8], list: &str) -> Listed {
        let (domain, filter) = list
            .split_once('=')
            .map_or((list, None), |(domain, filter)| (domain, Some(filter)));
        let query = text![prefix, domain];
        let addresses: Vec<Ipv4Addr> = match self.ask.dns(&query, RecordType::A).await {
            Dns::Found(records) => records
                .iter()
                .filter_map(|record| match record {
                    Record::A(ip) => Some(*ip),
                    _ => None,
                })
                .collect(),
            Dns::NotFound(_) => return Listed::No,
            dns => {
                self.warn(text![query, ": RBL lookup error: ", dns.full()]);
                return Listed::Unknown;
            }
        };
        if let Some(filter) = filter {
            match pattern(filter) {
                Ok(pattern) if addresses.iter().any(|ip| matches(&pattern, *ip)) => {}
                Ok(_) => return Listed::No,
                Err(why) => {
                    self.warn(format!("RBL reply error: {why}"));
                    return Listed::No;
                }
            }
        }
        let mut txt = Vec::new();
        match self.ask.dns(&query, RecordType::Txt).await {
            Dns::Found(records) => {
                for record in &records {
                    let Record::Txt(part) = record else { continue };
                    if !txt.is_empty() {
                        if MAX_TXT - txt.len() <= 3 {
                            break;
                        }
                        txt.extend_from_slice(b" / ");
                    }
                    let room = MAX_TXT - txt.len();
                    txt.extend_from_slice(part.get(..room).unwrap_or(part));
                }
            }
            Dns::Filtered => {
                self.warn(text![
                    query,
                    ": TXT lookup error: DNS reply filter drops all results"
                ]);
            }
            _ => {}
        }
        Listed::Yes { txt }
    }

    async fn ask_address_list(&mut self, list: &str) -> Listed {
        let address = std::str::from_utf8(&self.session.peer.address).ok();
        match address.and_then(|address| address.parse().ok()) {
            Some(ip) => self.ask_list(reversed(ip).as_bytes(), list).await,
            None => Listed::No,
        }
    }

    async fn ask_domain_list(&mut self, list: &str, what: &[u8]) -> Listed {
        let domain = pf_address::domain(what).unwrap_or(what);
        let suffix = domain
            .rsplit_once_str(".")
            .map_or(domain, |(_, suffix)| suffix);
        if domain.is_empty() || domain.first() == Some(&b'[') || all_digits(suffix) {
            return Listed::No;
        }
        let domain = ascii(domain);
        if !valid_hostname(&domain) {
            return Listed::No;
        }
        self.ask_list(&text![domain, "."], list).await
    }

    pub(super) async fn reject_listed_client(&mut self, list: &str) -> Decision {
        match self.ask_address_list(list).await {
            Listed::Yes { txt } => {
                let address = self.session.peer.address.clone();
                self.reject_listed(list, &address, class::CLIENT, &txt)
                    .await
            }
            Listed::No | Listed::Unknown => Ok(Status::Dunno),
        }
    }

    pub(super) async fn reject_listed_domain(
        &mut self,
        list: &str,
        what: &[u8],
        class: &'static str,
    ) -> Decision {
        match self.ask_domain_list(list, what).await {
            Listed::Yes { txt } => self.reject_listed(list, what, class, &txt).await,
            Listed::No | Listed::Unknown => Ok(Status::Dunno),
        }
    }

    /// A list that lets clients in must not make us an open relay.
    async fn list_may_permit(&mut self) -> Result<bool, Abort> {
        match self.session.recipient.clone() {
            Some(recipient) if self.session.stage == "RCPT" => {
                self.authorized_destination(&recipient).await
            }
            _ => Ok(true),
        }
    }

    fn allowed(&mut self, listed: &Listed, what: &[u8]) -> bool {
        match listed {
            Listed::Yes { .. } => true,
            Listed::No => false,
            Listed::Unknown => {
                let reason = text![
                    "<",
                    what,
                    ">: ",
                    class::CLIENT,
                    " rejected: Service unavailable"
                ];
                self.defer_if_reject(450, "4.7.1", reason);
                false
            }
        }
    }

    pub(super) async fn allowed_client_address(&mut self, list: &str) -> Result<bool, Abort> {
        if !self.list_may_permit().await? {
            return Ok(false);
        }
        let listed = self.ask_address_list(list).await;
        let address = self.session.peer.address.clone();
        Ok(self.allowed(&listed, &address))
    }

    pub(super) async fn allowed_client_name(&mut self, list: &str) -> Result<bool, Abort> {
        let name = self.session.peer.name.clone();
        if name.eq_ignore_ascii_case(b"unknown") || !self.list_may_permit().await? {
            return Ok(false);
        }
        let listed = self.ask_domain_list(list, &name).await;
        Ok(self.allowed(&listed, &name))
    }

    async fn reject_listed(
        &mut self,
        list: &str,
        what: &[u8],
        class: &'static str,
        txt: &[u8],
    ) -> Decision {
        let domain = list.split_once('=').map_or(list, |(domain, _)| domain);
        let mut template = match self.ask.text(TextTable::RblReply, list.as_bytes()).await {
            Answer::Missing if domain != list => {
                self.ask.text(TextTable::RblReply, domain.as_bytes()).await
            }
            answer => answer,
        };
        if matches!(template, Answer::Failed { .. }) {
            return Err(self.server_error());
        }
        let reply = loop {
            let text = match &template {
                Answer::Found(text) => text.as_slice(),
                _ => self.params.default_rbl_reply.as_bytes(),
            };
            let code = self.params.codes.rbl.to_string();
            let mut values = |name: &str, _: expand::Purpose| match name {
                "rbl_code" => Some(code.clone().into_bytes()),
                "rbl_domain" => Some(domain.as_bytes().to_vec()),
                "rbl_reason" | "rbl_txt" => Some(txt.to_vec()),
                "rbl_what" => Some(what.to_vec()),
                "rbl_class" => Some(class.as_bytes().to_vec()),
                _ => session_value(self.session, self.params, name),
            };
            let options = Options {
                filter: Filter::Only(&self.params.expansion_filter),
                ..Options::default()
            };
            match expand::expand(text, &options, &mut values) {
                Ok(reply) if !reply.undefined => break reply.text,
                _ if matches!(template, Answer::Found(_)) => {
                    self.warn(text![
                        "rbl_reject_reply: bad rbl reply template for domain ",
                        list,
                        ": ",
                        text
                    ]);
                    template = Answer::Missing;
                }
                _ => {
                    self.warn(text![
                        "rbl_reject_reply: bad default rbl reply template: ",
                        text
                    ]);
                    return Err(self.server_error());
                }
            }
        };
        let code = match reply.as_slice() {
            [b'4' | b'5', tens, ones, b' ', ..]
                if tens.is_ascii_digit() && ones.is_ascii_digit() =>
            {
                reply
                    .get(..3)
                    .and_then(|code| std::str::from_utf8(code).ok())
                    .and_then(|code| code.parse::<i64>().ok())
            }
            _ => None,
        };
        let Some(code) = code else {
            self.warn(text!["rbl response code configuration error: ", reply]);
            return Ok(self.reject(Classes::POLICY, 450, b"4.7.1", b"Service unavailable"));
        };
        let default = pf_dsn::Dsn::new(4, 7, 1);
        let (dsn, reason) = pf_dsn::split_text(reply.get(4..).unwrap_or_default(), default);
        let reason = if reason.is_empty() {
            b"Service unavailable"
        } else {
            reason
        };
        let dsn = self.fix_dsn(dsn, class);
        Ok(self.reject(Classes::POLICY, code, &dsn, reason))
    }
}

/// The octets that an answer may have: for each of the four, ranges.
type Pattern = [Vec<(u8, u8)>; 4];

/// Parses `1.2.3.[4..11;13]`.
fn pattern(text: &str) -> Result<Pattern, String> {
    let bad = || format!("bad address pattern: {text}");
    let mut octets: Vec<Vec<(u8, u8)>> = Vec::new();
    let mut rest = text;
    loop {
        let (part, after) = if let Some(inner) = rest.strip_prefix('[') {
            let (inner, after) = inner.split_once(']').ok_or_else(bad)?;
            (inner, after)
        } else {
            rest.split_at(rest.find('.').unwrap_or(rest.len()))
        };
        let mut ranges = Vec::new();
        for range in part.split(';') {
            let (low, high) = range.split_once("..").unwrap_or((range, range));
            let low: u8 = low.parse().map_err(|_| bad())?;
            let high: u8 = high.parse().map_err(|_| bad())?;
            if low > high {
                return Err(bad());
            }
            ranges.push((low, high));
        }
        octets.push(ranges);
        match after.strip_prefix('.') {
            Some(more) => rest = more,
            None if after.is_empty() => break,
            None => return Err(bad()),
        }
    }
    octets.try_into().map_err(|_| bad())
}

fn matches(pattern: &Pattern, ip: Ipv4Addr) -> bool {
    pattern.iter().zip(ip.octets()).all(|(ranges, octet)| {
        ranges
            .iter()
            .any(|(low, high)| (*low..=*high).contains(&octet))
    })
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn addresses_are_asked_for_backwards() {
        assert_eq!(reversed("192.0.2.1".parse().unwrap()), "1.2.0.192.");
        assert!(reversed("2001:db8::1".parse().unwrap()).starts_with("1.0.0.0."));
        assert!(reversed("2001:db8::1".parse().unwrap()).ends_with("8.b.d.0.1.0.0.2."));
    }

    #[test]
    fn answers_are_matched_by_pattern() {
        let wanted = pattern("127.0.[0;1].[2..11;15]").unwrap();
        for (ip, hit) in [
            ("127.0.0.2", true),
            ("127.0.1.15", true),
            ("127.0.0.12", false),
            ("127.0.2.2", false),
        ] {
            assert_eq!(matches(&wanted, ip.parse().unwrap()), hit, "{ip}");
        }
        for wrong in [
            "127.0.0",
            "127.0.0.x",
            "127.0.0.[2..1]",
            "127.0.0.[1",
            "127.0.0.1.",
            "300.0.0.1",
        ] {
            assert!(pattern(wrong).is_err(), "{wrong}");
        }
    }
}
