//! The transcript of a session, for a notice to the postmaster. It is bounded in lines and in bytes: the oldest lines are kept,
//! because that is where trouble began.

/// The most bytes that one session's transcript may hold.
const MAX_BYTES: usize = 64 << 10;
/// The most lines that one session's transcript may hold.
const MAX_LINES: usize = 1000;

/// What client and server said.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: Vec<Box<[u8]>>,
    bytes: usize,
}

impl History {
    /// Notes one line, unless the transcript is full.
    pub(crate) fn add(&mut self, direction: &str, line: &[u8]) {
        let len = direction.len() + line.len();
        if self.lines.len() >= MAX_LINES || self.bytes + len > MAX_BYTES {
            return;
        }
        self.bytes += len;
        self.lines
            .push([direction.as_bytes(), line].concat().into());
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(AsRef::as_ref)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bug_20260805_history_is_bounded() {
        let mut history = History::default();
        for _ in 0..100_000 {
            history.add("In:  ", b"BDAT 1");
        }
        assert_eq!(history.len(), MAX_LINES);
        history.clear();
        for _ in 0..1000 {
            history.add("In:  ", &[b'x'; 2048]);
        }
        assert!(history.lines().map(<[u8]>::len).sum::<usize>() <= MAX_BYTES);
    }
}
