//! The content of a message as SMTP sends it: lines ended by CRLF, a dot at the start of a line doubled, long lines broken, and
//! 8-bit text turned into 7-bit where the server wants that.

use pf_delivery::Content;
use pf_mime::{Event, HeaderTable, LineKind, Machine, Options};

/// Makes wire lines.
pub struct Body {
    /// The longest line; 0 for no limit.
    limit: usize,
    /// How long the current line is already; `None` between lines.
    column: Option<usize>,
}

impl Body {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            column: None,
        }
    }

    /// Adds a piece of a line; `ends_line` when it is the last one.
    pub fn piece(&mut self, out: &mut Vec<u8>, text: &[u8], ends_line: bool) {
        let mut text = text;
        let mut column = match self.column {
            Some(column) => column,
            None => {
                if text.first() == Some(&b'.') {
                    out.push(b'.');
                }
                0
            }
        };
        // A line that is too long goes on behind a line break and a space, which keeps a header a header.
        while self.limit > 0 && column + text.len() > self.limit {
            let (head, tail) = text.split_at(self.limit.saturating_sub(column).min(text.len()));
            out.extend_from_slice(head);
            out.extend_from_slice(b"\r\n ");
            text = tail;
            column = 1;
        }
        out.extend_from_slice(text);
        self.column = if ends_line {
            out.extend_from_slice(b"\r\n");
            None
        } else {
            Some(column + text.len())
        };
    }

    /// Ends the last line, if it has no end yet.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.column.take().is_some() {
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Where the lines of a message come from.
pub enum Source<'a> {
    /// As they are.
    Plain(Content<'a>),
    /// Turned into 7-bit text.
    Downgraded(Content<'a>, Box<Machine>, HeaderTable),
}

impl<'a> Source<'a> {
    pub fn plain(content: Content<'a>) -> Self {
        Source::Plain(content)
    }

    pub fn downgraded(content: Content<'a>) -> Self {
        let options = Options {
            downgrade: true,
            ..Options::default()
        };
        Source::Downgraded(
            content,
            Box::new(Machine::new(options)),
            HeaderTable::new([]),
        )
    }

    /// Adds about `wanted` bytes to `out`; false at the end of the content.
    ///
    /// # Errors
    /// The queue file cannot be read, or is damaged.
    pub fn fill(
        &mut self,
        body: &mut Body,
        out: &mut Vec<u8>,
        wanted: usize,
    ) -> Result<bool, pf_record::Error> {
        while out.len() < wanted {
            match self {
                Source::Plain(content) => match content.next_piece()? {
                    Some(piece) => body.piece(out, piece.text, piece.ends_line),
                    None => return Ok(false),
                },
                Source::Downgraded(content, machine, table) => {
                    let Some(piece) = content.next_piece()? else {
                        let mut rest = machine.end(table);
                        while let Some(event) = rest.next() {
                            emit(body, out, &event);
                        }
                        return Ok(false);
                    };
                    let kind = if piece.ends_line {
                        LineKind::Line
                    } else {
                        LineKind::Continued
                    };
                    let mut events = machine.text(table, kind, piece.text);
                    while let Some(event) = events.next() {
                        emit(body, out, &event);
                    }
                }
            }
        }
        Ok(true)
    }
}

/// Writes what the machine made of the lines.
fn emit(body: &mut Body, out: &mut Vec<u8>, event: &Event<'_>) {
    match event {
        Event::Header { text, .. } => {
            for line in text.split(|byte| *byte == b'\n') {
                body.piece(out, line, true);
            }
        }
        Event::HeaderEnd => {}
        Event::Body { kind, text, .. } => body.piece(out, text, *kind == LineKind::Line),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(limit: usize, pieces: &[(&str, bool)]) -> String {
        let (mut body, mut out) = (Body::new(limit), Vec::new());
        for (text, ends) in pieces {
            body.piece(&mut out, text.as_bytes(), *ends);
        }
        body.end(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dots_are_doubled_at_true_line_starts_only() {
        assert_eq!(
            wire(0, &[(".a", true), ("b.", false), (".c", true), (".", true)]),
            "..a\r\nb..c\r\n..\r\n"
        );
    }

    #[test]
    fn long_lines_are_broken() {
        assert_eq!(wire(4, &[("abcdefgh", true)]), "abcd\r\n efg\r\n h\r\n");
        assert_eq!(wire(4, &[("ab", false), ("cdef", true)]), "abcd\r\n ef\r\n");
        assert_eq!(wire(0, &[("no end", false)]), "no end\r\n");
    }
}
