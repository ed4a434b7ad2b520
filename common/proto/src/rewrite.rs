//! Address rewriting by the `trivial-rewrite` service.

use pf_attr::{Decoder, Encoder, Error};

use crate::Request;

/// The protocol's name in the server's announcement; [`resolve`](crate::resolve) requests go over the same connection.
pub const PROTOCOL: &str = "trivial_rewrite_protocol";

/// What the request attribute says.
pub const REQUEST: &str = "rewrite";

/// Rule set for mail from local clients: `append_at_myorigin` and so on.
pub const LOCAL: &str = "local";

/// Rule set for mail from remote clients: `remote_header_rewrite_domain`, or no change.
pub const REMOTE: &str = "remote";

/// Whether rewriting leaves an address in external form as it is, whatever the parameters: a plain local part, and a domain
/// of several labels. Most addresses are so, and need not be asked about.
pub fn is_standard(address: &[u8]) -> bool {
    let Some(at) = address.iter().position(|&ch| ch == b'@') else {
        return false;
    };
    let (local, domain) = address.split_at(at);
    let domain = domain.get(1..).unwrap_or_default();
    let plain = |part: &[u8], also: &[u8]| {
        let mut last = b'.';
        let good = part.iter().all(|&ch| {
            let good = match ch {
                b'.' => last != b'.',
                _ => ch.is_ascii_alphanumeric() || also.contains(&ch),
            };
            last = ch;
            good
        });
        good && last != b'.'
    };
    plain(local, b"_+-=") && plain(domain, b"_-") && domain.contains(&b'.')
}

/// Brings an address in external (quoted) form into its standard form.
#[derive(Debug, Clone)]
pub struct Rewrite<'a> {
    /// [`LOCAL`] or [`REMOTE`].
    pub rule: &'a [u8],
    /// The address, in external form.
    pub address: &'a [u8],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Not zero: the server wants to end this connection.
    pub server_flags: i32,
    /// The address, in external form.
    pub address: Vec<u8>,
}

impl Rewritten {
    /// Adds the reply's attributes.
    pub fn encode(&self, list: Encoder) -> Encoder {
        list.int("flags", self.server_flags)
            .str("address", &self.address)
    }
}

impl<'a> Rewrite<'a> {
    /// Takes the attributes behind the request's name.
    ///
    /// # Errors
    /// The list is not such a request.
    pub fn decode(list: &mut Decoder<'a>) -> Result<Self, Error> {
        let rule = list.str("rule")?;
        let address = list.str("address")?;
        list.end()?;
        Ok(Self { rule, address })
    }
}

impl Request for Rewrite<'_> {
    type Reply = Rewritten;
    const PROTOCOL: Option<&'static str> = Some(PROTOCOL);

    fn encode(&self, list: Encoder) -> Encoder {
        list.str("request", REQUEST)
            .str("rule", self.rule)
            .str("address", self.address)
    }

    fn decode_reply(&self, list: &mut Decoder<'_>) -> Result<Rewritten, Error> {
        Ok(Rewritten {
            server_flags: list.int("flags")?,
            address: list.str("address")?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_standard;

    #[test]
    fn plain_addresses_need_no_rewriting() {
        for address in ["a@b.c", "a.b+c-d_e=f@x-y.z_1", "1@2.3"] {
            assert!(is_standard(address.as_bytes()), "{address}");
        }
        for address in [
            "",
            "a",
            "a@b",
            "@b.c",
            "a@",
            "a@b.",
            "a@b.c.",
            "a@.b.c",
            "a@b..c",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "a%b@c.d",
            "a!b@c.d",
            "a@b@c.d",
            "a b@c.d",
            "\"a\"@b.c",
            "a@[1.2]",
            "a(c)@b.c",
            "<a@b.c>",
            "\u{e9}@b.c",
            "a|b@c.d",
        ] {
            assert!(!is_standard(address.as_bytes()), "{address}");
        }
    }
}
