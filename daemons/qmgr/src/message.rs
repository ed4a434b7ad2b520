//! The envelope of a queue file. Pure: from records to a message.

use std::fs::File;
use std::io;

use pf_dsn::Notify;
use pf_proto::bounce::Recipient;
use pf_proto::deliver::flags;
use pf_record::{ArrivalTime, Error, Reader, RecordType, SizeRecord, set};

/// The envelope of a message, and some or all of its recipients.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    pub size: SizeRecord,
    pub arrival: ArrivalTime,
    /// When the queue file was made, by `create_time` or the file's own record.
    pub created: i64,
    pub sender: Vec<u8>,
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
    /// Takes the place of all recipients.
    pub redirect: Vec<u8>,
    pub verp: Option<Vec<u8>>,
    /// When the delay warning is due, and where that stands in the file.
    pub warn: Option<(i64, u64)>,
    pub recipients: Vec<Recipient>,
    /// Where to go on reading recipients; `None` when all were read.
    pub more: Option<u64>,
    /// Whether a sender wants to know of deliveries.
    pub tells_success: bool,
    /// How many recipients there are, done ones included, as far as was read.
    pub seen: usize,
}

/// Why a message cannot be read.
#[derive(Debug)]
pub enum Unreadable {
    /// The file is damaged.
    Damaged(String),
    /// The file cannot be read now.
    Io(io::Error),
}

