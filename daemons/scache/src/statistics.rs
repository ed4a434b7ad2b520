//! What is logged now and then: how often something was found, and how much there was at most.

use std::time::SystemTime;

use pf_smtp::idle::Size;
use pf_sys::time::Calendar;

/// How often something was asked for.
#[derive(Debug, Default)]
struct Lookups {
    hits: u64,
    misses: u64,
}

impl Lookups {
    fn count(&mut self, found: bool) {
        if found {
            self.hits += 1;
        } else {
            self.misses += 1;
        }
    }

    fn line(&self, what: &str) -> Option<String> {
        let success = (self.hits * 100).checked_div(self.hits + self.misses)?;
        Some(format!(
            "statistics: {what} lookup hits={} miss={} success={success}%",
            self.hits, self.misses
        ))
    }
}

/// All numbers since they were logged last.
#[derive(Debug)]
pub struct Statistics {
    since: i64,
    destinations: Lookups,
    endpoints: Lookups,
    most: Size,
}

impl Statistics {
    /// Nothing happened yet.
    pub fn new() -> Self {
        Self {
            since: pf_sys::time::seconds(SystemTime::now()),
            destinations: Lookups::default(),
            endpoints: Lookups::default(),
            most: Size::default(),
        }
    }

    /// A destination was asked for.
    pub fn destination(&mut self, found: bool) {
        self.destinations.count(found);
    }

    /// An endpoint was asked for.
    pub fn endpoint(&mut self, found: bool) {
        self.endpoints.count(found);
    }

    /// Looks at how much there is.
    pub fn see(&mut self, size: Size) {
        let most = &mut self.most;
        most.destinations = most.destinations.max(size.destinations);
        most.endpoints = most.endpoints.max(size.endpoints);
        most.connections = most.connections.max(size.connections);
    }

    /// The lines to log; everything starts again.
    pub fn take_lines(&mut self) -> Vec<String> {
        let taken = std::mem::replace(self, Self::new());
        let most = (taken.most != Size::default()).then(|| {
            format!(
                "statistics: max simultaneous domains={} addresses={} connection={}",
                taken.most.destinations, taken.most.endpoints, taken.most.connections
            )
        });
        let lines: Vec<String> = [
            taken.destinations.line("domain"),
            taken.endpoints.line("address"),
            most,
        ]
        .into_iter()
        .flatten()
        .collect();
        if lines.is_empty() {
            return lines;
        }
        let date = Calendar::local(taken.since);
        let start = format!(
            "statistics: start interval {} {:2} {:02}:{:02}:{:02}",
            date.month_name(),
            date.day,
            date.hour,
            date.minute,
            date.second
        );
        [vec![start], lines].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_the_log() {
        let mut statistics = Statistics::new();
        assert!(statistics.take_lines().is_empty());
        statistics.destination(true);
        statistics.destination(true);
        statistics.destination(false);
        statistics.see(Size {
            destinations: 1,
            endpoints: 1,
            connections: 2,
        });
        let lines = statistics.take_lines();
        assert!(lines[0].starts_with("statistics: start interval "));
        assert_eq!(
            lines[1..],
            [
                "statistics: domain lookup hits=2 miss=1 success=66%",
                "statistics: max simultaneous domains=1 addresses=1 connection=2",
            ]
        );
        assert!(statistics.take_lines().is_empty());
    }
}
