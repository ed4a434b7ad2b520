//! The blocking client.

use std::time::Duration;

use pf_attr::{Error, sync};

use super::{Flags, SEND_SIZE, Verdict, decode_greeting, options, put_record};
use crate::Address;

/// A message on its way to the cleanup service, for programs that do one thing at a time.
#[derive(Debug)]
pub struct SyncSubmission {
    stream: sync::Stream,
    queue_id: Vec<u8>,
    buffer: Vec<u8>,
    failed: bool,
}

impl SyncSubmission {
    /// Connects, learns the queue id and sends the options. The server may take `in_flow_delay` to greet.
    ///
    /// # Errors
    /// The service cannot be reached or does not answer as agreed.
    pub fn open(address: &Address, limit: Duration, flags: Flags) -> Result<Self, Error> {
        let mut stream = sync::Stream::connect(address.path(), limit)?;
        let greeting = stream.recv()?;
        let queue_id = decode_greeting(&mut greeting.decoder())?;
        let mut buffer = Vec::with_capacity(SEND_SIZE + 4096);
        buffer.extend_from_slice(&options(flags));
        Ok(Self {
            stream,
            queue_id,
            buffer,
            failed: false,
        })
    }

    /// The queue id of the message.
    pub fn queue_id(&self) -> &[u8] {
        &self.queue_id
    }

    /// Sends one record. A failure is remembered, and told by [`finish`](Self::finish): the caller may go on.
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub fn record(&mut self, kind: impl Into<u8>, data: &[u8]) -> Result<(), Error> {
        put_record(&mut self.buffer, kind.into(), &[data]);
        self.flush_full()
    }

    /// Sends a named attribute.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn attribute(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        put_record(&mut self.buffer, b'A', &[name.as_bytes(), b"=", value]);
        self.flush_full()
    }

    /// Adds records that are encoded already.
    ///
    /// # Errors
    /// As [`record`](Self::record).
    pub fn encoded(&mut self, records: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(records);
        self.flush_full()
    }

    fn flush_full(&mut self) -> Result<(), Error> {
        if self.buffer.len() >= SEND_SIZE {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Sends what was gathered.
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.failed {
            self.buffer.clear();
            return Err(Error::Closed);
        }
        let sent = self.stream.send(&self.buffer);
        self.failed = sent.is_err();
        self.buffer.clear();
        sent
    }

    /// Sends what is left (the caller has sent the end record) and receives the verdict; any failure is
    /// [`Verdict::lost`].
    pub fn finish(mut self) -> Verdict {
        if !self.buffer.is_empty() {
            // A server that stopped reading may have said why.
            let _ = self.flush();
        }
        let Ok(message) = self.stream.recv() else {
            return Verdict::lost();
        };
        Verdict::decode(&mut message.decoder()).unwrap_or_else(|_| Verdict::lost())
    }
}
