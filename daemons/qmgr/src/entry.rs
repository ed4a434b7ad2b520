//! What the scheduler speaks of: numbers, groups of recipients, and why something is out of order.

use std::time::Instant;

/// The number of a transport, a destination, an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TransportId(pub usize);
/// See [`TransportId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueKey(pub usize);
/// See [`TransportId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub usize);
/// The number of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub usize);

/// Why something is out of order: a status code and a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub status: Vec<u8>,
    pub reason: Vec<u8>,
}

impl Trouble {
    /// The next hop with which the retry and error agents are told about it.
    pub fn nexthop(&self) -> Vec<u8> {
        [self.status.as_slice(), b" ", &self.reason].concat()
    }
}

/// A group of recipients of one message for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub message: MessageId,
    pub transport: TransportId,
    pub queue: QueueKey,
    /// Indices into the message's recipients.
    pub recipients: Vec<usize>,
    pub queued: Instant,
}

/// What is added to the scheduler at once: recipients of a message for one destination.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub message: MessageId,
    /// When the message came into the active queue.
    pub queued: Instant,
    /// Recipients that are still to be read from the file.
    pub unread: usize,
    /// Each recipient is delivered alone.
    pub single: bool,
    pub recipients: &'a [usize],
}
