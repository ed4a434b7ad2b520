//! Records as lines for people.

use std::io::{self, Write};
use std::mem;

use anyhow::{Result, anyhow, bail};
use pf_log::warning;
use pf_record::{ArrivalTime, RecordType, SizeRecord, attr, set};
use pf_sys::error::text;
use pf_sys::time::Calendar;

use crate::input::Input;

/// What is shown, and how.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// The records before the content, and those after it.
    pub envelope: bool,
    /// The primary header.
    pub header: bool,
    /// The rest of the content.
    pub body: bool,
    /// The file's path before each record.
    pub paths: bool,
    /// The offset of each record.
    pub offsets: bool,
    /// The number of each record's type.
    pub types: bool,
    /// Whether records are shown in the order of the file, pointers or not.
    pub raw: bool,
    /// Whether records that only the mail system needs are shown, and each record as one line.
    pub verbose: bool,
    /// The offset to begin at.
    pub start: u64,
}

/// Where in a message the reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Envelope,
    Header,
    Body,
}

/// Shows one file after another.
#[derive(Debug)]
pub struct Show<W> {
    wanted: Wanted,
    out: W,
    /// Written together with the next record: the banner of a file without records is never seen.
    pending: Vec<u8>,
}

/// One file on its way.
#[derive(Debug)]
struct Progress {
    part: Part,
    /// Whether this part is shown.
    shown: bool,
    /// The type of the record before, when it was shown and its line goes on.
    unfinished: bool,
    /// The content's offset and size, from the size record.
    content: Option<(u64, u64)>,
    /// Whether there was a size record with a number in it.
    sized: bool,
}

/// Whether there is more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    Show,
    Next,
    End,
}

impl<W: Write> Show<W> {
    /// Shows on `out`.
    pub fn new(wanted: Wanted, out: W) -> Self {
        Self {
            wanted,
            out,
            pending: Vec::new(),
        }
    }

    /// Shows a file.
    ///
    /// # Errors
    /// It is damaged, or `out` cannot be written.
    pub fn file(&mut self, input: &mut Input) -> Result<()> {
        input.start(self.wanted.start)?;
        if self.wanted.start == 0 {
            if let Some(first) = input.peek()
                && !(first.is_in(set::ENVELOPE) || first.0 == 0)
            {
                warning!("{}: input is not a valid queue file", input.name());
                return Ok(());
            }
            if self.wanted.envelope {
                self.pending.extend_from_slice(b"*** ENVELOPE RECORDS ");
                self.pending.extend_from_slice(input.path());
                self.pending.extend_from_slice(b" ***\n");
            }
        }
        let mut at = Progress {
            part: Part::Envelope,
            shown: self.wanted.envelope,
            unfinished: false,
            content: None,
            sized: false,
        };
        let mut data = Vec::new();
        loop {
            let offset = input.offset();
            let next = if self.wanted.verbose {
                input.read(&mut data)?
            } else {
                input.read_meaning(&mut data)?
            };
            let Some(kind) = next else {
                return Ok(());
            };
            match self.guide(&mut at, input, offset, kind, &data)? {
                Then::End => return Ok(()),
                Then::Show if at.shown => self.record(&mut at, input, offset, kind, &data)?,
                Then::Show | Then::Next => {}
            }
        }
    }

    /// Records that lead from part to part, or elsewhere in the file. Parts that are not shown are skipped where that is known
    /// to be possible.
    fn guide(
        &mut self,
        at: &mut Progress,
        input: &mut Input,
        offset: u64,
        kind: RecordType,
        data: &[u8],
    ) -> Result<Then> {
        let wanted = self.wanted;
        match kind {
            RecordType::CONT | RecordType::NORM => {
                let text_wanted = wanted.header || wanted.body;
                if at.part == Part::Header
                    && text_wanted
                    && !at.unfinished
                    && !belongs_to_header(cut(data))
                {
                    at.part = Part::Body;
                    at.shown = wanted.body;
                    if !at.shown {
                        if !wanted.envelope {
                            return Ok(Then::End);
                        }
                        skip_content(at, input)?;
                    }
                }
                Ok(Then::Show)
            }
            RecordType::MESG => {
                if at.part != Part::Envelope {
                    warning!("{}: out-of-order message content marker", input.name());
                }
                if wanted.envelope {
                    self.marker(input, offset, kind, "MESSAGE CONTENTS")?;
                }
                if !wanted.header && !wanted.body {
                    skip_content(at, input)?;
                }
                at.part = Part::Header;
                at.shown = wanted.header;
                Ok(Then::Next)
            }
            RecordType::XTRA => {
                if at.part == Part::Envelope {
                    warning!("{}: out-of-order extracted segment marker", input.name());
                }
                if at.shown && at.unfinished {
                    self.pending.push(b'\n');
                }
                if wanted.envelope {
                    self.marker(input, offset, kind, "HEADER EXTRACTED")?;
                }
                at.part = Part::Envelope;
                at.shown = wanted.envelope;
                Ok(if at.shown { Then::Next } else { Then::End })
            }
            RecordType::END => {
                if at.part != Part::Envelope {
                    warning!("{}: out-of-order message end marker", input.name());
                }
                if wanted.envelope {
                    self.marker(input, offset, kind, "MESSAGE FILE END")?;
                }
                let goes_on = wanted.raw && wanted.verbose;
                Ok(if goes_on { Then::Next } else { Then::End })
            }
            RecordType::POINTER => {
                if at.shown {
                    self.plain(input, offset, kind, data)?;
                }
                if !wanted.raw && !input.follow(data) {
                    bail!("bad pointer record, or input is not seekable");
                }
                Ok(Then::Next)
            }
            RecordType::SIZE => {
                if at.shown {
                    self.plain(input, offset, kind, data)?;
                }
                self.size(at, input, data)?;
                Ok(Then::Next)
            }
            _ => Ok(Then::Show),
        }
    }

