//! The highest numbers, which are logged now and then.

use pf_proto::anvil::Event;
use pf_sys::time::Calendar;

use crate::counters::Numbers;

/// One highest number.
#[derive(Debug, Default)]
struct Peak {
    value: i32,
    ident: Vec<u8>,
    when: i64,
}

impl Peak {
    fn see(&mut self, value: i32, ident: &[u8], now: i64) {
        if value > self.value {
            self.value = value;
            self.ident.clear();
            self.ident.extend_from_slice(ident);
            self.when = now;
        }
    }
}

/// The events with a rate, in the order they are logged; the number of connections comes after the first.
const RATES: [(Event, &str); 5] = [
    (Event::Connect, "connection"),
    (Event::Message, "message"),
    (Event::Recipient, "recipient"),
    (Event::NewTls, "newtls"),
    (Event::Auth, "auth"),
];

/// All highest numbers since they were logged last.
#[derive(Debug, Default)]
pub struct Peaks {
    rates: [Peak; RATES.len()],
    count: Peak,
    size: (usize, i64),
}

impl Peaks {
    /// Looks at the numbers of a client after an event.
    pub fn see(&mut self, event: Event, numbers: &Numbers, ident: &[u8], now: i64) {
        if let Some((peak, _)) = self
            .rates
            .iter_mut()
            .zip(RATES)
            .find(|(_, (known, _))| *known == event)
        {
            peak.see(numbers.of(event), ident, now);
        }
        if event == Event::Connect {
            self.count.see(numbers.count, ident, now);
        }
    }

    /// Looks at how many clients are remembered.
    pub fn see_size(&mut self, size: usize, now: i64) {
        if size > self.size.0 {
            self.size = (size, now);
        }
    }

    /// The lines to log; everything starts again. `unit` is `anvil_rate_time_unit` in seconds.
    pub fn take_lines(&mut self, unit: i64) -> Vec<String> {
        let taken = std::mem::take(self);
        let mut lines = Vec::new();
        for (peak, (event, name)) in taken.rates.iter().zip(RATES) {
            if peak.value > 0 {
                lines.push(format!(
                    "statistics: max {name} rate {}/{unit}s for ({}) at {}",
                    peak.value,
                    String::from_utf8_lossy(&peak.ident),
                    date(peak.when)
                ));
            }
            if event == Event::Connect && taken.count.value > 0 {
                lines.push(format!(
                    "statistics: max connection count {} for ({}) at {}",
                    taken.count.value,
                    String::from_utf8_lossy(&taken.count.ident),
                    date(taken.count.when)
                ));
            }
        }
        if taken.size.0 > 0 {
            lines.push(format!(
                "statistics: max cache size {} at {}",
                taken.size.0,
                date(taken.size.1)
            ));
        }
        lines
    }
}

/// `Nov  3 16:47:49`.
fn date(moment: i64) -> String {
    let date = Calendar::local(moment);
    format!(
        "{} {:2} {:02}:{:02}:{:02}",
        date.month_name(),
        date.day,
        date.hour,
        date.minute,
        date.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Counters;

    #[test]
    fn the_lines_of_the_log() {
        let mut counters = Counters::new(60);
        let mut peaks = Peaks::default();
        for _ in 0..2 {
            let numbers = counters.connect(b"smtp:192.0.2.1", 1000);
            peaks.see(Event::Connect, &numbers, b"smtp:192.0.2.1", 1000);
        }
        peaks.see_size(counters.len(), 1000);
        let at = date(1000);
        assert_eq!(
            peaks.take_lines(60),
            [
                format!("statistics: max connection rate 2/60s for (smtp:192.0.2.1) at {at}"),
                format!("statistics: max connection count 2 for (smtp:192.0.2.1) at {at}"),
                format!("statistics: max cache size 1 at {at}"),
            ]
        );
        assert!(peaks.take_lines(60).is_empty());
    }
}
