//! Time values of `main.cf`, and the dates of mail headers.

use std::time::Duration;

/// Parses a time value: digits and a unit (`s` `m` `h` `d` `w`), or digits alone in `default_unit`.
///
/// `None` when the text is no such value or exceeds 2^31-1 seconds.
pub fn parse(text: &str, default_unit: char) -> Option<Duration> {
    let unit_at = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(unit_at);
    let factor = match unit
        .chars()
        .next()
        .unwrap_or(default_unit)
        .to_ascii_lowercase()
    {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    if unit.chars().count() > 1 {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    (seconds <= 0x7fff_ffff).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_digits_and_perhaps_a_unit() {
        assert_eq!(parse("5", 'm'), Some(Duration::from_secs(300)));
        assert_eq!(parse("2h", 's'), Some(Duration::from_secs(7200)));
        assert_eq!(parse("1w", 's'), Some(Duration::from_secs(604_800)));
        for bad in ["", "s", "5x", "5ss", "-1", " 1", "99999999999d"] {
            assert_eq!(parse(bad, 's'), None, "{bad:?}");
        }
    }
}