    /// The size record tells where the content is, but in maildrop, where it is not filled in yet.
    fn size(&self, at: &mut Progress, input: &mut Input, data: &[u8]) -> Result<()> {
        if input.path().starts_with(b"maildrop/") {
            return Ok(());
        }
        if at.sized {
            warning!("file contains multiple size records");
            return Ok(());
        }
        let (size, count) = SizeRecord::parse(cut(data));
        let offset = if count >= 2 { size.data_offset } else { -1 };
        let length = if count >= 1 { size.message_size } else { -1 };
        if offset <= 0 || length <= 0 {
            warning!("invalid size record: {:.100}", pf_text::Show(cut(data)));
        }
        // A damaged one counts as far as it goes.
        let start = u64::try_from(offset).ok();
        at.content = start
            .filter(|start| *start > 0)
            .zip(u64::try_from(length).ok());
        at.sized = offset >= 0 || length >= 0;
        if !self.wanted.envelope {
            start
                .ok_or_else(|| io::Error::from_raw_os_error(libc::EINVAL))
                .and_then(|start| input.seek(start))
                .map_err(|err| anyhow!("seek error: {}", text(&err)))?;
            at.part = Part::Header;
            at.shown = self.wanted.header;
        }
        Ok(())
    }

    /// A record that leads nowhere.
    fn record(
        &mut self,
        at: &mut Progress,
        input: &Input,
        offset: u64,
        kind: RecordType,
        data: &[u8],
    ) -> Result<()> {
        self.prefix(input, offset, kind);
        let label = kind.name().unwrap_or(UNKNOWN).as_bytes();
        let verbose = self.wanted.verbose;
        at.unfinished = false;
        match kind {
            RecordType::TIME | RecordType::WARN => {
                let date = date(ArrivalTime::parse(cut(data)).seconds);
                self.line(&[label, b": ", date.as_bytes()]);
            }
            // In the envelope this letter means a content filter.
            RecordType::CONT if at.part == Part::Envelope => self.line(&[label, b": ", data]),
            RecordType::CONT => {
                let whole_line = verbose || self.wanted.offsets;
                if verbose {
                    self.pending.extend_from_slice(b"unterminated_text: ");
                }
                self.pending.extend_from_slice(data);
                if whole_line {
                    self.pending.push(b'\n');
                }
                at.unfinished = !whole_line;
            }
            RecordType::NORM if !verbose => self.line(&[data]),
            RecordType::NORM | RecordType::PADDING => self.line(&[label, b": ", data]),
            RecordType::ATTR => match attr::split(cut(data)) {
                Err(why) => warning!(
                    "{}: malformed attribute: {why}: {:.100}",
                    input.name(),
                    pf_text::Show(cut(data))
                ),
                Ok((name, value)) if name == attr::CREATE_TIME.as_bytes() => {
                    let date = date(ArrivalTime::parse(value).seconds);
                    self.line(&[name, b": ", date.as_bytes()]);
                }
                Ok((name, value)) => self.line(&[label, b": ", name, b"=", value]),
            },
            _ => self.line(&[label, b": ", cut(data)]),
        }
        self.flush()
    }

    fn plain(&mut self, input: &Input, offset: u64, kind: RecordType, data: &[u8]) -> Result<()> {
        self.prefix(input, offset, kind);
        let label = kind.name().unwrap_or(UNKNOWN).as_bytes();
        self.line(&[label, b": ", cut(data)]);
        self.flush()
    }

    fn marker(&mut self, input: &Input, offset: u64, kind: RecordType, what: &str) -> Result<()> {
        self.prefix(input, offset, kind);
        self.line(&[b"*** ", what.as_bytes(), b" ", input.path(), b" ***"]);
        self.flush()
    }

    fn prefix(&mut self, input: &Input, offset: u64, kind: RecordType) {
        if self.wanted.paths {
            self.pending.extend_from_slice(input.path());
            self.pending.extend_from_slice(b": ");
        }
        if self.wanted.offsets {
            self.pending
                .extend_from_slice(format!("{offset:>9} ").as_bytes());
        }
        if self.wanted.types {
            self.pending
                .extend_from_slice(format!("{:>3} ", kind.0).as_bytes());
        }
    }

    fn line(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.pending.extend_from_slice(part);
        }
        self.pending.push(b'\n');
    }

    /// Before the next record, which may be broken.
    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&mem::take(&mut self.pending))?;
        Ok(self.out.flush()?)
    }
}

const UNKNOWN: &str = "unknown_record_type";

fn skip_content(at: &Progress, input: &mut Input) -> Result<()> {
    if let Some((start, size)) = at.content {
        input
            .seek(start.saturating_add(size))
            .map_err(|err| anyhow!("seek error: {}", text(&err)))?;
    }
    Ok(())
}

/// A header's first line, or one that goes on.
fn belongs_to_header(line: &[u8]) -> bool {
    line.starts_with(b" ") || line.starts_with(b"\t") || pf_mime::header_name_len(line).is_some()
}

/// What a record without its own rules holds ends at a NUL.
fn cut(data: &[u8]) -> &[u8] {
    data.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn date(seconds: i64) -> String {
    Calendar::local(seconds).asctime()
}
