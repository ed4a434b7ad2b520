//! `regexp:`: POSIX regular expressions (regexp_table(5)), by the C library.

use pf_sys::posix_regex::{PosixRegex, Syntax};

use crate::Options;
use crate::patterns::{self, Engine};
use crate::table::{Inner, OpenError};

pub(crate) struct Posix {
    compiled: PosixRegex,
    groups: usize,
}

impl Engine for Posix {
    const KIND: &'static str = "regexp";
    const SECOND: bool = true;
    const OUT_OF_RANGE: &'static str = "out-of-range";
    const LETTERS: &'static [u8] = b"imx";
    const PLAIN: &'static [u8] = b"im";

    fn compile(pattern: &[u8], options: &[u8]) -> Result<Self, String> {
        let mut syntax = Syntax {
            extended: true,
            ignore_case: true,
            newline: false,
        };
        for option in options {
            match option {
                b'i' => syntax.ignore_case = !syntax.ignore_case,
                b'm' => syntax.newline = !syntax.newline,
                b'x' => syntax.extended = !syntax.extended,
                _ => {}
            }
        }
        Ok(Self {
            compiled: PosixRegex::new(pattern, syntax)?,
            groups: groups(pattern, syntax.extended),
        })
    }

    fn groups(&self) -> usize {
        self.groups
    }

    fn is_match(&self, key: &[u8]) -> Result<bool, String> {
        self.compiled.is_match(key)
    }

    fn captures(&self, key: &[u8]) -> Result<Option<Vec<Option<Vec<u8>>>>, String> {
        let found = self.compiled.captures(key, self.groups)?;
        let text = |range| key.get(range).map(<[u8]>::to_vec);
        Ok(found.map(|groups| {
            groups
                .into_iter()
                .map(|group| group.and_then(text))
                .collect()
        }))
    }
}

/// How many groups a well-formed pattern has.
fn groups(pattern: &[u8], extended: bool) -> usize {
    let mut count = 0;
    let mut rest = pattern;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'\\' => {
                count += usize::from(!extended && rest.first() == Some(&b'('));
                rest = rest.get(1..).unwrap_or_default();
            }
            b'(' if extended => count += 1,
            b'[' => rest = behind_bracket(rest),
            _ => {}
        }
    }
    count
}

/// What follows a bracket expression, given what follows its opening bracket.
fn behind_bracket(mut rest: &[u8]) -> &[u8] {
    rest = rest.strip_prefix(b"^").unwrap_or(rest);
    // A closing bracket that comes first is a member.
    rest = rest.strip_prefix(b"]").unwrap_or(rest);
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, rest.first()) {
            (b']', _) => return rest,
            (b'[', Some(kind @ (b':' | b'.' | b'='))) => {
                let end = rest
                    .windows(2)
                    .skip(1)
                    .position(|part| part == [*kind, b']']);
                rest = end.and_then(|at| rest.get(at + 3..)).unwrap_or_default();
            }
            _ => {}
        }
    }
    rest
}

/// `regexp:/path` or `regexp:{{rule}...}`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    patterns::open::<Posix>(name, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_counted_as_they_are_read() {
        for (pattern, extended, expected) in [
            ("(a(b))", true, 2),
            (r"\((a)[(]", true, 1),
            ("[](](x)", true, 1),
            ("[^](](x)", true, 1),
            ("[[:alpha:](](x)", true, 1),
            ("[[.].](](x)", true, 1),
            (r"\(a\)(b)", false, 1),
            ("", true, 0),
        ] {
            assert_eq!(groups(pattern.as_bytes(), extended), expected, "{pattern}");
        }
    }
}
