//! The lines of a configuration file as an editor sees them: entries with their continuation, and everything else kept.

use std::io::{self, Write};

use pf_text::space::is_space_char;

/// Bytes as text in which each byte is a character: what an editor does not change stays to the byte, whatever its encoding.
pub fn open(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The bytes of such a text.
pub fn close(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
        .collect()
}

/// Writes such a text as its bytes.
pub struct Narrow<W>(pub W);

impl<W: Write> Write for Narrow<W> {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        if text.is_ascii() {
            return self.0.write(text);
        }
        self.0.write_all(&close(&String::from_utf8_lossy(text)))?;
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A physical line with its newline, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Physical<'a> {
    /// Empty, or a comment.
    Idle(&'a str),
    /// Continues the entry before.
    Continued(&'a str),
    /// Begins an entry.
    Entry(&'a str),
}

/// Splits a file; a last line without newline gets one.
pub fn physical(text: &str) -> Vec<Physical<'_>> {
    text.split_inclusive('\n')
        .map(|line| {
            let start = line.trim_start_matches(is_space_char);
            if start.is_empty() || start.starts_with('#') {
                Physical::Idle(line)
            } else if line.starts_with(is_space_char) {
                Physical::Continued(line)
            } else {
                Physical::Entry(line)
            }
        })
        .collect()
}

/// Adds a line to the new text, with a newline at its end.
pub fn push(text: &mut String, line: &str) {
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push('\n');
    }
}
