//! A queue file, or what stands in for one on standard input.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use pf_log::warning;
use pf_record::{Error, Reader, RecordType};
use pf_sys::error::text;

/// Reads records, knowing where they are.
#[derive(Debug)]
pub struct Input {
    path: Vec<u8>,
    reader: Reader<File>,
    seekable: bool,
    is_stdin: bool,
    trouble: Option<io::Error>,
}

impl Input {
    /// An open file; the path is shown.
    pub fn file(path: &Path, file: File) -> Self {
        Self::new(path.as_os_str().as_bytes(), file, false)
    }

    /// Standard input, which may be a pipe.
    pub fn stdin(file: File) -> Self {
        Self::new(b"stdin", file, true)
    }

    fn new(path: &[u8], mut file: File, is_stdin: bool) -> Self {
        Self {
            path: path.to_vec(),
            seekable: file.stream_position().is_ok(),
            reader: Reader::new(file),
            is_stdin,
            trouble: None,
        }
    }

    /// The path as it was given.
    pub fn path(&self) -> &[u8] {
        &self.path
    }

    /// The path for a complaint.
    pub fn name(&self) -> String {
        String::from_utf8_lossy(&self.path).into_owned()
    }

    /// Why reading ended before the end of the file.
    pub fn trouble(&self) -> Option<&io::Error> {
        self.trouble.as_ref()
    }

    /// The offset of the next record; in a pipe nothing has one, and the largest number stands for that.
    pub fn offset(&self) -> u64 {
        if self.seekable {
            self.reader.offset()
        } else {
            u64::MAX
        }
    }

    /// Begins at this offset. Standard input is read up to there, as it may be a pipe.
    ///
    /// # Errors
    /// There is no such place.
    pub fn start(&mut self, offset: u64) -> Result<()> {
        if offset == 0 {
            return Ok(());
        }
        if self.is_stdin {
            let skipped = io::copy(&mut self.reader.get_ref().take(offset), &mut io::sink());
            let skipped = skipped.unwrap_or_default();
            if skipped < offset {
                bail!("stdin: skip {offset} bytes failed after {skipped}");
            }
            if !self.seekable {
                return Ok(());
            }
        }
        self.seek(offset)
            .map_err(|err| anyhow!("{}: seek to {offset}: {}", self.name(), text(&err)))
    }

    /// Goes on at this offset.
    ///
    /// # Errors
    /// A pipe has no offsets; or there is no such one.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        if self.seekable {
            self.reader.seek(offset)
        } else {
            Err(illegal_seek())
        }
    }

    /// The first byte, which stays where it is.
    pub fn peek(&mut self) -> Option<RecordType> {
        match self.reader.peek() {
            Ok(kind) => kind,
            Err(err) => {
                self.trouble = Some(err);
                None
            }
        }
    }

    /// The next record as it stands; `None` at the end, or where the file cannot be read any further.
    ///
    /// # Errors
    /// It is not a record.
    pub fn read(&mut self, data: &mut Vec<u8>) -> Result<Option<RecordType>> {
        match self.reader.read_into(data) {
            Ok(kind) => Ok(kind),
            Err(Error::Io(err)) => {
                self.trouble = Some(err);
                Ok(None)
            }
            Err(err) => {
                warning!("{}: {err}", self.name());
                bail!("record read error");
            }
        }
    }

    /// The next record that means something: pointers are followed, padding is skipped, and nothing comes after the end.
    ///
    /// # Errors
    /// It is not a record, or a pointer leads nowhere, or this is a pipe.
    pub fn read_meaning(&mut self, data: &mut Vec<u8>) -> Result<Option<RecordType>> {
        loop {
            match self.read(data)? {
                Some(RecordType::POINTER) => {
                    if !self.follow(data) {
                        bail!("record read error");
                    }
                }
                Some(RecordType::PADDING) => {}
                Some(RecordType::END) if !self.seekable => {
                    warning!(
                        "{}: seek error after reading END record: {}",
                        self.name(),
                        text(&illegal_seek())
                    );
                    bail!("record read error");
                }
                kind => return Ok(kind),
            }
        }
    }

    /// Follows a pointer record; `false`: it leads nowhere, as a warning said.
    #[must_use]
    pub fn follow(&mut self, data: &[u8]) -> bool {
        let leads = pf_record::parse_offset(data).is_some_and(|target| target > 0);
        let followed = if leads && !self.seekable {
            Err(Error::Io(illegal_seek()))
        } else {
            self.reader.follow(data)
        };
        match followed {
            Ok(()) => return true,
            Err(Error::Io(err)) => warning!(
                "{}: seek error after pointer record: {}",
                self.name(),
                text(&err)
            ),
            Err(err) => warning!("{}: {err}", self.name()),
        }
        false
    }
}

fn illegal_seek() -> io::Error {
    io::Error::from_raw_os_error(libc::ESPIPE)
}
