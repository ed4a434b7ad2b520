//! How many deliveries to one destination at once: more after success, fewer after failure, none for a while when it is dead
//! (Postfix's SCHEDULER_README). No I/O, no clock.

use crate::params::TransportParams;

/// How much one success or failure counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Feedback {
    /// This much.
    Constant(f64),
    /// One part of the present number of deliveries.
    ByConcurrency,
    /// One part of its square root.
    ByRoot,
}

impl Feedback {
    /// Parses `1`, `0.5`, `1/2`, `1/concurrency`, `1/sqrt_concurrency`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some((over, under)) = text.split_once('/') {
            match under.trim() {
                "concurrency" => return Feedback::ByConcurrency,
                "sqrt_concurrency" => return Feedback::ByRoot,
                number => {
                    if let (Ok(over), Ok(under)) =
                        (over.trim().parse::<f64>(), number.parse::<f64>())
                        && under > 0.0
                    {
                        return Feedback::Constant((over / under).clamp(0.0, 1.0));
                    }
                }
            }
        }
        Feedback::Constant(text.parse().unwrap_or(1.0_f64).clamp(0.0, 1.0))
    }

    fn amount(self, concurrency: usize) -> f64 {
        let concurrency = f64::from(u32::try_from(concurrency.max(1)).unwrap_or(u32::MAX));
        match self {
            Feedback::Constant(amount) => amount,
            Feedback::ByConcurrency => 1.0 / concurrency,
            Feedback::ByRoot => 1.0 / concurrency.sqrt(),
        }
    }
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

    /// A delivery went well: `busy` were under way at the time, this one included.
    pub fn succeeded(&mut self, params: &TransportParams, busy: usize) {
        self.cohorts = 0.0;
        if self.is_dead() {
            self.revive(params, busy);
            return;
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
        }
    }

    /// The destination as a whole failed; true when it is dead now.
    pub fn failed(&mut self, params: &TransportParams) -> bool {
        if self.is_dead() {
            return true;
        }
        let cohort = f64::from(u32::try_from(self.size).unwrap_or(u32::MAX));
        self.cohorts += 1.0 / cohort;
        let limit = f64::from(u32::try_from(params.cohort_limit).unwrap_or(u32::MAX));
        if params.cohort_limit > 0 && self.cohorts >= limit {
            self.size = 0;
            return true;
        }
        let amount = params.negative.amount(self.size);
        self.failure -= amount;
        while self.failure - amount / 2.0 < 0.0 {
            self.size = self.size.saturating_sub(1);
            self.failure += 1.0;
            self.success = 0.0;
        }
        self.size = self.size.max(1);
        false
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
        assert_eq!(Feedback::parse("1"), Feedback::Constant(1.0));
        assert_eq!(Feedback::parse("1/4"), Feedback::Constant(0.25));
        assert_eq!(Feedback::parse("1/concurrency"), Feedback::ByConcurrency);
        assert_eq!(Feedback::parse("1/sqrt_concurrency"), Feedback::ByRoot);
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
        while !window.failed(&params) {
            failures += 1;
            assert!(failures < 20);
        }
        assert!(window.is_dead());
        assert!((2..=5).contains(&(failures + 1)), "{failures}");
        window.succeeded(&params, 1);
        assert_eq!(window.size, 1);
    }
}
