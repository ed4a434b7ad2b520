//! The queue file as it is written: gathered in memory, sent to the file in large pieces.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use pf_record::{RecordType, SizeRecord, encode};

/// A message up to this size is written with one system call.
const PIECE: usize = 256 << 10;

/// Writes a queue file.
#[derive(Debug, Default)]
pub struct Output {
    buffer: Vec<u8>,
    /// Bytes that are in the file.
    written: u64,
    /// The size that the file must not pass; 0: none.
    limit: u64,
    failed: bool,
}

/// What went wrong with a queue file.
#[derive(Debug)]
pub enum Trouble {
    /// It would be larger than `message_size_limit`.
    TooLarge,
    /// The file system refused.
    Io(io::Error),
}

impl Output {
    /// Nothing written yet; `limit` is the largest size, 0 for none.
    pub fn new(limit: u64) -> Self {
        Self {
            buffer: Vec::with_capacity(16 << 10),
            limit,
            ..Self::default()
        }
    }

    /// Where the next record goes.
    pub fn offset(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Adds a record.
    pub fn put(&mut self, kind: RecordType, data: &[u8]) {
        encode(&mut self.buffer, kind, data);
    }

    /// Whether [`spill`](Self::spill) has something to do.
    pub fn is_full(&self) -> bool {
        self.buffer.len() >= PIECE || (self.limit > 0 && self.offset() > self.limit && !self.failed)
    }

    /// Writes what was gathered.
    ///
    /// # Errors
    /// The file does not take it; nothing more is written then.
    pub fn spill(&mut self, mut file: &File) -> Result<(), Trouble> {
        if self.failed {
            self.buffer.clear();
            return Ok(());
        }
        if self.limit > 0 && self.offset() > self.limit {
            self.failed = true;
            // What fits is written: a bounce takes its recipients from there.
            let room = usize::try_from(self.limit - self.written.min(self.limit)).unwrap_or(0);
            self.buffer.truncate(room);
        }
        let result = file.write_all(&self.buffer);
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        match result {
            Err(err) => {
                self.failed = true;
                Err(Trouble::Io(err))
            }
            Ok(()) if self.failed => Err(Trouble::TooLarge),
            Ok(()) => Ok(()),
        }
    }

    /// Puts the final numbers into the size record, which is the first of the file.
    ///
    /// # Errors
    /// The file does not take it.
    pub fn set_size(&mut self, file: &File, size: &SizeRecord) -> io::Result<()> {
        let mut record = Vec::with_capacity(100);
        encode(&mut record, RecordType::SIZE, &size.encode());
        if self.written == 0 {
            if let Some(start) = self.buffer.get_mut(..record.len()) {
                start.copy_from_slice(&record);
            }
            return Ok(());
        }
        file.write_all_at(&record, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn content(file: &mut File) -> Vec<u8> {
        use std::io::Seek as _;
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_size_is_patched_before_or_after_the_first_write() {
        for early in [false, true] {
            let mut file = tempfile::tempfile().unwrap();
            let mut out = Output::new(0);
            out.put(RecordType::SIZE, &SizeRecord::default().encode());
            out.put(RecordType::MESG, b"");
            if early {
                out.spill(&file).unwrap();
            }
            let size = SizeRecord {
                message_size: 7,
                ..SizeRecord::default()
            };
            out.set_size(&file, &size).unwrap();
            out.spill(&file).unwrap();
            let bytes = content(&mut file);
            assert_eq!(&bytes[..2], b"C_");
            assert_eq!(&bytes[2..17], b"              7");
            assert_eq!(&bytes[97..], b"M\0");
        }
    }

    #[test]
    fn a_file_over_the_limit_is_cut_off() {
        let mut file = tempfile::tempfile().unwrap();
        let mut out = Output::new(5);
        out.put(RecordType::NORM, b"12345678");
        assert!(matches!(out.spill(&file), Err(Trouble::TooLarge)));
        out.put(RecordType::NORM, b"1");
        out.spill(&file).unwrap();
        assert_eq!(content(&mut file), b"N\x08123");
    }
}
