//! Copies a message out of its queue file, with the headers and the quoting that its destination wants.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;

use pf_address::quote_822;
use pf_dsn::{Dsn, Status};
use pf_log::warning;

use crate::{Content, Job, sysexits};

/// The envelope as the headers in front show it.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The sender; may be empty.
    pub sender: &'a [u8],
    /// The original recipient, for `X-Original-To:`; empty: none.
    pub original: &'a [u8],
    /// The address for `Delivered-To:`.
    pub delivered: &'a [u8],
}

/// How a message is copied.
#[derive(Debug, Clone)]
pub struct Form {
    /// A `From sender date` line comes first.
    pub from_line: bool,
    /// A `Return-Path:` header comes before the message.
    pub return_path: bool,
    /// An `X-Original-To:` header.
    pub original_to: bool,
    /// A `Delivered-To:` header.
    pub delivered_to: bool,
    /// Lines that begin with `From ` are quoted with `>`.
    pub quote_from: bool,
    /// Lines that begin with a dot get another one.
    pub double_dots: bool,
    /// An empty line ends the message.
    pub blank_line: bool,
    /// What ends a line.
    pub eol: Vec<u8>,
}

impl Form {
    /// The form without any addition.
    pub fn plain() -> Self {
        Self {
            from_line: false,
            return_path: false,
            original_to: false,
            delivered_to: false,
            quote_from: false,
            double_dots: false,
            blank_line: false,
            eol: b"\n".to_vec(),
        }
    }

    /// What a command gets.
    pub fn command(delivered_to: bool) -> Self {
        Self {
            from_line: true,
            ..Self::maildir(delivered_to)
        }
    }

    /// What a mailbox with `From ` lines gets.
    pub fn mbox(delivered_to: bool) -> Self {
        Self {
            quote_from: true,
            blank_line: true,
            ..Self::command(delivered_to)
        }
    }

    /// What a file of its own gets.
    pub fn maildir(delivered_to: bool) -> Self {
        Self {
            return_path: true,
            original_to: true,
            delivered_to,
            ..Self::plain()
        }
    }

    /// The lines before the message.
    fn head(&self, envelope: &Envelope<'_>, seconds: i64) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        let sender = quote_822(envelope.sender);
        let mut line = |parts: &[&[u8]]| {
            for part in parts {
                out.extend_from_slice(part);
            }
            out.extend_from_slice(&self.eol);
        };
        if self.from_line {
            let shown: &[u8] = if envelope.sender.is_empty() {
                b"MAILER-DAEMON"
            } else {
                &sender
            };
            let date = pf_sys::time::Calendar::local(seconds).asctime();
            line(&[b"From ", shown, b"  ", date.as_bytes()]);
        }
        if self.return_path {
            let shown: &[u8] = if envelope.sender.is_empty() {
                b""
            } else {
                &sender
            };
            line(&[b"Return-Path: <", shown, b">"]);
        }
        if self.original_to && !envelope.original.is_empty() {
            line(&[b"X-Original-To: ", &quote_822(envelope.original)]);
        }
        if self.delivered_to {
            line(&[b"Delivered-To: ", &quote_822(envelope.delivered)]);
        }
        out
    }
}

/// Why a message was not delivered.
#[derive(Debug)]
pub enum Failure {
    /// The queue file is damaged, and now marked so: the queue manager puts it aside.
    Corrupt,
    /// The status, and the error behind it if the destination caused it.
    Told(Box<Status>, Option<io::Error>),
}

/// The code for an error of a mailbox or file; `default` for what has none of its own.
pub fn mailbox_dsn(err: &io::Error, default: Dsn) -> Dsn {
    match err.raw_os_error() {
        Some(libc::EAGAIN | libc::ESTALE) => Dsn::new(4, 2, 0),
        Some(libc::ENOSPC) => Dsn::new(4, 3, 0),
        Some(libc::EDQUOT | libc::EFBIG) => Dsn::new(5, 2, 2),
        _ => default,
    }
}

/// A status that comes from the system: with a diagnostic of the type `x-unix`.
pub fn system_status(dsn: Dsn, diagnostic: impl Into<Vec<u8>>, reason: Vec<u8>) -> Status {
    Status {
        diagnostic: Some(("x-unix".into(), diagnostic.into())),
        ..Status::new(dsn, reason)
    }
}

