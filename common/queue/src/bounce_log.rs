//! The text of a bounce, defer or trace log: for each recipient a group of lines between empty lines, the same that
//! Postfix's programs write and read. Lines are `name=value`, or as versions of long ago wrote them, `<recipient>: reason`.

use std::io::Read as _;

use pf_proto::bounce::{Recipient, Status};
use pf_record::attr;

use crate::{Queue, QueueId, QueueName};

/// The most that is read of one log, in bytes.
const LIMIT: u64 = 64 << 20;

/// One recipient and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// Who.
    pub recipient: Recipient,
    /// What happened.
    pub status: Status,
}

/// The group of lines for one recipient. `old`: with the line that very old programs read.
pub fn encode(entry: &Entry, old: bool) -> Vec<u8> {
    let Entry { recipient, status } = entry;
    let mut text = Vec::with_capacity(300);
    let mut line = |name: &str, value: &[u8]| {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(value);
        text.push(b'\n');
    };
    let quoted = pf_address::quote_822(&recipient.address);
    line("", b"");
    if old {
        line("<", &[&quoted, &b">: "[..], &status.reason].concat());
    }
    if recipient.address.is_empty() {
        line("recipient=", b"<>");
    } else {
        line("recipient=", &quoted);
    }
    let fold = |text: &[u8]| pf_text::case::fold(text, true);
    if !recipient.original.is_empty() && fold(&recipient.original) != fold(&recipient.address) {
        line(
            "original_recipient=",
            &pf_address::quote_822(&recipient.original),
        );
    }
    if recipient.offset > 0 {
        line("offset=", recipient.offset.to_string().as_bytes());
    }
    if !recipient.dsn_original.is_empty() {
        line("dsn_orig_rcpt=", &recipient.dsn_original);
    }
    if recipient.dsn_notify != 0 {
        line("notify_flags=", recipient.dsn_notify.to_string().as_bytes());
    }
    for (name, value) in [("status=", &status.status), ("action=", &status.action)] {
        if !value.is_empty() {
            line(name, value);
        }
    }
    if !status.diagnostic_type.is_empty() && !status.diagnostic_text.is_empty() {
        line("diag_type=", &status.diagnostic_type);
        line("diag_text=", &status.diagnostic_text);
    }
    if !status.mta_type.is_empty() && !status.mta_name.is_empty() {
        line("mta_type=", &status.mta_type);
        line("mta_mname=", &status.mta_name);
    }
    if !status.reason.is_empty() {
        line("reason=", &status.reason);
    }
    line("", b"");
    text
}

/// The entries of a message's log, made `printable`; `None` when there is no log. What is odd about it is logged.
///
/// # Errors
/// The log cannot be read.
pub fn read(
    queue: &Queue,
    name: QueueName,
    id: &QueueId,
    printable: impl Fn(&[u8]) -> Vec<u8>,
) -> std::io::Result<Option<Vec<Entry>>> {
    let file = match queue.open(name, id, false) {
        Ok(file) => file,
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err),
    };
    let mut text = Vec::new();
    file.take(LIMIT).read_to_end(&mut text)?;
    let path = queue.path(name, id);
    let warn = |why: String| pf_log::warning!("{}: {why}", path.display());
    Ok(Some(decode(
        &text,
        name == QueueName::Defer,
        printable,
        warn,
    )))
}

/// The entries of a log. `deferred`: it is a defer log, which decides what an entry without status means. What is odd is
/// told to `warn`.
pub fn decode(
    text: &[u8],
    deferred: bool,
    printable: impl Fn(&[u8]) -> Vec<u8>,
    mut warn: impl FnMut(String),
) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut current: Option<Entry> = None;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        // What follows a NUL is nothing that anybody meant.
        let line = line.split(|b| *b == 0).next().unwrap_or_default();
        if line.is_empty() {
            entries.extend(current.take());
            continue;
        }
        take_line(&printable(line), current.get_or_insert_default(), &mut warn);
    }
    // A group that is not ended by an empty line was not written to its end.
    for entry in &mut entries {
        complete(entry, deferred);
    }
    entries
}

fn take_line(line: &[u8], entry: &mut Entry, warn: &mut impl FnMut(String)) {
    let Entry { recipient, status } = entry;
    let shown = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
    if line.first().is_some_and(u8::is_ascii_alphanumeric) {
        let (name, value) = match attr::split(line) {
            Ok(pair) => pair,
            Err(why) => return warn(format!("malformed record: {why}")),
        };
        let number = || std::str::from_utf8(value).ok()?.parse::<i64>().ok();
        match name {
            b"recipient" => recipient.address = or_daemon(value),
            b"original_recipient" => recipient.original = or_daemon(value),
            b"dsn_orig_rcpt" => recipient.dsn_original = value.to_vec(),
            b"notify_flags" => {
                let bits = number().and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
                if bits > 0 && pf_dsn::Notify::from_bits(bits).is_some() {
                    recipient.dsn_notify = bits;
                }
            }
            b"offset" => recipient.offset = number().filter(|n| *n > 0).unwrap_or(0),
            b"status" => status.status = value.to_vec(),
            b"action" => status.action = value.to_vec(),
            b"diag_type" => status.diagnostic_type = value.to_vec(),
            b"diag_text" => status.diagnostic_text = value.to_vec(),
            b"mta_type" => status.mta_type = value.to_vec(),
            b"mta_mname" => status.mta_name = value.to_vec(),
            b"reason" => status.reason = value.to_vec(),
            _ => warn(format!("unknown attribute name: {}, ignored", shown(name))),
        }
    } else if let Some((address, reason)) = old_style(line) {
        recipient.address = or_daemon(address);
        status.reason = reason.to_vec();
    } else {
        warn(format!("malformed record: {:.30}...", shown(line)));
    }
}

