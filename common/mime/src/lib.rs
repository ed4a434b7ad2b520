//! The structure of a message: which headers the mail system knows ([`HeaderTable`]), what a header line is
//! ([`header_name_len`]), the words of a structured header ([`words`]), and the [`Machine`] that takes a message line by line
//! and tells primary, multipart and nested headers from body text, within limits, turning 8-bit text into quoted-printable
//! when asked.
//!
//! What is done with headers and body lines is left to `cleanup` and the delivery agents.

mod content;
mod downgrade;
mod fault;
mod header;
mod input;
mod machine;
mod words;

pub use fault::Fault;
pub use header::{Header, HeaderFlags, HeaderKind, HeaderTable, header_name_len};
pub use input::Input;
pub use machine::{Class, Event, LineKind, Machine, Options};
pub use words::{Word, WordKind, Words, words};
