//! The queue listing: one attribute list for each message, its recipients in it one after another, and an empty list last.
//!
//! A list is as long as its message has recipients; so both ends work on it in pieces.

use std::io::BufRead;

use pf_attr::{Encoder, Error};

use crate::dialect;

/// The protocol's name in the server's announcement.
pub const PROTOCOL: &str = "mail_queue_list_protocol";

/// A message in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue that it is in.
    pub queue: Vec<u8>,
    /// Its id.
    pub id: Vec<u8>,
    /// When it arrived, in seconds since the epoch.
    pub time: i64,
    /// Its size in bytes.
    pub size: i64,
    /// Whether it will expire at its next delivery attempt.
    pub forced_expire: bool,
    /// The sender, printable and quoted.
    pub sender: Vec<u8>,
}

/// A recipient of the message before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The recipient before rewriting, printable and quoted.
    pub original: Vec<u8>,
    /// The recipient, printable and quoted.
    pub address: Vec<u8>,
    /// `defer`, `bounce`, or empty: where the reason is from.
    pub log_class: Vec<u8>,
    /// Why it was not delivered; empty: not known.
    pub reason: Vec<u8>,
}

/// The bytes that begin a message's list.
pub fn message(message: &Message) -> Vec<u8> {
    Encoder::new()
        .str("queue_name", &message.queue)
        .str("queue_id", &message.id)
        .long("time", message.time)
        .long("size", message.size)
        .bool("forced_expire", message.forced_expire)
        .str("sender", &message.sender)
        .part()
}

/// The bytes of a recipient in its message's list.
pub fn recipient(original: &[u8], address: &[u8], log_class: &str, reason: &[u8]) -> Vec<u8> {
    if !dialect::spoken().lists_originals() {
        return Encoder::new()
            .str("recipient", address)
            .str("reason", reason)
            .part();
    }
    Encoder::new()
        .str("original_recipient", original)
        .str("recipient", address)
        .str("log_class", log_class)
        .str("reason", reason)
        .part()
}

/// The byte that ends a message's list, and that by itself ends the listing.
pub const END: &[u8] = b"\0";

/// No name or value is longer than this; local peers are not trusted with our memory.
const MAX_TOKEN: u64 = 1 << 20;

/// Reads a listing.
#[derive(Debug)]
pub struct Listing<R> {
    source: R,
    /// Inside a message's list.
    inside: bool,
    /// A name that was read ahead.
    ahead: Option<Vec<u8>>,
}

impl<R: BufRead> Listing<R> {
    /// Reads the announcement.
    ///
    /// # Errors
    /// The server speaks another protocol, or not at all.
    pub fn open(source: R) -> Result<Self, Error> {
        let mut listing = Self {
            source,
            inside: false,
            ahead: None,
        };
        if listing.value("protocol")? != PROTOCOL.as_bytes() {
            return Err(Error::Malformed("protocol"));
        }
        if listing.token()?.is_empty() {
            Ok(listing)
        } else {
            Err(Error::Garbage)
        }
    }

    fn token(&mut self) -> Result<Vec<u8>, Error> {
        if let Some(token) = self.ahead.take() {
            return Ok(token);
        }
        let mut token = Vec::new();
        let mut bounded = std::io::Read::take(&mut self.source, MAX_TOKEN);
        let count = bounded.read_until(0, &mut token)?;
        match token.pop() {
            Some(0) => Ok(token),
            None => Err(Error::Closed),
            Some(_) if count as u64 == MAX_TOKEN => Err(Error::TooLong),
            Some(_) => Err(pf_attr::cut_off(&token)),
        }
    }

    fn value(&mut self, wanted: &'static str) -> Result<Vec<u8>, Error> {
        let name = self.token()?;
        if name == wanted.as_bytes() {
            return self.token();
        }
        if name.is_empty() {
            return Err(Error::Missing(wanted));
        }
        Err(Error::Unexpected {
            found: String::from_utf8_lossy(&name)
                .chars()
                .take(100)
                .map(|c| if c.is_control() { '?' } else { c })
                .collect(),
            wanted,
        })
    }

