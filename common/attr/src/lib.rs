//! The attribute encoding that Postfix programs speak on their local sockets: lists of named values, each name and value
//! ended by a NUL byte, the list ended by an empty name.
//!
//! [`Encoder`] writes a list, [`frame`] finds where a received one ends, [`Decoder`] takes its values in order, and
//! [`sync`] and `aio` (feature `aio`) move lists over blocking and asynchronous streams. What the lists of one protocol
//! hold is the business of `pf-proto`.

#[cfg(feature = "aio")]
pub mod aio;
mod decode;
mod encode;
pub mod sync;

pub use decode::{Decoder, Entry, Message, cut_off, frame};
pub use encode::Encoder;

/// The longest attribute list that is accepted from a peer, in bytes. Local peers are not trusted with our memory.
pub const MAX_MESSAGE: usize = 16 << 20;

/// The most entries a nested table may hold, as in Postfix.
pub const MAX_TABLE: usize = 1024;

/// Why an attribute list could not be received or understood.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The peer closed the connection where a new list could have begun.
    #[error("connection closed by peer")]
    Closed,
    /// The peer closed the connection inside a list, in a name or in a value.
    #[error("premature end-of-input")]
    Truncated(&'static str),
    /// Nothing came, or nothing could be sent, in the time allowed.
    #[error("timeout")]
    Timeout,
    /// A list longer than [`MAX_MESSAGE`], or a table longer than [`MAX_TABLE`].
    #[error("attribute list too long")]
    TooLong,
    /// The list ended where this attribute should be.
    #[error("missing attribute {0}")]
    Missing(&'static str),
    /// Another attribute stands where this one should be.
    #[error("unexpected attribute {found} (expecting: {wanted})")]
    Unexpected {
        /// The name that was found, made printable.
        found: String,
        /// The name that should be there.
        wanted: &'static str,
    },
    /// A value is no number, no truth value, no base64.
    #[error("malformed {kind}: {found}")]
    Value {
        /// What it should be.
        kind: &'static str,
        /// What it is, made printable.
        found: String,
    },
    /// Nobody listens; the text says where.
    #[error("{0}")]
    Unreachable(String),
    /// A server speaks another protocol.
    #[error("unexpected protocol {found} (expected: {wanted})")]
    Protocol {
        /// The protocol, made printable.
        found: String,
        /// Which one it should be.
        wanted: String,
    },
    /// The value of this attribute is not one of those that it may have.
    #[error("malformed value of attribute {0}")]
    Malformed(&'static str),
    /// The bytes are not an attribute list.
    #[error("malformed attribute list")]
    Garbage,
    /// The stream failed.
    #[error(transparent)]
    Io(std::io::Error),
}

impl From<std::io::Error> for Error {
    fn from(err: std::io::Error) -> Self {
        match err.kind() {
            // A blocking socket with a time limit says EAGAIN when the limit has passed.
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Error::Timeout,
            std::io::ErrorKind::UnexpectedEof => Error::Truncated(NAME),
            _ => Error::Io(err),
        }
    }
}

/// What was being read when a list was cut off.
pub(crate) const NAME: &str = "input attribute name";
/// See [`NAME`].
pub(crate) const VALUE: &str = "input attribute value";

impl Error {
    /// The log's words on it, `from` being the sender; `None`: a connection that ends between lists is nothing to speak of.
    pub fn complaint(&self, from: &str) -> Option<String> {
        Some(match self {
            Error::Closed => return None,
            Error::Truncated(what) => {
                format!("unexpected end-of-input from {from} while reading {what}")
            }
            Error::Timeout => format!("timeout on {from} while reading {NAME}"),
            Error::Missing(wanted) => format!("missing attribute {wanted} in input from {from}"),
            Error::Unexpected { found, wanted } => {
                format!("unexpected attribute {found} from {from} (expecting: {wanted})")
            }
            Error::Value { kind, found } => {
                format!("malformed {kind} from {from} while reading {VALUE}: {found}")
            }
            Error::Protocol { found, wanted } => {
                format!("unexpected protocol {found} from {from} (expected: {wanted})")
            }
            other => format!("{other} from {from}"),
        })
    }
}

/// At most 100 characters of a name or value, without control characters.
pub(crate) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text)
        .chars()
        .take(100)
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// The announcement that a server sends first on each new connection: which protocol it speaks.
pub fn announcement(protocol: &str) -> Vec<u8> {
    Encoder::new().str("protocol", protocol.as_bytes()).end()
}

/// Checks a server's announcement.
///
/// # Errors
/// The list does not announce this protocol.
pub fn check_announcement(message: &Message, protocol: &str) -> Result<(), Error> {
    let mut list = message.decoder();
    let found = list.str("protocol")?;
    if found == protocol.as_bytes() {
        list.end()
    } else {
        Err(Error::Protocol {
            found: shown(found),
            wanted: protocol.to_owned(),
        })
    }
}
