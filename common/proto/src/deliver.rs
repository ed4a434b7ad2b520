//! Delivery requests: what the queue manager hands to a delivery agent, and what the agent answers.
//!
//! The agent announces the protocol; the request is one list with the message and one list for each recipient; the answer is one
//! list. Then the queue manager closes the connection.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pf_attr::{Decoder, Encoder, Error};

use crate::bounce::{Recipient, Status};
use crate::dialect;

/// The protocol's name in the agent's announcement.
pub const PROTOCOL: &str = "delivery_request_protocol";

/// Flags of a request.
pub mod flags {
    /// Recipients that were delivered are marked so in the queue file.
    pub const SUCCESS: i32 = 1;
    /// Recipients that bounced are marked so.
    pub const BOUNCE: i32 = 1 << 1;
    /// What a request usually has.
    pub const DEFAULT: i32 = SUCCESS | BOUNCE;
    /// Only find out whether the address works, for the verify service.
    pub const MTA_VERIFY: i32 = 1 << 8;
    /// Only find out whether the address works, for a user (`sendmail -bv`).
    pub const USER_VERIFY: i32 = 1 << 9;
    /// Deliver, and report it to the sender (`sendmail -v`).
    pub const RECORD: i32 = 1 << 10;
    /// A connection may be taken from the cache.
    pub const CONNECTION_LOAD: i32 = 1 << 11;
    /// A connection may be given to the cache.
    pub const CONNECTION_STORE: i32 = 1 << 12;
    /// Report a delivery that follows a delay warning.
    pub const RECORD_DELAYED: i32 = 1 << 13;
    /// Those that travel with a message.
    pub const TRACE: i32 = MTA_VERIFY | USER_VERIFY | RECORD | RECORD_DELAYED;
    /// No delivery, only a report.
    pub const PROBE: i32 = MTA_VERIFY | USER_VERIFY;
}

/// When what happened to a message. Zero: it did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// It arrived in this system.
    pub arrived: Moment,
    /// It came into the active queue.
    pub active: Moment,
    /// It was handed to a delivery agent.
    pub handoff: Moment,
    /// The connection to the next system was ready.
    pub connected: Moment,
    /// It was delivered.
    pub delivered: Moment,
    /// How often the connection had been used before.
    pub reused: i32,
}

/// Seconds and microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment {
    /// Seconds.
    pub seconds: i64,
    /// Microseconds, less than a million.
    pub micros: i64,
}

impl Moment {
    /// Now.
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Whether it happened.
    pub fn is_set(self) -> bool {
        self.seconds > 0
    }

    /// The time since an earlier moment; zero when it is not earlier.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = (self.seconds.saturating_sub(earlier.seconds))
            .saturating_mul(1_000_000)
            .saturating_add(self.micros - earlier.micros);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            seconds: i64::try_from(since.as_secs()).unwrap_or(0),
            micros: i64::from(since.subsec_micros()),
        }
    }
}

/// The size of [`Times`] on the wire: five pairs of 64-bit numbers, a 32-bit number and padding, as C lays them out.
const TIMES_SIZE: usize = 88;

impl Times {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TIMES_SIZE);
        for moment in [
            self.arrived,
            self.active,
            self.handoff,
            self.connected,
            self.delivered,
        ] {
            out.extend(moment.seconds.to_ne_bytes());
            out.extend(moment.micros.to_ne_bytes());
        }
        out.extend(self.reused.to_ne_bytes());
        out.resize(TIMES_SIZE, 0);
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        if bytes.len() != TIMES_SIZE {
            return None;
        }
        let number = |at: usize| -> Option<i64> {
            Some(i64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
        };
        let moment = |at: usize| {
            Some(Moment {
                seconds: number(at)?,
                micros: number(at + 8)?.clamp(0, 999_999),
            })
        };
        Some(Self {
            arrived: moment(0)?,
            active: moment(16)?,
            handoff: moment(32)?,
            connected: moment(48)?,
            delivered: moment(64)?,
            reused: i32::from_ne_bytes(bytes.get(80..84)?.try_into().ok()?),
        })
    }
}

/// A delivery request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryRequest {
    /// See [`flags`].
    pub flags: i32,
    /// The queue that holds the message's file.
    pub queue: Vec<u8>,
    /// The message.
    pub id: Vec<u8>,
    /// Where its content begins in the file.
    pub data_offset: i64,
    /// How many bytes of records the content has.
    pub data_size: i64,
    /// Where to.
    pub nexthop: Vec<u8>,
    /// `7bit`, `8bit` or empty.
    pub encoding: Vec<u8>,
    /// SMTPUTF8 and REQUIRETLS bits.
    pub sendopts: i32,
    /// The envelope sender.
    pub sender: Vec<u8>,
    /// The DSN `ENVID` value.
    pub envid: Vec<u8>,
    /// The DSN `RET` bits.
    pub ret: i32,
    /// When what happened.
    pub times: Times,
    /// Who sent it to us, for XFORWARD and logs.
    pub client_name: Vec<u8>,
    /// The client's address.
    pub client_address: Vec<u8>,
    /// The client's port.
    pub client_port: Vec<u8>,
    /// The protocol it spoke.
    pub client_protocol: Vec<u8>,
    /// How it called itself.
    pub client_helo: Vec<u8>,
    /// How it authenticated itself.
    pub sasl_method: Vec<u8>,
    /// As whom.
    pub sasl_username: Vec<u8>,
    /// On whose behalf.
    pub sasl_sender: Vec<u8>,
    /// The queue id where the message was first seen.
    pub log_ident: Vec<u8>,
    /// `local` or `remote`.
    pub rewrite_context: Vec<u8>,
    /// To whom.
    pub recipients: Vec<Recipient>,
}

