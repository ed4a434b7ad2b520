//! The queues.

use std::fmt;
use std::str::FromStr;

/// A directory below `queue_directory` that holds messages, or files about messages under the same ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueName {
    /// Submitted by local users, not yet picked up.
    Maildrop,
    /// Set aside by an administrator or by a rule.
    Hold,
    /// Taken in by cleanup.
    Incoming,
    /// Being delivered.
    Active,
    /// To be tried again.
    Deferred,
    /// Logs of delivery reports that were asked for.
    Trace,
    /// Logs of why recipients are deferred.
    Defer,
    /// Logs of why recipients are bounced.
    Bounce,
    /// What cannot be read.
    Corrupt,
    /// Which messages wait for a destination (fast flush).
    Flush,
    /// Messages that are done but kept.
    Saved,
}

impl QueueName {
    /// All queues.
    pub const ALL: [QueueName; 11] = [
        QueueName::Maildrop,
        QueueName::Hold,
        QueueName::Incoming,
        QueueName::Active,
        QueueName::Deferred,
        QueueName::Trace,
        QueueName::Defer,
        QueueName::Bounce,
        QueueName::Corrupt,
        QueueName::Flush,
        QueueName::Saved,
    ];

    /// The directory's name.
    pub fn as_str(self) -> &'static str {
        match self {
            QueueName::Maildrop => "maildrop",
            QueueName::Hold => "hold",
            QueueName::Incoming => "incoming",
            QueueName::Active => "active",
            QueueName::Deferred => "deferred",
            QueueName::Trace => "trace",
            QueueName::Defer => "defer",
            QueueName::Bounce => "bounce",
            QueueName::Corrupt => "corrupt",
            QueueName::Flush => "flush",
            QueueName::Saved => "saved",
        }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// There is no queue of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchQueue;

impl FromStr for QueueName {
    type Err = NoSuchQueue;

    fn from_str(name: &str) -> Result<Self, NoSuchQueue> {
        QueueName::ALL
            .into_iter()
            .find(|queue| queue.as_str() == name)
            .ok_or(NoSuchQueue)
    }
}
