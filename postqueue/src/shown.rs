//! Messages as they are shown, one after the other: for people, as JSON, in a table, or only counted.

use std::io::Write;

use anyhow::Result;
use pf_proto::showq::{Message, Recipient};
use pf_sys::time::Calendar;

use crate::count::Counts;
use crate::list::Form;
use crate::table::Table;

/// The recipients of a message, one at a time.
pub type Next<'a> = &'a mut dyn FnMut() -> Result<Option<Recipient>>;

/// What has been shown.
#[derive(Debug)]
pub struct Shown {
    form: Form,
    long_ids: bool,
    /// Seconds since the epoch.
    now: i64,
    count: u64,
    /// In bytes.
    total: i64,
    table: Table,
    counts: Counts,
}

impl Shown {
    /// Nothing yet; `now` in seconds since the epoch.
    pub fn new(form: Form, long_ids: bool, now: i64) -> Self {
        Self {
            form,
            long_ids,
            now,
            count: 0,
            total: 0,
            table: Table::default(),
            counts: Counts::default(),
        }
    }

    /// Shows a message, or remembers it until the end.
    ///
    /// # Errors
    /// Nobody reads, or there are no more recipients where there should be.
    pub fn add(&mut self, out: &mut impl Write, message: &Message, next: Next<'_>) -> Result<()> {
        self.count += 1;
        self.total = self.total.saturating_add(message.size);
        match self.form {
            Form::Json => write_json(out, message, next),
            Form::Table => self.table.add(message, next, self.now),
            Form::Count(by) => self.counts.add(by, message, next, self.now),
            Form::People => {
                if self.count > 1 {
                    writeln!(out)?;
                } else if self.long_ids {
                    writeln!(
                        out,
                        "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------"
                    )?;
                } else {
                    writeln!(
                        out,
                        "-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------"
                    )?;
                }
                write_message(out, message, next, self.long_ids)
            }
        }
    }

    /// Shows what comes last.
    ///
    /// # Errors
    /// Nobody reads.
    pub fn end(self, out: &mut impl Write) -> Result<()> {
        match self.form {
            Form::Json => {}
            Form::Table => self.table.write(out)?,
            Form::Count(by) => self.counts.write(by, out)?,
            Form::People if self.count == 0 => writeln!(out, "Mail queue is empty")?,
            Form::People => {
                let plural = if self.count == 1 { "" } else { "s" };
                writeln!(
                    out,
                    "\n-- {} Kbytes in {} Request{plural}.",
                    self.total / 1024,
                    self.count
                )?;
            }
        }
        Ok(())
    }
}

/// The queue id, with `*` for a message that is being delivered, `!` for one on hold, and `#` for one that is to expire.
pub fn marked_id(message: &Message) -> String {
    let mut id = String::from_utf8_lossy(&message.id).into_owned();
    match message.queue.as_slice() {
        b"active" => id.push('*'),
        b"hold" => id.push('!'),
        _ => {}
    }
    if message.forced_expire {
        id.push('#');
    }
    id
}

fn write_message(
    out: &mut impl Write,
    message: &Message,
    next: Next<'_>,
    long_ids: bool,
) -> Result<()> {
    let id = marked_id(message);
    let date = Calendar::local(message.time).asctime();
    let sender = String::from_utf8_lossy(&message.sender);
    if long_ids {
        writeln!(out, "{id:<17} {:>8} {date:.19} {sender}", message.size)?;
    } else {
        writeln!(
            out,
            "{id:<11} {:>7} {:>20.20} {sender}",
            message.size,
            format!("{date} ")
        )?;
    }
    let mut before = Vec::new();
    while let Some(recipient) = next()? {
        if recipient.reason != before {
            let reason = if recipient.reason.is_empty() {
                "reason unavailable".into()
            } else {
                String::from_utf8_lossy(&recipient.reason)
            };
            writeln!(
                out,
                "{:>width$}({reason})",
                "",
                width = 76_usize.saturating_sub(reason.len())
            )?;
            before.clone_from(&recipient.reason);
        }
        let address = String::from_utf8_lossy(&recipient.address);
        if long_ids {
            writeln!(out, "{:<17} {:>8} {:<19} {address}", "", "", "")?;
        } else {
            writeln!(out, "{:<11} {:>7} {:<20} {address}", "", "", "")?;
        }
    }
    Ok(())
}

fn write_json(out: &mut impl Write, message: &Message, next: Next<'_>) -> Result<()> {
    let quoted = |bytes: &[u8]| serde_json::to_string(&String::from_utf8_lossy(bytes));
    write!(
        out,
        "{{\"queue_name\": {}, \"queue_id\": {}, \"arrival_time\": {}, \"message_size\": {}, \"forced_expire\": {}, \"sender\": {}, \"recipients\": [",
        quoted(&message.queue)?,
        quoted(&message.id)?,
        message.time,
        message.size,
        message.forced_expire,
        quoted(&message.sender)?
    )?;
    let mut first = true;
    while let Some(recipient) = next()? {
        if !first {
            write!(out, ", ")?;
        }
        first = false;
        write!(
            out,
            "{{\"orig_address\": {}, \"address\": {}",
            quoted(&recipient.original)?,
            quoted(&recipient.address)?
        )?;
        if !recipient.reason.is_empty() {
            let key = match recipient.log_class.as_slice() {
                b"defer" => "delay_reason",
                b"bounce" => "bounce_reason",
                _ => "other_reason",
            };
            write!(out, ", \"{key}\": {}", quoted(&recipient.reason)?)?;
        }
        write!(out, "}}")?;
    }
    Ok(writeln!(out, "]}}")?)
}
