//! Messages that the mail system makes itself: notices, bounces, probes.

use std::time::SystemTime;

use super::{Flags, put_record};

/// Where a message comes from: decides on content inspection and on SMTPUTF8 detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Source {
    /// The `sendmail` command.
    Sendmail = 1,
    /// The SMTP server.
    Smtpd = 1 << 1,
    /// The QMQP server.
    Qmqpd = 1 << 2,
    /// Forwarding and aliases of `local`.
    Forward = 1 << 3,
    /// The bounce service.
    Bounce = 1 << 4,
    /// Postmaster notices of the SMTP server and client.
    Notify = 1 << 5,
    /// Address verification probes.
    Verify = 1 << 6,
}

/// A set of sources, as `internal_mail_filter_classes` and `smtputf8_autodetect_classes` name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SourceSet(u32);

impl SourceSet {
    /// Parses names between blanks and commas; the error is the name that is not known.
    ///
    /// # Errors
    /// A name is not known.
    pub fn parse(text: &str) -> Result<Self, &str> {
        let mut bits = 0;
        for name in text
            .split([' ', '\t', '\r', '\n', ','])
            .filter(|name| !name.is_empty())
        {
            bits |= match name.to_ascii_lowercase().as_str() {
                "sendmail" => Source::Sendmail as u32,
                "smtpd" => Source::Smtpd as u32,
                "qmqpd" => Source::Qmqpd as u32,
                "forward" => Source::Forward as u32,
                "bounce" => Source::Bounce as u32,
                "notify" => Source::Notify as u32,
                "verify" => Source::Verify as u32,
                "all" => 0x7f,
                _ => return Err(name),
            };
        }
        Ok(Self(bits))
    }

    /// Whether the source is in the set.
    pub fn has(self, source: Source) -> bool {
        self.0 & source as u32 != 0
    }
}

/// The envelope and first headers of such a message.
#[derive(Debug, Clone)]
pub struct Post<'a> {
    /// The envelope sender; may be empty.
    pub sender: &'a [u8],
    /// The envelope recipient.
    pub recipient: &'a [u8],
    /// Who makes the message.
    pub source: Source,
    /// How it is to be delivered (`DEL_REQ_FLAG_…`); 0 as a rule.
    pub trace_flags: u32,
    /// Whether the message is known to need SMTPUTF8.
    pub smtputf8: bool,
    /// Whether the message is to be delivered over TLS only.
    pub requiretls: bool,
    /// `myhostname`.
    pub myhostname: &'a [u8],
    /// `mail_name`.
    pub mail_name: &'a [u8],
}

impl Post<'_> {
    /// The options for the submission. `filtered` is `internal_mail_filter_classes` (of which only `bounce` and `notify`
    /// count), `autodetected` is `smtputf8_autodetect_classes` (empty with `smtputf8_enable = no`).
    pub fn flags(&self, filtered: SourceSet, autodetected: SourceSet) -> Flags {
        let mut flags = Flags::MASK_INTERNAL;
        if matches!(self.source, Source::Bounce | Source::Notify) && filtered.has(self.source) {
            flags |= Flags::FILTER_ALL;
        }
        if autodetected.has(self.source) {
            flags |= Flags::AUTOUTF8;
        }
        if self.requiretls {
            flags |= Flags::REQTLS;
        }
        if self.smtputf8 {
            flags |= Flags::SMTPUTF8;
        }
        flags
    }

    /// The records up to and with the `Received:` and `Date:` headers, for [`Submission::push_encoded`](super::Submission).
    /// `date` is `now` in the form of RFC 5322. The caller goes on with more headers, the empty line, the body, and the
    /// records [`END`].
    pub fn records(&self, queue_id: &[u8], now: SystemTime, date: &str) -> Vec<u8> {
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let mut records = Vec::with_capacity(512);
        let time = format!("{} {}", since.as_secs(), since.subsec_micros());
        put_record(&mut records, b'T', &[time.as_bytes()]);
        put_record(&mut records, b'A', &[b"log_message_origin=local"]);
        let trace = format!("trace_flags={}", self.trace_flags);
        put_record(&mut records, b'A', &[trace.as_bytes()]);
        put_record(&mut records, b'S', &[self.sender]);
        put_record(&mut records, b'R', &[self.recipient]);
        put_record(&mut records, b'M', &[]);
        put_record(
            &mut records,
            b'N',
            &[
                b"Received: by ",
                self.myhostname,
                b" (",
                self.mail_name,
                b")",
            ],
        );
        put_record(
            &mut records,
            b'N',
            &[b"\tid ", queue_id, b"; ", date.as_bytes()],
        );
        put_record(&mut records, b'N', &[b"Date: ", date.as_bytes()]);
        records
    }
}

/// The records that end a message made by [`Post`].
pub const END: &[u8] = b"X\0E\0";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_notices_are_filtered() {
        let all = SourceSet::parse("bounce, notify").unwrap();
        let mut post = Post {
            sender: b"",
            recipient: b"a@b",
            source: Source::Bounce,
            trace_flags: 0,
            smtputf8: false,
            requiretls: false,
            myhostname: b"h",
            mail_name: b"Postfix",
        };
        assert!(post.flags(all, SourceSet::default()).has(Flags::FILTER));
        post.source = Source::Verify;
        assert_eq!(
            post.flags(all, SourceSet::parse("all").unwrap()),
            Flags::MAP_OK | Flags::AUTOUTF8
        );
        assert_eq!(SourceSet::parse("bounce x"), Err("x"));
    }

    #[test]
    fn a_notice_begins_with_its_envelope() {
        let post = Post {
            sender: b"",
            recipient: b"a@b",
            source: Source::Notify,
            trace_flags: 0,
            smtputf8: false,
            requiretls: false,
            myhostname: b"h",
            mail_name: b"Postfix",
        };
        let records = post.records(b"ID", SystemTime::UNIX_EPOCH, "D");
        assert_eq!(
            records,
            b"T\x030 0A\x18log_message_origin=localA\x0dtrace_flags=0S\0R\x03a@bM\0N\x18Received: by h (Postfix)N\x09\tid ID; DN\x07Date: D"
        );
    }
}
