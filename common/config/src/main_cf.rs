//! `main.cf`: its logical lines as names and values.

use std::collections::BTreeMap;

use crate::Error;
use crate::lines::Lines;

/// Splits `name = value`.
///
/// # Errors
/// The complaint, as Postfix words it.
pub fn split_setting(text: &str) -> Result<(&str, &str), &'static str> {
    let space = |c: char| matches!(c, ' ' | '\t'..='\r');
    let text = text.trim_start_matches(space);
    let end = text
        .find(|c: char| space(c) || c == '=')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err("missing attribute name");
    }
    match rest.trim_start_matches(space).strip_prefix('=') {
        Some(value) => Ok((name, value.trim_matches(space))),
        None => Err("missing '=' after attribute name"),
    }
}

/// Adds the settings of a file with this text to `values`; `path` is for the messages. A setting takes the place of an earlier one,
/// with a warning when that has another value.
///
/// # Errors
/// A line is not of the form `name = value`; what comes before it has been added and warned about.
pub fn parse(
    path: &str,
    text: &[u8],
    values: &mut BTreeMap<String, String>,
    warn: impl FnMut(String),
) -> Result<(), Error> {
    parse_as(crate::lines::text, path, text, values, warn)
}

/// As [`parse`], with another way to make text of bytes.
///
/// # Errors
/// As [`parse`].
pub fn parse_as(
    decode: fn(&[u8]) -> String,
    path: &str,
    text: &[u8],
    values: &mut BTreeMap<String, String>,
    mut warn: impl FnMut(String),
) -> Result<(), Error> {
    let mut lines = Lines::new(text);
    while let Some(line) = lines.next() {
        for warning in lines.warnings.drain(..) {
            warn(format!("{path}{warning}"));
        }
        // A NUL byte ends the text, as the warning says.
        let text = line.text.split(|b| *b == 0).next().unwrap_or_default();
        let text = decode(text);
        let (name, value) = split_setting(&text)
            .map_err(|why| Error(format!("{path}, line {}: {why}: \"{text}\"", line.first)))?;
        if let Some(old) = values.get(name).filter(|old| *old != value) {
            warn(format!(
                "{path}, line {}: overriding earlier entry: {name}={old}",
                line.first
            ));
        }
        values.insert(name.to_owned(), value.to_owned());
    }
    for warning in lines.warnings.drain(..) {
        warn(format!("{path}{warning}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (BTreeMap<String, String>, Vec<String>, Option<String>) {
        let (mut values, mut warnings) = (BTreeMap::new(), Vec::new());
        let result = parse("main.cf", text, &mut values, |w| warnings.push(w));
        (values, warnings, result.err().map(|err| err.0))
    }

    #[test]
    fn settings_and_complaints() {
        let (values, warnings, err) = read(b"# x\na = b c\n\td \nempty =\nx=y=z\n");
        let pairs: Vec<_> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("a", "b c\td"), ("empty", ""), ("x", "y=z")]);
        assert!(warnings.is_empty() && err.is_none());
        assert_eq!(
            read(b"= b\n").2.as_deref(),
            Some("main.cf, line 1: missing attribute name: \"= b\"")
        );
    }

    #[test]
    fn warnings_come_before_the_line_that_ends_it() {
        let (_, warnings, err) = read(b"a = b\na = b\na = c\nfoo bar\na = d\n");
        assert_eq!(warnings, ["main.cf, line 3: overriding earlier entry: a=b"]);
        assert_eq!(
            err.as_deref(),
            Some("main.cf, line 4: missing '=' after attribute name: \"foo bar\"")
        );
    }
}
