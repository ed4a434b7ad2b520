//! Message content as it comes from the network, cut into lines: for `DATA` up to the lone dot, for `BDAT` by count. Works on
//! whatever piece arrived, keeps an unfinished line only, and hands each record on without copying where it can.

/// What a record of content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A line, or the end of one.
    Line,
    /// The beginning of a line that is longer than `line_length_limit`.
    Part,
}

/// `smtpd_forbid_bare_newline`, as it applies to one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct BareLf {
    /// Notice line ends without a carriage return, and require CR LF before and behind the lone dot.
    pub(crate) strict_end: bool,
    /// Refuse commands and mail with such line ends.
    pub(crate) reject: bool,
    /// Note them on the `disconnect from` line.
    pub(crate) note: bool,
}

/// Where a line ends in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Bytes that are used up, line end included.
    pub(crate) used: usize,
    /// Bytes of text, from the start.
    pub(crate) len: usize,
    pub(crate) piece: Piece,
    /// The line ended without a carriage return.
    pub(crate) bare_lf: bool,
}

/// Finds the first line of `buffer`, or its first `limit` bytes when it is longer; `None` when more must be read first.
pub(crate) fn cut(buffer: &[u8], limit: usize, notice_bare_lf: bool) -> Option<Cut> {
    let window = buffer.get(..limit).unwrap_or(buffer);
    let end = match memchr::memchr(b'\n', window) {
        Some(at) => at,
        None if buffer.len() < limit => return None,
        // A carriage return as the last byte that fits: what follows it decides.
        None if window.last() == Some(&b'\r') => match buffer.get(limit) {
            None => return None,
            Some(b'\n') => limit,
            Some(_) => {
                return Some(Cut {
                    used: limit,
                    len: limit,
                    piece: Piece::Part,
                    bare_lf: false,
                });
            }
        },
        None => {
            return Some(Cut {
                used: limit,
                len: limit,
                piece: Piece::Part,
                bare_lf: false,
            });
        }
    };
    let text = buffer.get(..end).unwrap_or_default();
    let (len, bare_lf) = match (text.last(), notice_bare_lf) {
        (Some(b'\r'), true) => (end - 1, false),
        (_, true) => (end, true),
        (_, false) => (
            text.iter()
                .rposition(|&byte| byte != b'\r')
                .map_or(0, |at| at + 1),
            false,
        ),
    };
    Some(Cut {
        used: end + 1,
        len,
        piece: Piece::Line,
        bare_lf,
    })
}

/// What is known about the content so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Bytes of content, with two for each line end.
    pub(crate) size: u64,
    /// The content is larger than the limit.
    pub(crate) too_large: bool,
    /// A bare newline was seen, and is to be refused.
    pub(crate) bare_lf_refused: bool,
    /// A bare newline was seen, and is to be noted.
    pub(crate) bare_lf_noted: bool,
}

/// What the receiver of content needs to know about this server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// `line_length_limit` in bytes.
    pub(crate) line_limit: usize,
    /// `message_size_limit` in bytes; zero: none.
    pub(crate) size_limit: u64,
    pub(crate) bare_lf: BareLf,
    /// The content goes on by SMTP: leading dots stay doubled.
    pub(crate) keep_dots: bool,
}

/// The receiver of one message's content.
#[derive(Debug)]
pub(crate) struct Content {
    rules: Rules,
    /// An unfinished line.
    pending: Vec<u8>,
    previous: Option<Piece>,
    previous_bare_lf: bool,
    first: bool,
    pub(crate) tally: Tally,
}

