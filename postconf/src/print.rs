//! How lines are written: white space made single, folded at 80 columns on request, or as JSON.

use std::io::{self, Write};

/// Lines are folded before they reach this column.
pub const LIMIT: usize = 80;
/// The indentation of a folded line.
pub const INDENT: &str = "    ";

/// How many columns a text takes; each of its characters is a byte of the output.
pub fn width(text: &str) -> usize {
    text.chars().count()
}

/// Writes the words of `text` as one line, folded when asked.
///
/// # Errors
/// The output cannot be written.
pub fn line(out: &mut dyn Write, fold: bool, text: &str) -> io::Result<()> {
    let mut column = 0;
    for word in text
        .split([' ', '\t', '\r', '\n'])
        .filter(|w| !w.is_empty())
    {
        if column > 0 {
            if !fold || column + width(word) < LIMIT {
                out.write_all(b" ")?;
                column += 1;
            } else {
                write!(out, "\n{INDENT}")?;
                column = INDENT.len();
            }
        }
        out.write_all(word.as_bytes())?;
        column += width(word);
    }
    out.write_all(b"\n")
}

/// The text inside a JSON string.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\\' | '"' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_ascii_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted
}

/// Writes `{"name": "value"}`.
///
/// # Errors
/// The output cannot be written.
pub fn json(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{{\"{}\": \"{}\"}}", quoted(name), quoted(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding() {
        let mut out = Vec::new();
        let words = "aaaaaaaaa ".repeat(9);
        line(&mut out, true, &format!("x  =\t{words}")).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() < LIMIT && lines[1].starts_with(INDENT));
    }

    #[test]
    fn json_strings() {
        assert_eq!(quoted("a\"b\\\t\u{7f}é"), "a\\\"b\\\\\\t\\u007Fé");
    }
}
