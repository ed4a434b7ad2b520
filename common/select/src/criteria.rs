//! What a message must be like.

use std::time::Duration;

use pf_proto::showq::{Message, Recipient};
use wildmatch::WildMatch;

/// What a message must be like. Of several patterns of one kind, one must match; of several kinds, each.
#[derive(Debug, Default)]
pub struct Criteria {
    /// How the null address is shown, which `<>` stands for.
    pub(crate) null_address: String,
    pub(crate) senders: Vec<WildMatch>,
    pub(crate) recipients: Vec<WildMatch>,
    pub(crate) domains: Vec<WildMatch>,
    pub(crate) reasons: Vec<WildMatch>,
    pub(crate) older: Option<Duration>,
    pub(crate) newer: Option<Duration>,
    /// In bytes.
    pub(crate) larger: Option<i64>,
    pub(crate) queues: Vec<String>,
    pub(crate) limit: Option<usize>,
}

impl Criteria {
    /// From now on the pattern `<>` stands for the address that showq shows instead of the null one
    /// (`empty_address_recipient`).
    pub fn set_null_address(&mut self, shown: String) {
        self.null_address = shown;
    }

    /// Whether every message will do.
    pub fn is_empty(&self) -> bool {
        self.senders.is_empty()
            && !self.asks_for_recipients()
            && self.older.is_none()
            && self.newer.is_none()
            && self.larger.is_none()
            && self.queues.is_empty()
            && self.limit.is_none()
    }

    /// No more messages than this.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// Whether messages of this queue will do.
    pub fn has_queue(&self, queue: &str) -> bool {
        self.queues.is_empty() || self.queues.iter().any(|wanted| wanted == queue)
    }

    fn asks_for_recipients(&self) -> bool {
        !(self.recipients.is_empty() && self.domains.is_empty() && self.reasons.is_empty())
    }

    /// Whether a message will do. `now`: seconds since the epoch.
    pub fn matches(&self, message: &Message, recipients: &[Recipient], now: i64) -> bool {
        let age = now.saturating_sub(message.time);
        let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        self.has_queue(&String::from_utf8_lossy(&message.queue))
            && self.one_of(&self.senders, &message.sender)
            && self.older.is_none_or(|limit| age > seconds(limit))
            && self.newer.is_none_or(|limit| age < seconds(limit))
            && self.larger.is_none_or(|limit| message.size > limit)
            && (!self.asks_for_recipients()
                || recipients.iter().any(|recipient| self.wants(recipient)))
    }

    /// One and the same recipient must be all that is asked for.
    fn wants(&self, recipient: &Recipient) -> bool {
        self.one_of(&self.recipients, &recipient.address)
            && self.one_of(&self.domains, domain(&recipient.address))
            && self.one_of(&self.reasons, &recipient.reason)
    }

    /// Whether a pattern matches, if there are any.
    fn one_of(&self, patterns: &[WildMatch], text: &[u8]) -> bool {
        let text = String::from_utf8_lossy(text);
        let null = !text.is_empty() && text == self.null_address;
        patterns.is_empty()
            || patterns
                .iter()
                .any(|pattern| pattern.matches(&text) || (null && pattern.matches("<>")))
    }
}

/// What follows the last `@`.
fn domain(address: &[u8]) -> &[u8] {
    address
        .rsplit(|byte| *byte == b'@')
        .next()
        .filter(|domain| domain.len() < address.len())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(sender: &str) -> Message {
        Message {
            queue: b"deferred".to_vec(),
            id: b"4XyZ".to_vec(),
            time: 1000,
            size: 5000,
            forced_expire: false,
            sender: sender.into(),
        }
    }

    fn recipient(address: &str, reason: &str) -> Recipient {
        Recipient {
            original: address.into(),
            address: address.into(),
            log_class: b"defer".to_vec(),
            reason: reason.into(),
        }
    }

    fn pattern(text: &str) -> Vec<WildMatch> {
        vec![WildMatch::new_case_insensitive(text)]
    }

    #[test]
    fn senders_are_matched_as_a_whole() {
        let matches = |wanted: &str, sender: &str| {
            let criteria = Criteria {
                senders: pattern(wanted),
                null_address: "nobody".into(),
                ..Criteria::default()
            };
            criteria.matches(&message(sender), &[], 2000)
        };
        assert!(matches("joe@a.example", "Joe@A.example"));
        assert!(matches("*@a.example", "joe@a.example"));
        assert!(matches("jo?@*", "joe@a.example"));
        assert!(!matches("joe", "joe@a.example"));
        assert!(!matches("*@a.example", "joe@a.example.net"));
        assert!(matches("<>", "nobody") && matches("nobody", "nobody"));
        assert!(!matches("<>", "MAILER-DAEMON"));
        assert!(!matches("<>", "joe@a.example"));
    }

    #[test]
    fn one_recipient_is_all_that_is_asked_for() {
        let criteria = Criteria {
            domains: pattern("a.example"),
            reasons: pattern("*refused*"),
            ..Criteria::default()
        };
        let (refused, full) = ("connection refused", "mailbox full");
        let check = |recipients: &[Recipient]| criteria.matches(&message("x"), recipients, 2000);
        assert!(check(&[
            recipient("x@b.example", full),
            recipient("x@A.example", refused)
        ]));
        assert!(!check(&[
            recipient("x@a.example", full),
            recipient("x@b.example", refused)
        ]));
        assert!(!check(&[]));
        assert!(!check(&[recipient("a.example", refused)]));
    }

    #[test]
    fn ages_sizes_and_queues() {
        let check = |criteria: Criteria| criteria.matches(&message("x"), &[], 1600);
        let time = |seconds| Some(Duration::from_secs(seconds));
        let all = Criteria::default;
        assert!(check(all()) && all().is_empty());
        assert!(check(Criteria {
            older: time(599),
            ..all()
        }));
        assert!(!check(Criteria {
            older: time(600),
            ..all()
        }));
        assert!(check(Criteria {
            newer: time(601),
            ..all()
        }));
        assert!(!check(Criteria {
            newer: time(600),
            ..all()
        }));
        assert!(check(Criteria {
            larger: Some(4999),
            ..all()
        }));
        assert!(!check(Criteria {
            larger: Some(5000),
            ..all()
        }));
        assert!(check(Criteria {
            queues: vec!["hold".into(), "deferred".into()],
            ..all()
        }));
        assert!(!check(Criteria {
            queues: vec!["hold".into()],
            ..all()
        }));
    }

    proptest! {
        #[test]
        fn an_address_without_wildcards_matches_itself(address in "[a-z0-9.<>@\" \\[\\]!-]{0,40}") {
            let criteria = Criteria { senders: pattern(&address), ..Criteria::default() };
            prop_assert!(criteria.matches(&message(&address), &[], 0));
            let longer = address + "x";
            prop_assert!(!criteria.matches(&message(&longer), &[], 0));
        }

        #[test]
        fn more_that_is_asked_for_never_finds_more(
            sender in "[a-c@.]{0,8}", one in "[a-c@.*?]{0,8}", age in 0_u64..2000, size in 0_i64..9000
        ) {
            let message = message(&sender);
            let few = Criteria { senders: pattern(&one), ..Criteria::default() };
            let fewer = Criteria {
                senders: pattern(&one), older: Some(Duration::from_secs(age)), larger: Some(size), ..Criteria::default()
            };
            prop_assert!(!fewer.matches(&message, &[], 2000) || few.matches(&message, &[], 2000));
        }
    }
}
