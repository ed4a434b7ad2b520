//! The grammar of `BDAT` (RFC 3030).

use super::token::Token;
use crate::text::{all_digits, file_size};

/// A well-formed `BDAT` command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// How many bytes follow the command line.
    pub(crate) size: u64,
    /// Whether this is the last chunk of the message.
    pub(crate) last: bool,
}

/// Reads the words of a `BDAT` command; `None`: the bytes that follow cannot be told from commands.
pub(crate) fn parse(words: &[Token<'_>]) -> Option<Chunk> {
    let (size, last) = match words {
        [_, size] => (size, false),
        [_, size, last] if last.text.eq_ignore_ascii_case(b"LAST") => (size, true),
        _ => return None,
    };
    if !all_digits(size.text) {
        return None;
    }
    Some(Chunk {
        size: file_size(size.text)?,
        last,
    })
}

/// How far a message in chunks has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum BdatState {
    /// No chunk was seen.
    #[default]
    None,
    /// Chunks are taken.
    Taking,
    /// Something went wrong: chunks are thrown away until the last one, or until `RSET`.
    Failed,
}

/// Whether so many bytes may still be read and thrown away: up to one and a half times the size limit in one transaction.
/// Returns the new count of the bytes of this transaction, or `None` to stop reading from this client.
pub(crate) fn skip_allowed(so_far: u64, chunk: u64, limit: u64) -> Option<u64> {
    let total = so_far
        .checked_add(chunk)
        .filter(|total| i64::try_from(*total).is_ok());
    match total {
        Some(total) if limit == 0 || total <= limit.saturating_add(limit / 2) => Some(total),
        None if limit == 0 => Some(u64::try_from(i64::MAX).unwrap_or(u64::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::token::tokens;
    use super::*;

    #[test]
    fn grammar() {
        let read = |line: &str| parse(&tokens(line.as_bytes()));
        assert_eq!(
            read("BDAT 10"),
            Some(Chunk {
                size: 10,
                last: false
            })
        );
        assert_eq!(
            read("BDAT 0 last"),
            Some(Chunk {
                size: 0,
                last: true
            })
        );
        for wrong in [
            "BDAT",
            "BDAT -1",
            "BDAT x",
            "BDAT 1 LOST",
            "BDAT 1 LAST x",
            "BDAT 99999999999999999999",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bug_20260529_bdat_skipping_is_bounded() {
        assert_eq!(skip_allowed(0, 150, 100), Some(150));
        assert_eq!(skip_allowed(150, 1, 100), None);
        assert_eq!(skip_allowed(0, u64::MAX, 100), None);
        assert!(skip_allowed(u64::MAX, u64::MAX, 0).is_some());
    }
}
