//! Records with a layout of their own.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The data of a pointer record have this size, so that it can be updated in place.
pub const POINTER_SIZE: usize = 15;

/// The data of a pointer record that leads to this offset; 0 leads nowhere.
pub fn pointer(offset: u64) -> Vec<u8> {
    format!("{offset:>15}").into_bytes()
}

/// The data of a delay warning record, in seconds since the epoch; 0: no warning.
pub fn warn_time(seconds: i64) -> Vec<u8> {
    format!("{seconds:>15}").into_bytes()
}

/// An offset: blanks, then digits only (none of them is 0), to the end or a NUL.
pub fn parse_offset(data: &[u8]) -> Option<u64> {
    let mut value: u64 = 0;
    let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
    for &byte in text.trim_ascii_start() {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
    }
    (value <= i64::MAX as u64).then_some(value)
}

/// A number as `atol` reads it: blanks, sign, digits; anything else ends it. With the bytes that follow.
fn leading_number(data: &[u8]) -> (i64, &[u8]) {
    let mut rest = data.trim_ascii_start();
    let negative = match rest.split_first() {
        Some((b'-', tail)) => {
            rest = tail;
            true
        }
        Some((b'+', tail)) => {
            rest = tail;
            false
        }
        _ => false,
    };
    let mut value: i64 = 0;
    while let Some((digit @ b'0'..=b'9', tail)) = rest.split_first() {
        value = value
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'));
        rest = tail;
    }
    (if negative { -value } else { value }, rest)
}

/// The first record of a queue file: six numbers of fixed width, updated in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SizeRecord {
    /// Bytes between the records MESG and XTRA, records and all.
    pub message_size: i64,
    /// The offset of the first content record.
    pub data_offset: i64,
    /// How many recipients.
    pub recipients: i64,
    /// Hints for the queue manager: the types of records among the recipients.
    pub qmgr_flags: i64,
    /// Bytes of content as seen from outside.
    pub content_length: i64,
    /// SMTPUTF8 and REQUIRETLS flags ([`sendopts`](crate::sendopts)).
    pub sendopts: i64,
}

impl SizeRecord {
    /// The record's data: always 95 bytes.
    pub fn encode(&self) -> Vec<u8> {
        format!(
            "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
            self.message_size,
            self.data_offset,
            self.recipients,
            self.qmgr_flags,
            self.content_length,
            self.sendopts
        )
        .into_bytes()
    }

    /// Reads the record's data, and how many of the six numbers are there (older versions of Postfix wrote fewer).
    pub fn parse(data: &[u8]) -> (Self, usize) {
        let mut numbers = [0i64; 6];
        let mut count = 0;
        let mut rest = data;
        for slot in &mut numbers {
            let start = rest.trim_ascii_start();
            let unsigned = match start.split_first() {
                Some((b'-' | b'+', rest)) => rest,
                _ => start,
            };
            if !unsigned.first().is_some_and(u8::is_ascii_digit) {
                break;
            }
            let (value, tail) = leading_number(start);
            *slot = value;
            rest = tail;
            count += 1;
        }
        let [
            message_size,
            data_offset,
            recipients,
            qmgr_flags,
            content_length,
            sendopts,
        ] = numbers;
        let size = Self {
            message_size,
            data_offset,
            recipients,
            qmgr_flags,
            content_length,
            sendopts,
        };
        (size, count)
    }
}

/// When a message arrived: seconds and microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ArrivalTime {
    /// Seconds since the epoch.
    pub seconds: i64,
    /// Microseconds, less than a million when we wrote it.
    pub micros: i64,
}

impl ArrivalTime {
    /// The data of a TIME record.
    pub fn encode(&self) -> Vec<u8> {
        format!("{} {}", self.seconds, self.micros).into_bytes()
    }

    /// Reads the data of a TIME record; what is not a number is 0.
    pub fn parse(data: &[u8]) -> Self {
        let (seconds, rest) = leading_number(data);
        let (micros, _) = leading_number(rest);
        Self { seconds, micros }
    }
}

impl From<SystemTime> for ArrivalTime {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self {
            seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            micros: i64::from(since.subsec_micros()),
        }
    }
}

impl From<ArrivalTime> for SystemTime {
    fn from(time: ArrivalTime) -> Self {
        let seconds = Duration::from_secs(u64::try_from(time.seconds).unwrap_or(0));
        let micros = Duration::from_micros(u64::try_from(time.micros).unwrap_or(0).min(999_999));
        UNIX_EPOCH
            .checked_add(seconds + micros)
            .unwrap_or(UNIX_EPOCH)
    }
}
