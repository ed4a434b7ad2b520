//! Reading records from files that anyone may have written.

use std::io::{self, Read, Seek, SeekFrom};

use crate::{MAX_LENGTH, Record, RecordType, parse_offset};

/// Why the next record cannot be read. The texts are those of Postfix's warnings, which begin with the file's name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The length has more bits than any length needs.
    #[error("too many length bits, record type {}", .0.0)]
    LengthBits(RecordType),
    /// The length is above the limit.
    #[error("illegal length {length}, record type {}", kind.0)]
    Length {
        /// The record's type.
        kind: RecordType,
        /// Its length in bytes.
        length: usize,
    },
    /// The file ends inside the length.
    #[error("unexpected EOF reading length, record type {}", .0.0)]
    EofInLength(RecordType),
    /// The file ends inside the data.
    #[error("unexpected EOF in data, record type {} length {length}", kind.0)]
    EofInData {
        /// The record's type.
        kind: RecordType,
        /// Its length in bytes.
        length: usize,
    },
    /// A pointer record that does not hold an offset.
    #[error("malformed pointer record value: {0}")]
    Pointer(String),
    /// Pointer records lead back again and again.
    #[error("too many reverse jump records")]
    Loop,
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The length that `bytes` begin with, and how many bytes it takes; `None`: more bytes are needed.
pub(crate) fn length(bytes: &[u8], kind: RecordType) -> Result<Option<(usize, usize)>, Error> {
    let mut size: usize = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        // Four groups hold 28 bits; Postfix 3.11.7 reads no longer record.
        if at == 4 {
            return Err(Error::LengthBits(kind));
        }
        size |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((size, at + 1)));
        }
    }
    Ok(None)
}

/// How many bytes are read at a time.
const BUFFER: usize = 16384;

/// One reverse jump is needed for each header that was changed, and one for all recipients that were appended.
const REVERSE_JUMPS: u32 = 10_000;

/// Reads records one after another, knowing their offsets. It holds no more than the longest record that is really there.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Of the next byte to take.
    offset: u64,
    limit: usize,
    last_jump: u64,
    reverse_jumps: u32,
}

impl<R: Read> Reader<R> {
    /// Reads from `source`, whose first byte has offset 0.
    pub fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            limit: MAX_LENGTH,
            last_jump: 0,
            reverse_jumps: 0,
        }
    }

    /// Refuses records with more than `limit` bytes of data.
    #[must_use]
    pub fn with_limit(mut self, limit: usize) -> Self {
        self.limit = limit.min(MAX_LENGTH);
        self
    }

    /// The offset of the next record.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The source, whose position is somewhere after the last record.
    pub fn get_ref(&self) -> &R {
        &self.source
    }

    /// The source, whose position is somewhere after the last record.
    pub fn into_inner(self) -> R {
        self.source
    }

    fn fill(&mut self) -> io::Result<bool> {
        if self.start < self.end {
            return Ok(true);
        }
        loop {
            match self.source.read(&mut self.buffer) {
                Ok(count) => {
                    self.start = 0;
                    self.end = count.min(self.buffer.len());
                    return Ok(count > 0);
                }
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        if !self.fill()? {
            return Ok(None);
        }
        let byte = self.buffer.get(self.start).copied();
        self.start += 1;
        self.offset += 1;
        Ok(byte)
    }

    /// The type of the next record, which stays where it is.
    ///
    /// # Errors
    /// As the source.
    pub fn peek(&mut self) -> io::Result<Option<RecordType>> {
        Ok(if self.fill()? {
            self.buffer.get(self.start).copied().map(RecordType)
        } else {
            None
        })
    }

    /// The next record as it stands, its data put into `data`; `None` at the end of the file.
    ///
    /// # Errors
    /// What follows is not a record.
    pub fn read_into(&mut self, data: &mut Vec<u8>) -> Result<Option<RecordType>, Error> {
        data.clear();
        let Some(kind) = self.byte()?.map(RecordType) else {
            return Ok(None);
        };
        let mut head = [0u8; 5];
        let mut used = 0;
        let size = loop {
            let byte = self.byte()?.ok_or(Error::EofInLength(kind))?;
            if let Some(slot) = head.get_mut(used) {
                *slot = byte;
            }
            used += 1;
            if let Some((size, _)) = length(head.get(..used).unwrap_or_default(), kind)? {
                break size;
            }
        };
        if size > self.limit {
            return Err(Error::Length { kind, length: size });
        }
        let mut missing = size;
        while missing > 0 {
            if !self.fill()? {
                return Err(Error::EofInData { kind, length: size });
            }
            let piece = missing.min(self.end - self.start);
            data.extend_from_slice(
                self.buffer
                    .get(self.start..self.start + piece)
                    .unwrap_or_default(),
            );
            self.start += piece;
            self.offset += piece as u64;
            missing -= piece;
        }
        Ok(Some(kind))
    }

    /// The next record as it stands; `None` at the end of the file.
    ///
    /// # Errors
    /// As [`Reader::read_into`].
    pub fn read(&mut self) -> Result<Option<Record>, Error> {
        let mut data = Vec::new();
        Ok(self.read_into(&mut data)?.map(|kind| Record { kind, data }))
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Goes on at this offset.
    ///
    /// # Errors
    /// The source cannot seek there.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        let back = self.offset.checked_sub(offset);
        match (back, offset.checked_sub(self.offset)) {
            (Some(back), _) if back <= self.start as u64 && self.end > 0 => {
                self.start -= usize::try_from(back).unwrap_or(0);
            }
            (_, Some(ahead)) if ahead <= (self.end - self.start) as u64 => {
                self.start += usize::try_from(ahead).unwrap_or(0);
            }
            _ => {
                self.source.seek(SeekFrom::Start(offset))?;
                self.start = 0;
                self.end = 0;
            }
        }
        self.offset = offset;
        Ok(())
    }

    /// Follows a pointer record with this data; a dummy pointer leads nowhere, and reading goes on behind it.
    ///
    /// # Errors
    /// The data are not an offset, or pointers led back too often.
    pub fn follow(&mut self, data: &[u8]) -> Result<(), Error> {
        let target = parse_offset(data).ok_or_else(|| {
            let text = data.split(|byte| *byte == 0).next().unwrap_or_default();
            Error::Pointer(String::from_utf8_lossy(text.trim_ascii_start()).into_owned())
        })?;
        if target == 0 {
            return Ok(());
        }
        if target <= self.last_jump {
            self.reverse_jumps += 1;
            if self.reverse_jumps > REVERSE_JUMPS {
                return Err(Error::Loop);
            }
        }
        self.last_jump = target;
        Ok(self.seek(target)?)
    }

    /// The next record that means something, its data put into `data`: pointers are followed, padding is skipped.
    /// The record's own offset comes with it.
    ///
    /// # Errors
    /// As [`Reader::read_into`] and [`Reader::follow`].
    pub fn next_into(&mut self, data: &mut Vec<u8>) -> Result<Option<(RecordType, u64)>, Error> {
        loop {
            let offset = self.offset;
            match self.read_into(data)? {
                Some(RecordType::POINTER) => self.follow(data)?,
                Some(RecordType::PADDING) => {}
                Some(kind) => return Ok(Some((kind, offset))),
                None => return Ok(None),
            }
        }
    }
}
