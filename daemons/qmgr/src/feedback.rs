//! How many deliveries to one destination at once: more after success, fewer after failure, none for a while when it is dead
//! (Postfix's SCHEDULER_README). No I/O, no clock.

use crate::params::TransportParams;

/// How much one success or failure counts: a number between 0 and 1, or that part of the present number of deliveries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Feedback {
    base: f64,
    scale: Scale,
}

/// What a feedback is divided by. The numbers are those of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    One = 0,
    Concurrency = 1,
    Root = 2,
}

impl Feedback {
    /// A whole delivery more or less each time: what a malformed setting stands for.
    pub const WHOLE: Self = Self {
        base: 1.0,
        scale: Scale::One,
    };

    /// Parses `1`, `0.5`, `1/2`, `1/concurrency`, `1/sqrt_concurrency`. What follows a number without a slash does not count.
    /// `None`: malformed, or not between 0 and 1.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, rest) = leading_number(text.trim_start())?;
        let feedback = match rest.trim_start().strip_prefix('/') {
            None => Self {
                base: number,
                scale: Scale::One,
            },
            Some(under) => {
                let under = under.trim_start();
                let scale = match under.to_ascii_lowercase().as_str() {
                    "concurrency" => Scale::Concurrency,
                    "sqrt_concurrency" => Scale::Root,
                    _ => Scale::One,
                };
                let divisor = match scale {
                    Scale::One => under.parse::<f64>().ok().filter(|part| *part > 0.0)?,
                    Scale::Concurrency | Scale::Root => 1.0,
                };
                Self {
                    base: number / divisor,
                    scale,
                }
            }
        };
        (0.0..=1.0).contains(&feedback.base).then_some(feedback)
    }

    /// The number by which the log knows the way of scaling.
    pub fn kind(self) -> u8 {
        self.scale as u8
    }

    /// How much it is with so many deliveries at once.
    pub fn amount(self, concurrency: usize) -> f64 {
        let concurrency = f64::from(u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX));
        match self.scale {
            Scale::One => self.base,
            Scale::Concurrency => self.base / concurrency,
            Scale::Root => self.base / concurrency.sqrt(),
        }
    }
}

/// The number that a text begins with, and what follows it.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    (1..=text.len())
        .rev()
        .filter_map(|end| text.split_at_checked(end))
        .find_map(|(number, rest)| Some((number.parse().ok()?, rest)))
}

/// The window of one destination.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// How many deliveries at once; 0: the destination is dead.
    pub size: usize,
    success: f64,
    failure: f64,
    cohorts: f64,
}

impl Window {
    /// A destination that was just met.
    pub fn new(params: &TransportParams) -> Self {
        Self {
            size: params.initial,
            success: 0.0,
            failure: 0.0,
            cohorts: 0.0,
        }
    }

    /// Whether the destination is dead.
    pub fn is_dead(&self) -> bool {
        self.size == 0
    }

    /// A dead destination gets another chance, with as much as it is busy with.
    pub fn revive(&mut self, params: &TransportParams, busy: usize) {
        *self = Self {
            size: if busy > 0 { busy } else { params.initial },
            ..Self::new(params)
        };
    }

    /// A delivery went well: `busy` were under way at the time, this one included. Gives what that counted for, if anything.
    pub fn succeeded(&mut self, params: &TransportParams, busy: usize) -> Option<f64> {
        self.cohorts = 0.0;
        if self.is_dead() {
            self.revive(params, busy);
            return None;
        }
        let limit = if params.concurrency == 0 {
            usize::MAX
        } else {
            params.concurrency
        };
        // A window that is not used does not grow.
        if self.size < limit && self.size < busy + params.initial {
            let amount = params.positive.amount(self.size);
            self.success += amount;
            // Rounding must not cost a whole step.
            while self.success + amount / 2.0 >= 1.0 {
                self.size += 1;
                self.success -= 1.0;
                self.failure = 0.0;
            }
            self.size = self.size.min(limit);
            return Some(amount);
        }
        None
    }

