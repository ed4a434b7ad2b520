//! What was typed, and what it means. A mistake is told before anything is listed or touched.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use pf_cli::{LongOpt, Scanned};
use wildmatch::WildMatch;

use crate::Criteria;

const SENDER: LongOpt = LongOpt::value(
    "sender",
    "pattern",
    "only mail from such a sender; <> is the null sender",
);
const RECIPIENT: LongOpt =
    LongOpt::value("recipient", "pattern", "only mail with such a recipient");
const DOMAIN: LongOpt = LongOpt::value(
    "domain",
    "pattern",
    "only mail with a recipient in such a domain",
);
const REASON: LongOpt = LongOpt::value(
    "reason",
    "pattern",
    "only mail with a recipient whose reason to wait has such a text in it",
);
const OLDER: LongOpt = LongOpt::value(
    "older",
    "time",
    "only mail that arrived longer ago than this",
);
const NEWER: LongOpt = LongOpt::value(
    "newer",
    "time",
    "only mail that arrived less long ago than this",
);
const LARGER: LongOpt = LongOpt::value("larger", "size", "only mail with more bytes than this");
const QUEUE: LongOpt = LongOpt::value("queue", "queue", "only mail in this queue");
const LIMIT: LongOpt = LongOpt::value("limit", "number", "only so many messages");

/// The options of a command that only shows what it finds.
pub const OPTIONS: [LongOpt; 9] = [
    SENDER, RECIPIENT, DOMAIN, REASON, OLDER, NEWER, LARGER, QUEUE, LIMIT,
];

/// The options of a command that changes what it finds.
pub const OPTIONS_AND_DRY_RUN: [LongOpt; 10] = {
    let [a, b, c, d, e, f, g, h, i] = OPTIONS;
    let dry_run = LongOpt::flag("dry-run", "tell what would be done, and do nothing");
    [a, b, c, d, e, f, g, h, i, dry_run]
};

/// The queues that can be asked for: those of whole messages.
const QUEUES: [&str; 5] = ["maildrop", "incoming", "active", "deferred", "hold"];

/// What the options ask for.
///
/// # Errors
/// A value makes no sense.
pub fn criteria(scanned: &Scanned) -> Result<Criteria> {
    let texts = |option: &LongOpt| -> Vec<String> {
        scanned
            .all_long(option.name)
            .map(|value| value.to_string_lossy().into_owned())
            .collect()
    };
    let patterns = |option: &LongOpt| -> Result<Vec<WildMatch>> {
        let found = texts(option);
        // It would match nothing, or everything: whichever it was meant to, better ask.
        ensure!(
            found.iter().all(|text| !text.is_empty()),
            "--{}: the pattern is empty",
            option.name
        );
        let anywhere = option.name == REASON.name;
        Ok(found
            .iter()
            .map(|text| match anywhere {
                true => WildMatch::new_case_insensitive(&format!("*{text}*")),
                false => WildMatch::new_case_insensitive(text),
            })
            .collect())
    };
    // More than one value could only be a mistake.
    let single = |option: &LongOpt| -> Result<Option<String>> {
        let mut found = texts(option);
        ensure!(found.len() <= 1, "--{}: given twice", option.name);
        Ok(found.pop())
    };
    let queues = texts(&QUEUE);
    for queue in &queues {
        if !QUEUES.contains(&queue.as_str()) {
            let bad = anyhow!(
                "--{}: there is no queue {queue:?} of messages; specify one of: {}",
                QUEUE.name,
                QUEUES.join(" ")
            );
            return Err(pf_cli::meant(bad, queue, QUEUES));
        }
    }
    Ok(Criteria {
        null_address: "MAILER-DAEMON".into(),
        senders: patterns(&SENDER)?,
        recipients: patterns(&RECIPIENT)?,
        domains: patterns(&DOMAIN)?,
        reasons: patterns(&REASON)?,
        older: single(&OLDER)?
            .map(|text| time(&OLDER, &text))
            .transpose()?,
        newer: single(&NEWER)?
            .map(|text| time(&NEWER, &text))
            .transpose()?,
        larger: single(&LARGER)?.map(|text| size(&text)).transpose()?,
        queues,
        limit: single(&LIMIT)?.map(|text| limit(&text)).transpose()?,
    })
}

/// A time with a unit; without one it would be anybody's guess.
fn time(option: &LongOpt, text: &str) -> Result<Duration> {
    let has_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
    pf_text::time::parse(text, 's')
        .filter(|_| has_unit && !text.starts_with(|first: char| !first.is_ascii_digit()))
        .with_context(|| {
            format!(
                "--{}: bad time {text:?}; specify a number and one of the units s m h d w",
                option.name
            )
        })
}

fn size(text: &str) -> Result<i64> {
    let (digits, factor) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 1 << 30),
        _ => (Some(text), 1_i64),
    };
    digits
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<i64>().ok()?.checked_mul(factor))
        .with_context(|| {
            format!(
                "--{}: bad size {text:?}; specify a number of bytes, or one followed by k, m or g",
                LARGER.name
            )
        })
}

fn limit(text: &str) -> Result<usize> {
    match text.parse() {
        Ok(limit) if limit > 0 && text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(limit),
        _ => bail!("--{}: bad number {text:?}; specify one or more", LIMIT.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(options: &[(&'static str, &str)]) -> Result<Criteria> {
        criteria(&Scanned {
            long: options
                .iter()
                .map(|(name, value)| (*name, Some(value.into())))
                .collect(),
            ..Scanned::default()
        })
    }

    #[test]
    fn values() {
        let found = parse(&[
            ("older", "2h"),
            ("newer", "1w"),
            ("larger", "10k"),
            ("limit", "5"),
            ("queue", "hold"),
            ("queue", "deferred"),
        ])
        .unwrap();
        assert_eq!(found.older, Some(Duration::from_secs(7200)));
        assert_eq!(found.newer, Some(Duration::from_secs(604_800)));
        assert_eq!((found.larger, found.limit()), (Some(10_240), 5));
        assert!(found.has_queue("hold") && !found.has_queue("active"));
        assert!(parse(&[]).unwrap().is_empty());
    }

    #[test]
    fn mistakes() {
        for (option, value) in [
            ("older", "5"),
            ("older", "h"),
            ("older", "-5h"),
            ("older", "5y"),
            ("newer", ""),
            ("larger", "k"),
            ("larger", "-1"),
            ("larger", "1t"),
            ("larger", "9999999999g"),
            ("limit", "0"),
            ("limit", "+1"),
            ("limit", "many"),
            ("queue", "corrupt"),
            ("queue", "Deferred"),
            ("queue", ""),
            ("sender", ""),
            ("reason", ""),
        ] {
            assert!(parse(&[(option, value)]).is_err(), "--{option} {value}");
        }
        assert!(parse(&[("older", "1h"), ("older", "2h")]).is_err());
    }
}
