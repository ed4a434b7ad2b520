//! What is known of one address, and what is to be done about it.

use std::time::Duration;

use pf_proto::verify::AddressStatus;

/// A probe is given up when there is no answer in this time, in seconds.
const PROBE_TTL: i64 = 1000;

/// How long knowledge is good.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// `address_verify_positive_expire_time`
    pub positive_expire: Duration,
    /// `address_verify_positive_refresh_time`
    pub positive_refresh: Duration,
    /// `address_verify_negative_expire_time`
    pub negative_expire: Duration,
    /// `address_verify_negative_refresh_time`
    pub negative_refresh: Duration,
}

/// What is known of one address. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whether mail can be delivered.
    pub status: AddressStatus,
    /// When a probe was sent; 0: none is on its way.
    pub probed: i64,
    /// When a probe's outcome came in; 0: never.
    pub updated: i64,
    /// The text that goes with the status.
    pub text: Vec<u8>,
}

impl Entry {
    /// An address of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            status: AddressStatus::Todo,
            probed: 0,
            updated: 0,
            text: b"Address verification in progress".to_vec(),
        }
    }

    /// The entry as it is kept: `status:probed:updated:text`.
    pub fn encode(&self) -> Vec<u8> {
        let head = format!("{}:{}:{}:", self.status.code(), self.probed, self.updated);
        [head.as_bytes(), &self.text].concat()
    }

    /// Reads what was kept; `None`: it is damaged.
    pub fn parse(raw: &[u8]) -> Option<Self> {
        let mut parts = raw.splitn(4, |&ch| ch == b':');
        let status = number(parts.next()?)?;
        let probed = number(parts.next()?)?;
        let updated = number(parts.next()?)?;
        let text = parts.next()?.to_vec();
        let status = AddressStatus::from_code(i32::try_from(status).ok()?)?;
        // An entry without any time was never written.
        (probed != 0 || updated != 0).then_some(Self {
            status,
            probed,
            updated,
            text,
        })
    }

    fn older(&self, positive: Duration, negative: Duration, now: i64) -> bool {
        let life = if self.status == AddressStatus::Ok {
            positive
        } else {
            negative
        };
        self.updated
            .saturating_add(i64::try_from(life.as_secs()).unwrap_or(i64::MAX))
            < now
    }

    /// Whether a new probe would not be one too many.
    fn may_probe(&self, now: i64) -> bool {
        now.saturating_sub(self.probed) > PROBE_TTL
    }

    /// Whether the entry says nothing any more.
    pub fn is_expired(&self, lives: &Lifetimes, now: i64) -> bool {
        self.may_probe(now) && self.older(lives.positive_expire, lives.negative_expire, now)
    }

    /// Whether a probe is to be sent.
    pub fn needs_probe(&self, lives: &Lifetimes, now: i64) -> bool {
        self.may_probe(now) && self.older(lives.positive_refresh, lives.negative_refresh, now)
    }

    /// Whether the entry stays in the cache when it is cleaned up.
    pub fn is_kept(&self, lives: &Lifetimes, now: i64) -> bool {
        now.saturating_sub(self.probed) < PROBE_TTL
            || !self.older(lives.positive_expire, lives.negative_expire, now)
    }
}

/// What an update does to what is known: a failed probe does not overrule a good address before that expires. As long as
/// some probes succeed, the address stays good.
pub fn is_accepted(known: Option<&Entry>, status: AddressStatus) -> bool {
    status == AddressStatus::Ok || known.is_none_or(|known| known.status != AddressStatus::Ok)
}

fn number(text: &[u8]) -> Option<i64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: Lifetimes = Lifetimes {
        positive_expire: Duration::from_secs(100_000),
        positive_refresh: Duration::from_secs(10_000),
        negative_expire: Duration::from_secs(50_000),
        negative_refresh: Duration::from_secs(5_000),
    };

    fn entry(status: AddressStatus, probed: i64, updated: i64) -> Entry {
        Entry {
            status,
            probed,
            updated,
            text: b"a:b".to_vec(),
        }
    }

    #[test]
    fn entries_are_kept_and_read() {
        let known = entry(AddressStatus::Bounce, 0, 17);
        assert_eq!(known.encode(), b"2:0:17:a:b");
        assert_eq!(Entry::parse(b"2:0:17:a:b").unwrap(), known);
        for bad in [&b"2:0:0:x"[..], b"9:0:1:x", b"2:x:1:x", b"2:0:1", b""] {
            assert_eq!(Entry::parse(bad), None);
        }
    }

    #[test]
    fn knowledge_grows_old() {
        let good = entry(AddressStatus::Ok, 0, 100_000);
        assert!(!good.needs_probe(&LIVES, 110_000));
        assert!(good.needs_probe(&LIVES, 110_001));
        assert!(!good.is_expired(&LIVES, 200_000));
        assert!(good.is_expired(&LIVES, 200_001));
        assert!(good.is_kept(&LIVES, 200_000) && !good.is_kept(&LIVES, 200_001));
        let bad = entry(AddressStatus::Defer, 0, 100_000);
        assert!(bad.needs_probe(&LIVES, 105_001) && bad.is_expired(&LIVES, 150_001));
        assert!(Entry::unknown().needs_probe(&LIVES, 1_000_000));
    }

    #[test]
    fn one_probe_at_a_time() {
        let asked = entry(AddressStatus::Todo, 1_000_000, 0);
        assert!(!asked.needs_probe(&LIVES, 1_001_000) && !asked.is_expired(&LIVES, 1_001_000));
        assert!(asked.needs_probe(&LIVES, 1_001_001));
        assert!(asked.is_kept(&LIVES, 1_000_999));
    }

    #[test]
    fn good_news_last_longer() {
        let good = entry(AddressStatus::Ok, 0, 1);
        assert!(!is_accepted(Some(&good), AddressStatus::Bounce));
        assert!(is_accepted(Some(&good), AddressStatus::Ok));
        assert!(is_accepted(None, AddressStatus::Bounce));
    }
}
