//! How far long work has come, told to a person only: without a terminal nobody sees a byte of it.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// Work that takes no longer tells nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// The pause between two lines.
const PAUSE: Duration = Duration::from_millis(200);
/// The clock is looked at once for so many steps.
const STEPS: u64 = 64;

/// One line on standard error that counts, and goes away at the end.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    steps: u64,
    /// When the next line is due; `None`: nobody looks.
    due: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Counts `what` (`messages`).
    pub fn of(what: &'static str) -> Self {
        Self {
            what,
            steps: 0,
            due: std::io::stderr()
                .is_terminal()
                .then(|| Instant::now() + PATIENCE),
            shown: false,
        }
    }

    /// Another step is done.
    pub fn step(&mut self) {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS) {
            self.tell();
        }
    }

    /// So many more steps are done.
    pub fn steps(&mut self, count: usize) {
        self.steps += count as u64;
        self.tell();
    }

    fn tell(&mut self) {
        let now = Instant::now();
        if self.due.is_some_and(|due| due <= now) {
            self.due = Some(now + PAUSE);
            self.shown = true;
            // The cursor goes back, so that what else is said stands in the place of this line.
            let _unread = write!(std::io::stderr(), "{} {}\x1b[K\r", self.steps, self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _unread = write!(std::io::stderr(), "\x1b[K");
        }
    }
}
