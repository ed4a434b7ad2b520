//! Queue ids: made from the time and the file's inode, in a short form that repeats and a long one that does not.

use std::fmt;

use pf_record::ArrivalTime;

/// The name of a queue file: a message's id, or the name of a fast flush log (a domain with `_` for other characters).
/// Letters, digits and `_` only, 1 to 255 of them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(Box<str>);

/// Digits and letters without vowels. The last one, `z`, has no place in base 51.
const SAFE: &[u8; 52] = b"0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz";
const LONG_SECONDS: usize = 6;
const LONG_MICROS: usize = 4;
const SEPARATOR: u8 = b'z';
const SHORT_MICROS: usize = 5;
const MAX_LENGTH: usize = 255;

impl QueueId {
    /// Checks a name that came from outside.
    pub fn parse(name: &[u8]) -> Option<Self> {
        let ok = (1..=MAX_LENGTH).contains(&name.len())
            && name
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        if !ok {
            return None;
        }
        std::str::from_utf8(name).ok().map(|name| Self(name.into()))
    }

    /// The short id: microseconds and inode, in upper case hexadecimal.
    pub fn short(time: ArrivalTime, inode: u64) -> Self {
        Self(format!("{:05X}{inode:X}", time.micros).into())
    }

    /// The long id: seconds, microseconds and inode, in an alphabet without vowels.
    pub fn long(time: ArrivalTime, inode: u64) -> Self {
        let mut id = String::with_capacity(20);
        let seconds = u64::try_from(time.seconds).unwrap_or(0);
        let micros = u64::try_from(time.micros).unwrap_or(0);
        encode(&mut id, seconds, 52, LONG_SECONDS);
        encode(&mut id, micros, 52, LONG_MICROS);
        id.push(char::from(SEPARATOR));
        encode(&mut id, inode, 51, 0);
        Self(id.into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Where the `z` of a long id is.
    fn separator(&self) -> Option<usize> {
        self.as_bytes()
            .iter()
            .rposition(|&byte| byte == SEPARATOR)
            .filter(|&at| at >= LONG_SECONDS + LONG_MICROS)
    }

    /// Whether this has the form of a long id.
    pub fn is_long(&self) -> bool {
        self.separator().is_some()
    }

    /// The inode number in the id; `None`: this is not a message's id.
    pub fn inode(&self) -> Option<u64> {
        match self.separator() {
            Some(at) => decode(self.as_bytes().get(at + 1..)?, 51),
            None => {
                // A sign or a 0x would be none of our making.
                let digits = self.0.get(SHORT_MICROS..)?;
                let hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                if hex {
                    u64::from_str_radix(digits, 16).ok()
                } else {
                    None
                }
            }
        }
    }

    /// The same moment in the same form with another inode: what `postsuper` renames a misplaced file to.
    #[must_use]
    pub fn with_inode(&self, inode: u64) -> Self {
        match self.separator() {
            Some(at) => {
                let mut id = self.0.get(..=at).unwrap_or_default().to_owned();
                encode(&mut id, inode, 51, 0);
                Self(id.into())
            }
            None => {
                let micros = self.0.get(..SHORT_MICROS).unwrap_or(&self.0);
                Self(format!("{micros}{inode:X}").into())
            }
        }
    }

    /// The names of the subdirectories that hold the file, where its queue is hashed to this depth.
    pub fn subdirectories(&self, depth: usize) -> String {
        let micros;
        let source = match self.separator() {
            Some(at) => {
                let digits = self.as_bytes().get(at - LONG_MICROS..at);
                let value = digits.and_then(|digits| decode(digits, 52)).unwrap_or(0);
                micros = format!("{value:05X}");
                micros.as_str()
            }
            None => &self.0,
        };
        let mut path = String::with_capacity(2 * depth);
        let mut letters = source.chars();
        for _ in 0..depth {
            path.push(letters.next().unwrap_or('_'));
            path.push('/');
        }
        path
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for QueueId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "QueueId({})", self.0)
    }
}

impl AsRef<str> for QueueId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Appends a number, most significant digit first, in at least `width` digits.
fn encode(out: &mut String, mut value: u64, base: u64, width: usize) {
    let mut digits = Vec::with_capacity(12);
    while value != 0 {
        let digit = usize::try_from(value % base).unwrap_or(0);
        digits.push(SAFE.get(digit).copied().unwrap_or(b'0'));
        value /= base;
    }
    while digits.len() < width {
        digits.push(b'0');
    }
    out.extend(digits.iter().rev().map(|&byte| char::from(byte)));
}

/// The number that all of `digits` make; none is 0.
fn decode(digits: &[u8], base: u64) -> Option<u64> {
    let mut value: u64 = 0;
    for byte in digits {
        let digit = SAFE.iter().position(|safe| safe == byte)? as u64;
        if digit >= base {
            return None;
        }
        value = value.checked_mul(base)?.checked_add(digit)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_the_peer() {
        // 4h9tcF0ZvRz4w came from a queue with enable_long_queue_ids = yes.
        let time = ArrivalTime {
            seconds: 1_700_000_000,
            micros: 123_456,
        };
        let id = QueueId::long(time, 260_142);
        assert_eq!(id.inode(), Some(260_142));
        assert!(id.is_long());
        assert_eq!(id.subdirectories(2), "1/E/");
        let id = QueueId::short(time, 0x3F82E);
        assert_eq!(id.as_str(), "1E2403F82E");
        assert_eq!(id.inode(), Some(0x3F82E));
        assert_eq!(id.with_inode(0xABC).as_str(), "1E240ABC");
        assert_eq!(id.subdirectories(1), "1/");
    }

    #[test]
    fn hostile_names() {
        assert!(QueueId::parse(b"").is_none());
        assert!(QueueId::parse(b"../x").is_none());
        assert!(QueueId::parse("é".as_bytes()).is_none());
        assert!(QueueId::parse(&[b'A'; 256]).is_none());
        // Postsuper once read beyond such a name.
        let id = QueueId::parse(b"AB").map(|id| (id.inode(), id.subdirectories(3)));
        assert_eq!(id, Some((None, "A/B/_/".to_owned())));
        let id = QueueId::parse(b"example_buzz_zz").map(|id| id.subdirectories(1));
        assert_eq!(id.as_deref(), Some("0/"));
    }
}
