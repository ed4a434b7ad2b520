//! Sharing idle connections among delivery agents (scache(8)).
//!
//! A connection is kept under the name of its endpoint; a destination leads to the names of endpoints. Names and properties mean
//! something to the agents only. After a list that announces it, the descriptor itself travels as ancillary data; the
//! receiving end says with an empty list when it is ready, so that no descriptor arrives among bytes that are being read.

#[cfg(feature = "aio")]
mod client;

use pf_attr::{Encoder, Error, Message};

#[cfg(feature = "aio")]
pub use client::{Kept, Scache};

/// What the server announces.
pub const PROTOCOL: &str = "connection_cache_protocol";

/// The request was done.
pub const OK: i32 = 0;
/// The request made no sense.
pub const BAD: i32 = 1;
/// There is nothing, or the descriptor did not arrive.
pub const FAIL: i32 = 2;

/// What is asked of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Keep a connection, which follows, for so many seconds.
    SaveEndpoint {
        /// Seconds.
        ttl: i32,
        /// The endpoint's name.
        label: Vec<u8>,
        /// What the agent wants to know of the connection.
        property: Vec<u8>,
    },
    /// Give a connection to an endpoint.
    FindEndpoint {
        /// The endpoint's name.
        label: Vec<u8>,
    },
    /// Remember for so many seconds that a destination leads to an endpoint.
    SaveDestination {
        /// Seconds.
        ttl: i32,
        /// The destination's name.
        label: Vec<u8>,
        /// What the agent wants to know of the destination.
        property: Vec<u8>,
        /// The endpoint's name.
        endpoint: Vec<u8>,
    },
    /// Give a connection to a destination.
    FindDestination {
        /// The destination's name.
        label: Vec<u8>,
    },
}

/// A request that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// An unknown name.
    Unknown(Vec<u8>),
    /// Something is missing; the kind of request, and how many properties belong into the answer.
    Incomplete(&'static str, usize),
    /// Not even a name.
    Nameless,
}

impl Request {
    /// The list of a request.
    pub fn encode(&self) -> Vec<u8> {
        let request = |name: &str| Encoder::new().str("request", name);
        match self {
            Self::SaveEndpoint {
                ttl,
                label,
                property,
            } => request("save_endp")
                .int("ttl", *ttl)
                .str("label", label)
                .str("property", property),
            Self::FindEndpoint { label } => request("find_endp").str("label", label),
            Self::SaveDestination {
                ttl,
                label,
                property,
                endpoint,
            } => request("save_dest")
                .int("ttl", *ttl)
                .str("label", label)
                .str("property", property)
                .str("label", endpoint),
            Self::FindDestination { label } => request("find_dest").str("label", label),
        }
        .end()
    }

    /// Reads the list of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn decode(message: &Message) -> Result<Self, Refused> {
        let mut list = message.decoder();
        let name = list.str("request").map_err(|_| Refused::Nameless)?;
        let (kind, properties) = match name {
            b"save_endp" => ("save_endp", 0),
            b"find_endp" => ("find_endp", 1),
            b"save_dest" => ("save_dest", 0),
            b"find_dest" => ("find_dest", 2),
            other => return Err(Refused::Unknown(other.to_vec())),
        };
        let mut rest = || -> Result<Self, Error> {
            let ttl = if kind.starts_with("save") {
                list.int("ttl")?
            } else {
                1
            };
            if ttl <= 0 {
                return Err(Error::Malformed("ttl"));
            }
            let label = list.str("label")?.to_vec();
            let request = match kind {
                "save_endp" => Self::SaveEndpoint {
                    ttl,
                    label,
                    property: list.str("property")?.to_vec(),
                },
                "find_endp" => Self::FindEndpoint { label },
                "save_dest" => Self::SaveDestination {
                    ttl,
                    label,
                    property: list.str("property")?.to_vec(),
                    endpoint: list.str("label")?.to_vec(),
                },
                _ => Self::FindDestination { label },
            };
            list.end()?;
            Ok(request)
        };
        rest().map_err(|_| Refused::Incomplete(kind, properties))
    }
}

/// An answer: a status and the properties that belong to it.
pub fn encode_reply(status: i32, properties: &[&[u8]]) -> Vec<u8> {
    let list = Encoder::new().int("status", status);
    properties
        .iter()
        .fold(list, |list, property| list.str("property", property))
        .end()
}

/// The list that says: ready for the descriptor, or done with it.
pub fn ready() -> Vec<u8> {
    Encoder::new().str("dummy", "").end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(mut bytes: Vec<u8>) -> Result<Request, Refused> {
        Request::decode(&Message::take(&mut bytes).unwrap().unwrap())
    }

    #[test]
    fn requests_there_and_back() {
        let label = b"smtp\n*".to_vec();
        let property = b"a=b\n".to_vec();
        for request in [
            Request::SaveEndpoint {
                ttl: 2,
                label: label.clone(),
                property: property.clone(),
            },
            Request::FindEndpoint {
                label: label.clone(),
            },
            Request::SaveDestination {
                ttl: 2,
                label: label.clone(),
                property,
                endpoint: b"e".to_vec(),
            },
            Request::FindDestination { label },
        ] {
            assert_eq!(decode(request.encode()), Ok(request));
        }
    }

    #[test]
    fn what_is_no_request() {
        let list = |name: &str| Encoder::new().str("request", name);
        assert_eq!(
            decode(list("sing").end()),
            Err(Refused::Unknown(b"sing".to_vec()))
        );
        assert_eq!(
            decode(list("find_dest").end()),
            Err(Refused::Incomplete("find_dest", 2))
        );
        let timeless = list("save_endp")
            .int("ttl", 0)
            .str("label", "x")
            .str("property", "x");
        assert_eq!(
            decode(timeless.end()),
            Err(Refused::Incomplete("save_endp", 0))
        );
        assert_eq!(decode(Encoder::new().end()), Err(Refused::Nameless));
    }
}
