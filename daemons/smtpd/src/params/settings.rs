//! Parameters that belong together, and settings that are lists of words.

use anyhow::{Result, bail};
use pf_proto::cleanup::Flags;

use crate::access::TempfailAction;
use crate::session::hostname::Families;

/// The reply codes that the administrator can choose.
#[derive(Debug)]
pub(crate) struct Codes {
    pub(crate) unknown_client: i64,
    pub(crate) bad_name: i64,
    pub(crate) unknown_name: i64,
    pub(crate) unknown_address: i64,
    pub(crate) relay: i64,
    pub(crate) rbl: i64,
    pub(crate) map_reject: i64,
    pub(crate) map_defer: i64,
    pub(crate) reject: i64,
    pub(crate) defer: i64,
    pub(crate) non_fqdn: i64,
    pub(crate) multi_recipient_bounce: i64,
    pub(crate) unknown_local: i64,
    pub(crate) unknown_virtual_alias: i64,
    pub(crate) unknown_virtual_mailbox: i64,
    pub(crate) unknown_relay: i64,
    pub(crate) plaintext: i64,
    pub(crate) bare_newline: i64,
}

/// `reject_unverified_sender` or `reject_unverified_recipient`.
#[derive(Debug)]
pub(crate) struct Unverified {
    pub(crate) reject_code: i64,
    pub(crate) defer_code: i64,
    /// Shown instead of the real reason; empty: not.
    pub(crate) reason: String,
    pub(crate) tempfail: TempfailAction,
}

/// Which tables of recipients there are.
#[derive(Debug)]
pub(crate) struct RecipientTables {
    pub(crate) local: bool,
    pub(crate) virtual_mailbox: bool,
    pub(crate) relay: bool,
}

/// `receive_override_options`.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Transparency {
    pub(crate) unknown_recipients: bool,
    pub(super) address_mappings: bool,
    pub(super) header_body_checks: bool,
    milters: bool,
}

impl Transparency {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut found = Self::default();
        for word in pf_text::split::list(text) {
            match word {
                "no_unknown_recipient_checks" => found.unknown_recipients = true,
                "no_address_mappings" => found.address_mappings = true,
                "no_header_body_checks" => found.header_body_checks = true,
                "no_milters" => found.milters = true,
                _ => bail!("unknown receive_override_options value \"{word}\" in \"{text}\""),
            }
        }
        Ok(found)
    }

    /// What cleanup is to do with mail from outside.
    pub(super) fn cleanup_flags(self) -> Flags {
        // There are no milters of our own, so cleanup must not take the mail for a local submission either.
        let mut flags = Flags::MASK_EXTERNAL.without(Flags::MILTER) | Flags::SMTP_REPLY;
        if self.address_mappings {
            flags = flags.without(Flags::BCC_OK | Flags::MAP_OK);
        }
        if self.header_body_checks {
            flags = flags.without(Flags::FILTER);
        }
        flags
    }
}

/// What stays as in old versions because of `compatibility_level`, and is logged when it matters.
#[derive(Debug, Default)]
pub(crate) struct Compatible {
    pub(crate) relay_domains: bool,
    pub(crate) relay_restrictions: bool,
    pub(crate) relay_before_recipient: bool,
    pub(crate) smtputf8: bool,
}

/// A list of names without tables, matched in any case: `smtpd_log_access_permit_actions` and its like.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// A name, and whether it stands for a match or, with `!`, for none.
    words: Vec<(String, bool)>,
}

impl Names {
    pub(super) fn parse(text: &str) -> Self {
        let words = pf_text::split::list(text)
            .map(|word| match word.strip_prefix('!') {
                Some(word) => (word.to_ascii_lowercase(), false),
                None => (word.to_ascii_lowercase(), true),
            })
            .collect();
        Self { words }
    }

    /// Whether the list has this name; `static:all` stands for every name.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.words
            .iter()
            .find(|(word, _)| word == "static:all" || name.eq_ignore_ascii_case(word.as_bytes()))
            .is_some_and(|(_, positive)| *positive)
    }
}

/// The limits on what one client may do in a time unit; zero: none.
#[derive(Debug)]
pub(crate) struct Rates {
    pub(crate) connections: i64,
    pub(crate) connection_rate: i64,
    pub(crate) mail: i64,
    pub(crate) recipients: i64,
    pub(crate) auth: i64,
    pub(crate) tls: i64,
    pub(crate) v4_prefix: u8,
    pub(crate) v6_prefix: u8,
}

impl Rates {
    /// Whether anything is counted at all.
    pub(crate) fn counted(&self) -> bool {
        [
            self.connections,
            self.connection_rate,
            self.mail,
            self.recipients,
            self.auth,
            self.tls,
        ]
        .iter()
        .any(|limit| *limit > 0)
    }
}

/// `inet_protocols`.
pub(super) fn families(value: &str) -> Result<Families> {
    let mut families = Families {
        v4: false,
        v6: false,
    };
    for word in pf_text::split::list(value) {
        match word {
            "all" => families = Families { v4: true, v6: true },
            "ipv4" => families.v4 = true,
            "ipv6" => families.v6 = true,
            _ => bail!("unknown inet_protocols value \"{word}\" in \"{value}\""),
        }
    }
    Ok(families)
}
