//! What is known about the message in work, and the way of its records into the queue file.

use std::collections::HashSet;

use pf_log::{info, warning};
use pf_mime::{HeaderKind, Machine};
use pf_proto::cleanup::{Flags, Status};
use pf_queue::{NewFile, QueueName};
use pf_record::{ArrivalTime, RecordType, attr, sendopts};

use crate::output::{Output, Trouble};
use crate::service::Service;

/// Which part of a message comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing came yet.
    Start,
    /// The envelope.
    Envelope,
    /// The envelope is over; no content came yet.
    ContentStart,
    /// Headers and body.
    Content,
    /// The content is over; nothing came after it yet.
    ExtractedStart,
    /// What was extracted from the content.
    Extracted,
}

/// Which rules headers are rewritten by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// As mail from here.
    Local,
    /// As mail from elsewhere, with `remote_header_rewrite_domain`.
    Remote,
}

impl Context {
    /// The rule's name in a rewriting request.
    pub fn rule(self) -> &'static str {
        match self {
            Context::Local => pf_proto::rewrite::LOCAL,
            Context::Remote => pf_proto::rewrite::REMOTE,
        }
    }
}

/// One message from its first record to its commit.
pub struct Message<'a> {
    pub(crate) service: &'a Service,
    pub(crate) file: NewFile,
    pub(crate) id: String,
    pub(crate) out: Output,
    pub(crate) phase: Phase,
    pub(crate) flags: Flags,
    /// All that went wrong.
    pub(crate) errors: Status,
    /// The queue file took less than was written to it.
    pub(crate) broken: bool,
    /// The errors after which nothing more is written.
    pub(crate) lethal: Status,
    pub(crate) reason: Option<Vec<u8>>,

    /// Recipient records have begun in this part.
    pub(crate) in_recipients: bool,
    pub(crate) warn_seen: bool,
    pub(crate) end_seen: bool,

    pub(crate) arrival: Option<ArrivalTime>,
    pub(crate) full_name: Option<Vec<u8>>,
    pub(crate) sender: Option<Vec<u8>>,
    pub(crate) recipient: Option<Vec<u8>>,
    pub(crate) recipients: i64,
    pub(crate) original: Option<Vec<u8>>,
    pub(crate) dsn_original: Option<Vec<u8>>,
    pub(crate) dsn_notify: i32,
    pub(crate) dsn_envid: Vec<u8>,
    pub(crate) dsn_ret: i32,
    pub(crate) verp: Option<Vec<u8>>,
    pub(crate) trace_flags: i32,
    pub(crate) traced: bool,
    pub(crate) qmgr_flags: i64,
    pub(crate) sendopts: i64,
    pub(crate) seen_before: HashSet<Vec<u8>>,
    attributes: Vec<(Vec<u8>, Vec<u8>)>,

    pub(crate) machine: Option<Machine>,
    /// The primary headers did not end with an empty line.
    pub(crate) ended_early: bool,
    pub(crate) context: Option<Context>,
    headers_seen: u64,
    pub(crate) received: i64,
    pub(crate) resent: bool,
    pub(crate) message_id: Option<Vec<u8>>,
    pub(crate) requiretls_header_seen: bool,
    pub(crate) filter: Option<Vec<u8>>,
    pub(crate) redirect: Option<Vec<u8>>,
    pub(crate) bcc: Vec<Vec<u8>>,

    pub(crate) data_offset: u64,
    pub(crate) content_length: u64,
    pub(crate) room_for_recipients: bool,
}

impl<'a> Message<'a> {
    /// A message of which nothing came yet.
    pub fn new(service: &'a Service, file: NewFile) -> Self {
        Self {
            id: file.id().as_str().to_owned(),
            service,
            file,
            out: Output::new(service.params.message_size_limit),
            phase: Phase::Start,
            flags: Flags::NONE,
            errors: Status::NONE,
            broken: false,
            lethal: Status::from_bits(u32::MAX),
            reason: None,
            in_recipients: false,
            warn_seen: false,
            end_seen: false,
            arrival: None,
            full_name: None,
            sender: None,
            recipient: None,
            recipients: 0,
            original: None,
            dsn_original: None,
            dsn_notify: 0,
            dsn_envid: Vec::new(),
            dsn_ret: 0,
            verp: None,
            trace_flags: 0,
            traced: false,
            qmgr_flags: 0,
            sendopts: 0,
            seen_before: HashSet::new(),
            attributes: vec![(attr::LOG_MESSAGE_ORIGIN.into(), b"local".to_vec())],
            machine: None,
            ended_early: false,
            context: Some(Context::Local),
            headers_seen: 0,
            received: 0,
            resent: false,
            message_id: None,
            requiretls_header_seen: false,
            filter: None,
            redirect: None,
            bcc: Vec::new(),
            data_offset: 0,
            content_length: 0,
            room_for_recipients: false,
        }
    }

    /// The queue id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The queue that the file is in.
    pub fn queue(&self) -> QueueName {
        self.file.name()
    }

    /// Takes the client's options, which come before the first record.
    pub fn control(&mut self, flags: Flags) {
        self.flags = flags;
        // A client that wants a bounce gets one with all recipients: only trouble that makes that impossible ends the work.
        self.lethal = if flags.has(Flags::BOUNCE) {
            Status::MASK_INCOMPLETE
        } else {
            Status::from_bits(u32::MAX)
        };
        if flags.has(Flags::SMTPUTF8) {
            self.sendopts |= sendopts::SMTPUTF8_REQUESTED;
        }
        if flags.has(Flags::REQTLS) {
            self.sendopts |= sendopts::REQUIRETLS_ESMTP;
        }
    }

