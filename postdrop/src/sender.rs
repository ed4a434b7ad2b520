//! Which senders a login may use (`local_login_sender_maps`).

use anyhow::{Result, anyhow};
use pf_address::{Delimiters, quote_822};
use pf_config::{Config, param};
use pf_sys::identity;

/// What stands for every sender.
const ANY: &str = "*";

/// The value of `local_login_sender_maps` that allows everything.
const ALL: &str = "static:*";

/// What is configured.
#[derive(Debug)]
pub struct Senders {
    tables: String,
    empty: String,
    delimiters: String,
    login: String,
}

impl Senders {
    /// For this user.
    ///
    /// # Errors
    /// The configuration or the user database cannot be read.
    pub fn new(config: &Config, uid: u32) -> Result<Self> {
        let login = match identity::user_by_uid(uid)? {
            Some(user) => user.name,
            None => format!("uid:{uid}"),
        };
        Ok(Self {
            tables: config.get(param::LOCAL_LOGIN_SENDER_MAPS)?,
            empty: config.get(param::EMPTY_ADDRESS_LOCAL_LOGIN_SENDER_MAPS_LOOKUP_KEY)?,
            delimiters: config.get(param::RECIPIENT_DELIMITER)?,
            login,
        })
    }

    /// Why the user may not use the sender; `None`: it may.
    ///
    /// # Errors
    /// The tables cannot be read.
    pub fn refuse(&self, sender: &[u8]) -> Result<Option<String>> {
        if self.tables == ALL {
            return Ok(None);
        }
        let patterns = pf_cli::plain_lookup(&self.tables, &self.login)
            .map_err(|why| anyhow!("{}: {why}", param::LOCAL_LOGIN_SENDER_MAPS.name()))?
            .unwrap_or_default();
        let extension = Delimiters::new(self.delimiters.as_bytes());
        let allowed = listed(&patterns, sender, &self.empty, &extension);
        let shown = String::from_utf8_lossy(sender);
        Ok((!allowed).then(|| format!("not authorized to use sender='{shown}'")))
    }
}

/// Whether `patterns`, the value of a table, list the sender: by its address without extension, by its `@domain`, as the empty
/// one (`empty`), or all senders.
fn listed(patterns: &str, sender: &[u8], empty: &str, extension: &Delimiters<'_>) -> bool {
    let domain = sender
        .iter()
        .rposition(|byte| *byte == b'@')
        .and_then(|at| sender.get(at..));
    words(patterns).any(|pattern| {
        let same = |text: &[u8]| folded(pattern.as_bytes()) == folded(text);
        if pattern.starts_with('@') {
            domain.is_some_and(same)
        } else if pattern == ANY {
            true
        } else if pattern.eq_ignore_ascii_case(empty) {
            sender.is_empty()
        } else {
            let bare = extension.strip(sender);
            let bare = bare.as_ref().map_or(sender, |(bare, _)| bare);
            same(&quote_822(bare))
        }
    })
}

fn folded(text: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(text).to_lowercase().into_bytes()
}

/// Words between commas and white space; double quotes keep theirs together.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c: char| {
        quoted ^= c == '"';
        !quoted && matches!(c, ',' | ' ' | '\t' | '\r' | '\n')
    })
    .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let plus = Delimiters::new(b"+");
        let listed = |patterns, sender: &str| listed(patterns, sender.as_bytes(), "<>", &plus);
        assert!(listed("*", "anyone@x") && listed("*", ""));
        assert!(listed("a@x, @Y.example", "b@y.EXAMPLE"));
        assert!(listed("A@x", "a+ext@X"));
        assert!(listed("\"a b\"@x c", "a b@x"));
        assert!(listed("<>", "") && !listed("<>", "a@x"));
        assert!(!listed("a@x", "b@x") && !listed("", "") && !listed("@x", "a"));
    }
}
