//! The envelope of a queue file: from records to a message, with the complaints that belong to a damaged one.

use std::fs::File;
use std::io;

use pf_dsn::{Notify, Ret};
use pf_log::{info, warning};
use pf_proto::bounce::Recipient;
use pf_proto::deliver::flags;
use pf_record::{ArrivalTime, Error, Reader, RecordType, SizeRecord, sendopts, set};

/// The envelope of a message, and some or all of its recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    pub size: SizeRecord,
    pub arrival: ArrivalTime,
    /// When the queue file was made, by `create_time` or the file's own record.
    pub created: i64,
    pub sender: Vec<u8>,
    has_sender: bool,
    pub encoding: Vec<u8>,
    pub client_name: Vec<u8>,
    pub client_address: Vec<u8>,
    pub client_port: Vec<u8>,
    pub client_protocol: Vec<u8>,
    pub client_helo: Vec<u8>,
    pub sasl_method: Vec<u8>,
    pub sasl_username: Vec<u8>,
    pub sasl_sender: Vec<u8>,
    pub log_ident: Vec<u8>,
    pub rewrite_context: Vec<u8>,
    pub envid: Vec<u8>,
    pub ret: i32,
    pub trace_flags: i32,
    /// Where a request to report deliveries stands in the file, once.
    pub record_offset: Option<u64>,
    /// `transport:nexthop` for all recipients.
    pub filter: Vec<u8>,
    /// Written for a content inspector: deliveries are not reported as sent by this message's own wish.
    pub inspect: bool,
    /// Takes the place of all recipients.
    pub redirect: Option<Vec<u8>>,
    pub verp: Option<Vec<u8>>,
    /// When the delay warning is due, and where that stands in the file; 0 for never, less once it was sent.
    pub warn: Option<(i64, u64)>,
    pub recipients: Vec<Recipient>,
    /// Where to go on reading recipients; `None` when all were read.
    pub more: Option<u64>,
    /// How many recipients were not read yet, done ones included.
    pub unread: i64,
    /// Whether the client attributes are those for the log, which others do not replace.
    has_log_client: bool,
    /// Whether all records but those of recipients are known.
    complete: bool,
}

/// Why a message cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// The file is damaged; the log tells how.
    Damaged,
    /// The file cannot be read now.
    Io(io::Error),
}

impl Envelope {
    /// Whether a sender wants to know of deliveries, as the size record has it.
    pub fn tells_success(&self) -> bool {
        self.size.qmgr_flags & (i64::from(Notify::SUCCESS.bits()) << 1) != 0
    }
}

impl From<io::Error> for Unreadable {
    fn from(err: io::Error) -> Self {
        Unreadable::Io(err)
    }
}

/// The only flag of a size record that is not about `NOTIFY`: other records stand among the recipients.
const MIXED: i64 = 1;
const SIZE_FLAGS: i64 = 0x1f;

/// What stands before a recipient and is about it.
#[derive(Default)]
struct Pending {
    original: Option<Vec<u8>>,
    dsn_original: Option<Vec<u8>>,
    dsn_notify: i32,
}

/// Reads the envelope of message `id` and at most `limit` recipients that are not done with.
///
/// # Errors
/// The file is damaged or cannot be read.
pub fn read(file: &File, id: &str, limit: usize) -> Result<Envelope, Unreadable> {
    let mut envelope = Envelope::default();
    scan(file, id, &mut envelope, limit)?;
    let missing = if envelope.arrival.seconds == 0 {
        "arrival time"
    } else if !envelope.has_sender {
        "sender"
    } else if envelope.size.data_offset == 0 {
        "size"
    } else {
        if envelope.created == 0 {
            envelope.created = envelope.arrival.seconds;
        }
        return Ok(envelope);
    };
    warning!("{id}: message rejected: missing {missing} record");
    Err(Unreadable::Damaged)
}

