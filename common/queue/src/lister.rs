//! How a message is listed: what its files tell, as the showq service tells it.

use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use pf_log::warning;
use pf_proto::showq::{self, Listing, Message, Recipient, message as begin, recipient};
use pf_record::{ArrivalTime, Reader, RecordType, SizeRecord};

use crate::{Queue, QueueId, QueueName, bounce_log, mode};

/// No more recipients than this are remembered, so that a huge message does not fill memory.
const REMEMBER: usize = 10_000;

/// Makes text printable.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    /// Whether UTF-8 is (`smtputf8_enable`).
    pub utf8: bool,
}

impl Printer {
    /// With `?` for what is not printable.
    pub fn printable(self, text: &[u8]) -> Vec<u8> {
        if self.utf8 {
            pf_text::printable_utf8(text, b'?').into_owned()
        } else {
            pf_text::printable(text, b'?').into_owned()
        }
    }

    /// An address, quoted; `empty` stands for the null address.
    fn address(self, address: &[u8], empty: &str) -> Vec<u8> {
        if address.is_empty() {
            self.printable(&pf_address::quote_822(empty.as_bytes()))
        } else {
            self.printable(&pf_address::quote_822(address))
        }
    }
}

/// Where messages are and how they are listed.
#[derive(Debug)]
pub struct Lister {
    /// The queue directory.
    pub queue: Queue,
    /// `empty_address_recipient`.
    pub empty: String,
    /// How text is made printable.
    pub printer: Printer,
}

impl Lister {
    /// Adds a message to the listing; nothing when its file makes no sense.
    pub fn message(&self, name: QueueName, id: &QueueId, status: &Metadata, out: &mut Vec<u8>) {
        let Ok(file) = self.queue.open(name, id, false) else {
            return;
        };
        let mut records = Reader::new(&file);
        let mut data = Vec::new();
        let mut arrived = 0;
        let mut size = i64::try_from(status.len()).unwrap_or(i64::MAX);
        let mut sized = false;
        let mut known: Option<HashSet<Vec<u8>>> = None;
        let mut original: Option<Vec<u8>> = None;
        let mut shown: Vec<u8> = Vec::new();
        loop {
            // A damaged file ends its listing, not ours.
            let kind = match records.next_into(&mut data) {
                Ok(Some((kind, _))) if kind.0 != 0 => kind,
                Ok(_) => break,
                Err(err) => {
                    warning!("{}: {err}", self.queue.path(name, id).display());
                    break;
                }
            };
            // What follows a NUL is nothing that anybody meant.
            let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
            match kind {
                RecordType::TIME if arrived == 0 => arrived = ArrivalTime::parse(text).seconds,
                RecordType::SIZE if !sized && name != QueueName::Maildrop => {
                    match message_size(text) {
                        Some(found) => {
                            sized = true;
                            size = found;
                        }
                        None => warning!(
                            "{id}: malformed size record: {:.100} -- using file size instead",
                            String::from_utf8_lossy(&self.printer.printable(text))
                        ),
                    }
                }
                RecordType::FROM => {
                    shown = self.printer.address(text, &self.empty);
                    if known.is_some() {
                        self.skip(id, "duplicate", &shown);
                        break;
                    }
                    out.extend(begin(&Message {
                        queue: name.as_str().as_bytes().to_vec(),
                        id: id.as_bytes().to_vec(),
                        time: if arrived > 0 { arrived } else { status.mtime() },
                        size,
                        forced_expire: status.mode() & mode::EXPIRE != 0,
                        sender: shown.clone(),
                    }));
                    known = Some(self.with_reasons(id, out));
                }
                RecordType::ORCPT | RecordType::RCPT => {
                    let Some(known) = &known else {
                        self.skip(id, "missing", &shown);
                        break;
                    };
                    if kind == RecordType::ORCPT {
                        original = Some(self.printer.address(text, ""));
                        continue;
                    }
                    shown = self.printer.address(text, &self.empty);
                    let original = original.take().unwrap_or_else(|| shown.clone());
                    if !known.contains(&shown) {
                        out.extend(recipient(&original, &shown, "", b""));
                    }
                }
                RecordType::MESG if sized => {
                    let Ok(skip) = u64::try_from(size) else { break };
                    if records.seek(records.offset().saturating_add(skip)).is_err() {
                        break;
                    }
                }
                RecordType::END => break,
                _ => {}
            }
        }
        if known.is_some() {
            out.extend_from_slice(showq::END);
        }
    }

    /// What a listing says of a message; `None`: its file makes no sense.
    pub fn read(
        &self,
        name: QueueName,
        id: &QueueId,
        status: &Metadata,
    ) -> Option<(Message, Vec<Recipient>)> {
        let mut told = pf_attr::announcement(showq::PROTOCOL);
        self.message(name, id, status, &mut told);
        told.extend_from_slice(showq::END);
        let mut listing = Listing::open(told.as_slice()).ok()?;
        let message = listing.message().ok()??;
        let mut recipients = Vec::new();
        while let Some(recipient) = listing.recipient().ok()? {
            recipients.push(recipient);
        }
        Some((message, recipients))
    }

    fn skip(&self, id: &QueueId, what: &str, sender: &[u8]) {
        warning!(
            "{id}: {what} sender address: {} -- skipping remainder of this file",
            String::from_utf8_lossy(sender)
        );
    }

    /// Lists the recipients that have a reason to wait; those are not listed again.
    fn with_reasons(&self, id: &QueueId, out: &mut Vec<u8>) -> HashSet<Vec<u8>> {
        let mut known = HashSet::new();
        for log in [QueueName::Defer, QueueName::Bounce] {
            // A log that cannot be read tells no reasons.
            let entries =
                bounce_log::read(&self.queue, log, id, |line| self.printer.printable(line));
            for entry in entries.ok().flatten().unwrap_or_default() {
                out.extend(recipient(
                    &entry.recipient.original,
                    &entry.recipient.address,
                    log.as_str(),
                    &entry.status.reason,
                ));
                if known.len() < REMEMBER {
                    known.insert(entry.recipient.address);
                }
            }
        }
        known
    }
}

/// The first number of a size record that holds nothing but numbers.
fn message_size(text: &[u8]) -> Option<i64> {
    let numbers = text
        .iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b' ');
    numbers.then(|| SizeRecord::parse(text).0.message_size)
}
