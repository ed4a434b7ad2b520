//! One message of the listing.

use std::collections::HashSet;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;

use pf_log::warning;
use pf_proto::showq::{self, Message, message as begin, recipient};
use pf_queue::{Queue, QueueId, QueueName};
use pf_record::{ArrivalTime, Reader, RecordType, SizeRecord};

use crate::reasons;

/// The mode bit of a message that expires at its next delivery attempt.
const EXPIRE: u32 = 0o010;
/// No more recipients than this are remembered, so that a huge message does not fill memory.
const REMEMBER: usize = 10_000;

/// Adds a message to the listing; nothing when its file makes no sense.
pub fn message(
    queue: &Queue,
    name: QueueName,
    id: &QueueId,
    status: &Metadata,
    empty: &str,
    out: &mut Vec<u8>,
) {
    let Ok(file) = queue.open(name, id, false) else {
        return;
    };
    let mut records = Reader::new(&file);
    let mut data = Vec::new();
    let mut arrived = 0;
    let mut size = i64::try_from(status.len()).unwrap_or(i64::MAX);
    let mut sized = false;
    let mut known: Option<HashSet<Vec<u8>>> = None;
    let mut original: Option<Vec<u8>> = None;
    // A damaged file ends its listing, not ours.
    while let Ok(Some((kind, _))) = records.next_into(&mut data) {
        match kind {
            RecordType::TIME if arrived == 0 => arrived = ArrivalTime::parse(&data).seconds,
            RecordType::SIZE if !sized && name != QueueName::Maildrop => {
                let (record, count) = SizeRecord::parse(&data);
                sized = count > 0 && record.message_size >= 0;
                if sized {
                    size = record.message_size;
                } else {
                    warning!(
                        "{}: malformed size record -- using file size instead",
                        id.as_str()
                    );
                }
            }
            RecordType::FROM => {
                if known.is_some() {
                    warning!(
                        "{}: duplicate sender address -- skipping remainder of this file",
                        id.as_str()
                    );
                    break;
                }
                out.extend(begin(&Message {
                    queue: name.as_str().as_bytes().to_vec(),
                    id: id.as_bytes().to_vec(),
                    time: if arrived > 0 { arrived } else { status.mtime() },
                    size,
                    forced_expire: status.mode() & EXPIRE != 0,
                    sender: shown(&data, empty),
                }));
                known = Some(with_reasons(queue, id, out));
            }
            RecordType::ORCPT => original = Some(shown(&data, "")),
            RecordType::RCPT => {
                let Some(known) = &known else {
                    warning!(
                        "{}: missing sender address -- skipping remainder of this file",
                        id.as_str()
                    );
                    break;
                };
                let address = shown(&data, empty);
                let original = original.take().unwrap_or_else(|| address.clone());
                if !known.contains(&address) {
                    out.extend(recipient(&original, &address, "", b""));
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

/// Lists the recipients that have a reason to wait; those are not listed again.
fn with_reasons(queue: &Queue, id: &QueueId, out: &mut Vec<u8>) -> HashSet<Vec<u8>> {
    let mut known = HashSet::new();
    for log in [QueueName::Defer, QueueName::Bounce] {
        for entry in reasons::read(queue, log, id) {
            let address = shown(&entry.recipient, "");
            if known.contains(&address) {
                continue;
            }
            let original = if entry.original.is_empty() {
                address.clone()
            } else {
                shown(&entry.original, "")
            };
            let reason = pf_text::printable_utf8(&entry.reason, b'?').into_owned();
            out.extend(recipient(&original, &address, log.as_str(), &reason));
            if known.len() < REMEMBER {
                known.insert(address);
            }
        }
    }
    known
}

/// An address for people: quoted and printable; `empty` stands for the null address.
fn shown(address: &[u8], empty: &str) -> Vec<u8> {
    let address = if address.is_empty() {
        empty.as_bytes()
    } else {
        address
    };
    if address.is_empty() {
        return Vec::new();
    }
    pf_text::printable_utf8(&pf_address::quote_822(address), b'?').into_owned()
}
