//! Why recipients wait: the defer or bounce log of a message. Blocks of lines, an empty line behind each: `name=value`, or as
//! versions of long ago wrote them, `<recipient>: reason`.

use std::fs;

use pf_log::warning;
use pf_queue::{Queue, QueueId, QueueName};
use pf_record::attr;

use crate::list::Printer;

/// One recipient of a log; printable, as it is in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub recipient: Vec<u8>,
    /// Empty: not known.
    pub original: Vec<u8>,
    pub reason: Vec<u8>,
}

/// The most that is read of one log, in bytes.
const LIMIT: u64 = 64 << 20;

/// The names that a log may have and a listing does not show.
const OTHERS: [&[u8]; 9] = [
    b"dsn_orig_rcpt",
    b"notify_flags",
    b"offset",
    b"status",
    b"action",
    b"diag_type",
    b"diag_text",
    b"mta_type",
    b"mta_mname",
];

/// The entries of a message's log; none when there is no log.
pub fn read(queue: &Queue, name: QueueName, id: &QueueId, printer: Printer) -> Vec<Entry> {
    let path = queue.path(name, id);
    match fs::symlink_metadata(&path) {
        Ok(status) if status.is_file() && status.len() <= LIMIT => {}
        _ => return Vec::new(),
    }
    let text = fs::read(&path).unwrap_or_default();
    parse(&text, printer, |what| {
        warning!("{}: {what}", path.display());
    })
}

fn parse(text: &[u8], printer: Printer, mut complain: impl FnMut(String)) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut open: Option<Entry> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = printer.printable(line.split(|byte| *byte == 0).next().unwrap_or_default());
        if line.is_empty() {
            entries.extend(open.take().map(complete));
            continue;
        }
        let entry = open.get_or_insert_with(|| Entry {
            recipient: Vec::new(),
            original: Vec::new(),
            reason: Vec::new(),
        });
        let shown = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
        if line.first().is_some_and(u8::is_ascii_alphanumeric) {
            match attr::split(&line) {
                Ok((b"recipient", value)) => entry.recipient = or_daemon(value),
                Ok((b"original_recipient", value)) => entry.original = or_daemon(value),
                Ok((b"reason", value)) => entry.reason = value.to_vec(),
                Ok((name, _)) if OTHERS.contains(&name) => {}
                Ok((name, _)) => {
                    complain(format!("unknown attribute name: {}, ignored", shown(name)));
                }
                Err(why) => complain(format!("malformed record: {why}")),
            }
        } else if let Some((recipient, reason)) = old_style(&line) {
            entry.recipient = or_daemon(recipient);
            entry.reason = reason.to_vec();
        } else {
            complain(format!("malformed record: {:.30}...", shown(&line)));
        }
    }
    // One without an empty line behind it is still being written.
    entries
}

fn or_daemon(address: &[u8]) -> Vec<u8> {
    if address.is_empty() {
        b"(MAILER-DAEMON)".to_vec()
    } else {
        address.to_vec()
    }
}

fn old_style(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_prefix(b"<")?;
    let at = line.windows(3).position(|window| window == b">: ")?;
    Some((line.get(..at)?, line.get(at + 3..)?.trim_ascii_start()))
}

fn complete(mut entry: Entry) -> Entry {
    if entry.recipient.is_empty() {
        entry.recipient = b"(recipient address unavailable)".to_vec();
    }
    if entry.reason.is_empty() {
        entry.reason = b"(description unavailable)".to_vec();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_lines() {
        let log = b"recipient=a@x\noffset=1\nreason=connect: refused\n\n<old@x>: style\n\n!\nx\nbogus=1\nrecipient=\n\nrecipient=b@x\n";
        let mut complaints = Vec::new();
        let entries = parse(log, Printer { utf8: true }, |what| complaints.push(what));
        let shown: Vec<_> = entries
            .iter()
            .map(|entry| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                text(&entry.recipient) + " " + &text(&entry.reason)
            })
            .collect();
        assert_eq!(
            shown,
            [
                "a@x connect: refused",
                "old@x style",
                "(MAILER-DAEMON) (description unavailable)"
            ]
        );
        assert_eq!(
            complaints,
            [
                "malformed record: !...",
                "malformed record: missing '=' after attribute name",
                "unknown attribute name: bogus, ignored"
            ]
        );
    }
}
