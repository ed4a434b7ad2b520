//! The asynchronous client.

use std::time::Duration;

use pf_attr::{Error, aio};
use tokio::net::UnixStream;

use super::{Flags, SEND_SIZE, Verdict, decode_greeting, options, put_record};
use crate::Address;

/// A message on its way to the cleanup service.
#[derive(Debug)]
pub struct Submission {
    stream: aio::Stream<UnixStream>,
    queue_id: Vec<u8>,
    buffer: Vec<u8>,
    failed: bool,
}

impl Submission {
    /// Connects, learns the queue id and sends the options. The server may take `in_flow_delay` to greet.
    ///
    /// # Errors
    /// The service cannot be reached or does not answer as agreed.
    pub async fn open(address: &Address, limit: Duration, flags: Flags) -> Result<Self, Error> {
        let io = UnixStream::connect(address.path()).await?;
        let mut stream = aio::Stream::new(io, limit);
        let greeting = stream.recv().await?;
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

    /// As [`open`](Self::open), trying again each second, with a warning, until the service can be reached; an error of a
    /// service that was reached is the caller's.
    ///
    /// # Errors
    /// The service does not answer as agreed.
    pub async fn open_wait(
        address: &Address,
        limit: Duration,
        flags: Flags,
    ) -> Result<Self, Error> {
        let mut tries: u32 = 0;
        loop {
            match Self::open(address, limit, flags).await {
                Err(Error::Io(err)) => {
                    tries = tries.saturating_add(1);
                    if tries % 10 == 1 {
                        pf_log::warning!("connect to {}: {}", address.name(), err);
                    }
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                other => return other,
            }
        }
    }

    /// The queue id of the message.
    pub fn queue_id(&self) -> &[u8] {
        &self.queue_id
    }

    /// Sends one record. A failure is remembered, and told by [`finish`](Self::finish): the caller may go on.
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub async fn record(&mut self, kind: impl Into<u8>, data: &[u8]) -> Result<(), Error> {
        self.push(kind, data);
        if self.buffer.len() >= SEND_SIZE {
            self.flush().await
        } else {
            Ok(())
        }
    }

    /// As [`record`](Self::record), without sending yet: for the few records of an envelope. A caller that adds much calls
    /// [`flush`](Self::flush) when [`is_full`](Self::is_full).
    pub fn push(&mut self, kind: impl Into<u8>, data: &[u8]) {
        put_record(&mut self.buffer, kind.into(), &[data]);
    }

    /// A named attribute, without sending yet.
    pub fn push_attribute(&mut self, name: &str, value: &[u8]) {
        put_record(&mut self.buffer, b'A', &[name.as_bytes(), b"=", value]);
    }

    /// Adds records that are encoded already.
    pub fn push_encoded(&mut self, records: &[u8]) {
        self.buffer.extend_from_slice(records);
    }

    /// Whether enough has been gathered for a [`flush`](Self::flush).
    pub fn is_full(&self) -> bool {
        self.buffer.len() >= SEND_SIZE
    }

    /// Sends what was gathered.
    ///
    /// # Errors
    /// The service does not take the message any more.
    pub async fn flush(&mut self) -> Result<(), Error> {
        if self.failed {
            self.buffer.clear();
            return Err(Error::Closed);
        }
        let sent = self.stream.send(&self.buffer).await;
        self.failed = sent.is_err();
        self.buffer.clear();
        sent
    }

    /// Sends what is left (the caller has sent the end record) and receives the verdict; any failure is
    /// [`Verdict::lost`].
    pub async fn finish(mut self) -> Verdict {
        if !self.buffer.is_empty() {
            // A server that stopped reading may have said why.
            let _ = self.flush().await;
        }
        let Ok(message) = self.stream.recv().await else {
            return Verdict::lost();
        };
        Verdict::decode(&mut message.decoder()).unwrap_or_else(|_| Verdict::lost())
    }
}