/// Reads more recipients, from where an earlier read stopped. Those that were read before are forgotten.
///
/// # Errors
/// As [`read`].
pub fn read_more(
    file: &File,
    id: &str,
    envelope: &mut Envelope,
    limit: usize,
) -> Result<(), Unreadable> {
    envelope.recipients.clear();
    scan(file, id, envelope, limit)
}

/// Reads from the beginning, or from where an earlier read stopped. All that is not a recipient is found in the first read, also
/// what stands behind the content: a filter must be known for the first recipient.
fn scan(file: &File, id: &str, envelope: &mut Envelope, limit: usize) -> Result<(), Unreadable> {
    let read = records(file, id, envelope, limit);
    if envelope.unread < 0 || (envelope.more.is_none() && envelope.unread != 0) {
        warning!("{id}: rcpt count mismatch ({})", envelope.unread);
        envelope.unread = 0;
    }
    read
}

fn records(file: &File, id: &str, envelope: &mut Envelope, limit: usize) -> Result<(), Unreadable> {
    let mut records = Reader::new(file);
    if let Some(from) = envelope.more.take() {
        records.seek(from)?;
    }
    let mut data = Vec::new();
    let mut pending = Pending::default();
    loop {
        let mut offset = records.offset();
        let data_offset = u64::try_from(envelope.size.data_offset).unwrap_or(0);
        let behind_content = data_offset > 0 && offset == data_offset;
        if behind_content {
            offset += u64::try_from(envelope.size.message_size).unwrap_or(0);
            records.seek(offset)?;
        }
        let kind = match records.read_into(&mut data) {
            Ok(Some(RecordType::POINTER)) => match records.follow(&data) {
                Ok(()) => continue,
                Err(err) => return Err(damaged(id, err)),
            },
            Ok(Some(kind)) if kind.0 != 0 => kind,
            Ok(_) => {
                warning!("{id}: message rejected: missing end record");
                return Err(Unreadable::Damaged);
            }
            Err(err) => {
                let why = damaged(id, err);
                if let Unreadable::Damaged = why {
                    warning!("{id}: message rejected: missing end record");
                }
                return Err(why);
            }
        };
        let expected = if behind_content {
            kind == RecordType::XTRA
        } else {
            kind.is_in(set::ENVELOPE) || kind.is_in(set::EXTRACT)
        };
        if !expected {
            warning!(
                "Unexpected record type '{}' at offset {offset}",
                if kind.0.is_ascii_graphic() || kind.0 == b' ' {
                    char::from(kind.0)
                } else {
                    '?'
                }
            );
            return Err(Unreadable::Damaged);
        }
        match kind {
            RecordType::END => {
                envelope.complete = true;
                break;
            }
            RecordType::RCPT if envelope.more.is_none() => {
                envelope.unread -= 1;
                let about = std::mem::take(&mut pending);
                envelope.recipients.push(Recipient {
                    address: data.clone(),
                    offset: i64::try_from(offset).unwrap_or(0),
                    original: about.original.unwrap_or_default(),
                    dsn_original: about.dsn_original.unwrap_or_default(),
                    dsn_notify: about.dsn_notify,
                });
                if envelope.recipients.len() < limit.max(1) {
                    continue;
                }
                envelope.more = Some(records.offset());
                if envelope.complete {
                    break;
                }
                if envelope.size.qmgr_flags & MIXED != 0 {
                    continue;
                }
                if offset > data_offset {
                    envelope.complete = true;
                    break;
                }
                records.seek(data_offset)?;
            }
            RecordType::DONE if envelope.more.is_none() => {
                envelope.unread -= 1;
                pending = Pending::default();
            }
            RecordType::RCPT | RecordType::DONE => {}
            _ => record(envelope, &mut pending, id, kind, &data, offset)?,
        }
    }
    if let Some(old) = &pending.dsn_original {
        let old = String::from_utf8_lossy(old);
        warning!("{id}: ignoring out-of-order DSN original recipient <{old:.200}>");
    }
    if let Some(old) = &pending.original {
        let old = String::from_utf8_lossy(old);
        warning!("{id}: ignoring out-of-order original recipient <{old:.200}>");
    }
    Ok(())
}

