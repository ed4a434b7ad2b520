//! What the bounce, defer and trace services are asked: append a recipient's status to a message's log, and send the log to
//! whom it concerns. One protocol and one program serve all three; the service's name is the directory of its logs.

use pf_attr::{Decoder, Encoder, Error};

use crate::dialect;

/// The protocol's name in the server's announcement.
pub const PROTOCOL: &str = "delivery_status_protocol";

/// Request flag: the log is removed when the request fails.
pub const FLAG_CLEAN: i32 = 1;
/// Request flag: recipients that are done with are marked so in the queue file.
pub const FLAG_DELETE_RECIPIENT: i32 = 1 << 1;

/// The recipient of a message, as delivery requests and status reports carry it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recipient {
    /// As first given, before any rewriting; may be empty.
    pub original: Vec<u8>,
    /// As it is now.
    pub address: Vec<u8>,
    /// Where its record is in the queue file; 0 when nowhere.
    pub offset: i64,
    /// The DSN `ORCPT` value (`type;xtext`); may be empty.
    pub dsn_original: Vec<u8>,
    /// The DSN `NOTIFY` bits; 0 when the sender gave none.
    pub dsn_notify: i32,
}

impl Recipient {
    /// Adds the attributes.
    #[must_use]
    pub fn encode(&self, list: Encoder) -> Encoder {
        list.str("original_recipient", &self.original)
            .str("recipient", &self.address)
            .long("offset", self.offset)
            .str("dsn_orig_rcpt", &self.dsn_original)
            .int("notify_flags", self.dsn_notify)
    }

    /// Takes the attributes.
    ///
    /// # Errors
    /// They are not there.
    pub fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        Ok(Self {
            original: list.str("original_recipient")?.to_vec(),
            address: list.str("recipient")?.to_vec(),
            offset: list.long("offset")?,
            dsn_original: list.str("dsn_orig_rcpt")?.to_vec(),
            dsn_notify: list.int("notify_flags")?,
        })
    }
}

/// What became of a recipient, in the words of RFC 3464.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The enhanced status code, `5.1.1`.
    pub status: Vec<u8>,
    /// The type of the diagnostic code: `smtp`, `x-unix`, `x-postfix`; may be empty.
    pub diagnostic_type: Vec<u8>,
    /// The diagnostic code: what the remote server or the command said; may be empty.
    pub diagnostic_text: Vec<u8>,
    /// The type of the remote server's name, `dns`; may be empty.
    pub mta_type: Vec<u8>,
    /// The remote server; may be empty.
    pub mta_name: Vec<u8>,
    /// `failed`, `delayed`, `delivered`, `relayed`, `expanded`, `deliverable`, `undeliverable`.
    pub action: Vec<u8>,
    /// For people.
    pub reason: Vec<u8>,
}

impl Status {
    /// Adds the attributes.
    #[must_use]
    pub fn encode(&self, list: Encoder) -> Encoder {
        list.str("status", &self.status)
            .str("diag_type", &self.diagnostic_type)
            .str("diag_text", &self.diagnostic_text)
            .str("mta_type", &self.mta_type)
            .str("mta_mname", &self.mta_name)
            .str("action", &self.action)
            .str("reason", &self.reason)
    }

    /// Takes the attributes.
    ///
    /// # Errors
    /// They are not there.
    pub fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        Ok(Self {
            status: list.str("status")?.to_vec(),
            diagnostic_type: list.str("diag_type")?.to_vec(),
            diagnostic_text: list.str("diag_text")?.to_vec(),
            mta_type: list.str("mta_type")?.to_vec(),
            mta_name: list.str("mta_mname")?.to_vec(),
            action: list.str("action")?.to_vec(),
            reason: list.str("reason")?.to_vec(),
        })
    }
}

/// The message that a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Message {
    /// The queue that holds its file.
    pub queue: Vec<u8>,
    /// Its queue id.
    pub id: Vec<u8>,
    /// `7bit`, `8bit` or empty.
    pub encoding: Vec<u8>,
    /// SMTPUTF8 and REQUIRETLS bits.
    pub sendopts: i32,
    /// The envelope sender: who gets the report.
    pub sender: Vec<u8>,
    /// The DSN `ENVID` value; may be empty.
    pub envid: Vec<u8>,
    /// The DSN `RET` bits; 0 when the sender gave none.
    pub ret: i32,
}

impl Message {
    fn encode(&self, list: Encoder) -> Encoder {
        let list = list
            .str("queue_name", &self.queue)
            .str("queue_id", &self.id)
            .str("encoding", &self.encoding);
        dialect::spoken()
            .send_options(list, self.sendopts)
            .str("sender", &self.sender)
            .str("envelope_id", &self.envid)
            .int("ret_flags", self.ret)
    }

    fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        Ok(Self {
            queue: list.str("queue_name")?.to_vec(),
            id: list.str("queue_id")?.to_vec(),
            encoding: list.str("encoding")?.to_vec(),
            sendopts: dialect::send_options(list)?,
            sender: list.str("sender")?.to_vec(),
            envid: list.str("envelope_id")?.to_vec(),
            ret: list.int("ret_flags")?,
        })
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Append a recipient's status to the log of the message.
    Append {
        /// The message's queue id.
        id: Vec<u8>,
        /// Who.
        recipient: Recipient,
        /// What happened.
        status: Status,
    },
    /// Send the log as a non-delivery report, and remove it.
    Flush(Message),
    /// Send the log as a delay warning, and keep it.
    Warn(Message),
    /// As `Flush`, with one report for each recipient from a VERP address.
    Verp {
        /// The message.
        message: Message,
        /// The two VERP delimiters.
        delimiters: Vec<u8>,
    },
    /// Send a non-delivery report about one recipient, without a log.
    One {
        /// The message.
        message: Message,
        /// Who.
        recipient: Recipient,
        /// What happened.
        status: Status,
    },
    /// Send the trace log as a delivery report, and remove it.
    Trace(Message),
}

/// A request to the bounce, defer or trace service. The reply is its status: 0 when it was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// [`FLAG_CLEAN`], [`FLAG_DELETE_RECIPIENT`], and the flags of the delivery request.
    pub flags: i32,
    /// What is to be done.
    pub command: Command,
}

impl Request {
    /// Takes a request.
    ///
    /// # Errors
    /// The list is not a request; [`Error::Malformed`] of `nrequest` for an unknown command.
    pub fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        let command = list.int("nrequest")?;
        let flags = list.int("flags")?;
        let command = match command {
            0 => Command::Append {
                id: list.str("queue_id")?.to_vec(),
                recipient: Recipient::decode(list)?,
                status: Status::decode(list)?,
            },
            1 => Command::Flush(Message::decode(list)?),
            2 => Command::Warn(Message::decode(list)?),
            3 => Command::Verp {
                message: Message::decode(list)?,
                delimiters: list.str("verp_delimiters")?.to_vec(),
            },
            4 => Command::One {
                message: Message::decode(list)?,
                recipient: Recipient::decode(list)?,
                status: Status::decode(list)?,
            },
            5 => Command::Trace(Message::decode(list)?),
            _ => return Err(Error::Malformed("nrequest")),
        };
        list.end()?;
        Ok(Self { flags, command })
    }

    /// The reply to a request.
    pub fn reply(status: i32) -> Vec<u8> {
        Encoder::new().int("status", status).end()
    }
}

impl crate::Request for Request {
    type Reply = i32;

    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        let number = match self.command {
            Command::Append { .. } => 0,
            Command::Flush(_) => 1,
            Command::Warn(_) => 2,
            Command::Verp { .. } => 3,
            Command::One { .. } => 4,
            Command::Trace(_) => 5,
        };
        let list = list.int("nrequest", number).int("flags", self.flags);
        match &self.command {
            Command::Append {
                id,
                recipient,
                status,
            } => list
                .str("queue_id", id)
                .with(|l| recipient.encode(l))
                .with(|l| status.encode(l)),
            Command::Flush(message) | Command::Warn(message) | Command::Trace(message) => {
                message.encode(list)
            }
            Command::Verp {
                message,
                delimiters,
            } => message.encode(list).str("verp_delimiters", delimiters),
            Command::One {
                message,
                recipient,
                status,
            } => message
                .encode(list)
                .with(|l| recipient.encode(l))
                .with(|l| status.encode(l)),
        }
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<i32, Error> {
        list.int("status")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Request as _;

    #[test]
    fn requests_travel_both_ways() {
        let message = Message {
            queue: b"active".to_vec(),
            id: b"4F2".to_vec(),
            sender: b"a@b".to_vec(),
            ret: 1,
            ..Message::default()
        };
        let recipient = Recipient {
            address: b"c@d".to_vec(),
            offset: 345,
            dsn_notify: 4,
            ..Recipient::default()
        };
        let status = Status {
            status: b"5.1.1".to_vec(),
            action: b"failed".to_vec(),
            reason: b"no such user".to_vec(),
            ..Status::default()
        };
        for command in [
            Command::Append {
                id: b"4F2".to_vec(),
                recipient: recipient.clone(),
                status: status.clone(),
            },
            Command::Flush(message.clone()),
            Command::Warn(message.clone()),
            Command::Verp {
                message: message.clone(),
                delimiters: b"+=".to_vec(),
            },
            Command::Trace(message.clone()),
            Command::One {
                message,
                recipient,
                status,
            },
        ] {
            let request = Request { flags: 3, command };
            let bytes = request.encode(Encoder::new()).end();
            assert_eq!(Request::decode(&mut Decoder::new(&bytes)).unwrap(), request);
        }
    }
}
