//! Local calendar time.
#![allow(unsafe_code, reason = "localtime_r(3)")]

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in the local time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The year, with century.
    pub year: i32,
    /// The month, from 1.
    pub month: u32,
    /// The day of the month, from 1.
    pub day: u32,
    /// The hour, 0 to 23.
    pub hour: u32,
    /// The minute.
    pub minute: u32,
    /// The second; 60 in a leap second.
    pub second: u32,
    /// The day of the week, 0 for Sunday.
    pub weekday: u32,
    /// How far local time is ahead of universal time, in seconds.
    pub offset: i64,
    /// The abbreviation of the time zone.
    pub zone: [u8; 8],
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// Seconds since 1970 of a moment; 0 for moments before.
pub fn seconds(moment: SystemTime) -> i64 {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Calendar {
    /// The local calendar at so many seconds since 1970.
    pub fn local(seconds: i64) -> Self {
        // SAFETY: tm is a plain structure of numbers and one pointer; all zeroes are valid for it.
        let mut parts: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to live values of the right types.
        unsafe {
            libc::localtime_r(&raw const seconds, &raw mut parts);
        }
        let mut zone = [0; 8];
        if !parts.tm_zone.is_null() {
            // SAFETY: a tm filled by localtime_r points to a NUL-terminated name that lives until the next tzset.
            let name = unsafe { std::ffi::CStr::from_ptr(parts.tm_zone) }.to_bytes();
            for (to, from) in zone.iter_mut().take(7).zip(name) {
                *to = *from;
            }
        }
        let unsigned = |number: libc::c_int| u32::try_from(number).unwrap_or_default();
        Self {
            year: parts.tm_year + 1900,
            month: unsigned(parts.tm_mon) + 1,
            day: unsigned(parts.tm_mday),
            hour: unsigned(parts.tm_hour),
            minute: unsigned(parts.tm_min),
            second: unsigned(parts.tm_sec),
            weekday: unsigned(parts.tm_wday),
            offset: parts.tm_gmtoff,
            zone,
        }
    }

    /// The month's English abbreviation.
    pub fn month_name(&self) -> &'static str {
        MONTHS
            .get(
                usize::try_from(self.month)
                    .unwrap_or_default()
                    .wrapping_sub(1),
            )
            .copied()
            .unwrap_or("???")
    }

    /// The weekday's English abbreviation.
    pub fn day_name(&self) -> &'static str {
        DAYS.get(usize::try_from(self.weekday).unwrap_or_default())
            .copied()
            .unwrap_or("???")
    }

    /// The zone's abbreviation (`UTC`, `CET`).
    pub fn zone_name(&self) -> &str {
        let len = self
            .zone
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(self.zone.len());
        std::str::from_utf8(self.zone.get(..len).unwrap_or_default()).unwrap_or_default()
    }

    /// The date of a mail header as Postfix writes it: `Mon, 23 Nov 2026 16:47:49 +0000 (UTC)`.
    pub fn mail_date(&self) -> String {
        let minutes = self.offset.abs() / 60;
        format!(
            "{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02} ({})",
            self.day_name(),
            self.day,
            self.month_name(),
            self.year,
            self.hour,
            self.minute,
            self.second,
            if self.offset < 0 { '-' } else { '+' },
            minutes / 60,
            minutes % 60,
            self.zone_name()
        )
    }

    /// As asctime(3), without the newline: `Mon Nov 23 16:47:49 2026`.
    pub fn asctime(&self) -> String {
        format!(
            "{} {} {:2} {:02}:{:02}:{:02} {:04}",
            self.day_name(),
            self.month_name(),
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.year
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_print_as_in_mail() {
        let mut zone = [0; 8];
        zone[..3].copy_from_slice(b"XYZ");
        let moment = Calendar {
            year: 2026,
            month: 3,
            day: 5,
            hour: 7,
            minute: 8,
            second: 9,
            weekday: 4,
            offset: -12_600,
            zone,
        };
        assert_eq!(moment.mail_date(), "Thu, 05 Mar 2026 07:08:09 -0330 (XYZ)");
        assert_eq!(moment.asctime(), "Thu Mar  5 07:08:09 2026");
    }

    #[test]
    fn local_time_and_its_offset_make_universal_time() {
        let now = Calendar::local(1_795_452_469);
        let of_day =
            i64::from(now.hour) * 3600 + i64::from(now.minute) * 60 + i64::from(now.second);
        assert_eq!(
            (of_day - now.offset).rem_euclid(86_400),
            1_795_452_469 % 86_400
        );
    }
}