fn damaged(id: &str, err: Error) -> Unreadable {
    if let Error::Io(err) = err {
        return Unreadable::Io(err);
    }
    warning!("active/{id}: {err}");
    Unreadable::Damaged
}

/// A record that is neither an end nor a recipient.
fn record(
    envelope: &mut Envelope,
    pending: &mut Pending,
    id: &str,
    kind: RecordType,
    data: &[u8],
    offset: u64,
) -> Result<(), Unreadable> {
    let text = String::from_utf8_lossy(data);
    let rcpt = envelope.more.is_none();
    match kind {
        RecordType::ORCPT => {
            if let Some(old) = pending.original.take() {
                let old = String::from_utf8_lossy(&old);
                warning!("{id}: ignoring out-of-order original recipient <{old:.200}>");
            }
            pending.original = rcpt.then(|| data.to_vec());
        }
        RecordType::DSN_ORCPT => {
            if let Some(old) = pending.dsn_original.take() {
                let old = String::from_utf8_lossy(&old);
                warning!("{id}: ignoring out-of-order DSN original recipient address <{old:.200}>");
            }
            pending.dsn_original = rcpt.then(|| data.to_vec());
        }
        RecordType::DSN_NOTIFY => {
            if pending.dsn_notify != 0 {
                let old = std::mem::take(&mut pending.dsn_notify);
                warning!("{id}: ignoring out-of-order DSN notify flags <{old}>");
            }
            if rcpt {
                match decimal(data).filter(|bits| *bits != 0 && Notify::from_bits(*bits).is_some())
                {
                    Some(bits) => pending.dsn_notify = bits,
                    None => warning!("{id}: ignoring malformed DSN notify flags <{text:.200}>"),
                }
            }
        }
        // Some attributes stand for records of their own.
        RecordType::ATTR => match pf_record::attr::split(data) {
            Ok((name, value)) => match pf_record::attr::record_type(name) {
                Some(kind) => return record(envelope, pending, id, kind, value, offset),
                None if !envelope.complete => attribute(envelope, id, name, value, offset),
                None => {}
            },
            Err(err) => {
                warning!("{id}: bad attribute record: {err}: {text:.200}");
                return Err(Unreadable::Damaged);
            }
        },
        _ if envelope.complete => {}
        RecordType::SIZE => return size(envelope, id, data),
        RecordType::FROM if !envelope.has_sender => {
            envelope.sender = data.to_vec();
            envelope.has_sender = true;
            info!(
                "{id}: from=<{}>, size={}, nrcpt={} (queue active)",
                pf_address::shown(data),
                envelope.size.content_length,
                envelope.unread
            );
        }
        RecordType::TIME if envelope.arrival.seconds == 0 => {
            envelope.arrival = ArrivalTime::parse(data);
        }
        RecordType::CTIME if envelope.created == 0 => {
            envelope.created = ArrivalTime::parse(data).seconds;
        }
        RecordType::FILTER => envelope.filter = data.to_vec(),
        RecordType::INSPECT => envelope.inspect = true,
        RecordType::REDIRECT => envelope.redirect = Some(data.to_vec()),
        // Milters may replace both.
        RecordType::DSN_ENVID => envelope.envid = data.to_vec(),
        RecordType::DSN_RET => match decimal(data).filter(|ret| Ret::from_bits(*ret).is_some()) {
            Some(ret) => envelope.ret = ret,
            None => {
                warning!("{id}: ignoring malformed DSN RET flags in queue file record:{text:.100}")
            }
        },
        RecordType::WARN if envelope.warn.is_none() => {
            envelope.warn = Some((ArrivalTime::parse(data).seconds, offset));
        }
        RecordType::VERP if envelope.verp.is_none() => {
            if envelope.sender.is_empty() {
                warning!("{id}: ignoring VERP request for null sender");
            } else if data.len() != 2 {
                warning!("{id}: ignoring bad VERP request: \"{text:.100}\"");
            } else {
                envelope.verp = Some(data.to_vec());
            }
        }
        _ => {}
    }
    Ok(())
}

