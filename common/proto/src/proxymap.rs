//! Table lookups by proxy: the protocol of proxymap(8).

use pf_attr::{Decoder, Encoder, Error};

use crate::{Request, dialect};

/// The name that the server announces.
pub const PROTOCOL: &str = "proxymap_protocol";

/// The flags that say how a table is opened; the bits are those of Postfix.
pub mod flags {
    /// Lock the table while it is read.
    pub const LOCK: i32 = 1 << 6;
    /// Refuse `$number` in the results of patterns.
    pub const NO_REGSUB: i32 = 1 << 11;
    /// Fold keys of tables with fixed strings.
    pub const FOLD_FIX: i32 = 1 << 14;
    /// Keys and values are UTF-8.
    pub const UTF8_REQUEST: i32 = 1 << 19;
    /// The keys are fixed strings.
    pub const FIXED: i32 = 1 << 4;
    /// The keys are patterns.
    pub const PATTERN: i32 = 1 << 5;
}

/// What the server says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Ok,
    /// There is no such key.
    NoKey,
    /// Try again later.
    Retry,
    /// The request makes no sense.
    Bad,
    /// The table is not in the list of tables that may be proxied.
    Deny,
    /// The table is badly configured.
    Config,
}

impl Status {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            Status::Ok => 0,
            Status::NoKey => 1,
            Status::Retry => 2,
            Status::Bad => 3,
            Status::Deny => 4,
            Status::Config => 5,
        }
    }

    fn from_number(number: i32) -> Option<Self> {
        [
            Status::Ok,
            Status::NoKey,
            Status::Retry,
            Status::Bad,
            Status::Deny,
            Status::Config,
        ]
        .into_iter()
        .find(|status| status.number() == number)
    }
}

/// Looks a key up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupRequest {
    /// `type:name`.
    pub table: String,
    /// How the table is opened.
    pub instance_flags: i32,
    /// The table's flags, as the server's last reply tells them: it uses the table as they say. Before Postfix 3.11 there are none.
    pub flags: Option<i32>,
    /// The key.
    pub key: Vec<u8>,
}

/// The answer to a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupReply {
    /// How it went.
    pub status: Status,
    /// The flags of the table; before Postfix 3.11 there are none.
    pub flags: Option<i32>,
    /// The value; empty when there is none.
    pub value: Vec<u8>,
}

/// The answer to a request to open or to change a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusReply {
    /// How it went.
    pub status: Status,
    /// The flags of the table; before Postfix 3.11 there are none.
    pub flags: Option<i32>,
}

/// An entry of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryReply {
    /// How it went.
    pub status: Status,
    /// The flags of the table; before Postfix 3.11 there are none.
    pub flags: Option<i32>,
    /// The key; empty when there is no further entry.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

impl LookupRequest {
    fn named(&self, list: Encoder, request: &str) -> Encoder {
        let list = list.str("request", request).str("table", &self.table);
        both_flags(list, self.instance_flags, self.flags).str("key", &self.key)
    }
}

/// How the table is opened, and its own flags where they are told.
fn both_flags(list: Encoder, instance_flags: i32, flags: Option<i32>) -> Encoder {
    match flags {
        Some(flags) => list
            .int("instance_flags", instance_flags)
            .int("flags", flags),
        None => list.int("flags", instance_flags),
    }
}

impl Request for LookupRequest {
    type Reply = LookupReply;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        self.named(list, "lookup")
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<LookupReply, Error> {
        let StatusReply { status, flags } = status(list)?;
        Ok(LookupReply {
            status,
            flags,
            value: list.str("value")?.to_vec(),
        })
    }
}

/// Opens a table, to learn whether it can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRequest {
    /// `type:name`.
    pub table: String,
    /// How the table is opened.
    pub instance_flags: i32,
}

impl Request for OpenRequest {
    type Reply = StatusReply;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        let name = if dialect::spoken().has_table_flags() {
            "instance_flags"
        } else {
            "flags"
        };
        list.str("request", "open")
            .str("table", &self.table)
            .int(name, self.instance_flags)
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<StatusReply, Error> {
        status(list)
    }
}

/// Changes a table: sets the value of a key, or removes the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRequest {
    /// The table and the key.
    pub key: LookupRequest,
    /// The new value; `None` to remove the key.
    pub value: Option<Vec<u8>>,
}

impl Request for ChangeRequest {
    type Reply = StatusReply;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        match &self.value {
            Some(value) => self.key.named(list, "update").str("value", value),
            None => self.key.named(list, "delete"),
        }
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<StatusReply, Error> {
        status(list)
    }
}