    /// The destination as a whole failed. Gives what that counted for; nothing, when it is dead now.
    pub fn failed(&mut self, params: &TransportParams) -> Option<f64> {
        if self.is_dead() {
            return None;
        }
        let cohort = f64::from(u32::try_from(self.size).unwrap_or(u32::MAX));
        self.cohorts += 1.0 / cohort;
        let limit = f64::from(u32::try_from(params.cohort_limit).unwrap_or(u32::MAX));
        if params.cohort_limit > 0 && self.cohorts >= limit {
            self.size = 0;
            return None;
        }
        let amount = params.negative.amount(self.size);
        self.failure -= amount;
        while self.failure - amount / 2.0 < 0.0 {
            self.size = self.size.saturating_sub(1);
            self.failure += 1.0;
            self.success = 0.0;
        }
        self.size = self.size.max(1);
        Some(amount)
    }

    /// For `destination_concurrency_feedback_debug`.
    pub fn shown(&self, destination: &[u8], limit: usize) -> String {
        format!(
            "queue {}: limit {limit} window {} success {} failure {} fail_cohorts {}",
            String::from_utf8_lossy(destination),
            self.size,
            short(self.success),
            short(self.failure),
            short(self.cohorts),
        )
    }
}

/// A number as C's `%g` has it.
pub fn short(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-4 {
        let text = format!("{number:.5e}");
        let (digits, exponent) = text.split_once("e-").unwrap_or((&text, "0"));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        return format!("{digits}e-{exponent:0>2}");
    }
    let mut whole = 1.0;
    let mut places = 5_usize;
    while number.abs() >= whole * 10.0 && places > 0 {
        whole *= 10.0;
        places -= 1;
    }
    let mut leading = number.abs();
    while leading < 1.0 && leading > 0.0 {
        leading *= 10.0;
        places += 1;
    }
    let text = format!("{number:.places$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_config::Config;

    fn params(settings: &[(&str, &str)]) -> TransportParams {
        TransportParams::read(&Config::for_tests(settings), "smtp").unwrap()
    }

    #[test]
    fn feedback_is_written_in_several_ways() {
        let amount = |text: &str| Feedback::parse(text).map(|feedback| feedback.amount(4));
        for (text, expected) in [
            ("1", 1.0),
            ("0.25", 0.25),
            ("1/4", 0.25),
            (" 1 / 4", 0.25),
            ("1/concurrency", 0.25),
            ("0.5/Concurrency", 0.125),
            ("1/sqrt_concurrency", 0.5),
            ("0.5xyz", 0.5),
            ("0", 0.0),
        ] {
            assert_eq!(amount(text), Some(expected), "{text}");
        }
        for bad in ["", "x", "1.5", "-1", "1/", "1/0", "1/x", "1/4 5", "3/2"] {
            assert_eq!(amount(bad), None, "{bad}");
        }
    }

    #[test]
    fn numbers_are_told_with_six_digits() {
        for (number, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (0.2, "0.2"),
            (1.0 / 3.0, "0.333333"),
            (12.0 / 7.0, "1.71429"),
            (0.00001, "1e-05"),
        ] {
            assert_eq!(short(number), expected);
        }
    }

    #[test]
    fn success_opens_the_window_up_to_its_limit() {
        let params = params(&[("default_destination_concurrency_limit", "7")]);
        let mut window = Window::new(&params);
        assert_eq!(window.size, 5);
        for _ in 0..10 {
            let size = window.size;
            window.succeeded(&params, size);
        }
        assert_eq!(window.size, 7);
    }

    #[test]
    fn a_whole_cohort_of_failures_makes_it_dead() {
        let params = params(&[]);
        let mut window = Window::new(&params);
        let mut failures = 0;
        while window.failed(&params).is_some() {
            failures += 1;
            assert!(failures < 20);
        }
        assert!(window.is_dead());
        assert!((2..=5).contains(&(failures + 1)), "{failures}");
        window.succeeded(&params, 1);
        assert_eq!(window.size, 1);
    }
}
