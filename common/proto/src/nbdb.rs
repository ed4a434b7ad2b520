//! New indexes for tables that had one of Berkeley DB: what a program asks of the service that makes them.

use pf_attr::{Decoder, Encoder, Error};

use crate::Request;

/// The protocol's name in the server's announcement.
pub const PROTOCOL: &str = "nbdb_reindex";

/// The index is there.
pub const OK: i32 = 0;
/// It could not be made.
pub const ERROR: i32 = 1;

/// Asks for the index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindex<'a> {
    /// The type that needs Berkeley DB: `hash` or `btree`.
    pub kind: &'a [u8],
    /// The path of the table's source.
    pub path: &'a [u8],
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// [`OK`] or [`ERROR`].
    pub status: i32,
    /// Why there is no index.
    pub why: Vec<u8>,
}

impl<'a> Reindex<'a> {
    /// Reads a request.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(list: &mut Decoder<'a>) -> Result<Self, Error> {
        let kind = list.str("nbdb_type")?;
        let path = list.str("nbdb_path")?;
        list.end()?;
        Ok(Self { kind, path })
    }
}

impl Request for Reindex<'_> {
    type Reply = Outcome;

    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        list.str("nbdb_type", self.kind).str("nbdb_path", self.path)
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Outcome, Error> {
        Ok(Outcome {
            status: list.int("status")?,
            why: list.str("reason")?.to_vec(),
        })
    }
}

impl Outcome {
    /// The server's answer.
    pub fn encode(&self) -> Vec<u8> {
        Encoder::new()
            .int("status", self.status)
            .str("reason", &self.why)
            .end()
    }
}
