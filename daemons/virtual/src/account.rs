//! Where a recipient's mailbox is, and whose it is: what the three tables say, checked before any of it is believed.

use pf_log::warning;
use pf_maps::addr_find::{Finder, Strategy};
use pf_maps::{Lookup, Maps};

/// A mailbox and the rights with which it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Below `virtual_mailbox_base`; a maildir when it ends in a slash.
    pub(crate) mailbox: Vec<u8>,
    /// The user.
    pub(crate) uid: u32,
    /// The group.
    pub(crate) gid: u32,
}

/// The tables, and what they may say.
pub(crate) struct Accounts {
    pub(crate) finder: Finder,
    pub(crate) mailboxes: Maps,
    pub(crate) uids: Maps,
    pub(crate) gids: Maps,
    /// `virtual_mailbox_base`
    pub(crate) base: String,
    /// `virtual_minimum_uid`
    pub(crate) minimum_uid: u32,
}

/// What is known of a recipient.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// This account.
    Account(Account),
    /// There is no such recipient.
    Unknown,
    /// The tables cannot tell, or say what is not to be believed; it was logged.
    Misconfigured,
}

impl Accounts {
    /// The account of a recipient, whose address is in lower case.
    pub(crate) async fn find(&self, user: &[u8]) -> Found {
        let shown = String::from_utf8_lossy(user).into_owned();
        let entry = match self.look_up(&self.mailboxes, user).await {
            Lookup::Found(entry) => entry,
            Lookup::Missing => return Found::Unknown,
            Lookup::Unavailable(err) => {
                warning!("table {}: lookup {shown}: {err}", self.mailboxes.title());
                return Found::Misconfigured;
            }
        };
        if leaves_base(&entry) {
            warning!(
                "recipient {shown}: bad mailbox path {} in {}",
                String::from_utf8_lossy(&entry),
                self.mailboxes.title()
            );
            return Found::Misconfigured;
        }
        let Some(uid) = self
            .id(&shown, user, "uid", &self.uids, |uid| {
                uid >= self.minimum_uid
            })
            .await
        else {
            return Found::Misconfigured;
        };
        let Some(gid) = self
            .id(&shown, user, "gid", &self.gids, |gid| gid != 0)
            .await
        else {
            return Found::Misconfigured;
        };
        Found::Account(Account {
            mailbox: [self.base.as_bytes(), b"/", &entry].concat(),
            uid,
            gid,
        })
    }

    async fn look_up(&self, maps: &Maps, user: &[u8]) -> Lookup<Vec<u8>> {
        self.finder
            .find(maps, user, Strategy::DEFAULT)
            .await
            .map(|hit| hit.value)
    }

    async fn id(
        &self,
        shown: &str,
        user: &[u8],
        what: &str,
        maps: &Maps,
        allowed: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let Lookup::Found(text) = self.look_up(maps, user).await else {
            warning!("recipient {shown}: not found in {}", maps.title());
            return None;
        };
        let id = parse_id(&text).filter(|id| allowed(*id));
        if id.is_none() {
            warning!(
                "recipient {shown}: bad {what} {} in {}",
                String::from_utf8_lossy(&text),
                maps.title()
            );
        }
        id
    }
}

/// Whether a path below the base leads out of it.
fn leaves_base(entry: &[u8]) -> bool {
    let path = [b"/", entry].concat();
    path.windows(4).any(|part| part == b"/../")
}

/// A user or group id: decimal, as strtoul(3) reads it, and not the one that means "nobody's".
fn parse_id(text: &[u8]) -> Option<u32> {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"+").unwrap_or(text);
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let id: u32 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (id != u32::MAX).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    // docs/cve.md, 20260806 and 20260810: what a table says of users and paths is not to be believed unseen.
    #[test]
    fn ids_are_decimal_numbers() {
        for good in ["1000", "+1000", " 1000", "01000"] {
            assert_eq!(parse_id(good.as_bytes()), Some(1000), "{good}");
        }
        for bad in [
            "",
            "-1",
            "+-5",
            "+",
            "0x10",
            "1000 ",
            "4294967295",
            "4294967296",
            "1e3",
        ] {
            assert_eq!(parse_id(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn paths_stay_below_the_base() {
        assert!(leaves_base(b"../x"));
        assert!(leaves_base(b"a/../../etc/x"));
        assert!(leaves_base(b"a/../"));
        assert!(!leaves_base(b"a/..b/c..d/"));
    }
}
