//! The queue, counted by what its messages have in common.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use anyhow::Result;
use pf_proto::showq::Message;

use crate::shown::Next;
use crate::table::write_aligned;

/// What messages have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountBy {
    /// The domain of a recipient; a message counts for each of its recipients' domains.
    Domain,
    /// The sender.
    Sender,
    /// Why a recipient waits; a message counts for each reason.
    Reason,
    /// How long ago it arrived.
    Age,
}

impl CountBy {
    /// What a word stands for.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "domain" => Self::Domain,
            "sender" => Self::Sender,
            "reason" => Self::Reason,
            "age" => Self::Age,
            _ => return None,
        })
    }

    fn head(self) -> &'static str {
        match self {
            Self::Domain => "Domain",
            Self::Sender => "Sender",
            Self::Reason => "Reason",
            Self::Age => "Age",
        }
    }
}

/// Ages are told apart at so many minutes, as qshape does.
const AGES: [i64; 9] = [5, 10, 20, 40, 80, 160, 320, 640, 1280];

/// What was counted under one key.
#[derive(Debug, Default)]
struct Count {
    messages: u64,
    recipients: u64,
    /// In bytes.
    size: i64,
}

/// The counts.
#[derive(Debug, Default)]
pub struct Counts {
    /// By a number that keeps ages in order, and the key.
    counts: BTreeMap<(usize, String), Count>,
}

impl Counts {
    /// Counts a message. `now` in seconds since the epoch.
    ///
    /// # Errors
    /// As `next`.
    pub fn add(&mut self, by: CountBy, message: &Message, next: Next<'_>, now: i64) -> Result<()> {
        let mut keys: BTreeSet<(usize, String)> = BTreeSet::new();
        let of_message = match by {
            CountBy::Sender => Some((0, text(&message.sender))),
            CountBy::Age => Some(age_class(now.saturating_sub(message.time))),
            CountBy::Domain | CountBy::Reason => None,
        };
        keys.extend(of_message.clone());
        while let Some(recipient) = next()? {
            let key = of_message.clone().unwrap_or_else(|| {
                let key = match by {
                    CountBy::Domain => domain(&recipient.address),
                    _ if recipient.reason.is_empty() => "-".to_owned(),
                    _ => text(&recipient.reason),
                };
                (0, key)
            });
            self.counts.entry(key.clone()).or_default().recipients += 1;
            keys.insert(key);
        }
        for key in keys {
            let count = self.counts.entry(key).or_default();
            count.messages += 1;
            count.size = count.size.saturating_add(message.size);
        }
        Ok(())
    }

    /// Writes the counts: ages in their order, everything else with the largest count first.
    ///
    /// # Errors
    /// Nobody reads.
    pub fn write(self, by: CountBy, out: &mut impl Write) -> Result<()> {
        let mut counts: Vec<_> = self.counts.into_iter().collect();
        counts.sort_by_key(|((order, _), count)| {
            (*order, Reverse((count.messages, count.recipients)))
        });
        let head = ["Messages", "Recipients", "Size", by.head()];
        let rows = counts.into_iter().map(|((_, key), count)| {
            vec![
                count.messages.to_string(),
                count.recipients.to_string(),
                count.size.to_string(),
                key,
            ]
        });
        write_aligned(out, head.map(str::to_owned).into(), rows, &[0, 1, 2])
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The domain of an address, in lower case; `-` for none.
fn domain(address: &[u8]) -> String {
    let address = text(address);
    address
        .rsplit_once('@')
        .map_or_else(|| "-".to_owned(), |(_, domain)| domain.to_lowercase())
}

/// Where an age belongs: its place, and its name.
fn age_class(seconds: i64) -> (usize, String) {
    let class = AGES.iter().position(|limit| seconds < limit * 60);
    match class.and_then(|at| AGES.get(at).map(|limit| (at, limit))) {
        Some((at, limit)) => (at, format!("under {limit}m")),
        None => (AGES.len(), "1280m and more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_proto::showq::Recipient;

    /// Its sender, its time, and each recipient with its reason.
    type Listed<'a> = (&'a str, i64, &'a [(&'a str, &'a str)]);

    fn table(by: CountBy, messages: &[Listed<'_>]) -> String {
        let mut counts = Counts::default();
        for (sender, time, recipients) in messages {
            let message = Message {
                queue: b"deferred".to_vec(),
                id: b"X".to_vec(),
                time: *time,
                size: 10,
                forced_expire: false,
                sender: sender.as_bytes().to_vec(),
            };
            let mut recipients = recipients.iter().map(|(address, reason)| Recipient {
                original: Vec::new(),
                address: address.as_bytes().to_vec(),
                log_class: Vec::new(),
                reason: reason.as_bytes().to_vec(),
            });
            counts
                .add(by, &message, &mut || Ok(recipients.next()), 10_000)
                .unwrap();
        }
        let mut out = Vec::new();
        counts.write(by, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_message_counts_once_for_a_key() {
        let messages: &[Listed<'_>] = &[
            (
                "a@x",
                9990,
                &[("u@One", "full"), ("v@one", ""), ("w", "full")],
            ),
            ("b@x", 0, &[("u@two", "full")]),
            ("a@x", 9500, &[("u@one", "gone")]),
        ];
        assert_eq!(
            table(CountBy::Domain, messages),
            "Messages  Recipients  Size  Domain\n       2           3    20  one\n       1           1    10  -\n       1           1    10  two\n"
        );
        assert_eq!(
            table(CountBy::Reason, messages),
            "Messages  Recipients  Size  Reason\n       2           3    20  full\n       1           1    10  -\n       1           1    10  gone\n"
        );
        assert_eq!(
            table(CountBy::Sender, messages),
            "Messages  Recipients  Size  Sender\n       2           4    20  a@x\n       1           1    10  b@x\n"
        );
        assert_eq!(
            table(CountBy::Age, messages),
            "Messages  Recipients  Size  Age\n       1           3    10  under 5m\n       1           1    10  under 10m\n       1           1    10  under 320m\n"
        );
    }
}