impl From<Error> for Unreadable {
    fn from(err: Error) -> Self {
        match err {
            Error::Io(err) => Unreadable::Io(err),
            other => Unreadable::Damaged(other.to_string()),
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(err: io::Error) -> Self {
        Unreadable::Io(err)
    }
}

/// Reads the envelope and at most `limit` recipients that are not done with.
///
/// # Errors
/// The file is damaged or cannot be read.
pub fn read(file: &File, limit: usize) -> Result<Envelope, Unreadable> {
    let mut records = Reader::new(file);
    let mut envelope = Envelope::default();
    let mut data = Vec::new();
    let mut pending = Recipient::default();
    let mut in_extract = false;
    let (mut has_size, mut has_sender) = (false, false);
    loop {
        if envelope.recipients.len() >= limit.max(1) {
            envelope.more = Some(records.offset());
            break;
        }
        let Some((kind, offset)) = records.next_into(&mut data)? else {
            return Err(Unreadable::Damaged("unexpected end of file".into()));
        };
        let allowed = if in_extract {
            set::EXTRACT
        } else {
            set::ENVELOPE
        };
        if !kind.is_in(allowed) {
            return Err(Unreadable::Damaged(format!(
                "unexpected record type {}",
                kind.0
            )));
        }
        match kind {
            RecordType::SIZE if !has_size => {
                let (size, count) = SizeRecord::parse(&data);
                if count < 2 || size.data_offset <= 0 || size.message_size < 0 {
                    return Err(Unreadable::Damaged("bad size record".into()));
                }
                envelope.size = size;
                has_size = true;
            }
            RecordType::MESG => {
                // Past the content: what was extracted from it.
                let target = envelope
                    .size
                    .data_offset
                    .saturating_add(envelope.size.message_size);
                records.seek(
                    u64::try_from(target)
                        .map_err(|_| Unreadable::Damaged("bad size record".into()))?,
                )?;
                match records.next_into(&mut data)? {
                    Some((RecordType::XTRA, _)) => in_extract = true,
                    _ => return Err(Unreadable::Damaged("no extracted segment".into())),
                }
            }
            RecordType::END => break,
            RecordType::FROM => {
                envelope.sender.clone_from(&data);
                has_sender = true;
            }
            other => recipient_or_attribute(&mut envelope, &mut pending, other, &data, offset),
        }
    }
    if !has_size || !has_sender || envelope.arrival == ArrivalTime::default() {
        return Err(Unreadable::Damaged(
            "missing size, sender or time record".into(),
        ));
    }
    if envelope.created == 0 {
        envelope.created = envelope.arrival.seconds;
    }
    Ok(envelope)
}

/// Reads more recipients, from where an earlier read stopped.
///
/// # Errors
/// As [`read`].
pub fn read_more(file: &File, envelope: &mut Envelope, limit: usize) -> Result<(), Unreadable> {
    let Some(from) = envelope.more.take() else {
        return Ok(());
    };
    let mut records = Reader::new(file);
    records.seek(from)?;
    let mut data = Vec::new();
    let mut pending = Recipient::default();
    envelope.recipients.clear();
    let boundary = u64::try_from(envelope.size.data_offset).unwrap_or(0);
    loop {
        if envelope.recipients.len() >= limit.max(1) {
            envelope.more = Some(records.offset());
            return Ok(());
        }
        let Some((kind, offset)) = records.next_into(&mut data)? else {
            return Err(Unreadable::Damaged("unexpected end of file".into()));
        };
        match kind {
            RecordType::END => return Ok(()),
            RecordType::MESG if offset < boundary => {
                let target = envelope
                    .size
                    .data_offset
                    .saturating_add(envelope.size.message_size);
                records.seek(
                    u64::try_from(target)
                        .map_err(|_| Unreadable::Damaged("bad size record".into()))?,
                )?;
            }
            RecordType::FROM | RecordType::SIZE => {}
            other => recipient_or_attribute(envelope, &mut pending, other, &data, offset),
        }
    }
}

fn recipient_or_attribute(
    envelope: &mut Envelope,
    pending: &mut Recipient,
    kind: RecordType,
    data: &[u8],
    offset: u64,
) {
    match kind {
        RecordType::TIME if envelope.arrival == ArrivalTime::default() => {
            envelope.arrival = ArrivalTime::parse(data);
        }
        RecordType::CTIME => envelope.created = ArrivalTime::parse(data).seconds,
        RecordType::ORCPT => pending.original = data.to_vec(),
        RecordType::DSN_ORCPT => pending.dsn_original = data.to_vec(),
        RecordType::DSN_NOTIFY => {
            pending.dsn_notify = number(data);
            envelope.tells_success |= Notify::from_bits(pending.dsn_notify)
                .is_some_and(|notify| notify.contains(Notify::SUCCESS));
        }
        RecordType::RCPT => {
            envelope.seen += 1;
            pending.address = data.to_vec();
            pending.offset = i64::try_from(offset).unwrap_or(0);
            envelope.recipients.push(std::mem::take(pending));
        }
        RecordType::DONE => {
            envelope.seen += 1;
            *pending = Recipient::default();
        }
        RecordType::FILTER => envelope.filter = data.to_vec(),
        RecordType::REDIRECT => envelope.redirect = data.to_vec(),
        RecordType::VERP => envelope.verp = Some(data.to_vec()),
        RecordType::DSN_ENVID => envelope.envid = data.to_vec(),
        RecordType::DSN_RET => envelope.ret = number(data),
        RecordType::WARN => {
            let due = String::from_utf8_lossy(data).trim().parse().unwrap_or(0);
            envelope.warn = Some((due, offset)).filter(|(due, _)| *due > 0);
        }
        // Some attributes stand for records of their own.
        RecordType::ATTR => {
            if let Ok((name, value)) = pf_record::attr::split(data) {
                match pf_record::attr::record_type(name) {
                    Some(kind) => recipient_or_attribute(envelope, pending, kind, value, offset),
                    None => attribute(envelope, name, value, offset),
                }
            }
        }
        _ => {}
    }
}

fn attribute(envelope: &mut Envelope, name: &[u8], value: &[u8], offset: u64) {
    let place = match name {
        b"encoding" => &mut envelope.encoding,
        b"log_client_name" => &mut envelope.client_name,
        b"log_client_address" => &mut envelope.client_address,
        b"log_client_port" => &mut envelope.client_port,
        b"log_protocol_name" => &mut envelope.client_protocol,
        b"log_helo_name" => &mut envelope.client_helo,
        b"sasl_method" => &mut envelope.sasl_method,
        b"sasl_username" => &mut envelope.sasl_username,
        b"sasl_sender" => &mut envelope.sasl_sender,
        b"log_ident" => &mut envelope.log_ident,
        b"rewrite_context" => &mut envelope.rewrite_context,
        b"trace_flags" => {
            envelope.trace_flags = number(value) & flags::TRACE;
            envelope.record_offset = (envelope.trace_flags == flags::RECORD).then_some(offset);
            return;
        }
        b"create_time" => {
            envelope.created = i64::from(number(value));
            return;
        }
        _ => return,
    };
    // The first one counts: later ones come from forwarding inside the system.
    if place.is_empty() {
        *place = value.to_vec();
    }
}

fn number(data: &[u8]) -> i32 {
    String::from_utf8_lossy(data).trim().parse().unwrap_or(0)
}