fn or_daemon(address: &[u8]) -> Vec<u8> {
    match address {
        b"" => b"(MAILER-DAEMON)".to_vec(),
        address => address.to_vec(),
    }
}

/// The line of very old programs: `<address>: reason`.
fn old_style(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line.strip_prefix(b"<")?;
    let at = line.windows(3).position(|window| window == b">: ")?;
    Some((line.get(..at)?, line.get(at + 3..)?.trim_ascii_start()))
}

/// Fills in what an entry lacks.
fn complete(entry: &mut Entry, deferred: bool) {
    let fill = |field: &mut Vec<u8>, text: &str| {
        if field.is_empty() {
            text.as_bytes().clone_into(field);
        }
    };
    fill(
        &mut entry.recipient.address,
        "(recipient address unavailable)",
    );
    let (code, action) = if deferred {
        ("4.0.0", "delayed")
    } else {
        ("5.0.0", "failed")
    };
    fill(&mut entry.status.status, code);
    fill(&mut entry.status.action, action);
    fill(&mut entry.status.reason, "(description unavailable)");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &[u8], deferred: bool, warnings: &mut Vec<String>) -> Vec<Entry> {
        let printable = |line: &[u8]| pf_text::printable_utf8(line, b'?').into_owned();
        decode(text, deferred, printable, |why| warnings.push(why))
    }

    fn entry() -> Entry {
        Entry {
            recipient: Recipient {
                address: b"a b@c.example".to_vec(),
                original: b"x@c.example".to_vec(),
                offset: 345,
                dsn_original: b"rfc822;x@c.example".to_vec(),
                dsn_notify: 4,
            },
            status: Status {
                status: b"5.1.1".to_vec(),
                action: b"failed".to_vec(),
                reason: b"unknown user".to_vec(),
                mta_type: b"dns".to_vec(),
                mta_name: b"mx.example".to_vec(),
                diagnostic_type: b"smtp".to_vec(),
                diagnostic_text: b"550 5.1.1 unknown user".to_vec(),
            },
        }
    }

    #[test]
    fn the_text_is_that_of_postfix() {
        assert_eq!(
            String::from_utf8(encode(&entry(), true)).unwrap(),
            "\n<\"a b\"@c.example>: unknown user\nrecipient=\"a b\"@c.example\noriginal_recipient=x@c.example\n\
             offset=345\ndsn_orig_rcpt=rfc822;x@c.example\nnotify_flags=4\nstatus=5.1.1\naction=failed\n\
             diag_type=smtp\ndiag_text=550 5.1.1 unknown user\nmta_type=dns\nmta_mname=mx.example\n\
             reason=unknown user\n\n"
        );
    }

    #[test]
    fn entries_are_read_back() {
        let mut text = encode(&entry(), true);
        text.extend(encode(&Entry::default(), false));
        let mut warnings = Vec::new();
        let entries = entries(&text, true, &mut warnings);
        assert_eq!(entries.len(), 2);
        let mut first = entry();
        first.recipient.address = b"\"a b\"@c.example".to_vec();
        assert_eq!(entries[0], first);
        assert_eq!(entries[1].recipient.address, b"<>");
        assert_eq!(entries[1].status.status, b"4.0.0");
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_cut_off_entry_and_rubbish_do_not_count() {
        let mut text = encode(&entry(), false);
        let half = text.len() - 5;
        text.extend_from_within(..half);
        let mut warnings = Vec::new();
        assert_eq!(entries(&text, false, &mut warnings).len(), 1);
        let odd = b"\n*x\nfoo\n\n<old@x>: style\n\nbogus=1\nrecipient=\0x\n\nrecipient=b@x\n";
        let shown: Vec<_> = entries(odd, false, &mut warnings)
            .into_iter()
            .map(|entry| [entry.recipient.address, entry.status.reason].concat())
            .collect();
        assert_eq!(
            shown,
            [
                &b"(recipient address unavailable)(description unavailable)"[..],
                b"old@xstyle",
                b"(MAILER-DAEMON)(description unavailable)",
            ]
        );
        assert_eq!(
            warnings,
            [
                "malformed record: *x...",
                "malformed record: missing '=' after attribute name",
                "unknown attribute name: bogus, ignored",
            ]
        );
    }
}