    /// Whether records still go to the queue file.
    pub fn is_ok(&self) -> bool {
        !self.errors.has(self.lethal) && !self.flags.has(Flags::DISCARD)
    }

    /// The client broke the protocol: no message comes of it.
    pub fn bad(&mut self) {
        self.errors |= Status::BAD;
    }

    /// As [`bad`](Self::bad), with the reason in the log.
    pub(crate) fn reject(&mut self, why: std::fmt::Arguments<'_>) {
        warning!("{}: message rejected: {why}", self.id);
        self.bad();
    }

    /// A table or service has no answer just now.
    pub(crate) fn unavailable(&mut self, table: &str, key: Option<&[u8]>) {
        match key {
            Some(key) => warning!(
                "{}: {table} map lookup problem for {} -- message not accepted, try again later",
                self.id,
                crate::Show(key)
            ),
            None => warning!(
                "{}: {table} map lookup problem -- message not accepted, try again later",
                self.id
            ),
        }
        self.errors |= Status::WRITE;
    }

    /// Writes a record.
    pub(crate) fn put(&mut self, kind: RecordType, mut data: &[u8]) {
        if !self.is_ok() {
            return;
        }
        if matches!(kind, RecordType::NORM | RecordType::CONT) {
            let most = self.service.params.line_length_limit;
            while data.len() > most {
                let Some((head, tail)) = data.split_at_checked(most) else {
                    break;
                };
                self.out.put(RecordType::CONT, head);
                data = tail;
            }
        }
        self.out.put(kind, data);
        if self.out.is_full() {
            self.spill();
        }
    }

    /// Writes a named attribute.
    pub(crate) fn put_attribute(&mut self, name: &str, value: &[u8]) {
        self.put(RecordType::ATTR, &[name.as_bytes(), b"=", value].concat());
    }

    /// Writes an empty pointer record where later edits may need one.
    pub(crate) fn put_room(&mut self) {
        self.put(RecordType::POINTER, &pf_record::pointer(0));
    }

    /// Writes a record that takes this many bytes, or the few that it needs.
    pub(crate) fn put_padding(&mut self, kind: RecordType, bytes: usize) {
        let width = bytes.saturating_sub(2).max(1);
        self.put(kind, format!("{:>width$}", "0").as_bytes());
    }

    /// Sends what was gathered to the file.
    pub(crate) fn spill(&mut self) {
        let result = match self.file.file() {
            Ok(file) => self.out.spill(file),
            Err(err) => Err(Trouble::Io(err)),
        };
        match result {
            Ok(()) => {}
            Err(Trouble::TooLarge) => {
                warning!("{}: queue file size limit exceeded", self.id);
                self.errors |= Status::SIZE;
                self.broken = true;
            }
            Err(Trouble::Io(err)) => self.write_error(&err),
        }
    }

    /// The file system refused.
    pub(crate) fn write_error(&mut self, err: &std::io::Error) {
        self.broken = true;
        if err.raw_os_error() == Some(libc::EFBIG) {
            warning!("{}: queue file size limit exceeded", self.id);
            self.errors |= Status::SIZE;
        } else {
            warning!(
                "{}: write queue file: {}",
                self.id,
                pf_sys::error::text(err)
            );
            self.errors |= Status::WRITE;
        }
    }

    /// A named attribute of the message.
    pub(crate) fn attribute(&self, name: &str) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name.as_bytes())
            .map(|(_, value)| value.as_slice())
    }

    /// Sets a named attribute.
    pub(crate) fn set_attribute(&mut self, name: &[u8], value: &[u8]) {
        match self.attributes.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_vec(),
            None => self.attributes.push((name.to_vec(), value.to_vec())),
        }
    }

    /// How many named attributes there are.
    pub(crate) fn attribute_count(&self) -> usize {
        self.attributes.len()
    }

    /// Remembers that a header is there.
    pub(crate) fn mark_seen(&mut self, kind: HeaderKind) {
        self.headers_seen |= 1 << kind as u8;
    }

    /// Whether a header is there.
    pub(crate) fn has_seen(&self, kind: HeaderKind) -> bool {
        self.headers_seen & (1 << kind as u8) != 0
    }

    /// Whether text goes to the message as SMTPUTF8 would have it: remembered in the flags.
    pub(crate) fn note_utf8(&mut self, flag: i64) {
        self.sendopts |= flag;
        if self.flags.has(Flags::AUTOUTF8) {
            self.sendopts |= sendopts::SMTPUTF8_REQUESTED;
        }
    }

    /// Whether an address needs SMTPUTF8.
    pub(crate) fn is_utf8(&self, address: &[u8]) -> bool {
        self.service.params.smtputf8_enable
            && !address.is_ascii()
            && std::str::from_utf8(address).is_ok()
    }

    /// An address in a log line.
    pub(crate) fn log_address(&self, address: &[u8]) -> Vec<u8> {
        if self.service.params.info_log_external && !address.is_empty() {
            pf_address::quote_822(address).into_owned()
        } else {
            address.to_vec()
        }
    }

    /// A line about this message.
    pub(crate) fn log(&self, what: std::fmt::Arguments<'_>) {
        info!("{}: {what}", self.id);
    }
}
