//! Writing records.

use std::io::{self, Write};

use crate::RecordType;

/// Appends one record. Data beyond [`MAX_LENGTH`](crate::MAX_LENGTH) must not be given; no caller holds that much.
pub fn encode(out: &mut Vec<u8>, kind: RecordType, data: &[u8]) {
    let (head, used) = header(kind, data.len());
    out.reserve(used + data.len());
    out.extend(head.into_iter().take(used));
    out.extend_from_slice(data);
}

/// The type and length bytes, and how many of them count.
fn header(kind: RecordType, length: usize) -> ([u8; 11], usize) {
    let mut head = [0u8; 11];
    let mut used = 0;
    let mut rest = length;
    let mut slots = head.iter_mut();
    if let Some(slot) = slots.next() {
        *slot = kind.0;
        used = 1;
    }
    for slot in slots {
        let low = u8::try_from(rest & 0x7f).unwrap_or(0);
        rest >>= 7;
        used += 1;
        *slot = if rest == 0 { low } else { low | 0x80 };
        if rest == 0 {
            break;
        }
    }
    (head, used)
}

/// Writes records and counts the bytes, so that their offsets are known.
#[derive(Debug)]
pub struct Writer<W> {
    inner: W,
    offset: u64,
}

impl<W: Write> Writer<W> {
    /// Writes to `inner`, which should be buffered; the next record has offset 0.
    pub fn new(inner: W) -> Self {
        Self::at(inner, 0)
    }

    /// Writes to `inner`, where the next record has this offset.
    pub fn at(inner: W, offset: u64) -> Self {
        Self { inner, offset }
    }

    /// The offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes one record.
    ///
    /// # Errors
    /// As the inner writer.
    pub fn put(&mut self, kind: RecordType, data: &[u8]) -> io::Result<()> {
        let (head, used) = header(kind, data.len());
        self.inner.write_all(head.get(..used).unwrap_or_default())?;
        self.inner.write_all(data)?;
        self.offset += (used + data.len()) as u64;
        Ok(())
    }

    /// Passes what is buffered to the system.
    ///
    /// # Errors
    /// As the inner writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }

    /// The inner writer.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// The inner writer, which may hold buffered data.
    pub fn into_inner(self) -> W {
        self.inner
    }
}
