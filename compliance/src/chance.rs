//! Cases that chance makes, the same ones on each run.

use crate::random::Random;

/// Makes choices.
#[derive(Debug)]
pub struct Dice(pub Random);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0.below(sides)
    }

    /// One of these.
    pub fn pick(&mut self, of: &[&str]) -> String {
        of[self.roll(of.len())].to_owned()
    }

    /// Up to so many pieces, and one more.
    pub fn word(&mut self, pieces: &[&str], longest: usize) -> String {
        (0..=self.roll(longest))
            .map(|_| self.pick(pieces))
            .collect()
    }

    /// Up to eight lines, for printf(1).
    pub fn lines(&mut self, line: impl Fn(&mut Self) -> String) -> String {
        let mut text = String::new();
        for _ in 0..self.roll(8) {
            text += &line(self);
            text += "\\n";
        }
        if self.roll(4) == 0 {
            text.truncate(text.len().saturating_sub(2));
        }
        text
    }
}

/// How many cases are played, and what chooses them: the usual ones, or for `cargo xtask differ` as many as it asks for.
pub fn cases(usual: usize, seed: u64) -> (usize, Dice) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let count = number("POSTFIX_RS_CASES").map_or(usual, |count| usize::try_from(count).unwrap());
    let seed = seed.wrapping_add(number("POSTFIX_RS_SEED").unwrap_or(0) * 1000);
    (count, Dice(Random(seed)))
}
