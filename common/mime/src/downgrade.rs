//! 8-bit text to quoted-printable.

/// Quoted-printable output, gathered line by line.
#[derive(Debug, Default, Clone)]
pub(crate) struct Encoder {
    /// The line so far, or the line that is ready.
    pub(crate) line: Vec<u8>,
}

/// A longer line gets a soft break before the next character.
const SOFT_LIMIT: usize = 72;

impl Encoder {
    /// Encodes text until a line is ready in [`line`](Self::line) (`true`: the caller takes the line and calls again with what
    /// is left), or until the text is used up.
    pub(crate) fn fill(&mut self, text: &mut &[u8]) -> bool {
        while let Some((&ch, rest)) = text.split_first() {
            if self.line.len() > SOFT_LIMIT {
                self.line.push(b'=');
                return true;
            }
            if (ch < 32 && ch != b'\t') || ch == b'=' || ch > 126 {
                self.hex(ch);
            } else {
                self.line.push(ch);
            }
            *text = rest;
        }
        false
    }

    /// Ends a line at a hard break: white space must not be its last character.
    pub(crate) fn end_line(&mut self) {
        if let Some(&ch @ (b' ' | b'\t')) = self.line.last() {
            self.line.pop();
            self.hex(ch);
        }
    }

    fn hex(&mut self, ch: u8) {
        let digit = |n: u8| match n {
            0..=9 => b'0' + n,
            _ => b'A' + n - 10,
        };
        self.line
            .extend_from_slice(&[b'=', digit(ch >> 4), digit(ch & 0xf)]);
    }
}
