//! What the versions of Postfix say differently on the same sockets, in one place.
//!
//! | since | what | before |
//! | --- | --- | --- |
//! | 3.6 | a server announces its protocol | nothing: no dialect of ours |
//! | 3.10 | `sendopts` of a message, with REQUIRETLS | `smtputf8`, the same bits without that |
//! | 3.11 | requests to `proxymap` tell `instance_flags` and the table's own `flags`, which each reply has | `flags` are the former |
//! | 3.11 | `showq` tells a recipient's original form and the kind of its log | only the recipient and the reason |
//!
//! Who answers does so in the dialect of the request. Who asks has to know, and an announcement has no version. The executables of
//! older versions have a stamp (`mail_version=3.7.11`); the one of `master` tells what is spoken in a system. Where it has none,
//! the system is ours, or of 3.11 and later.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::OnceLock;

use pf_attr::{Decoder, Encoder, Error};

/// A way to speak, named after the first version that speaks so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Dialect {
    /// Up to 3.9.
    Postfix3_6,
    /// 3.10 alone.
    Postfix3_10,
    /// Until further notice.
    #[default]
    Postfix3_11,
}

/// The mail system is too old to speak with.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0} is of Postfix {1}, with whose programs this one cannot speak (with those of 3.6 and later it can)"
)]
pub struct TooOld(String, String);

/// What the process speaks. It is a fact of the system around it, as its locale is, and the same for all its connections.
static SPOKEN: OnceLock<Dialect> = OnceLock::new();

/// What this process speaks: what [`learn`] found out.
pub fn spoken() -> Dialect {
    SPOKEN.get().copied().unwrap_or_default()
}

/// Finds out what is spoken in the system of this `master`. A file that cannot be read tells nothing. Only the first call counts.
///
/// # Errors
/// The system is too old.
pub fn learn(master: &Path) -> Result<(), TooOld> {
    let Some(version) = stamp(master) else {
        return Ok(());
    };
    let dialect = Dialect::of(&version)
        .ok_or_else(|| TooOld(master.display().to_string(), version.clone()))?;
    SPOKEN.get_or_init(|| dialect);
    Ok(())
}

/// No executable of Postfix is larger.
const MAX_EXECUTABLE: u64 = 4 << 20;

/// The version in the stamp of an executable, if it has one.
fn stamp(executable: &Path) -> Option<String> {
    const MARK: &[u8] = b"mail_version=";
    let mut bytes = Vec::new();
    let file = File::open(executable).ok()?;
    file.take(MAX_EXECUTABLE).read_to_end(&mut bytes).ok()?;
    memchr::memmem::find_iter(&bytes, MARK).find_map(|at| {
        let rest = bytes.get(at + MARK.len()..)?;
        let in_version = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
        let version: Vec<u8> = rest.iter().take_while(in_version).copied().collect();
        String::from_utf8(version)
            .ok()
            .filter(|text| !text.is_empty())
    })
}

impl Dialect {
    /// The dialect of a version; `None` before 3.6.
    fn of(version: &str) -> Option<Self> {
        let mut numbers = version.split('.').map(str::parse::<u32>);
        let mut next = || numbers.next()?.ok();
        match (next()?, next().unwrap_or(0)) {
            (0..=2, _) | (3, 0..=5) => None,
            (3, 6..=9) => Some(Self::Postfix3_6),
            (3, 10) => Some(Self::Postfix3_10),
            _ => Some(Self::Postfix3_11),
        }
    }

    /// Whether requests and replies of `proxymap` tell a table's own flags.
    pub fn has_table_flags(self) -> bool {
        self >= Self::Postfix3_11
    }

    /// Whether a listing of the queue has each recipient's original form and the kind of its log.
    pub fn lists_originals(self) -> bool {
        self >= Self::Postfix3_11
    }

    /// Adds the options that a message is sent with.
    pub(crate) fn send_options(self, list: Encoder, options: i32) -> Encoder {
        match self {
            Self::Postfix3_6 => list.int("smtputf8", options & SMTPUTF8),
            Self::Postfix3_10 | Self::Postfix3_11 => list.int("sendopts", options),
        }
    }
}

/// The bits that were always there.
const SMTPUTF8: i32 = 0xf;

/// Takes the options that a message is sent with, in any dialect.
pub(crate) fn send_options(list: &mut Decoder<'_>) -> Result<i32, Error> {
    match list.peek() {
        Some(b"smtputf8") => list.int("smtputf8"),
        _ => list.int("sendopts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_their_dialects() {
        for (version, dialect) in [
            ("2.11.3", None),
            ("3.5.25", None),
            ("3.6.0", Some(Dialect::Postfix3_6)),
            ("3.7.11", Some(Dialect::Postfix3_6)),
            ("3.9", Some(Dialect::Postfix3_6)),
            ("3.10.13", Some(Dialect::Postfix3_10)),
            ("3.11.7", Some(Dialect::Postfix3_11)),
            ("3.12", Some(Dialect::Postfix3_11)),
            ("4.0", Some(Dialect::Postfix3_11)),
        ] {
            assert_eq!(Dialect::of(version), dialect, "{version}");
        }
    }

    #[test]
    fn a_stamp_is_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(stamp(file.path()), None);
        let bytes = [
            b"\x7fELF mail_version=%s\0",
            &[0; 5000][..],
            b"mail_version=3.7.11\0x",
        ];
        std::fs::write(file.path(), bytes.concat()).unwrap();
        assert_eq!(stamp(file.path()), Some("3.7.11".into()));
        std::fs::write(file.path(), "mail_version=3.4.2-x").unwrap();
        let told = learn(file.path()).unwrap_err().to_string();
        assert!(
            told.contains(" is of Postfix 3.4.2, with whose programs"),
            "{told}"
        );
        assert_eq!(spoken(), Dialect::Postfix3_11);
    }

    #[test]
    fn options_are_read_in_any_dialect() {
        for dialect in [Dialect::Postfix3_6, Dialect::Postfix3_10] {
            let bytes = dialect.send_options(Encoder::new(), 3).end();
            assert_eq!(send_options(&mut Decoder::new(&bytes)).unwrap(), 3);
        }
        let bytes = Dialect::Postfix3_6.send_options(Encoder::new(), 0x21).end();
        assert_eq!(bytes, b"smtputf8\x001\0\0");
    }
}
