//! The queue as a table, a row a message.

use std::io::Write;

use anyhow::Result;
use pf_proto::showq::Message;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Padding, Style};

use crate::shown::{Next, marked_id};

/// Rows that are aligned when all are known.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<[String; 7]>,
}

impl Table {
    /// Adds a message. `now` in seconds since the epoch.
    ///
    /// # Errors
    /// As `next`.
    pub fn add(&mut self, message: &Message, next: Next<'_>, now: i64) -> Result<()> {
        let mut first = None;
        let mut others = 0_usize;
        while let Some(recipient) = next()? {
            match first {
                None => first = Some(recipient),
                Some(_) => others += 1,
            }
        }
        let (mut address, reason) = first.map_or_else(Default::default, |first| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (text(&first.address), text(&first.reason))
        });
        if others > 0 {
            address += &format!(" (+{others})");
        }
        self.rows.push([
            marked_id(message),
            String::from_utf8_lossy(&message.queue).into_owned(),
            message.size.to_string(),
            age(now.saturating_sub(message.time)),
            String::from_utf8_lossy(&message.sender).into_owned(),
            address,
            reason,
        ]);
        Ok(())
    }

    /// Writes the table.
    ///
    /// # Errors
    /// Nobody reads.
    pub fn write(self, out: &mut impl Write) -> Result<()> {
        let head = [
            "Id",
            "Queue",
            "Size",
            "Age",
            "Sender",
            "Recipient",
            "Reason",
        ];
        let rows = self.rows.into_iter().map(Vec::from);
        write_aligned(out, head.map(str::to_owned).into(), rows, &[2, 3])
    }
}

/// Writes rows with aligned columns; the columns `to_the_right` are numbers.
///
/// # Errors
/// Nobody reads.
pub fn write_aligned(
    out: &mut impl Write,
    head: Vec<String>,
    rows: impl Iterator<Item = Vec<String>>,
    to_the_right: &[usize],
) -> Result<()> {
    let mut builder = Builder::default();
    builder.push_record(head);
    for row in rows {
        builder.push_record(row);
    }
    let mut table = builder.build();
    table.with(Style::empty()).with(Padding::new(0, 2, 0, 0));
    for column in to_the_right {
        table.modify(Columns::one(*column), Alignment::right());
    }
    for line in table.to_string().lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// An age in its two largest units: `45s`, `12m`, `3h05m`, `2d04h`.
pub fn age(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m"),
        (0, _, _) => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        for (seconds, text) in [
            (-5, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3600, "1h00m"),
            (11_100, "3h05m"),
            (187_200, "2d04h"),
        ] {
            assert_eq!(age(seconds), text);
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let mut out = Vec::new();
        let rows = [["a", "1", "x"], ["bbb", "100", ""]];
        let rows = rows.map(|row| row.map(str::to_owned).into()).into_iter();
        let head = ["Id", "N", "Text"].map(str::to_owned).into();
        write_aligned(&mut out, head, rows, &[1]).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "Id     N  Text\na      1  x\nbbb  100\n"
        );
    }
}
