//! Why recipients wait: the defer or bounce log of a message. Blocks of `name=value` lines, an empty line behind each.

use std::fs;

use pf_queue::{Queue, QueueId, QueueName};

/// One recipient of a log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    pub recipient: Vec<u8>,
    pub original: Vec<u8>,
    pub reason: Vec<u8>,
}

/// The most that is read of one log, in bytes.
const LIMIT: u64 = 64 << 20;

/// The entries of a message's log; none when there is no log.
pub fn read(queue: &Queue, name: QueueName, id: &QueueId) -> Vec<Entry> {
    let path = queue.path(name, id);
    match fs::metadata(&path) {
        Ok(status) if status.len() <= LIMIT => {}
        _ => return Vec::new(),
    }
    parse(&fs::read(&path).unwrap_or_default())
}

fn parse(text: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut entry = Entry::default();
    for line in text.split(|byte| *byte == b'\n').chain([&b""[..]]) {
        if line.is_empty() {
            if !entry.recipient.is_empty() {
                entries.push(std::mem::take(&mut entry));
            }
            entry = Entry::default();
            continue;
        }
        let Some(at) = line.iter().position(|byte| *byte == b'=') else {
            continue;
        };
        let value = line.get(at + 1..).unwrap_or_default();
        match line.get(..at).unwrap_or_default() {
            b"recipient" => entry.recipient = value.to_vec(),
            b"original_recipient" => entry.original = value.to_vec(),
            b"reason" => entry.reason = value.to_vec(),
            _ => {}
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_lines() {
        let log = b"recipient=a@x\noffset=1\nreason=connect: refused\n\n<old style>: x\nrecipient=b@x\noriginal_recipient=c@x\n";
        let entries = parse(log);
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0].reason, b"connect: refused");
        assert_eq!(
            (
                entries[1].recipient.as_slice(),
                entries[1].original.as_slice()
            ),
            (&b"b@x"[..], &b"c@x"[..])
        );
    }
}