/// Asks for the first or the next entry of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequenceRequest {
    /// `type:name`.
    pub table: String,
    /// How the table is opened.
    pub instance_flags: i32,
    /// The table's flags, as the server's last reply tells them.
    pub flags: Option<i32>,
    /// The first one.
    pub first: bool,
}

impl Request for SequenceRequest {
    type Reply = EntryReply;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        let list = list.str("request", "sequence").str("table", &self.table);
        both_flags(list, self.instance_flags, self.flags).int("function", i32::from(!self.first))
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Self::Reply, Error> {
        let StatusReply { status, flags } = status(list)?;
        Ok(EntryReply {
            status,
            flags,
            key: list.str("key")?.to_vec(),
            value: list.str("value")?.to_vec(),
        })
    }
}

fn status(list: &mut Decoder<'_>) -> Result<StatusReply, Error> {
    Ok(StatusReply {
        status: Status::from_number(list.int("status")?).ok_or(Error::Malformed("status"))?,
        flags: optional_flags(list)?,
    })
}

/// The table's flags, unless the server is of before Postfix 3.11.
fn optional_flags(list: &mut Decoder<'_>) -> Result<Option<i32>, Error> {
    match list.peek() {
        Some(b"flags") => list.int("flags").map(Some),
        _ => Ok(None),
    }
}

/// A request as the server sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerRequest {
    /// Opens a table, to learn its flags.
    Open {
        /// `type:name`.
        table: String,
        /// How the table is opened.
        instance_flags: i32,
    },
    /// Looks a key up.
    Lookup(LookupRequest),
    /// Sets the value of a key.
    Update(LookupRequest, Vec<u8>),
    /// Removes a key.
    Delete(LookupRequest),
    /// Asks for the first (`true`) or the next entry of a table; the request's key is empty.
    Sequence(LookupRequest, bool),
    /// Anything else.
    Other(String),
}

impl ServerRequest {
    /// Takes a request.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let request = list.str("request")?;
        Ok(match request {
            b"open" => Self::Open {
                table: text(list.str("table")?),
                instance_flags: match list.peek() {
                    Some(b"flags") => list.int("flags")?,
                    _ => list.int("instance_flags")?,
                },
            },
            b"lookup" => Self::Lookup(keyed(list)?),
            b"update" => Self::Update(keyed(list)?, list.str("value")?.to_vec()),
            b"delete" => Self::Delete(keyed(list)?),
            b"sequence" => {
                let table = unkeyed(list)?;
                match list.int("function")? {
                    0 => Self::Sequence(table, true),
                    1 => Self::Sequence(table, false),
                    _ => return Err(Error::Malformed("function")),
                }
            }
            other => Self::Other(text(other)),
        })
    }
}

fn keyed(list: &mut Decoder<'_>) -> Result<LookupRequest, Error> {
    let table = unkeyed(list)?;
    Ok(LookupRequest {
        key: list.str("key")?.to_vec(),
        ..table
    })
}

/// A request without its key; who is of before Postfix 3.11 tells no flags of the table.
fn unkeyed(list: &mut Decoder<'_>) -> Result<LookupRequest, Error> {
    let table = String::from_utf8_lossy(list.str("table")?).into_owned();
    let (instance_flags, flags) = match list.peek() {
        Some(b"flags") => (list.int("flags")?, None),
        _ => (list.int("instance_flags")?, Some(list.int("flags")?)),
    };
    Ok(LookupRequest {
        table,
        instance_flags,
        flags,
        key: Vec::new(),
    })
}

/// The begin of each reply.
fn answer(status: Status, flags: Option<i32>) -> Encoder {
    let list = Encoder::new().int("status", status.number());
    match flags {
        Some(flags) => list.int("flags", flags),
        None => list,
    }
}

/// The reply to a request for an entry; key and value are empty when there is none.
pub fn sequence_reply(status: Status, flags: Option<i32>, key: &[u8], value: &[u8]) -> Vec<u8> {
    answer(status, flags)
        .str("key", key)
        .str("value", value)
        .end()
}

impl LookupReply {
    /// The reply's list.
    pub fn encode(&self) -> Vec<u8> {
        answer(self.status, self.flags)
            .str("value", &self.value)
            .end()
    }
}

/// The reply to a request to open or to change a table, or to one that is not known.
pub fn status_reply(status: Status, flags: Option<i32>) -> Vec<u8> {
    answer(status, flags).end()
}
