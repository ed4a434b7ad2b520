//! TLSA records (RFC 6698) as SMTP uses them (RFC 7672), up to where a certificate is compared with them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use pf_dns::{Answer, BadProbe, Data, Found, Kind, Validating};
use pf_log::{info, warning};

use crate::hosts::Host;

/// What there is for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Records {
    /// None, or none that somebody vouches for.
    None,
    /// Some, but none that could be used.
    Unusable,
    /// Some that a certificate can be compared with.
    Usable,
    /// Nobody could tell.
    Unknown,
}

/// How long an answer is kept, at least and at most.
const KEPT: [u32; 2] = [1, 100];
/// How many bytes at the beginning and at the end of a record are shown.
const SHOWN: usize = 32;

/// Asks for TLSA records, and remembers.
pub struct Tlsa<'a> {
    dns: &'a Validating,
    /// They count also for hosts in zones that nobody vouches for.
    force: bool,
    /// They are shown.
    show: bool,
    /// What was found, and until when that is so; not at all where nobody could tell.
    known: RefCell<HashMap<String, (Records, Option<Instant>)>>,
}

impl<'a> Tlsa<'a> {
    pub fn new(dns: &'a Validating, force: bool, show: bool) -> Self {
        Self {
            dns,
            force,
            show,
            known: RefCell::default(),
        }
    }

    /// The records of a server.
    ///
    /// # Errors
    /// `dnssec_probe` is malformed.
    pub async fn of(&self, host: &Host, port: u16) -> Result<Records, BadProbe> {
        let aliased = !host.owner.eq_ignore_ascii_case(&host.name);
        if !self.force && !host.authentic {
            // Without signatures over the addresses there are none over the records either, but an alias may be in another zone.
            if !aliased {
                return Ok(Records::None);
            }
            match self.alias_is_authentic(&host.name).await? {
                Some(true) => {}
                Some(false) => return Ok(Records::None),
                None => return Ok(Records::Unknown),
            }
        }
        if host.authentic {
            let records = self.under(&host.owner, port).await?;
            if !aliased || records != Records::None {
                return Ok(records);
            }
        }
        self.under(&host.name, port).await
    }

    /// Whether somebody vouches for this alias; `None`: nobody could tell.
    async fn alias_is_authentic(&self, name: &str) -> Result<Option<bool>, BadProbe> {
        let why = match self.dns.lookup(name, Kind::Cname).await? {
            Answer::Found(found) => return Ok(Some(found.authentic)),
            Answer::NoName(_) | Answer::NoData(_) => "no longer a CNAME".to_owned(),
            other => other
                .trouble()
                .map(|trouble| trouble.text.clone())
                .unwrap_or_default(),
        };
        warning!("DNSSEC status lookup error for {name}: {why}");
        Ok(None)
    }

    /// The records under a name. One that nobody could tell of is asked for once more.
    async fn under(&self, name: &str, port: u16) -> Result<Records, BadProbe> {
        let name = format!("_{port}._tcp.{name}");
        let is_new = !self.known.borrow().contains_key(&name);
        if is_new {
            self.ask(&name).await?;
        }
        let kept = self.known.borrow().get(&name).copied();
        match kept {
            Some((records, Some(end))) if Instant::now() <= end => Ok(records),
            _ => self.ask(&name).await,
        }
    }

    async fn ask(&self, name: &str) -> Result<Records, BadProbe> {
        let (records, ttl) = match self.dns.lookup(name, Kind::Tlsa).await? {
            Answer::Found(found) => {
                let ttl = found.records.first().map(|record| record.ttl);
                (self.usable(name, &found), ttl)
            }
            Answer::NoName(_) | Answer::NoData(_) => (Records::None, Some(0)),
            other => {
                let why = other.trouble().map(|trouble| trouble.text.as_str());
                warning!("DANE TLSA lookup problem: {}", why.unwrap_or_default());
                (Records::Unknown, None)
            }
        };
        let [least, most] = KEPT;
        let end = ttl.map(|ttl| {
            // One more second, as the clock of the original goes by seconds.
            Instant::now() + Duration::from_secs(1 + u64::from(ttl.clamp(least, most)))
        });
        self.known
            .borrow_mut()
            .insert(name.to_owned(), (records, end));
        Ok(records)
    }

    /// Whether some of the records can be used; complains of the others.
    fn usable(&self, asked: &str, found: &Found) -> Records {
        if !found.authentic {
            return Records::None;
        }
        let mut usable = false;
        for record in &found.records {
            let Data::Raw(bytes) = &record.data else {
                continue;
            };
            let place = if record.name.eq_ignore_ascii_case(asked) {
                record.name.clone()
            } else {
                format!("{asked} -> {}", record.name)
            };
            let [usage, selector, matching, data @ ..] = bytes.as_slice() else {
                warning!("{place}: truncated TLSA RR length == {}", bytes.len());
                continue;
            };
            if data.is_empty() {
                warning!("{place}: truncated TLSA RR length == {}", bytes.len());
                continue;
            }
            let record_shown = shown(*usage, *selector, *matching, data);
            // Usages 0 and 1 mean the web's authorities, of which mail knows nothing.
            if !matches!(usage, 2 | 3) {
                warning!("{place} unsupported TLSA certificate usage: {record_shown}");
            } else if *matching == 255 {
                warning!("{place} reserved private-use matching type: {record_shown}");
            } else {
                usable = true;
                if self.show {
                    info!("DNSSEC-signed TLSA record: {}: {record_shown}", record.name);
                }
            }
        }
        if usable {
            Records::Usable
        } else {
            Records::Unusable
        }
    }
}

/// A record as the log shows it: its numbers, and its data, in the middle of which something may be left out.
pub fn shown(usage: u8, selector: u8, matching: u8, data: &[u8]) -> String {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02X}")).collect() };
    let data = match (
        data.first_chunk::<SHOWN>(),
        data.last_chunk::<SHOWN>(),
        data.len(),
    ) {
        (Some(first), Some(last), len) if len > 2 * SHOWN => {
            format!("{}...{}", hex(first), hex(last))
        }
        (_, _, 0) => "...".to_owned(),
        _ => hex(data),
    };
    format!("{usage} {selector} {matching} {data}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_data_is_shown_in_part() {
        assert_eq!(shown(3, 1, 1, &[0xab, 1]), "3 1 1 AB01");
        let long: Vec<u8> = (0..65).collect();
        let text = shown(2, 0, 0, &long);
        assert!(text.starts_with("2 0 0 000102") && text.ends_with("3F40"));
        assert_eq!(text.len(), 6 + 64 + 3 + 64);
        assert!(!shown(2, 0, 0, &long[..64]).contains("..."));
    }
}
