//! Logical lines, as in `main.cf`, `master.cf` and the sources of lookup tables: a line that begins with white space
//! continues the one before; comment lines and empty lines count for nothing, even in between.

use pf_text::Show;
use pf_text::space::is_space;

/// One logical line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The text, continuation lines joined without the newlines.
    pub text: Vec<u8>,
    /// The number of its first line, from 1.
    pub first: usize,
    /// The number of its last line (comment lines that follow may be included).
    pub last: usize,
}

/// The text of a line: UTF-8, or else every byte a character of its own (ISO 8859-1, as in files of old).
pub fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// Something odd that Postfix warns about; the text goes without the file name in front.
pub type Warning = String;

/// Reads logical lines from the text of a whole file.
pub struct Lines<'a> {
    rest: &'a [u8],
    number: usize,
    /// What to warn about; the text is to follow the name of the file.
    pub warnings: Vec<Warning>,
}

impl<'a> Lines<'a> {
    /// The logical lines of `text`.
    pub fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text,
            number: 0,
            warnings: Vec::new(),
        }
    }

    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, rest) = match memchr::memchr(b'\n', self.rest) {
            Some(at) => (
                self.rest.get(..at).unwrap_or_default(),
                self.rest.get(at + 1..).unwrap_or_default(),
            ),
            None => (self.rest, &[][..]),
        };
        self.rest = rest;
        self.number += 1;
        Some(line)
    }

    fn logical(&mut self) -> Option<Line> {
        let mut line = Line {
            text: Vec::new(),
            first: 0,
            last: 0,
        };
        let mut null = false;
        while let Some(part) = self.physical() {
            null |= memchr::memchr(0, part).is_some();
            if line.text.is_empty() {
                line.first = self.number;
            }
            line.last = self.number;
            let comment = part
                .iter()
                .find(|b| !is_space(**b))
                .is_none_or(|b| *b == b'#');
            if !comment {
                line.text.extend_from_slice(part);
            }
            if !line.text.is_empty()
                && !self
                    .rest
                    .first()
                    .is_some_and(|b| *b == b'#' || is_space(*b))
            {
                break;
            }
        }
        if null {
            let place = if line.first == line.last {
                format!("line {}", line.first)
            } else {
                format!("line {}-{}", line.first, line.last)
            };
            self.warnings
                .push(format!(", {place}: text after null byte may be ignored"));
        }
        (!line.text.is_empty()).then_some(line)
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        loop {
            let line = self.logical()?;
            if line.text.first().is_some_and(|b| is_space(*b)) {
                let start = line.text.get(..30).unwrap_or(&line.text);
                let start = start.split(|byte| *byte == 0).next().unwrap_or_default();
                self.warnings.push(format!(
                    ": logical line must not start with whitespace: \"{}{}\"",
                    Show(start),
                    if line.text.len() > 30 { "..." } else { "" }
                ));
                continue;
            }
            return Some(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, usize, usize)> {
        Lines::new(text.as_bytes())
            .map(|l| (String::from_utf8(l.text).unwrap(), l.first, l.last))
            .collect()
    }

    #[test]
    fn continuation_and_comments() {
        assert_eq!(
            read("# c\n\na = b\n# in between\n  c\n\n\td\ne = f"),
            [("a = b  c\td".to_owned(), 3, 7), ("e = f".to_owned(), 8, 8)]
        );
        assert_eq!(read(""), []);
        assert_eq!(read("#abc\n"), []);
    }

    #[test]
    fn white_space_in_front_of_the_first_line() {
        let mut lines = Lines::new(b" abc\ndef\n");
        assert_eq!(lines.next().unwrap().text, b"def");
        assert_eq!(
            lines.warnings,
            [": logical line must not start with whitespace: \" abc\""]
        );
    }
}