impl DeliveryRequest {
    /// All lists of the request.
    pub fn encode(&self) -> Vec<u8> {
        let list = Encoder::new()
            .int("flags", self.flags)
            .str("queue_name", &self.queue)
            .str("queue_id", &self.id)
            .long("offset", self.data_offset)
            .long("size", self.data_size)
            .str("nexthop", &self.nexthop)
            .str("encoding", &self.encoding);
        let mut out = dialect::spoken()
            .send_options(list, self.sendopts)
            .str("sender", &self.sender)
            .str("envelope_id", &self.envid)
            .int("ret_flags", self.ret)
            .data("time", &self.times.encode())
            .str("log_client_name", &self.client_name)
            .str("log_client_address", &self.client_address)
            .str("log_client_port", &self.client_port)
            .str("log_protocol_name", &self.client_protocol)
            .str("log_helo_name", &self.client_helo)
            .str("sasl_method", &self.sasl_method)
            .str("sasl_username", &self.sasl_username)
            .str("sasl_sender", &self.sasl_sender)
            .str("log_ident", &self.log_ident)
            .str("rewrite_context", &self.rewrite_context)
            .int(
                "recipient_count",
                i32::try_from(self.recipients.len()).unwrap_or(i32::MAX),
            )
            .end();
        for recipient in &self.recipients {
            out.extend(recipient.encode(Encoder::new()).end());
        }
        out
    }

    /// Takes the list with the message; gives the request without recipients, and their number.
    ///
    /// # Errors
    /// The list is no delivery request.
    pub fn decode(list: &mut Decoder<'_>) -> Result<(Self, usize), Error> {
        let request = Self {
            flags: list.int("flags")?,
            queue: list.str("queue_name")?.to_vec(),
            id: list.str("queue_id")?.to_vec(),
            data_offset: list.long("offset")?,
            data_size: list.long("size")?,
            nexthop: list.str("nexthop")?.to_vec(),
            encoding: list.str("encoding")?.to_vec(),
            sendopts: dialect::send_options(list)?,
            sender: list.str("sender")?.to_vec(),
            envid: list.str("envelope_id")?.to_vec(),
            ret: list.int("ret_flags")?,
            times: Times::decode(&list.data("time")?).ok_or(Error::Malformed("time"))?,
            client_name: list.str("log_client_name")?.to_vec(),
            client_address: list.str("log_client_address")?.to_vec(),
            client_port: list.str("log_client_port")?.to_vec(),
            client_protocol: list.str("log_protocol_name")?.to_vec(),
            client_helo: list.str("log_helo_name")?.to_vec(),
            sasl_method: list.str("sasl_method")?.to_vec(),
            sasl_username: list.str("sasl_username")?.to_vec(),
            sasl_sender: list.str("sasl_sender")?.to_vec(),
            log_ident: list.str("log_ident")?.to_vec(),
            rewrite_context: list.str("rewrite_context")?.to_vec(),
            recipients: Vec::new(),
        };
        let count = usize::try_from(list.int("recipient_count")?)
            .map_err(|_| Error::Malformed("recipient_count"))?;
        list.end()?;
        if count == 0 {
            return Err(Error::Malformed("recipient_count"));
        }
        Ok((request, count))
    }
}

/// An agent's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryReply {
    /// What is wrong with the destination, if the agent could not even try: the queue manager then leaves it alone for a while.
    pub hop: Status,
    /// Whether recipients are left that are to be tried later.
    pub deferred: bool,
}

impl DeliveryReply {
    /// The list.
    pub fn encode(&self) -> Vec<u8> {
        self.hop
            .encode(Encoder::new())
            .int("status", if self.deferred { -1 } else { 0 })
            .end()
    }

    /// Takes what belongs to an answer; more may follow in the list.
    ///
    /// # Errors
    /// It is no such answer.
    pub fn decode(list: &mut Decoder<'_>) -> Result<Self, Error> {
        let hop = Status::decode(list)?;
        let status = list.int("status")?;
        Ok(Self {
            hop,
            deferred: status != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_there_and_back() {
        let request = DeliveryRequest {
            flags: flags::DEFAULT,
            id: b"4X".to_vec(),
            times: Times {
                arrived: Moment {
                    seconds: 5,
                    micros: 6,
                },
                reused: 3,
                ..Times::default()
            },
            recipients: vec![Recipient {
                address: b"a@b".to_vec(),
                offset: 77,
                ..Recipient::default()
            }],
            ..DeliveryRequest::default()
        };
        let bytes = request.encode();
        let first = pf_attr::frame(&bytes).unwrap().unwrap();
        let (mut decoded, count) =
            DeliveryRequest::decode(&mut Decoder::new(&bytes[..first])).unwrap();
        assert_eq!(count, 1);
        decoded
            .recipients
            .push(Recipient::decode(&mut Decoder::new(&bytes[first..])).unwrap());
        assert_eq!(decoded, request);
        let reply = DeliveryReply {
            deferred: true,
            ..DeliveryReply::default()
        };
        assert_eq!(
            DeliveryReply::decode(&mut Decoder::new(&reply.encode())).unwrap(),
            reply
        );
    }
}
