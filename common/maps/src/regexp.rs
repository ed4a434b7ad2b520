//! `regexp:`: POSIX extended regular expressions, on an engine that takes linear time whatever the pattern.

use std::cell::OnceCell;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;

use crate::Options;
use crate::patterns::{self, Engine};
use crate::posix;
use crate::table::{Inner, OpenError};

/// A pattern that is compiled when a key first asks for it: most rules of a long table never see one.
pub(crate) struct Posix {
    translated: String,
    groups: usize,
    ignore_case: bool,
    newline: bool,
    compiled: OnceCell<Result<Regex, String>>,
}

impl Posix {
    fn regex(&self) -> Result<&Regex, String> {
        let compile = || {
            RegexBuilder::new(&self.translated)
                .unicode(false)
                .case_insensitive(self.ignore_case)
                .multi_line(self.newline)
                .dot_matches_new_line(!self.newline)
                .size_limit(SIZE_LIMIT)
                .build()
                .map_err(|err| brief(&err.to_string()))
        };
        let compiled = self.compiled.get_or_init(compile);
        compiled.as_ref().map_err(Clone::clone)
    }
}

/// The most memory that one compiled pattern may take, in bytes.
const SIZE_LIMIT: usize = 8 << 20;

impl Engine for Posix {
    const KIND: &'static str = "regexp";
    const SECOND: bool = true;
    const OUT_OF_RANGE: &'static str = "out-of-range";
    const LETTERS: &'static [u8] = b"imx";
    const PLAIN: &'static [u8] = b"im";

    fn compile(pattern: &[u8], options: &[u8]) -> Result<Self, String> {
        let (mut ignore_case, mut newline, mut extended) = (true, false, true);
        for option in options {
            match option {
                b'i' => ignore_case = !ignore_case,
                b'm' => newline = !newline,
                b'x' => extended = !extended,
                _ => {}
            }
        }
        let translated = posix::translate(pattern, extended, newline, ignore_case)?;
        let parsed = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .case_insensitive(ignore_case)
            .multi_line(newline)
            .dot_matches_new_line(!newline)
            .build()
            .parse(&translated)
            .map_err(|err| brief(&err.to_string()))?;
        let new = Self {
            groups: parsed.properties().explicit_captures_len(),
            translated,
            ignore_case,
            newline,
            compiled: OnceCell::new(),
        };
        // What repetitions come to is only known then.
        if pattern.contains(&b'{') {
            new.regex()?;
        }
        Ok(new)
    }

    fn groups(&self) -> usize {
        self.groups
    }

    fn is_match(&self, key: &[u8]) -> Result<bool, String> {
        Ok(self.regex()?.is_match(key))
    }

    fn captures(&self, key: &[u8]) -> Result<Option<Vec<Option<Vec<u8>>>>, String> {
        Ok(self.regex()?.captures(key).map(|found| {
            found
                .iter()
                .map(|group| group.map(|text| text.as_bytes().to_vec()))
                .collect()
        }))
    }
}

/// The engine's complaint in one line.
fn brief(text: &str) -> String {
    let line = text
        .lines()
        .last()
        .unwrap_or(text)
        .trim_start_matches("error: ");
    // As the C library says it.
    match line {
        "unclosed group" => r"Unmatched ( or \(",
        "unopened group" => r"Unmatched ) or \)",
        line if line.starts_with("invalid character class range") => "Invalid range end",
        line if line.starts_with("invalid repetition count range") => r"Invalid content of \{\}",
        line if line.starts_with("Compiled regex exceeds size limit") => {
            "Regular expression too big"
        }
        line => line,
    }
    .to_owned()
}

/// `regexp:/path` or `regexp:{{rule}...}`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    patterns::open::<Posix>(name, options)
}
