//! The records of which a queue file, and a message on its way to cleanup, consists: a type byte, a length in 7-bit
//! groups, the data.
//!
//! This crate owns the types and their letters, strict reading of files that anyone may have written ([`Reader`]), reading
//! from a socket in pieces ([`Decoder`]), writing ([`encode()`], [`Writer`]), and the few records with a fixed layout
//! ([`SizeRecord`], [`ArrivalTime`], pointers). Directories, names and modes of queue files belong to `pf-queue`.

pub mod attr;
mod decode;
mod encode;
mod fields;
mod kind;
mod read;
pub mod sendopts;

pub use decode::Decoder;
pub use encode::{Writer, encode};
pub use fields::{ArrivalTime, POINTER_SIZE, SizeRecord, parse_offset, pointer, warn_time};
pub use kind::{RecordType, set};
pub use read::{Error, Reader};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the data mean.
    pub kind: RecordType,
    /// The data, without a terminator.
    pub data: Vec<u8>,
}

impl Record {
    /// A record of this type and data.
    pub fn new(kind: RecordType, data: impl Into<Vec<u8>>) -> Self {
        Self {
            kind,
            data: data.into(),
        }
    }
}

/// The longest data of a record, in bytes.
pub const MAX_LENGTH: usize = (1 << 28) - 1;