impl Content {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            pending: Vec::new(),
            previous: None,
            previous_bare_lf: false,
            first: true,
            tally: Tally::default(),
        }
    }

    /// Bytes of an unfinished line.
    pub(crate) fn unfinished(&self) -> usize {
        self.pending.len()
    }

    /// Whether content is still worth passing on.
    fn wanted(&self) -> bool {
        !self.tally.too_large && !self.tally.bare_lf_refused
    }

    /// Takes what arrived after `DATA`. Returns how many bytes belong to the message and whether it is complete; records go
    /// to `out`.
    pub(crate) fn data(
        &mut self,
        input: &[u8],
        mut out: impl FnMut(Piece, &[u8]),
    ) -> (usize, bool) {
        self.lines(input, |content, cut, line| {
            content.data_line(cut, line, &mut out)
        })
    }

    /// Takes a part of a chunk; `end`: the last byte of the last chunk is in it.
    pub(crate) fn chunk(&mut self, input: &[u8], end: bool, mut out: impl FnMut(Piece, &[u8])) {
        self.lines(input, |content, cut, line| {
            content.chunk_line(cut, line, &mut out);
            false
        });
        if end && !self.pending.is_empty() {
            let line = std::mem::take(&mut self.pending);
            let cut = Cut {
                used: 0,
                len: line.len(),
                piece: Piece::Line,
                bare_lf: false,
            };
            self.chunk_line(&cut, &line, &mut out);
        }
    }

    /// Cuts the input into lines until `take` says that it was the last.
    fn lines(
        &mut self,
        input: &[u8],
        mut take: impl FnMut(&mut Self, &Cut, &[u8]) -> bool,
    ) -> (usize, bool) {
        let limit = self.rules.line_limit;
        let strict = self.rules.bare_lf.strict_end;
        let mut at = 0;
        while !self.pending.is_empty() {
            // One byte more than the limit tells whether a carriage return belongs to the line end.
            let room = (limit + 1).saturating_sub(self.pending.len());
            let rest = input.get(at..).unwrap_or_default();
            let more = rest.get(..room).unwrap_or(rest);
            let more =
                memchr::memchr(b'\n', more).map_or(more, |end| more.get(..=end).unwrap_or(more));
            self.pending.extend_from_slice(more);
            at += more.len();
            let Some(found) = cut(&self.pending, limit, strict) else {
                return (at, false);
            };
            let mut line = std::mem::take(&mut self.pending);
            let done = take(self, &found, line.get(..found.len).unwrap_or_default());
            line.drain(..found.used.min(line.len()));
            // What was not used is at most the one byte that was looked at in advance.
            at -= line.len();
            if done {
                return (at, true);
            }
        }
        while let Some(rest) = input.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(found) = cut(rest, limit, strict) else {
                self.pending.extend_from_slice(rest);
                return (input.len(), false);
            };
            at += found.used;
            if take(self, &found, rest.get(..found.len).unwrap_or_default()) {
                return (at, true);
            }
        }
        (at, false)
    }

    fn data_line(&mut self, cut: &Cut, line: &[u8], out: &mut impl FnMut(Piece, &[u8])) -> bool {
        let after_bare_lf = std::mem::replace(&mut self.previous_bare_lf, cut.bare_lf);
        let previous = self.previous.replace(cut.piece);
        self.judge_bare_lf(cut);
        if std::mem::take(&mut self.first) {
            let unquoted = line
                .iter()
                .position(|&byte| byte != b'>')
                .unwrap_or(line.len());
            if line
                .get(unquoted..)
                .is_some_and(|rest| rest.starts_with(b"From "))
            {
                const LABEL: &[u8] = b"X-Mailbox-Line: ";
                out(Piece::Part, LABEL);
                self.tally.size += LABEL.len() as u64;
            }
            if matches!(line.first(), Some(b' ' | b'\t')) {
                // Not a continuation of our own Received: header.
                out(Piece::Line, b"");
            }
        }
        let mut line = line;
        if previous != Some(Piece::Part) && line.first() == Some(&b'.') {
            if line.len() == 1 && self.rules.bare_lf.strict_end && (cut.bare_lf || after_bare_lf) {
                return false;
            }
            if line.len() == 1 {
                return true;
            }
            if !self.rules.keep_dots {
                line = line.get(1..).unwrap_or_default();
            }
        }
        self.emit(cut.piece, line, out);
        false
    }

    fn chunk_line(&mut self, cut: &Cut, line: &[u8], out: &mut impl FnMut(Piece, &[u8])) {
        self.judge_bare_lf(cut);
        let starts_line = self.previous.replace(cut.piece) != Some(Piece::Part);
        if starts_line && self.rules.keep_dots && line.first() == Some(&b'.') {
            let stuffed = [b".", line].concat();
            self.emit_sized(cut.piece, &stuffed, line.len(), out);
        } else {
            self.emit(cut.piece, line, out);
        }
    }

    fn judge_bare_lf(&mut self, cut: &Cut) {
        if cut.bare_lf && self.rules.bare_lf.reject {
            self.tally.bare_lf_refused = true;
        } else if cut.bare_lf && self.rules.bare_lf.note {
            self.tally.bare_lf_noted = true;
        }
    }

    fn emit(&mut self, piece: Piece, line: &[u8], out: &mut impl FnMut(Piece, &[u8])) {
        self.emit_sized(piece, line, line.len(), out);
    }

    fn emit_sized(
        &mut self,
        piece: Piece,
        line: &[u8],
        len: usize,
        out: &mut impl FnMut(Piece, &[u8]),
    ) {
        if !self.wanted() {
            return;
        }
        let size = self.tally.size.saturating_add(len as u64 + 2);
        if self.rules.size_limit > 0 && size > self.rules.size_limit {
            self.tally.too_large = true;
        } else {
            self.tally.size = size;
            out(piece, line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: BareLf = BareLf {
        strict_end: true,
        reject: false,
        note: false,
    };

    fn rules(bare_lf: BareLf) -> Rules {
        Rules {
            line_limit: 10,
            size_limit: 0,
            bare_lf,
            keep_dots: false,
        }
    }

    /// The records of a message, and what is left of the input, for every way of cutting the input in two.
    fn data(rules: Rules, input: &str) -> (String, String) {
        let mut results = Vec::new();
        for split in 0..=input.len() {
            let mut content = Content::new(rules);
            let mut records = String::new();
            let mut left = Vec::new();
            let mut done = false;
            for piece in [&input.as_bytes()[..split], &input.as_bytes()[split..]] {
                let mut used = 0;
                if !done {
                    (used, done) = content.data(piece, |kind, text| {
                        records.push(if kind == Piece::Line { 'N' } else { 'L' });
                        records.push_str(std::str::from_utf8(text).unwrap());
                        records.push(';');
                    });
                }
                left.extend_from_slice(&piece[used..]);
            }
            if !done {
                records.push('?');
            }
            results.push((records, String::from_utf8(left).unwrap()));
        }
        results.dedup();
        assert_eq!(results.len(), 1, "{results:?}");
        results.remove(0)
    }

    #[test]
    fn lines_dots_and_the_end() {
        let (records, left) = data(rules(STRICT), "a: b\r\n\r\n..x\r\n.y\r\n.\r\nQUIT\r\n");
        assert_eq!(records, "Na: b;N;N.x;Ny;");
        assert_eq!(left, "QUIT\r\n");
    }

    #[test]
    fn long_lines_are_cut_at_the_limit() {
        assert_eq!(data(rules(STRICT), "123456789\r\n.\r\n").0, "N123456789;");
        assert_eq!(
            data(rules(STRICT), "1234567890\r\n.\r\n").0,
            "L1234567890;N;"
        );
        assert_eq!(
            data(rules(STRICT), "123456789\rx\r\n.\r\n").0,
            "L123456789\r;Nx;"
        );
        assert_eq!(
            data(rules(STRICT), "1234567890.\r\n.\r\n").0,
            "L1234567890;N.;"
        );
    }

    #[test]
    fn only_crlf_dot_crlf_ends_strictly() {
        assert_eq!(data(rules(STRICT), "a\n.\r\nb\r\n.\r\n").0, "Na;Nb;");
        assert_eq!(data(rules(STRICT), "a\r\n.\nb\r\n.\r\n").0, "Na;Nb;");
        assert_eq!(data(rules(BareLf::default()), "a\n.\nb").0, "Na;");
        assert_eq!(data(rules(STRICT), "a\r\r\n.\r\n").0, "Na\r;");
        assert_eq!(data(rules(BareLf::default()), "a\r\r\n.\r\n").0, "Na;");
    }

    #[test]
    fn the_first_line_may_not_continue_our_header() {
        assert_eq!(data(rules(STRICT), " x\r\n.\r\n").0, "N;N x;");
        assert_eq!(
            data(rules(STRICT), ">From a\r\n.\r\n").0,
            "LX-Mailbox-Line: ;N>From a;"
        );
    }

    #[test]
    fn bug_20260625_mailbox_lines_count_against_the_size_limit() {
        let mut limited = rules(STRICT);
        limited.size_limit = 20;
        let mut content = Content::new(limited);
        content.data(b"From abc\r\n.\r\n", |_, _| {});
        assert!(content.tally.too_large);
    }

    #[test]
    fn size_limit_counts_line_ends() {
        let mut limited = rules(STRICT);
        limited.size_limit = 6;
        let mut content = Content::new(limited);
        content.data(b"abcd\r\n.\r\n", |_, _| {});
        assert!(!content.tally.too_large);
        let mut content = Content::new(limited);
        let mut records = 0;
        assert!(content.data(b"abcde\r\nx\r\n.\r\n", |_, _| records += 1).1);
        assert!(content.tally.too_large && records == 0);
    }

    #[test]
    fn chunks_join_into_lines() {
        let mut content = Content::new(rules(STRICT));
        let mut records = Vec::new();
        let mut take = |piece: Piece, text: &[u8]| {
            records.push((piece, String::from_utf8(text.to_vec()).unwrap()))
        };
        content.chunk(b".a\r", false, &mut take);
        content.chunk(b"\nb", false, &mut take);
        content.chunk(b"c\r\nd", true, &mut take);
        let lines: Vec<&str> = records.iter().map(|(_, line)| line.as_str()).collect();
        assert_eq!(lines, [".a", "bc", "d"]);
    }

    #[test]
    fn bug_202507_dots_are_stuffed_at_true_line_starts_only() {
        let mut filtered = rules(STRICT);
        filtered.keep_dots = true;
        let mut content = Content::new(filtered);
        let mut records = Vec::new();
        content.chunk(b".123456789.x\r\n.\r\n", true, |piece, text| {
            records.push((piece, String::from_utf8(text.to_vec()).unwrap()));
        });
        assert_eq!(
            records,
            [
                (Piece::Part, "..123456789".to_owned()),
                (Piece::Line, ".x".to_owned()),
                (Piece::Line, "..".to_owned())
            ]
        );
    }

    #[test]
    fn bare_newlines_are_refused_or_noted() {
        let mut content = Content::new(rules(BareLf {
            strict_end: true,
            reject: true,
            note: false,
        }));
        content.chunk(b"a\nb\r\n", true, |_, _| panic!("passed on"));
        assert!(content.tally.bare_lf_refused);
        let mut content = Content::new(rules(BareLf {
            strict_end: true,
            reject: false,
            note: true,
        }));
        content.chunk(b"a\nb\r\n", true, |_, _| {});
        assert!(content.tally.bare_lf_noted && !content.tally.bare_lf_refused);
    }
}
