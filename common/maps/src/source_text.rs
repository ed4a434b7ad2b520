//! The text of a table's source: a file, or rules in braces where the file's name would stand; and the `key whitespace value`
//! lines that `postmap` and `texthash:` read.

use std::io::Read as _;

use pf_config::lines::Lines;
use pf_text::split::{list_braces, strip_braces};

use crate::table::OpenError;

/// One logical line: its number and text.
pub type Line = (usize, Vec<u8>);

/// The lines of `name`: of the file with this name, or for `{ {line} {line} }` those in the braces.
///
/// # Errors
/// The file cannot be read, or the braces do not match.
pub fn lines(kind: &str, name: &str) -> Result<Vec<Line>, OpenError> {
    if name.starts_with('{') {
        let fail = |why: String| OpenError(format!("{kind} map: {}", at_start(&why)));
        let body = strip_braces(name).map_err(fail)?;
        let mut lines = Vec::new();
        for (number, word) in list_braces(body).enumerate() {
            let text = strip_braces(word).map_err(fail)?;
            lines.push((number + 1, text.as_bytes().to_vec()));
        }
        return Ok(lines);
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
    let lines = reader
        .by_ref()
        .map(|line| (line.first, line.text))
        .collect();
    for warning in &reader.warnings {
        pf_log::warning!("{name}{warning}");
    }
    Ok(lines)
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
    let value = value.trim_ascii();
    if key.is_empty() || value.is_empty() {
        Err(Fault::Format)
    } else {
        Ok((key, value))
    }
}

/// White space as in C.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
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
            found,
            [(1, b"1.2.3.4 a b".to_vec()), (2, b"::1 c".to_vec())]
        );
        assert_eq!(lines("cidr", "{}"), Ok(vec![]));
        assert_eq!(
            lines("cidr", "{x}").unwrap_err().0,
            "cidr map: no '{' at start of text in \"x\""
        );
    }
}