    fn number(&mut self, wanted: &'static str) -> Result<i64, Error> {
        let text = self.value(wanted)?;
        if !text.iter().all(u8::is_ascii_digit) {
            return Err(Error::Malformed(wanted));
        }
        std::str::from_utf8(&text)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
            .map(u64::cast_signed)
            .ok_or(Error::Malformed(wanted))
    }

    /// The next message; `None` at the end of the listing. What is left of the message before is skipped.
    ///
    /// # Errors
    /// The server does not go on as agreed.
    pub fn message(&mut self) -> Result<Option<Message>, Error> {
        while self.inside {
            self.recipient()?;
        }
        let name = self.token()?;
        if name.is_empty() {
            return Ok(None);
        }
        self.ahead = Some(name);
        let message = Message {
            queue: self.value("queue_name")?,
            id: self.value("queue_id")?,
            time: self.number("time")?,
            size: self.number("size")?,
            forced_expire: self.number("forced_expire")? != 0,
            sender: self.value("sender")?,
        };
        self.inside = true;
        Ok(Some(message))
    }

    /// The next recipient of the message; `None` when that was all.
    ///
    /// # Errors
    /// The server does not go on as agreed.
    pub fn recipient(&mut self) -> Result<Option<Recipient>, Error> {
        if !self.inside {
            return Ok(None);
        }
        let name = self.token()?;
        if name.is_empty() {
            self.inside = false;
            return Ok(None);
        }
        let older = name == b"recipient";
        self.ahead = Some(name);
        if older {
            let address = self.value("recipient")?;
            return Ok(Some(Recipient {
                original: address.clone(),
                address,
                log_class: Vec::new(),
                reason: self.value("reason")?,
            }));
        }
        Ok(Some(Recipient {
            original: self.value("original_recipient")?,
            address: self.value("recipient")?,
            log_class: self.value("log_class")?,
            reason: self.value("reason")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_read_as_it_was_written() {
        let first = Message {
            queue: b"deferred".to_vec(),
            id: b"ABC".to_vec(),
            time: 7,
            size: 8,
            forced_expire: false,
            sender: b"a@example.com".to_vec(),
        };
        let mut bytes = pf_attr::announcement(PROTOCOL);
        bytes.extend(message(&first));
        bytes.extend(recipient(b"o", b"r", "defer", b"why"));
        bytes.extend(recipient(b"o2", b"r2", "", b""));
        bytes.extend_from_slice(END);
        bytes.extend_from_slice(END);
        let mut listing = Listing::open(&bytes[..]).unwrap();
        assert_eq!(listing.message().unwrap(), Some(first));
        assert_eq!(listing.recipient().unwrap().unwrap().reason, b"why");
        assert_eq!(listing.message().unwrap(), None);
        let mut cut = Listing::open(&bytes[..bytes.len() - 1]).unwrap();
        cut.message().unwrap();
        assert!(cut.message().is_err());
    }

    #[test]
    fn a_listing_of_before_3_11_is_read() {
        let text = b"protocol\0mail_queue_list_protocol\0\0queue_name\0hold\0queue_id\0A\0time\x001\0size\x002\0forced_expire\x000\0sender\0s\0recipient\0r\0reason\0why\0\0\0";
        let mut listing = Listing::open(&text[..]).unwrap();
        assert_eq!(listing.message().unwrap().unwrap().id, b"A");
        let found = listing.recipient().unwrap().unwrap();
        assert_eq!(found.original, b"r");
        assert_eq!(
            (found.address, found.reason),
            (b"r".to_vec(), b"why".to_vec())
        );
        assert_eq!(listing.recipient().unwrap(), None);
        assert_eq!(listing.message().unwrap(), None);
    }
}
