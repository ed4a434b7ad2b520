//! How mail is handed to the cleanup service: the queue id comes first, then the client's options, the records of the
//! message, and last the status.
//!
//! [`Submission`] is the asynchronous client, [`SyncSubmission`] the blocking one; both gather records and send them in large
//! pieces. [`Post`] describes a message that the mail system makes itself.

use std::fmt;

use pf_attr::{Decoder, Encoder, Error};
use pf_record::{RecordType, encode};

mod post;
#[cfg(feature = "aio")]
mod submission;
mod sync_submission;

pub use post::{END, Post, Source, SourceSet};
#[cfg(feature = "aio")]
pub use submission::Submission;
pub use sync_submission::SyncSubmission;

/// The protocol's name in the server's announcement.
pub const PROTOCOL: &str = "cleanup_protocol";

macro_rules! bits {
    ($(#[$doc:meta])* $name:ident { $($(#[$item:meta])* $flag:ident = $bit:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
        pub struct $name(u32);

        impl $name {
            $($(#[$item])* pub const $flag: Self = Self($bit);)*
            /// No bit.
            pub const NONE: Self = Self(0);

            /// The bits as they travel.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// From bits as they travel; unknown ones are kept.
            pub const fn from_bits(bits: u32) -> Self {
                Self(bits)
            }

            /// Whether any bit of `other` is set.
            pub const fn has(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Both sets of bits.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Without the bits of `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }

        impl std::ops::BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.with(other)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                *self = self.with(other);
            }
        }
    };
}

bits! {
    /// What the client of a message wants done.
    Flags {
        /// Return a bad message to its sender instead of telling the client.
        BOUNCE = 1,
        /// Apply header and body checks.
        FILTER = 1 << 1,
        /// Put the message on hold.
        HOLD = 1 << 2,
        /// Discard the message, and say that all is well.
        DISCARD = 1 << 3,
        /// Add automatic copies (`always_bcc` and its kin).
        BCC_OK = 1 << 4,
        /// Map addresses (canonical, virtual alias, masquerade).
        MAP_OK = 1 << 5,
        /// Apply milters.
        MILTER = 1 << 6,
        /// The reason in the reply may be an SMTP reply.
        SMTP_REPLY = 1 << 7,
        /// The sender asked for SMTPUTF8.
        SMTPUTF8 = 1 << 8,
        /// Find out whether the message needs SMTPUTF8.
        AUTOUTF8 = 1 << 9,
        /// The sender asked for REQUIRETLS.
        REQTLS = 1 << 10,
        /// Checks and milters.
        FILTER_ALL = (1 << 1) | (1 << 6),
        /// Usual for mail from outside.
        MASK_EXTERNAL = (1 << 1) | (1 << 6) | (1 << 4) | (1 << 5),
        /// Usual for notices and internally forwarded mail.
        MASK_INTERNAL = 1 << 5,
        /// Bits that policy sets while the message is received.
        MASK_EXTRA = (1 << 2) | (1 << 3),
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(Flags, &str); 11] = [
            (Flags::BOUNCE, "enable_bad_mail_bounce"),
            (Flags::FILTER, "enable_header_body_filter"),
            (Flags::HOLD, "hold_message"),
            (Flags::DISCARD, "discard_message"),
            (Flags::BCC_OK, "enable_automatic_bcc"),
            (Flags::MAP_OK, "enable_address_mapping"),
            (Flags::MILTER, "enable_milters"),
            (Flags::SMTP_REPLY, "enable_smtp_reply"),
            (Flags::SMTPUTF8, "smtputf8_requested"),
            (Flags::AUTOUTF8, "smtputf8_autodetect"),
            (Flags::REQTLS, "requiretls_requested"),
        ];
        if self.is_empty() {
            return f.write_str("none");
        }
        let mut first = true;
        for (flag, name) in NAMES {
            if self.has(flag) {
                if !first {
                    f.write_str(" ")?;
                }
                first = false;
                f.write_str(name)?;
            }
        }
        Ok(())
    }
}

bits! {
    /// What was wrong with a message; no bit: it is in the queue.
    Status {
        /// The client did not keep to the protocol.
        BAD = 1,
        /// The queue file could not be written.
        WRITE = 1 << 1,
        /// The message is too large.
        SIZE = 1 << 2,
        /// The content was rejected.
        CONT = 1 << 3,
        /// Too many Received: headers.
        HOPS = 1 << 4,
        /// There is no recipient.
        RCPT = 1 << 6,
        /// A proxy rejected the message (`smtpd` only).
        PROXY = 1 << 7,
        /// Rejected for now.
        DEFER = 1 << 8,
        /// Denied, but not for the content.
        NOPERM = 1 << 9,
        /// A bare line feed was received (`smtpd` only).
        BARE_LF = 1 << 16,
        /// Errors after which nothing can be bounced.
        MASK_CANT_BOUNCE = 1 | (1 << 1) | (1 << 8) | (1 << 6),
        /// Errors after which not every record is looked at.
        MASK_INCOMPLETE = 1 | (1 << 1) | (1 << 2) | (1 << 8),
    }
}

/// What a [`Status`] means in the terms of SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detail {
    /// The SMTP reply code.
    pub smtp: u16,
    /// The enhanced status code.
    pub dsn: &'static str,
    /// The text.
    pub text: &'static str,
}

impl Status {
    /// The worst trouble of a status.
    pub fn detail(self) -> Detail {
        const TABLE: [(Status, Detail); 10] = [
            (
                Status::DEFER,
                Detail {
                    smtp: 451,
                    dsn: "4.7.1",
                    text: "service unavailable",
                },
            ),
            (
                Status::PROXY,
                Detail {
                    smtp: 451,
                    dsn: "4.3.0",
                    text: "queue file write error",
                },
            ),
            (
                Status::BAD,
                Detail {
                    smtp: 451,
                    dsn: "4.3.0",
                    text: "internal protocol error",
                },
            ),
            (
                Status::RCPT,
                Detail {
                    smtp: 550,
                    dsn: "5.1.0",
                    text: "no recipients specified",
                },
            ),
            (
                Status::HOPS,
                Detail {
                    smtp: 554,
                    dsn: "5.4.0",
                    text: "too many hops",
                },
            ),
            (
                Status::SIZE,
                Detail {
                    smtp: 552,
                    dsn: "5.3.4",
                    text: "message file too big",
                },
            ),
            (
                Status::CONT,
                Detail {
                    smtp: 550,
                    dsn: "5.7.1",
                    text: "message content rejected",
                },
            ),
            (
                Status::WRITE,
                Detail {
                    smtp: 451,
                    dsn: "4.3.0",
                    text: "queue file write error",
                },
            ),
            (
                Status::NOPERM,
                Detail {
                    smtp: 550,
                    dsn: "5.7.1",
                    text: "service denied",
                },
            ),
            (
                Status::BARE_LF,
                Detail {
                    smtp: 521,
                    dsn: "5.5.2",
                    text: "bare <LF> received",
                },
            ),
        ];
        const SUCCESS: Detail = Detail {
            smtp: 250,
            dsn: "2.0.0",
            text: "Success",
        };
        const UNKNOWN: Detail = Detail {
            smtp: 451,
            dsn: "4.3.0",
            text: "internal protocol error",
        };
        if self.is_empty() {
            return SUCCESS;
        }
        TABLE
            .iter()
            .find(|(bit, _)| self.has(*bit))
            .map_or(UNKNOWN, |(_, detail)| *detail)
    }
}

/// The server's first words: its protocol and the queue id of the message to come.
pub fn greeting(queue_id: &[u8]) -> Vec<u8> {
    Encoder::new()
        .str("protocol", PROTOCOL)
        .str("queue_id", queue_id)
        .end()
}

/// Takes the queue id out of the server's first words.
///
/// # Errors
/// The list is not such a greeting.
pub fn decode_greeting(list: &mut Decoder<'_>) -> Result<Vec<u8>, Error> {
    if list.str("protocol")? != PROTOCOL.as_bytes() {
        return Err(Error::Malformed("protocol"));
    }
    let id = list.str("queue_id")?.to_vec();
    list.end()?;
    Ok(id)
}

/// The client's options, sent before the first record.
pub fn options(flags: Flags) -> Vec<u8> {
    Encoder::new()
        .int("flags", flags.bits().cast_signed())
        .end()
}

/// Takes the client's options.
///
/// # Errors
/// The list is not such options.
pub fn decode_options(list: &mut Decoder<'_>) -> Result<Flags, Error> {
    let flags = list.int("flags")?;
    list.end()?;
    Ok(Flags::from_bits(flags.cast_unsigned()))
}

/// What became of a submitted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was wrong; empty: the message is safely in the queue.
    pub status: Status,
    /// More about it: `5.7.1 text`, or a whole SMTP reply; often empty.
    pub reason: Vec<u8>,
}

impl Verdict {
    /// The last words of the server.
    pub fn encode(&self) -> Vec<u8> {
        Encoder::new()
            .int("status", self.status.bits().cast_signed())
            .str("reason", &self.reason)
            .end()
    }

    /// Takes the last words of the server.
    ///
    /// # Errors
    /// The list is not such a verdict.
    pub fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        let status = Status::from_bits(list.int("status")?.cast_unsigned());
        let reason = list.str("reason")?.to_vec();
        list.end()?;
        Ok(Self { status, reason })
    }

    /// The message could not be handed over: the client has to treat it as not queued.
    pub fn lost() -> Self {
        Self {
            status: Status::WRITE,
            reason: Vec::new(),
        }
    }
}

/// Adds one record to what is to be sent.
fn put_record(buffer: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let kind = RecordType(kind);
    match parts {
        [data] => encode(buffer, kind, data),
        _ => encode(buffer, kind, &parts.concat()),
    }
}

/// Gathered records are sent when they reach this many bytes.
const SEND_SIZE: usize = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_trouble_is_told() {
        assert_eq!(Status::NONE.detail().smtp, 250);
        let status = Status::CONT | Status::DEFER;
        assert_eq!(status.detail().dsn, "4.7.1");
        assert_eq!(Status::from_bits(1 << 20).detail().smtp, 451);
    }

    #[test]
    fn a_conversation_travels() {
        let greeting = pf_attr::Message::from(greeting(b"4Xyz"));
        assert_eq!(decode_greeting(&mut greeting.decoder()).unwrap(), b"4Xyz");
        let options = pf_attr::Message::from(options(Flags::MASK_EXTERNAL));
        assert_eq!(
            decode_options(&mut options.decoder()).unwrap(),
            Flags::MASK_EXTERNAL
        );
        let verdict = Verdict {
            status: Status::HOPS,
            reason: b"5.4.0 x".to_vec(),
        };
        let sent = pf_attr::Message::from(verdict.encode());
        assert_eq!(Verdict::decode(&mut sent.decoder()).unwrap(), verdict);
    }

    #[test]
    fn long_records_have_long_lengths() {
        let mut buffer = Vec::new();
        put_record(&mut buffer, b'N', &[&[b'x'; 200]]);
        assert_eq!(&buffer[..3], &[b'N', 0xc8, 0x01]);
        assert_eq!(buffer.len(), 203);
    }

    #[test]
    fn flags_have_names() {
        assert_eq!(
            (Flags::BOUNCE | Flags::MAP_OK).to_string(),
            "enable_bad_mail_bounce enable_address_mapping"
        );
    }
}
