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

pub use decode::{Decoder, Entry, Message, frame};
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
    /// The peer closed the connection inside a list.
    #[error("premature end-of-input")]
    Truncated,
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
    /// The value of this attribute is not of its type.
    #[error("malformed value of attribute {0}")]
    Malformed(&'static str),
    /// The server announces another protocol than this one.
    #[error("unexpected protocol {found} (expected: {wanted})")]
    Protocol {
        /// What it announced, made printable.
        found: String,
        /// What it should speak.
        wanted: String,
    },
    /// The bytes are not an attribute list.
    #[error("malformed attribute list")]
    Garbage,
    /// The stream failed.
    #[error(transparent)]
    Io(std::io::Error),
}

impl Error {
    /// What Postfix logs when this happens on `socket` (`private/defer socket`); nothing, when the peer closed the connection
    /// between lists.
    pub fn about(&self, socket: &str) -> Option<String> {
        let name = "while reading input attribute name";
        Some(match self {
            Error::Closed | Error::Io(_) => return None,
            Error::Truncated => format!("unexpected end-of-input from {socket} {name}"),
            Error::Timeout => format!("timeout on {socket} {name}"),
            Error::Missing(wanted) => format!("missing attribute {wanted} in input from {socket}"),
            Error::Unexpected { found, wanted } => {
                format!("unexpected attribute {found} from {socket} (expecting: {wanted})")
            }
            Error::Protocol { found, wanted } => {
                format!("unexpected protocol {found} from {socket} (expected: {wanted})")
            }
            Error::Malformed(_) | Error::Garbage | Error::TooLong => {
                format!("{self} from {socket}")
            }
        })
    }
}

impl From<std::io::Error> for Error {
    fn from(err: std::io::Error) -> Self {
        match err.kind() {
            // A blocking socket with a time limit says EAGAIN when the limit has passed.
            std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => Error::Timeout,
            std::io::ErrorKind::UnexpectedEof => Error::Truncated,
            _ => Error::Io(err),
        }
    }
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
            found: String::from_utf8_lossy(found).escape_debug().to_string(),
            wanted: protocol.to_owned(),
        })
    }
}
