//! `main.cf`: its logical lines as names and values.

use crate::Error;
use crate::lines::Lines;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The parameter's name.
    pub name: String,
    /// Its value, without white space around it, unexpanded.
    pub value: String,
    /// The number of its first line.
    pub line: usize,
}

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

/// The settings of a file with this text, and what to warn about; `path` is for the messages.
///
/// A setting that comes twice stays in the list; the later one counts.
///
/// # Errors
/// A line is not of the form `name = value`.
pub fn parse(path: &str, text: &[u8]) -> Result<(Vec<Setting>, Vec<String>), Error> {
    let mut lines = Lines::new(text);
    let mut settings = Vec::new();
    let mut warnings = Vec::new();
    while let Some(line) = lines.next() {
        warnings.extend(lines.warnings.drain(..).map(|w| format!("{path}{w}")));
        // A NUL byte ends the text, as the warning says.
        let text = line.text.split(|b| *b == 0).next().unwrap_or_default();
        let text = crate::lines::text(text);
        match split_setting(&text) {
            Ok((name, value)) => settings.push(Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                line: line.first,
            }),
            Err(why) => {
                return Err(Error(format!(
                    "{path}, line {}: {why}: \"{text}\"",
                    line.first
                )));
            }
        }
    }
    warnings.extend(lines.warnings.drain(..).map(|w| format!("{path}{w}")));
    Ok((settings, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_complaints() {
        let (settings, warnings) =
            parse("main.cf", b"# x\na = b c\n\td \nempty =\nx=y=z\n").unwrap();
        let pairs: Vec<_> = settings
            .iter()
            .map(|s| (s.name.as_str(), s.value.as_str(), s.line))
            .collect();
        assert_eq!(
            pairs,
            [("a", "b c\td", 2), ("empty", "", 4), ("x", "y=z", 5)]
        );
        assert!(warnings.is_empty());
        assert_eq!(
            parse("main.cf", b"a = b\nfoo bar\n").unwrap_err().0,
            "main.cf, line 2: missing '=' after attribute name: \"foo bar\""
        );
        assert_eq!(
            parse("main.cf", b"= b\n").unwrap_err().0,
            "main.cf, line 1: missing attribute name: \"= b\""
        );
    }
}
