//! How the text of a value is read, and the complaint about one that cannot be.

use std::time::Duration;

use crate::Error;
use crate::table::{Kind, Row};

/// Types that a parameter's value can have.
pub trait Value: Sized {
    /// Reads and range-checks the expanded text of the parameter in this row.
    ///
    /// # Errors
    /// The text is not such a value, or out of range.
    fn read(row: &Row, text: &str) -> Result<Self, Error>;
}

impl Value for String {
    fn read(row: &Row, text: &str) -> Result<Self, Error> {
        let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let name = row.name;
        let wrong = if row.min != 0 && length < row.min {
            Some(format!("{length} < {}", row.min))
        } else if row.max != 0 && length > row.max {
            Some(format!("{length} > {}", row.max))
        } else {
            None
        };
        match wrong {
            None => Ok(text.to_owned()),
            Some(why) if row.kind == Kind::Raw => {
                Err(Error(format!("bad string length ({why}): {name} = {text}")))
            }
            Some(why) => Err(Error(format!("bad string length {why}: {name} = {text}"))),
        }
    }
}

impl Value for bool {
    fn read(row: &Row, text: &str) -> Result<Self, Error> {
        boolean(row.name, text)
    }
}

impl Value for i64 {
    fn read(row: &Row, text: &str) -> Result<Self, Error> {
        let value = if row.kind == Kind::Long {
            long(row.name, text)?
        } else {
            number(row.name, text)?
        };
        let name = row.name;
        if row.min != 0 && value < row.min {
            return Err(Error(format!(
                "invalid {name} parameter value {value} < {}",
                row.min
            )));
        }
        if row.max != 0 && value > row.max {
            return Err(Error(format!(
                "invalid {name} parameter value {value} > {}",
                row.max
            )));
        }
        Ok(value)
    }
}

impl Value for Duration {
    fn read(row: &Row, text: &str) -> Result<Self, Error> {
        let name = row.name;
        let value = time(name, text, default_unit(row.default))?;
        let seconds = i64::try_from(value.as_secs()).unwrap_or(i64::MAX);
        if row.min != 0 && seconds < row.min {
            return Err(Error(format!(
                "invalid {name}: {seconds} (min {})",
                row.min
            )));
        }
        if row.max != 0 && seconds > row.max {
            return Err(Error(format!(
                "invalid {name}: {seconds} (max {})",
                row.max
            )));
        }
        Ok(value)
    }
}

/// `yes` or `no`, in any case.
///
/// # Errors
/// The text is neither.
pub fn boolean(name: &str, text: &str) -> Result<bool, Error> {
    if text.eq_ignore_ascii_case("yes") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("no") {
        Ok(false)
    } else {
        Err(Error(format!("bad boolean configuration: {name} = {text}")))
    }
}

/// A number of 32 bits.
///
/// # Errors
/// The text is not a number, or does not fit.
pub fn number(name: &str, text: &str) -> Result<i64, Error> {
    long(name, text).and_then(|value| match i32::try_from(value) {
        Ok(_) => Ok(value),
        Err(_) => Err(bad_number(name, text)),
    })
}

/// A number of 64 bits.
///
/// # Errors
/// The text is not a number, or does not fit.
pub fn long(name: &str, text: &str) -> Result<i64, Error> {
    digits(text).parse().map_err(|_| bad_number(name, text))
}

fn bad_number(name: &str, text: &str) -> Error {
    Error(format!("bad numerical configuration: {name} = {text}"))
}

/// strtol(3) skips white space in front.
fn digits(text: &str) -> &str {
    text.trim_start_matches(pf_text::space::is_space_char)
}

/// A time: a number and a unit of `s m h d w`; without one it is counted in `unit`. As in Postfix, what follows the unit
/// letter is ignored.
///
/// # Errors
/// The text is not a time, or longer than 2^31 seconds.
pub fn time(name: &str, text: &str, unit: u8) -> Result<Duration, Error> {
    parse_time(text, unit)
        .ok_or_else(|| Error(format!("parameter {name}: bad time value or unit: {text}")))
}

/// As [`time`], without the complaint.
pub fn parse_time(text: &str, unit: u8) -> Option<Duration> {
    let text = digits(text);
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, rest) = text.split_at(end);
    let count: i32 = match count.parse() {
        Ok(count) => count,
        // strtol(3) takes "d" as 0 with a unit; an empty text is refused.
        Err(_) if count.is_empty() && !rest.is_empty() && !rest.starts_with('-') => 0,
        Err(_) => return None,
    };
    let factor: i32 = match rest.bytes().next().unwrap_or(unit) {
        b's' => 1,
        b'm' => 60,
        b'h' => 3600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return None,
    };
    if factor > 1 && count >= i32::MAX / factor {
        return None;
    }
    let seconds = u64::try_from(i64::from(count) * i64::from(factor)).ok()?;
    Some(Duration::from_secs(seconds))
}

/// The unit letter of a default: its first letter outside `${...}` conditions, which in all defaults of the table is the one
/// that its expansion has.
pub(crate) fn default_unit(default: &str) -> u8 {
    default
        .bytes()
        .rev()
        .find(u8::is_ascii_alphabetic)
        .filter(|b| b"smhdw".contains(b))
        .unwrap_or(b's')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param;

    #[test]
    fn times() {
        assert_eq!(parse_time("10", b'm'), Some(Duration::from_secs(600)));
        assert_eq!(parse_time("2w", b's'), Some(Duration::from_secs(1_209_600)));
        assert_eq!(parse_time("5seconds", b'd'), Some(Duration::from_secs(5)));
        for bad in ["", "-1", "5x", "9999999999", "5 s", "100000d"] {
            assert_eq!(parse_time(bad, b's'), None, "{bad}");
        }
        assert_eq!(default_unit("${stress?{10}:{300}}s"), b's');
        assert_eq!(default_unit("0h"), b'h');
    }

    #[test]
    fn complaints() {
        let of = |e: Error| e.0;
        assert_eq!(
            of(i64::read(param::HASH_QUEUE_DEPTH.row(), "0").unwrap_err()),
            "invalid hash_queue_depth parameter value 0 < 1"
        );
        assert_eq!(
            of(i64::read(param::HASH_QUEUE_DEPTH.row(), "1x").unwrap_err()),
            "bad numerical configuration: hash_queue_depth = 1x"
        );
        assert_eq!(
            of(bool::read(param::SOFT_BOUNCE.row(), "maybe").unwrap_err()),
            "bad boolean configuration: soft_bounce = maybe"
        );
        assert_eq!(
            of(Duration::read(param::IN_FLOW_DELAY.row(), "11s").unwrap_err()),
            "invalid in_flow_delay: 11 (max 10)"
        );
        assert_eq!(
            of(String::read(param::MAIL_NAME.row(), "").unwrap_err()),
            "bad string length 0 < 1: mail_name = "
        );
    }
}
