//! The text of a table's source: a file, or rules in braces where the file's name would stand; and the `key whitespace value`
//! lines that `postmap` and `texthash:` read.

use std::io::Read as _;

use pf_config::lines::Lines;
use pf_text::space::{is_space, trim};
use pf_text::split::{list_braces, strip_braces};

use crate::table::OpenError;

/// One logical line: its number and text.
pub type Line = (usize, Vec<u8>);

/// The lines of a source; what is odd about one is logged just before it is handed out.
#[derive(Debug)]
pub struct Source {
    lines: std::vec::IntoIter<(Vec<String>, Option<Line>)>,
}

impl Iterator for Source {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let (warnings, line) = self.lines.next()?;
        for warning in warnings {
            pf_log::warning!("{warning}");
        }
        line
    }
}

/// The lines of `name`: of the file with this name, or for `{ {line} {line} }` those in the braces.
///
/// # Errors
/// The file cannot be read, or the braces do not match.
pub fn lines(kind: &str, name: &str) -> Result<Source, OpenError> {
    if name.starts_with('{') {
        let fail = |why: String| OpenError(format!("{kind} map: {}", at_start(&why)));
        let body = strip_braces(name).map_err(fail)?;
        let mut lines = Vec::new();
        for (number, word) in list_braces(body).enumerate() {
            let text = strip_braces(word).map_err(fail)?;
            let line = (number + 1, text.as_bytes().to_vec());
            lines.push((Vec::new(), Some(line)));
        }
        return Ok(Source {
            lines: lines.into_iter(),
        });
    }
    let fail = |what: String, err: std::io::Error| {
        OpenError(format!("{what}: {}", pf_config::system::reason(&err)))
    };
    let mut text = Vec::new();
    std::fs::File::open(name)
        .map_err(|err| fail(format!("open {name}"), err))?
        .read_to_end(&mut text)
        .map_err(|err| match kind {
            "texthash" => fail(format!("read {name}"), err),
            _ => fail(format!("{kind} map {name}: read error"), err),
        })?;
    let mut reader = Lines::new(&text);
    let mut lines = Vec::new();
    loop {
        let line = reader.next();
        let warnings = reader.warnings.drain(..);
        let warnings = warnings.map(|warning| format!("{name}{warning}")).collect();
        let last = line.is_none();
        lines.push((
            warnings,
            line.map(|line| (line.first, before_null(line.text))),
        ));
        if last {
            return Ok(Source {
                lines: lines.into_iter(),
            });
        }
    }
}

/// A line of a source ends at a NUL byte.
pub fn before_null(mut line: Vec<u8>) -> Vec<u8> {
    if let Some(end) = line.iter().position(|byte| *byte == 0) {
        line.truncate(end);
    }
    line
}

fn at_start(why: &str) -> String {
    why.replacen("no '{' in", "no '{' at start of text in", 1)
}

/// What is wrong with a `key whitespace value` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A double quote has no partner.
    Unbalanced,
    /// The key or the value is missing.
    Format,
}

/// Splits a line into key and value; the key keeps its quotes and backslashes.
///
/// # Errors
/// What is wrong with the line.
pub fn key_and_value(line: &[u8]) -> Result<(&[u8], &[u8]), Fault> {
    let mut quoted = false;
    let mut escaped = false;
    let mut end = line.len();
    for (at, &byte) in line.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if is_space(byte) && !quoted => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    if quoted {
        return Err(Fault::Unbalanced);
    }
    let (key, value) = line.split_at(end);
    let value = trim(value);
    if key.is_empty() || value.is_empty() {
        Err(Fault::Format)
    } else {
        Ok((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_split_at_the_first_white_space_outside_quotes() {
        assert_eq!(key_and_value(b"a b c "), Ok((&b"a"[..], &b"b c"[..])));
        assert_eq!(
            key_and_value(b"\"a b\"@c\td"),
            Ok((&b"\"a b\"@c"[..], &b"d"[..]))
        );
        assert_eq!(key_and_value(b"a\\ b c"), Ok((&b"a\\ b"[..], &b"c"[..])));
        assert_eq!(key_and_value(b"\"a b"), Err(Fault::Unbalanced));
        assert_eq!(key_and_value(b"a"), Err(Fault::Format));
    }

    #[test]
    fn rules_may_stand_in_braces() {
        let found = lines("cidr", "{ {1.2.3.4 a b}, { ::1 c } }").unwrap();
        assert_eq!(
            found.collect::<Vec<_>>(),
            [(1, b"1.2.3.4 a b".to_vec()), (2, b"::1 c".to_vec())]
        );
        assert_eq!(lines("cidr", "{}").unwrap().next(), None);
        assert_eq!(
            lines("cidr", "{x}").unwrap_err().0,
            "cidr map: no '{' at start of text in \"x\""
        );
    }
}
