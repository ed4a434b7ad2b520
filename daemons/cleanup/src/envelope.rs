//! The records before the content.

use pf_dsn::{Notify, Ret};
use pf_log::warning;
use pf_proto::cleanup::Flags;
use pf_record::{ArrivalTime, RecordType, SizeRecord, attr, sendopts, set, warn_time};

use crate::Show;
use crate::message::{Context, Message, Phase};

/// A hint for the queue manager: other records stand among the recipients.
const MIXED_RECIPIENTS: i64 = 1;

/// Delivery flags that a message may carry as `trace_flags`: probes, records, delay notices.
const TRACE_MASK: i32 = (1 << 8) | (1 << 9) | (1 << 10) | (1 << 13);

/// What an ATTR record says, when it says something of its own.
enum Attribute<'d> {
    /// It stands for a record type.
    Mapped(RecordType, &'d [u8]),
    /// A named attribute.
    Named(&'d [u8], &'d [u8]),
    /// Nothing to do.
    Skip,
}

impl Message<'_> {
    /// Takes a record of the envelope.
    pub(crate) async fn envelope_record(&mut self, kind: RecordType, data: &[u8]) {
        if self.phase == Phase::Start {
            // The numbers are known at the end; the record is there to be overwritten.
            self.put(RecordType::SIZE, &SizeRecord::default().encode());
            self.phase = Phase::Envelope;
        }
        let data = until_nul(data);
        if kind == RecordType::FLAGS {
            self.extra_flags(data);
            return;
        }
        if kind == RecordType::MILTER_COUNT {
            if leading_int(data) >= 0 {
                self.reject(format_args!("milters are not supported"));
            }
            return;
        }
        let mut meaning = kind;
        let mut value = data;
        let mut name: &[u8] = b"";
        if kind == RecordType::ATTR {
            match self.parse_attribute(data) {
                Attribute::Skip => return,
                Attribute::Mapped(mapped, text) => {
                    meaning = mapped;
                    value = text;
                }
                Attribute::Named(key, text) => {
                    name = key;
                    value = text;
                }
            }
        }
        if !kind.is_in(set::ENVELOPE) {
            self.reject(format_args!(
                "unexpected record type {} in envelope",
                kind.0
            ));
            return;
        }
        if !self.in_recipients && kind.is_in(set::ENVELOPE_RECIPIENTS) && !self.begin_recipients() {
            return;
        }
        if self
            .recipient_record(kind, meaning, value, data, "DSN")
            .await
        {
            return;
        }
        if kind == RecordType::MESG {
            self.phase = Phase::ContentStart;
            if self.in_recipients && self.service.params.leave_room {
                self.put_room();
                self.room_for_recipients = true;
            }
            self.in_recipients = false;
            return;
        }
        if self.in_recipients {
            self.qmgr_flags |= MIXED_RECIPIENTS;
        }
        self.other_envelope_record(kind, meaning, name, value, data)
            .await;
    }

    /// A record of the envelope that does not belong to a recipient.
    async fn other_envelope_record(
        &mut self,
        kind: RecordType,
        meaning: RecordType,
        name: &[u8],
        value: &[u8],
        data: &[u8],
    ) {
        match (kind, meaning) {
            (RecordType::SIZE, _) => {
                // From a message that is queued again: what its sender asked for stays.
                let (size, count) = SizeRecord::parse(data);
                if count == 6 {
                    self.sendopts = size.sendopts;
                }
                self.sendopts &= !sendopts::DERIVED;
            }
            (_, RecordType::CTIME) => {}
            (RecordType::TIME, _) => {
                if self.arrival.is_none() {
                    let arrival = ArrivalTime::parse(data);
                    self.arrival = (arrival.seconds != 0).then_some(arrival);
                    self.put(kind, data);
                }
                let now = ArrivalTime::from(std::time::SystemTime::now()).seconds;
                self.put_attribute(attr::CREATE_TIME, now.to_string().as_bytes());
            }
            (RecordType::FULL, _) => {
                if self.full_name.is_none() {
                    self.full_name = Some(data.to_vec());
                    self.put(kind, data);
                }
            }
            (RecordType::FROM, _) => {
                if self.sender.is_some() {
                    self.reject(format_args!("multiple envelope sender records"));
                } else {
                    self.sender_record(data).await;
                }
            }
            (_, RecordType::DSN_ENVID) => {
                if value
                    .iter()
                    .all(|&ch| ch == b'\t' || (b' '..=b'~').contains(&ch))
                {
                    self.dsn_envid = value.to_vec();
                    self.put(kind, data);
                } else {
                    self.reject(format_args!("bad DSN envelope ID record"));
                }
            }
            (_, RecordType::DSN_RET) => match all_digits(value)
                .filter(|&bits| bits != 0 && Ret::from_bits(bits).is_some())
            {
                Some(bits) => {
                    self.dsn_ret = bits;
                    self.put(kind, data);
                }
                None => self.reject(format_args!("bad DSN RET record <{:.200}>", Show(data))),
            },
            (RecordType::WARN, _) => {
                if !self.warn_seen {
                    self.warn_seen = true;
                    self.put(kind, data);
                }
            }
            (RecordType::VERP, _) => self.verp_record(data),
            (RecordType::ATTR, _) => self.named_attribute(name, value, data),
            _ => self.put(kind, data),
        }
    }

    /// Recipients begin: sender and time have to be known by now.
    fn begin_recipients(&mut self) -> bool {
        let Some(sender) = &self.sender else {
            self.reject(format_args!("missing sender envelope record"));
            return false;
        };
        let Some(arrival) = self.arrival else {
            self.reject(format_args!("missing time envelope record"));
            return false;
        };
        let delay = self.service.params.delay_warning_time;
        if !self.warn_seen && !sender.is_empty() && !delay.is_zero() {
            let delay = i64::try_from(delay.as_secs()).unwrap_or(i64::MAX);
            self.put(
                RecordType::WARN,
                &warn_time(arrival.seconds.saturating_add(delay)),
            );
        }
        self.in_recipients = true;
        true
    }

    /// A record that belongs to a recipient, in the envelope or behind the content; `false`: it does not.
    pub(crate) async fn recipient_record(
        &mut self,
        kind: RecordType,
        meaning: RecordType,
        value: &[u8],
        data: &[u8],
        dsn: &str,
    ) -> bool {
        match (kind, meaning) {
            (RecordType::RCPT, _) => {
                if self.sender.is_none() {
                    self.reject(format_args!("envelope recipient precedes sender"));
                    return true;
                }
                if self.original.is_none() {
                    self.original = Some(data.to_vec());
                }
                self.recipient_address(data).await;
                self.forget_recipient();
            }
            (RecordType::DONE | RecordType::CANCELLED, _) => self.forget_recipient(),
            (_, RecordType::DSN_ORCPT) => {
                if let Some(old) = self.dsn_original.replace(value.to_vec()) {
                    warning!(
                        "{}: ignoring out-of-order DSN original recipient record <{:.200}>",
                        self.id,
                        Show(&old)
                    );
                }
            }
            (_, RecordType::DSN_NOTIFY) => {
                if self.dsn_notify != 0 {
                    warning!(
                        "{}: ignoring out-of-order DSN notify record <{}>",
                        self.id,
                        self.dsn_notify
                    );
                    self.dsn_notify = 0;
                }
                match all_digits(value)
                    .filter(|&bits| bits != 0 && Notify::from_bits(bits).is_some())
                {
                    Some(bits) => {
                        self.dsn_notify = bits;
                        self.qmgr_flags |= i64::from(bits) << 1;
                    }
                    None => warning!(
                        "{}: ignoring malformed {dsn} notify record <{:.200}>",
                        self.id,
                        Show(data)
                    ),
                }
            }
            (RecordType::ORCPT, _) => {
                if let Some(old) = self.original.replace(data.to_vec()) {
                    warning!(
                        "{}: ignoring out-of-order original recipient record <{:.200}>",
                        self.id,
                        Show(&old)
                    );
                }
            }
            _ => return false,
        }
        true
    }

    fn forget_recipient(&mut self) {
        self.original = None;
        self.dsn_original = None;
        self.dsn_notify = 0;
    }

    /// More of the client's options, sent when policy has spoken.
    pub(crate) fn extra_flags(&mut self, data: &[u8]) {
        let extra = Flags::from_bits(leading_int(data).cast_unsigned());
        if extra.without(Flags::MASK_EXTRA).is_empty() {
            self.flags |= extra;
        } else {
            warning!(
                "{}: ignoring bad extra flags: 0x{:x}",
                self.id,
                extra.bits()
            );
        }
    }

    fn verp_record(&mut self, data: &[u8]) {
        if self.verp.is_some() {
            return;
        }
        if self.sender.as_ref().is_none_or(Vec::is_empty) {
            warning!("{}: ignoring VERP request for null sender", self.id);
        } else if data.len() != 2
            || !data
                .iter()
                .all(|ch| self.service.params.verp_delimiter_filter.contains(ch))
        {
            warning!(
                "{}: ignoring bad VERP request: \"{:.100}\"",
                self.id,
                Show(data)
            );
        } else {
            self.verp = Some(data.to_vec());
            self.put(RecordType::VERP, data);
        }
    }

    fn named_attribute(&mut self, name: &[u8], value: &[u8], data: &[u8]) {
        let most = self.service.params.queue_file_attribute_count_limit;
        if self.attribute_count() >= most {
            self.reject(format_args!("attribute count exceeds limit {most}"));
            return;
        }
        if name == attr::REWRITE_CONTEXT.as_bytes() {
            self.context = match value {
                b"local" => Some(Context::Local),
                b"remote" if self.service.params.remote_header_rewrite_domain.is_empty() => None,
                b"remote" => Some(Context::Remote),
                _ => {
                    self.reject(format_args!("bad rewriting context: {:.100}", Show(value)));
                    return;
                }
            };
        }
        if name == attr::TRACE_FLAGS.as_bytes() {
            let Some(flags) = all_digits(value) else {
                self.reject(format_args!("bad TFLAG record <{:.200}>", Show(data)));
                return;
            };
            if self.trace_flags == 0 {
                self.trace_flags = flags & TRACE_MASK;
            }
        }
        self.set_attribute(name, value);
        self.put(RecordType::ATTR, data);
    }

    fn parse_attribute<'d>(&mut self, data: &'d [u8]) -> Attribute<'d> {
        match attr::split(data) {
            Err(why) => {
                self.reject(format_args!(
                    "malformed attribute: {why}: {:.100}",
                    Show(data)
                ));
                Attribute::Skip
            }
            // An empty value stands for one that is not known.
            Ok((name, b"")) => {
                warning!(
                    "{}: spurious null attribute value for \"{}\" -- ignored",
                    self.id,
                    Show(name)
                );
                Attribute::Skip
            }
            Ok((name, value)) => match attr::record_type(name) {
                Some(kind) => Attribute::Mapped(kind, value),
                None => Attribute::Named(name, value),
            },
        }
    }

    /// The meaning and value of a record behind the content; `None`: it is not to be looked at further.
    pub(crate) fn extracted_meaning<'d>(
        &mut self,
        kind: RecordType,
        data: &'d [u8],
    ) -> Option<(RecordType, &'d [u8])> {
        if kind != RecordType::ATTR {
            return Some((kind, data));
        }
        match self.parse_attribute(data) {
            Attribute::Skip => None,
            Attribute::Mapped(mapped, value) => Some((mapped, value)),
            Attribute::Named(..) => Some((kind, data)),
        }
    }

    /// Tells the queue manager of records among the recipients.
    pub(crate) fn mixed_recipients(&mut self) {
        self.qmgr_flags |= MIXED_RECIPIENTS;
    }
}

/// Like a C string, what is not content ends at a NUL.
pub(crate) fn until_nul(data: &[u8]) -> &[u8] {
    memchr::memchr(0, data)
        .and_then(|at| data.get(..at))
        .unwrap_or(data)
}

/// A number of digits only; too large a one is none.
fn all_digits(text: &[u8]) -> Option<i32> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A number as `atoi` reads it.
fn leading_int(text: &[u8]) -> i32 {
    let text = text.trim_ascii_start();
    let len = text
        .iter()
        .enumerate()
        .take_while(|(at, ch)| ch.is_ascii_digit() || (*at == 0 && matches!(ch, b'-' | b'+')))
        .count();
    let number = text.get(..len).unwrap_or_default();
    std::str::from_utf8(number)
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}
