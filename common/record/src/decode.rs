//! Taking records from bytes that come in pieces, as from a socket.

use crate::read::{Error, length};
use crate::{MAX_LENGTH, Record, RecordType};

/// Collects bytes and gives out complete records.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    start: usize,
    limit: usize,
}

impl Decoder {
    /// Refuses records with more than `limit` bytes of data.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            limit: limit.min(MAX_LENGTH),
        }
    }

    /// Adds what was received.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.compact();
        self.buffer.extend_from_slice(bytes);
    }

    /// The buffer to append received bytes to without another copy.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        self.compact();
        &mut self.buffer
    }

    fn compact(&mut self) {
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
        } else if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
    }

    /// Whether all bytes were used.
    pub fn is_empty(&self) -> bool {
        self.start == self.buffer.len()
    }

    /// The bytes that follow the last record taken.
    pub fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The next record without copying its data; `None`: feed more.
    ///
    /// # Errors
    /// The length is malformed or above the limit; nothing after it can be trusted.
    pub fn take_ref(&mut self) -> Result<Option<(RecordType, &[u8])>, Error> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let Some((&kind, tail)) = rest.split_first() else {
            return Ok(None);
        };
        let kind = RecordType(kind);
        let Some((size, used)) = length(tail, kind)? else {
            return Ok(None);
        };
        if size > self.limit {
            return Err(Error::Length { kind, length: size });
        }
        let Some(data) = tail.get(used..used + size) else {
            return Ok(None);
        };
        self.start += 1 + used + size;
        Ok(Some((kind, data)))
    }

    /// What is wrong when nothing more can be fed.
    ///
    /// # Errors
    /// A record has begun.
    pub fn end(&self) -> Result<(), Error> {
        let Some((&kind, tail)) = self.rest().split_first() else {
            return Ok(());
        };
        let kind = RecordType(kind);
        match length(tail, kind)? {
            None => Err(Error::EofInLength(kind)),
            Some((length, _)) => Err(Error::EofInData { kind, length }),
        }
    }

    /// The next record; `None`: feed more.
    ///
    /// # Errors
    /// As [`Decoder::take_ref`].
    pub fn take(&mut self) -> Result<Option<Record>, Error> {
        Ok(self.take_ref()?.map(|(kind, data)| Record::new(kind, data)))
    }
}
