//! Where an address is delivered, as the `trivial-rewrite` service decides.

use pf_attr::{Decoder, Encoder, Error};

use crate::Request;

#[cfg(feature = "aio")]
mod client;
#[cfg(feature = "aio")]
pub use client::TrivialClient;

pub use crate::rewrite::PROTOCOL;

/// Which parameters decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Personality {
    /// Mail delivery: `transport_maps`, `relayhost`, ...
    Regular,
    /// Address verification probes: `address_verify_transport_maps`, ...
    Verify,
}

impl Personality {
    /// What the request attribute says.
    pub fn name(self) -> &'static str {
        match self {
            Personality::Regular => "resolve",
            Personality::Verify => "verify",
        }
    }

    /// The personality that a request attribute names.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"resolve" => Some(Personality::Regular),
            b"verify" => Some(Personality::Verify),
            _ => None,
        }
    }
}

/// What kind of address and answer it is: bits as they travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct ResolveFlags(pub i32);

impl ResolveFlags {
    /// This machine is the final destination.
    pub const FINAL: Self = Self(1);
    /// The address holds a route to elsewhere.
    pub const ROUTED: Self = Self(1 << 1);
    /// The address is malformed.
    pub const ERROR: Self = Self(1 << 2);
    /// There is no answer just now.
    pub const FAIL: Self = Self(1 << 3);
    /// The domain is in `mydestination`, or an own network address.
    pub const LOCAL: Self = Self(1 << 8);
    /// The domain is in `virtual_alias_domains`.
    pub const ALIAS: Self = Self(1 << 9);
    /// The domain is in `virtual_mailbox_domains`.
    pub const VIRTUAL: Self = Self(1 << 10);
    /// The domain is in `relay_domains`.
    pub const RELAY: Self = Self(1 << 11);
    /// The domain is none of ours.
    pub const DEFAULT: Self = Self(1 << 12);
    /// The classes for which this machine is the final destination.
    pub const CLASS_FINAL: Self = Self((1 << 8) | (1 << 9) | (1 << 10));
    /// All classes.
    pub const CLASS_MASK: Self = Self(0x1f << 8);

    /// Whether any bit of `other` is set.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl std::ops::BitOr for ResolveFlags {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for ResolveFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Asks where an address is delivered.
#[derive(Debug, Clone)]
pub struct Resolve<'a> {
    /// Which parameters decide.
    pub personality: Personality,
    /// The envelope sender, for the sender-dependent parameters; empty when there is none.
    pub sender: &'a [u8],
    /// The address, in internal (unquoted) form.
    pub address: &'a [u8],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Not zero: the server wants to end this connection.
    pub server_flags: i32,
    /// The name of the delivery transport in `master.cf`.
    pub transport: Vec<u8>,
    /// The next hop, or the text for the error transport.
    pub nexthop: Vec<u8>,
    /// The recipient, in internal form.
    pub recipient: Vec<u8>,
    /// What kind of address and answer it is.
    pub flags: ResolveFlags,
}

impl Resolved {
    /// Adds the reply's attributes.
    pub fn encode(&self, list: Encoder) -> Encoder {
        list.int("flags", self.server_flags)
            .str("transport", &self.transport)
            .str("nexthop", &self.nexthop)
            .str("recipient", &self.recipient)
            .int("flags", self.flags.0)
    }
}

impl<'a> Resolve<'a> {
    /// Takes the attributes behind the request's name.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(personality: Personality, list: &mut Decoder<'a>) -> Result<Self, Error> {
        let sender = list.str("sender")?;
        let address = list.str("address")?;
        list.end()?;
        Ok(Self {
            personality,
            sender,
            address,
        })
    }
}

impl Request for Resolve<'_> {
    type Reply = Resolved;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        list.str("request", self.personality.name())
            .str("sender", self.sender)
            .str("address", self.address)
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Resolved, Error> {
        Ok(Resolved {
            server_flags: list.int("flags")?,
            transport: list.str("transport")?.to_vec(),
            nexthop: list.str("nexthop")?.to_vec(),
            recipient: list.str("recipient")?.to_vec(),
            flags: ResolveFlags(list.int("flags")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_and_answer_travel() {
        let ask = Resolve {
            personality: Personality::Verify,
            sender: b"",
            address: b"a@b",
        };
        let sent = pf_attr::Message::from(ask.encode(Encoder::new()).end());
        let mut list = sent.decoder();
        let personality = Personality::from_name(list.str("request").unwrap()).unwrap();
        let got = Resolve::decode(personality, &mut list).unwrap();
        assert_eq!(got.address, b"a@b");
        let answer = Resolved {
            server_flags: 0,
            transport: b"smtp".to_vec(),
            nexthop: b"b".to_vec(),
            recipient: b"a@b".to_vec(),
            flags: ResolveFlags::DEFAULT,
        };
        let sent = pf_attr::Message::from(answer.encode(Encoder::new()).end());
        assert_eq!(ask.decode_reply(&mut sent.decoder()).unwrap(), answer);
    }
}