/// Writes the message; the caller sees to it that it reaches the disk, and undoes what was written when this fails.
///
/// # Errors
/// The message cannot be read, or not be written.
pub fn copy(
    job: &Job,
    form: &Form,
    envelope: &Envelope<'_>,
    to: &mut dyn Write,
) -> Result<(), Failure> {
    fits(job)?;
    let now = pf_sys::time::seconds(std::time::SystemTime::now());
    let mut content =
        Content::new(&job.file, job.request.data_offset).map_err(|err| read_failure(&err))?;
    let mut write = || -> Result<bool, Trouble> {
        to.write_all(&form.head(envelope, now))?;
        let mut line_starts = true;
        while let Some(piece) = content.next_piece().map_err(|_| Trouble::Damaged)? {
            if line_starts {
                if form.quote_from && piece.text.starts_with(b"From ") {
                    to.write_all(b">")?;
                }
                if form.double_dots && piece.text.starts_with(b".") {
                    to.write_all(b".")?;
                }
            }
            to.write_all(piece.text)?;
            if piece.ends_line {
                to.write_all(&form.eol)?;
            }
            line_starts = piece.ends_line;
        }
        if !line_starts {
            to.write_all(&form.eol)?;
        }
        if form.blank_line {
            to.write_all(&form.eol)?;
        }
        to.flush()?;
        Ok(content.ended_well())
    };
    match write() {
        Ok(true) => Ok(()),
        Ok(false) | Err(Trouble::Damaged) => {
            mark_corrupt(&job.file, job.queue_id());
            Err(Failure::Corrupt)
        }
        Err(Trouble::Write(err)) => Err(write_failure(err)),
    }
}

/// A message that was accepted can be larger than the limit for files only where settings contradict each other: it waits for
/// better ones.
fn fits(job: &Job) -> Result<(), Failure> {
    let size = u64::try_from(job.request.data_size).unwrap_or(0);
    match pf_sys::process::file_size_limit() {
        Ok(limit) if limit < size => {
            pf_log::warning!(
                "{}: file size limit {limit} < message size {size}",
                job.queue_id()
            );
            let status = Status::new(Dsn::new(4, 3, 5), "mail system configuration error");
            Err(Failure::Told(Box::new(status), None))
        }
        _ => Ok(()),
    }
}

enum Trouble {
    Damaged,
    Write(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(err: io::Error) -> Self {
        Trouble::Write(err)
    }
}

fn read_failure(err: &io::Error) -> Failure {
    let dsn = match err.raw_os_error() {
        Some(libc::EAGAIN | libc::ESTALE) => Dsn::new(4, 3, 0),
        _ => Dsn::new(5, 3, 0),
    };
    let reason = format!("error reading message: {}", pf_config::system::reason(err));
    Failure::Told(
        Box::new(system_status(
            dsn,
            sysexits::INPUT_OUTPUT,
            reason.into_bytes(),
        )),
        None,
    )
}

/// The failure for an error while the destination is written.
pub fn write_failure(err: io::Error) -> Failure {
    let reason = format!("error writing message: {}", pf_config::system::reason(&err));
    let status = system_status(
        mailbox_dsn(&err, Dsn::new(5, 3, 0)),
        sysexits::INPUT_OUTPUT,
        reason.into_bytes(),
    );
    Failure::Told(Box::new(status), Some(err))
}

/// Tells the queue manager, by the file's mode, that the file is damaged.
pub fn mark_corrupt(file: &File, id: &str) {
    warning!("{id}: bad record in message content");
    if let Err(err) = file.set_permissions(std::fs::Permissions::from_mode(0o400)) {
        warning!("{id}: mark corrupt: {err}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_before_the_message() {
        let envelope = Envelope {
            sender: b"a b@c",
            original: b"o@x",
            delivered: b"d@x",
        };
        let text = Form::mbox(true).head(&envelope, 0);
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("From \"a b\"@c  "), "{text}");
        assert!(
            text.ends_with("Return-Path: <\"a b\"@c>\nX-Original-To: o@x\nDelivered-To: d@x\n"),
            "{text}"
        );
        let bounce = Envelope {
            sender: b"",
            original: b"",
            ..envelope
        };
        let text = String::from_utf8(Form::mbox(false).head(&bounce, 0)).unwrap();
        assert!(text.starts_with("From MAILER-DAEMON  "), "{text}");
        assert!(text.ends_with("\nReturn-Path: <>\n"), "{text}");
    }
}
