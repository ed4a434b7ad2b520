//! The address verification cache: what is known about an address, and news about it.

use pf_attr::{Decoder, Encoder, Error};

use crate::Request;

pub mod sender;

/// The protocol's name in the server's announcement; the spelling is Postfix's.
pub const PROTOCOL: &str = "address_verification_prrotocol";

/// The request was done.
pub const OK: i32 = 0;
/// The request could not be done.
pub const FAIL: i32 = -1;
/// The request was malformed.
pub const BAD: i32 = -2;

/// What is known about an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressStatus {
    /// Mail can be delivered.
    Ok,
    /// A probe was deferred.
    Defer,
    /// A probe bounced.
    Bounce,
    /// A probe is on its way.
    Todo,
}

impl AddressStatus {
    /// The number that travels.
    pub fn code(self) -> i32 {
        match self {
            AddressStatus::Ok => 0,
            AddressStatus::Defer => 1,
            AddressStatus::Bounce => 2,
            AddressStatus::Todo => 3,
        }
    }

    /// From the number that travels.
    pub fn from_code(code: i32) -> Option<Self> {
        match code {
            0 => Some(AddressStatus::Ok),
            1 => Some(AddressStatus::Defer),
            2 => Some(AddressStatus::Bounce),
            3 => Some(AddressStatus::Todo),
            _ => None,
        }
    }
}

/// Asks what is known about an address; the server sends a probe when it has to.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The address, in internal form.
    pub address: &'a [u8],
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// [`OK`], or why there is no answer.
    pub status: i32,
    /// What is known about the address.
    pub address_status: AddressStatus,
    /// More about it.
    pub reason: Vec<u8>,
}

impl Known {
    /// Adds the reply's attributes.
    pub fn encode(&self, list: Encoder) -> Encoder {
        list.int("status", self.status)
            .int("recipient_status", self.address_status.code())
            .str("reason", &self.reason)
    }
}

impl<'a> Query<'a> {
    /// What the request attribute says.
    pub const REQUEST: &'static str = "query";

    /// Takes the attributes behind the request's name.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(list: &mut Decoder<'a>) -> Result<Self, Error> {
        let address = list.str("address")?;
        list.end()?;
        Ok(Self { address })
    }
}

impl Request for Query<'_> {
    type Reply = Known;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        list.str("request", Self::REQUEST)
            .str("address", self.address)
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Known, Error> {
        Ok(Known {
            status: list.int("status")?,
            address_status: AddressStatus::from_code(list.int("recipient_status")?)
                .ok_or(Error::Malformed("recipient_status"))?,
            reason: list.str("reason")?.to_vec(),
        })
    }
}

/// Tells what became of a probe.
#[derive(Debug, Clone)]
pub struct Update<'a> {
    /// The address, in internal form.
    pub address: &'a [u8],
    /// A number of [`AddressStatus`]; the server checks it.
    pub address_status: i32,
    /// More about it.
    pub reason: &'a [u8],
}

impl<'a> Update<'a> {
    /// What the request attribute says.
    pub const REQUEST: &'static str = "update";

    /// Takes the attributes behind the request's name.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(list: &mut Decoder<'a>) -> Result<Self, Error> {
        let address = list.str("address")?;
        let address_status = list.int("recipient_status")?;
        let reason = list.str("reason")?;
        list.end()?;
        Ok(Self {
            address,
            address_status,
            reason,
        })
    }
}

impl Request for Update<'_> {
    /// [`OK`], or why not.
    type Reply = i32;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        list.str("request", Self::REQUEST)
            .str("address", self.address)
            .int("recipient_status", self.address_status)
            .str("reason", self.reason)
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<i32, Error> {
        list.int("status")
    }
}

/// A reply that is a status only: to an update, or to a request that is not known.
pub fn encode_status(list: Encoder, status: i32) -> Encoder {
    list.int("status", status)
}
