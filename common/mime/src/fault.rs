//! What may be wrong with the structure of a message.

/// A violation that [`Options`](crate::Options) ask to be told. The order is that of severity, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// Too many multipart levels.
    Nesting,
    /// A header longer than the limit.
    TruncatedHeader,
    /// 8-bit text in a header.
    EightBitHeader,
    /// 8-bit text in a body that is said to be 7-bit.
    EightBitBody,
    /// An encoding that `multipart/*` or `message/*` must not have.
    EncodingDomain,
    /// The primary headers do not end with an empty line.
    NonEmptyEndOfHeader,
}

impl Fault {
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The enhanced status code.
    pub fn dsn(self) -> &'static str {
        "5.6.0"
    }

    /// The text for logs and replies.
    pub fn text(self) -> &'static str {
        match self {
            Fault::Nesting => "MIME nesting exceeds safety limit",
            Fault::TruncatedHeader => "message header length exceeds safety limit",
            Fault::EightBitHeader => "improper use of 8-bit data in message header",
            Fault::EightBitBody => "improper use of 8-bit data in message body",
            Fault::EncodingDomain => "invalid message/* or multipart/* encoding domain",
            Fault::NonEmptyEndOfHeader => "primary header was terminated with non-empty line",
        }
    }

    /// All of them, the worst first.
    pub const ALL: [Fault; 6] = [
        Fault::Nesting,
        Fault::TruncatedHeader,
        Fault::EightBitHeader,
        Fault::EightBitBody,
        Fault::EncodingDomain,
        Fault::NonEmptyEndOfHeader,
    ];
}
