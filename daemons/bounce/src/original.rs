//! The message that a notification is about: what its queue file says about it, and its content.

use std::fs::File;
use std::io;

use anyhow::{Result, anyhow, bail};
use pf_queue::{Queue, QueueId, QueueName, edit};
use pf_record::{Reader, RecordType, SizeRecord};
use pf_sys::lock;

/// A queue file in the middle of its delivery. The file may be gone: then nothing is known.
#[derive(Debug)]
pub struct Original {
    file: Option<File>,
    /// The sender, quoted as in headers; empty when unknown.
    pub sender: Vec<u8>,
    /// When it arrived, in seconds since 1970; 0 when unknown.
    pub arrival: i64,
    /// The size of its content; 0 when unknown.
    pub size: u64,
    /// Where its content begins; 0 when unknown.
    pub offset: u64,
    /// Its `Message-ID`, with the brackets, when replies are to be threaded; else empty.
    pub message_id: Vec<u8>,
}

/// Longer records than this do not exist in a sane queue file (`line_length_limit` is far below).
const MAX_RECORD: usize = 1 << 20;

impl Original {
    /// Looks at the queue file. `daemon` is the sender to name where there is none, `threaded` whether the `Message-ID` is
    /// wanted.
    ///
    /// # Errors
    /// The file is there, but cannot be opened or locked.
    pub fn open(
        queue: &Queue,
        name: QueueName,
        id: &QueueId,
        daemon: &str,
        threaded: bool,
    ) -> Result<Self> {
        let mut original = Self {
            file: None,
            sender: Vec::new(),
            arrival: 0,
            size: 0,
            offset: 0,
            message_id: Vec::new(),
        };
        let file = match queue.open(name, id, true) {
            Ok(file) => file,
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(original),
            Err(err) => bail!("open {name} {id}: {}", pf_config::system::reason(&err)),
        };
        let locked = lock::lock(&file, lock::Style::Flock, lock::Mode::Shared, false)
            .map_err(|err| anyhow!(pf_config::system::reason(&err)))
            .and_then(|done| {
                if done {
                    Ok(())
                } else {
                    Err(anyhow!("Resource temporarily unavailable"))
                }
            });
        if let Err(err) = locked {
            bail!(
                "cannot get shared lock on {}: {err}",
                queue.path(name, id).display()
            );
        }
        let copy = file.try_clone()?;
        original.file = Some(file);
        if let Err(err) = original.look(copy, id, daemon, threaded) {
            pf_log::warning!("{id}: read message file {name} {id}: {err}");
        }
        Ok(original)
    }

    fn look(&mut self, file: File, id: &QueueId, daemon: &str, threaded: bool) -> Result<()> {
        let mut reader = Reader::new(file).with_limit(MAX_RECORD);
        let mut data = Vec::new();
        while let Some(kind) = reader.read_into(&mut data)? {
            match kind {
                RecordType::SIZE if self.size == 0 => {
                    let (size, _) = SizeRecord::parse(&data);
                    self.size = u64::try_from(size.message_size).unwrap_or(0);
                    self.offset = u64::try_from(size.data_offset).unwrap_or(0);
                }
                RecordType::TIME if self.arrival == 0 => {
                    let text = String::from_utf8_lossy(&data);
                    let seconds = text.split_whitespace().next().unwrap_or_default();
                    self.arrival = seconds.parse().unwrap_or(0).max(0);
                }
                RecordType::FROM => {
                    let sender = if data.is_empty() {
                        daemon.as_bytes()
                    } else {
                        &data
                    };
                    self.sender = pf_address::quote_822(sender).into_owned();
                }
                RecordType::MESG => {
                    if self.sender.is_empty() {
                        pf_log::warning!("{id}: no sender before message content record");
                    }
                    self.offset = reader.offset();
                }
                RecordType::ATTR if threaded => {
                    if let Some(value) = data.strip_prefix(b"message_id=") {
                        if value.first() == Some(&b'<') && value.last() == Some(&b'>') {
                            value.clone_into(&mut self.message_id);
                        } else {
                            pf_log::warning!(
                                "{id}: malformed Message-ID attribute: {}",
                                String::from_utf8_lossy(value)
                            );
                        }
                    }
                }
                _ => {}
            }
            if self.offset > 0
                && self.arrival > 0
                && !self.sender.is_empty()
                && (!threaded || !self.message_id.is_empty())
            {
                break;
            }
            if kind == RecordType::MESG {
                reader.seek(self.offset + self.size)?;
            }
        }
        Ok(())
    }

    /// Whether the file is there.
    pub fn is_there(&self) -> bool {
        self.file.is_some()
    }

    /// The records of the content, from its beginning; `None` when there is no content to be found.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn content(&self) -> io::Result<Option<Reader<File>>> {
        match &self.file {
            Some(file) if self.offset > 0 => {
                let mut reader = Reader::new(file.try_clone()?).with_limit(MAX_RECORD);
                reader.seek(self.offset)?;
                Ok(Some(reader))
            }
            _ => Ok(None),
        }
    }

    /// Marks a recipient as done with.
    pub fn mark_done(&self, offset: i64, id: &QueueId) {
        let (Some(file), Ok(offset)) = (&self.file, u64::try_from(offset)) else {
            return;
        };
        if offset == 0 {
            return;
        }
        if let Err(err) = edit::mark_done(file, offset) {
            pf_log::warning!(
                "{id}: update recipient record: {}",
                pf_config::system::reason(&err)
            );
        }
    }
}
