//! `pcre:`: Perl-compatible regular expressions.

use std::fmt::Write as _;

use pcre2::bytes::{Regex, RegexBuilder};

use crate::Options;
use crate::patterns::{self, Engine};
use crate::table::{Inner, OpenError};

pub(crate) struct Perl(Regex);

impl Engine for Perl {
    const KIND: &'static str = "pcre";
    const SECOND: bool = false;
    const OUT_OF_RANGE: &'static str = "out of range";
    const LETTERS: &'static [u8] = b"ismxUAEX";
    const PLAIN: &'static [u8] = b"ismEAUX";

    fn compile(pattern: &[u8], options: &[u8]) -> Result<Self, String> {
        let (mut caseless, mut dotall, mut multi, mut extended) = (true, true, false, false);
        // Options that the binding does not know are set at the start of the pattern.
        let (mut ungreedy, mut anchored, mut dollar_end) = (false, false, false);
        for option in options {
            match option {
                b'i' => caseless = !caseless,
                b's' => dotall = !dotall,
                b'm' => multi = !multi,
                b'x' => extended = !extended,
                b'U' => ungreedy = !ungreedy,
                b'A' => anchored = !anchored,
                b'E' => dollar_end = !dollar_end,
                // X is obsolete in this version of the library, as Postfix says.
                _ => {}
            }
        }
        let mut text = String::new();
        if ungreedy {
            text.push_str("(?U)");
        }
        if anchored {
            text.push_str(r"\G");
        }
        let pattern = as_text(pattern);
        let pattern = if dollar_end {
            dollar_at_end(&pattern)
        } else {
            pattern
        };
        text.push_str(&if anchored {
            format!("(?:{pattern})")
        } else {
            pattern
        });
        RegexBuilder::new()
            .caseless(caseless)
            .dotall(dotall)
            .multi_line(multi)
            .extended(extended)
            .jit_if_available(true)
            .build(&text)
            .map(Perl)
            .map_err(|err| {
                let place = err
                    .offset()
                    .map(|at| format!(" at offset {at}"))
                    .unwrap_or_default();
                format!("error in regex{place}: {}", library_text(&err))
            })
    }

    fn groups(&self) -> usize {
        self.0.captures_len().saturating_sub(1)
    }

    fn is_match(&self, key: &[u8]) -> Result<bool, String> {
        self.0.is_match(key).map_err(|err| library_text(&err))
    }

    fn captures(&self, key: &[u8]) -> Result<Option<Vec<Option<Vec<u8>>>>, String> {
        let found = self.0.captures(key).map_err(|err| library_text(&err))?;
        Ok(found.map(|found| {
            (0..found.len())
                .map(|group| found.get(group).map(|text| text.as_bytes().to_vec()))
                .collect()
        }))
    }
}

/// The binding takes text, the library bytes: a byte that is no text is written by its number.
fn as_text(pattern: &[u8]) -> String {
    let mut text = String::with_capacity(pattern.len());
    for chunk in pattern.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let slashes = text.len() - text.trim_end_matches('\\').len();
            if slashes % 2 == 1 {
                // It stood for this byte itself.
                text.pop();
            }
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// With `PCRE2_DOLLAR_ENDONLY` an unescaped dollar sign is the very end.
fn dollar_at_end(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let (mut escaped, mut set) = (false, false);
    for character in pattern.chars() {
        if character == '$' && !escaped && !set {
            out.push_str(r"\z");
            continue;
        }
        match character {
            '[' if !escaped => set = true,
            ']' if !escaped => set = false,
            _ => {}
        }
        escaped = character == '\\' && !escaped;
        out.push(character);
    }
    out
}

/// The library's own words.
fn library_text(err: &pcre2::Error) -> String {
    let text = err.to_string();
    text.rsplit(": ").next().unwrap_or(&text).to_owned()
}

/// `pcre:/path` or `pcre:{{rule}...}`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    patterns::open::<Perl>(name, options)
}
