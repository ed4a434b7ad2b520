//! The content of a message as it is sent: lines ended by CRLF, a dot at the start of a line doubled, long lines broken.

/// Makes wire lines.
#[derive(Debug)]
pub struct Stuffing {
    /// The longest line; 0 for no limit.
    limit: usize,
    /// How much room the current line has left.
    room: usize,
    /// Nothing stands on the current line.
    fresh: bool,
    /// A line was broken.
    pub broke: bool,
}

impl Stuffing {
    /// Lines no longer than `limit`; 0 for no limit.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            room: limit,
            fresh: true,
            broke: false,
        }
    }

    /// Adds a piece of a line; `ends_line` when it is the last one.
    pub fn piece(&mut self, out: &mut Vec<u8>, text: &[u8], ends_line: bool) {
        if self.fresh && text.first() == Some(&b'.') {
            out.push(b'.');
        }
        let mut text = text;
        // A line that is too long goes on behind a line break and a space, which keeps a header a header.
        while self.limit > 0 && text.len() >= self.room {
            let (head, tail) = text.split_at(self.room);
            out.extend_from_slice(head);
            out.extend_from_slice(b"\r\n");
            self.room = self.limit;
            self.fresh = true;
            text = tail;
            if text.is_empty() && ends_line {
                return;
            }
            out.push(b' ');
            self.room -= 1;
            self.fresh = false;
            self.broke = true;
            if self.room == 0 {
                // A limit of one leaves no room at all for text.
                self.room = 1;
            }
            if text.is_empty() {
                return;
            }
        }
        out.extend_from_slice(text);
        if ends_line {
            out.extend_from_slice(b"\r\n");
            self.room = self.limit;
            self.fresh = true;
        } else {
            self.room = self.room.saturating_sub(text.len());
            self.fresh &= text.is_empty();
        }
    }

    /// Ends the last line, if it has no end yet.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if !self.fresh {
            out.extend_from_slice(b"\r\n");
            self.room = self.limit;
            self.fresh = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(limit: usize, pieces: &[(&str, bool)]) -> String {
        let (mut body, mut out) = (Stuffing::new(limit), Vec::new());
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
        // Broken off, a dot stands behind a space.
        assert_eq!(wire(2, &[("ab.c", true)]), "ab\r\n .\r\n c\r\n");
    }

    #[test]
    fn long_lines_are_broken() {
        assert_eq!(wire(4, &[("abcd", true)]), "abcd\r\n");
        assert_eq!(wire(4, &[("abcdefgh", true)]), "abcd\r\n efg\r\n h\r\n");
        assert_eq!(wire(4, &[("ab", false), ("cdef", true)]), "abcd\r\n ef\r\n");
        assert_eq!(wire(0, &[("no end", false)]), "no end\r\n");
        assert_eq!(wire(4, &[("", true), ("", true)]), "\r\n\r\n");
    }
}
