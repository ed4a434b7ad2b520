//! The content of a message: the lines between the envelope and what was extracted, as the queue file holds them.

use std::fs::File;
use std::io;

use pf_record::{Error, Reader, RecordType};

/// Reads the content of a queue file, record by record.
pub struct Content<'a> {
    records: Reader<&'a File>,
    data: Vec<u8>,
    ended_well: bool,
}

/// A piece of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The bytes, without a newline.
    pub text: &'a [u8],
    /// Whether a newline follows; a long line comes in several pieces.
    pub ends_line: bool,
}

impl<'a> Content<'a> {
    /// Begins at the first line of the content.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn new(file: &'a File, offset: i64) -> io::Result<Self> {
        let mut records = Reader::new(file);
        records.seek(u64::try_from(offset).map_err(io::Error::other)?)?;
        Ok(Self {
            records,
            data: Vec::new(),
            ended_well: false,
        })
    }

    /// The next piece; `None` at the end of the content.
    ///
    /// # Errors
    /// The file cannot be read, or is damaged.
    pub fn next_piece(&mut self) -> Result<Option<Piece<'_>>, Error> {
        match self.records.next_into(&mut self.data)? {
            Some((RecordType::NORM, _)) => Ok(Some(Piece {
                text: &self.data,
                ends_line: true,
            })),
            Some((RecordType::CONT, _)) => Ok(Some(Piece {
                text: &self.data,
                ends_line: false,
            })),
            other => {
                self.ended_well = matches!(other, Some((RecordType::XTRA, _)));
                Ok(None)
            }
        }
    }

    /// Whether the content ended with the record that has to follow it; only then was it whole.
    pub fn ended_well(&self) -> bool {
        self.ended_well
    }
}
