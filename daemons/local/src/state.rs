//! What changes while a recipient is expanded: passed on by value, so that no step can change what belongs to another.

use std::collections::HashSet;

use pf_proto::bounce::Recipient;
use pf_sys::identity::User;

use crate::params::Expansion;

/// Nesting of aliases, `.forward` files and `:include:` files ends here.
pub(crate) const MAX_LEVEL: u32 = 100;

/// The attributes of the recipient in hand.
#[derive(Debug, Clone)]
pub(crate) struct Attributes {
    /// How deep expansions are nested.
    pub(crate) level: u32,
    /// The recipient.
    pub(crate) recipient: Recipient,
    /// The envelope sender: the message's, or a list's owner.
    pub(crate) sender: Vec<u8>,
    /// The DSN envelope id; none for mail that a list distributes.
    pub(crate) envid: Vec<u8>,
    /// The DSN `RET` bits; none for mail that a list distributes.
    pub(crate) ret: i32,
    /// The address for `Delivered-To:`, once it is known.
    pub(crate) delivered: Option<Vec<u8>>,
    /// The local part, in lower case.
    pub(crate) local: Vec<u8>,
    /// The local part without extension.
    pub(crate) user: Vec<u8>,
    /// The domain, in lower case.
    pub(crate) domain: Vec<u8>,
    /// The extension, without its delimiter.
    pub(crate) extension: Option<Vec<u8>>,
    /// The extension that results get back.
    pub(crate) unmatched: Option<Vec<u8>>,
    /// Whose expansion this is; recipients in it are not delivered directly.
    pub(crate) owner: Option<Vec<u8>>,
    /// What kind of expansion this is.
    pub(crate) expansion: Expansion,
    /// The name that was expanded.
    pub(crate) from: Option<Vec<u8>>,
}

impl Attributes {
    /// For a recipient of a request.
    pub(crate) fn new(recipient: Recipient, sender: &[u8], envid: &[u8], ret: i32) -> Self {
        Self {
            level: 0,
            recipient,
            sender: sender.to_vec(),
            envid: envid.to_vec(),
            ret,
            delivered: None,
            local: Vec::new(),
            user: Vec::new(),
            domain: Vec::new(),
            extension: None,
            unmatched: None,
            owner: None,
            expansion: Expansion::None,
            from: None,
        }
    }

    /// One level deeper.
    pub(crate) fn deeper(mut self) -> Self {
        self.level += 1;
        self
    }

    /// The delimiter that stood before the extension.
    pub(crate) fn delimiter(&self, delimiters: &[u8]) -> Option<u8> {
        self.local
            .get(self.user.len())
            .or(delimiters.first())
            .copied()
    }
}

/// Whose rights commands and files get.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rights {
    /// The login name.
    pub(crate) name: String,
    /// The user; 0: nobody's rights were set, `default_privs` stand for them.
    pub(crate) uid: u32,
    /// The group, likewise.
    pub(crate) gid: u32,
    /// The home directory.
    pub(crate) home: Option<Vec<u8>>,
    /// The shell.
    pub(crate) shell: Option<Vec<u8>>,
}

impl From<User> for Rights {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            uid: user.uid,
            gid: user.gid,
            home: Some(user.home.into_os_string().into_encoded_bytes()),
            shell: Some(user.shell.into_os_string().into_encoded_bytes()),
        }
    }
}

/// What was done for a recipient already (`duplicate_filter_limit`).
#[derive(Debug, Default)]
pub(crate) struct Seen {
    keys: HashSet<Vec<u8>>,
    limit: usize,
}

impl Seen {
    /// At most `limit` things are remembered; 0: any number.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            keys: HashSet::new(),
            limit,
        }
    }

    /// Whether this was done already; from now on it was.
    pub(crate) fn before(&mut self, parts: &[&[u8]]) -> bool {
        let key = Self::key(parts);
        if self.keys.contains(&key) {
            return true;
        }
        if self.limit == 0 || self.keys.len() < self.limit {
            self.keys.insert(key);
        }
        false
    }

    /// Whether this was done already.
    pub(crate) fn has(&self, parts: &[&[u8]]) -> bool {
        self.keys.contains(&Self::key(parts))
    }

    fn key(parts: &[&[u8]]) -> Vec<u8> {
        pf_text::case::fold(&parts.join(&b' '), true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_done_once() {
        let mut seen = Seen::new(1);
        assert!(!seen.before(&[b"mailbox", b"A"]));
        assert!(seen.before(&[b"mailbox", b"a"]));
        assert!(!seen.before(&[b"mailbox", b"b"]));
        assert!(!seen.has(&[b"mailbox", b"b"]));
    }
}