fn size(envelope: &mut Envelope, id: &str, data: &[u8]) -> Result<(), Unreadable> {
    let text = String::from_utf8_lossy(data);
    if envelope.size.data_offset == 0 {
        let (size, count) = SizeRecord::parse(data);
        if count < 3 {
            warning!("{id}: message rejected: weird size record");
            return Err(Unreadable::Damaged);
        }
        envelope.unread += size.recipients;
        if size.data_offset <= 0 || size.message_size <= 0 {
            warning!("{id}: invalid size record: {text:.100}");
            return Err(Unreadable::Damaged);
        }
        if size.qmgr_flags & !SIZE_FLAGS != 0 {
            warning!("{id}: invalid flags in size record: {text:.100}");
            return Err(Unreadable::Damaged);
        }
        envelope.size = size;
        if count < 4 {
            envelope.size.qmgr_flags = MIXED;
        }
        envelope.size.sendopts &= sendopts::ALL;
    }
    // Before Postfix 2.4 there was only one size.
    if envelope.size.content_length == 0 {
        envelope.size.content_length = envelope.size.message_size;
    } else if envelope.size.content_length < 0 {
        warning!("{id}: invalid size record: {text:.100}");
        return Err(Unreadable::Damaged);
    }
    Ok(())
}

fn attribute(envelope: &mut Envelope, id: &str, name: &[u8], value: &[u8], offset: u64) {
    // What the log shows of the client. Before Postfix 2.3 those were the names of the client's own attributes.
    let log = match name {
        b"log_client_name" | b"client_name" => Some(&mut envelope.client_name),
        b"log_client_address" | b"client_address" => Some(&mut envelope.client_address),
        b"log_client_port" | b"client_port" => Some(&mut envelope.client_port),
        b"log_protocol_name" | b"protocol_name" => Some(&mut envelope.client_protocol),
        b"log_helo_name" | b"helo_name" => Some(&mut envelope.client_helo),
        _ => None,
    };
    if let Some(place) = log {
        if name.starts_with(b"log_") {
            *place = value.to_vec();
            envelope.has_log_client = true;
        } else if !envelope.has_log_client && place.is_empty() {
            *place = value.to_vec();
        }
        return;
    }
    let place = match name {
        b"encoding" => {
            envelope.encoding = value.to_vec();
            return;
        }
        b"trace_flags" if envelope.trace_flags == 0 => {
            envelope.trace_flags = decimal(value).unwrap_or(0) & flags::TRACE;
            envelope.record_offset = (envelope.trace_flags == flags::RECORD).then_some(offset);
            return;
        }
        b"sasl_method" => &mut envelope.sasl_method,
        b"sasl_username" => &mut envelope.sasl_username,
        b"sasl_sender" => &mut envelope.sasl_sender,
        b"log_ident" => &mut envelope.log_ident,
        b"rewrite_context" => &mut envelope.rewrite_context,
        _ => return,
    };
    // The first one counts.
    if place.is_empty() {
        *place = value.to_vec();
    } else {
        warning!(
            "{id}: ignoring multiple {} attribute: {}",
            String::from_utf8_lossy(name),
            String::from_utf8_lossy(value)
        );
    }
}

/// A number of digits only.
fn decimal(data: &[u8]) -> Option<i32> {
    let digits = !data.is_empty() && data.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(data)
        .ok()
        .filter(|_| digits)?
        .parse()
        .ok()
}
