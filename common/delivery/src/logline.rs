//! The line that every log analyser reads: one for each recipient and attempt.

use std::fmt::Write as _;
use std::time::Duration;

use pf_proto::bounce::Recipient;
use pf_proto::deliver::{Moment, Times};

/// A delay as the log has it: two significant digits, and no more than `most` decimals (`delay_logging_resolution_limit`).
pub fn format_delay(delay: Duration, most: u32) -> String {
    let most = most.min(6);
    let mut seconds = delay.as_secs();
    let mut micros = u64::from(delay.subsec_micros());
    // The resolution in microseconds: as configured, but no finer than two digits of the number.
    let mut resolution = 1_000_000 / 10_u64.pow(most);
    if resolution < 1_000_000 {
        if seconds > 0 {
            let mut power = 1;
            while seconds >= power && power <= 10 {
                power *= 10;
            }
            resolution = 10_000 * power;
        } else {
            while micros >= 100 * resolution {
                resolution *= 10;
            }
        }
    }
    if resolution > 1 {
        micros += resolution / 2;
        if micros >= 1_000_000 {
            seconds += 1;
            micros -= 1_000_000;
        }
    }
    let mut text = seconds.to_string();
    if micros >= resolution {
        text.push('.');
        let (mut rest, mut place) = (micros, 100_000);
        while rest >= resolution && place > 0 {
            let _ = write!(text, "{}", rest / place);
            rest %= place;
            place /= 10;
        }
    }
    text
}

/// The delays of an attempt: in all, before the queue manager, in it, until the connection was ready, and during transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From arrival until now.
    pub total: Duration,
    /// The four parts.
    pub parts: [Duration; 4],
}

impl Delays {
    /// The delays of an attempt that ended `now`, or when the times say it did.
    pub fn of(times: &Times, now: Moment) -> Self {
        let end = if times.delivered.is_set() {
            times.delivered
        } else {
            now
        };
        let zero = Duration::ZERO;
        let parts = if !times.active.is_set() {
            [end.since(times.arrived), zero, zero, zero]
        } else if !times.handoff.is_set() {
            [
                times.active.since(times.arrived),
                end.since(times.active),
                zero,
                zero,
            ]
        } else {
            let (setup, transmission) = if times.connected.is_set() {
                (
                    times.connected.since(times.handoff),
                    end.since(times.connected),
                )
            } else {
                (zero, end.since(times.handoff))
            };
            [
                times.active.since(times.arrived),
                times.handoff.since(times.active),
                setup,
                transmission,
            ]
        };
        Self {
            total: end.since(times.arrived),
            parts,
        }
    }
}

/// Everything that goes into the line.
pub(crate) struct Line<'a> {
    pub(crate) id: &'a str,
    pub(crate) recipient: &'a Recipient,
    pub(crate) relay: &'a str,
    pub(crate) times: &'a Times,
    pub(crate) resolution: u32,
    /// What there is to say of TLS, for network clients.
    pub(crate) tls: Option<&'a str>,
    pub(crate) dsn: &'a [u8],
    pub(crate) status: &'a str,
    pub(crate) reason: &'a [u8],
}

impl Line<'_> {
    pub(crate) fn text(&self) -> String {
        let shown =
            |address: &[u8]| String::from_utf8_lossy(&pf_address::quote_822(address)).into_owned();
        let mut line = format!("{}: to=<{}>", self.id, shown(&self.recipient.address));
        let original = &self.recipient.original;
        if !original.is_empty() && !original.eq_ignore_ascii_case(&self.recipient.address) {
            let _ = write!(line, ", orig_to=<{}>", shown(original));
        }
        let _ = write!(line, ", relay={}", self.relay);
        if self.times.reused > 0 {
            let _ = write!(line, ", conn_use={}", self.times.reused.saturating_add(1));
        }
        let delays = Delays::of(self.times, Moment::now());
        let _ = write!(
            line,
            ", delay={}, delays=",
            format_delay(delays.total, self.resolution)
        );
        let parts: Vec<String> = delays
            .parts
            .iter()
            .map(|part| format_delay(*part, self.resolution))
            .collect();
        line.push_str(&parts.join("/"));
        if let Some(tls) = self.tls {
            let _ = write!(line, ", tls={tls}");
        }
        let _ = write!(
            line,
            ", dsn={}, status={} ({})",
            String::from_utf8_lossy(self.dsn),
            self.status,
            String::from_utf8_lossy(self.reason)
        );
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_have_two_digits() {
        for (micros, text) in [
            (0, "0"),
            (4_000, "0"),
            (5_000, "0.01"),
            (23_400, "0.02"),
            (234_000, "0.23"),
            (996_000, "1"),
            (1_234_000, "1.2"),
            (1_000_000, "1"),
            (12_345_000, "12"),
            (123_456_000, "123"),
            (9_960_000, "10"),
        ] {
            assert_eq!(
                format_delay(Duration::from_micros(micros), 2),
                text,
                "{micros}"
            );
        }
    }

    #[test]
    fn the_parts_add_up() {
        let at = |seconds: i64| Moment { seconds, micros: 0 };
        let times = Times {
            arrived: at(10),
            active: at(11),
            handoff: at(13),
            connected: at(16),
            ..Times::default()
        };
        let delays = Delays::of(&times, at(20));
        assert_eq!(delays.total.as_secs(), 10);
        assert_eq!(delays.parts.map(|part| part.as_secs()), [1, 2, 3, 4]);
        let early = Delays::of(
            &Times {
                arrived: at(10),
                ..Times::default()
            },
            at(12),
        );
        assert_eq!(early.parts.map(|part| part.as_secs()), [2, 0, 0, 0]);
    }
}
