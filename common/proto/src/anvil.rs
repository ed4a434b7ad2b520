//! Counting what clients of a service do (anvil(8)). This is the one protocol in the plain encoding: lines of `name=value`, an
//! empty line ends the list.
//!
//! The server sees one remote client behind each connection, so each session keeps a connection of its own from its first
//! event to [`Session::disconnect`].

#[cfg(feature = "aio")]
mod client;

#[cfg(feature = "aio")]
pub use client::{Anvil, Session};

/// What the server announces.
pub const PROTOCOL: &str = "anvil_protocol";
/// The longest line or list of attributes that is accepted, in bytes.
pub const MAX_LIST: usize = 16 * 1024;

/// What happened, or what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A client connected.
    Connect,
    /// The client has gone.
    Disconnect,
    /// A message was begun.
    Message,
    /// A recipient was named.
    Recipient,
    /// A TLS session was negotiated from nothing.
    NewTls,
    /// How often that was, without counting.
    NewTlsStatus,
    /// An authentication was tried.
    Auth,
    /// All numbers, without counting.
    Lookup,
}

impl Event {
    const NAMES: [(Event, &'static str); 8] = [
        (Event::Connect, "connect"),
        (Event::Disconnect, "disconnect"),
        (Event::Message, "message"),
        (Event::Recipient, "recipient"),
        (Event::NewTls, "newtls"),
        (Event::NewTlsStatus, "newtls_status"),
        (Event::Auth, "auth"),
        (Event::Lookup, "lookup"),
    ];

    /// The name in a request.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(event, _)| *event == self)
            .map_or("", |(_, name)| name)
    }

    /// The event of this name.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| known.as_bytes() == name)
            .map(|(event, _)| *event)
    }
}

/// Who a counter is for: the service and the client's address, made printable so that it fits on a line.
pub fn ident(service: &str, client: &str) -> Vec<u8> {
    pf_text::printable(format!("{service}:{client}").as_bytes(), b'?').into_owned()
}

/// A request, as it goes over the wire.
pub fn encode_request(event: Event, ident: &[u8]) -> Vec<u8> {
    let mut list = format!("request={}\nident=", event.name()).into_bytes();
    list.extend_from_slice(ident);
    list.extend_from_slice(b"\n\n");
    list
}

/// A reply or an announcement: each number on a line of its own.
pub fn encode_reply(status: i32, numbers: &[(&str, i32)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut list = Vec::new();
    // Writing to memory does not fail. Negative numbers travel as their unsigned image.
    let _ = writeln!(list, "status={}", status.cast_unsigned());
    for (name, number) in numbers {
        let _ = writeln!(list, "{name}={}", number.cast_unsigned());
    }
    list.push(b'\n');
    list
}

/// The server's first list on each connection.
pub fn announcement() -> Vec<u8> {
    format!("protocol={PROTOCOL}\n\n").into_bytes()
}

/// A list as received: names and values in order.
pub type List = Vec<(Vec<u8>, Vec<u8>)>;

/// Why a list was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A line without `=`.
    #[error("malformed attribute")]
    Garbage,
    /// More than [`MAX_LIST`] bytes.
    #[error("attribute list too long")]
    TooLong,
}

/// Takes the first whole list out of `buffer`; `None` when more bytes are needed.
///
/// # Errors
/// The bytes are no list.
pub fn take(buffer: &mut Vec<u8>) -> Result<Option<List>, Malformed> {
    let end = if buffer.starts_with(b"\n") {
        Some(0)
    } else {
        buffer
            .windows(2)
            .position(|pair| pair == b"\n\n")
            .map(|at| at + 1)
    };
    let Some(end) = end else {
        return if buffer.len() > MAX_LIST {
            Err(Malformed::TooLong)
        } else {
            Ok(None)
        };
    };
    if end > MAX_LIST {
        return Err(Malformed::TooLong);
    }
    let mut bytes: Vec<u8> = buffer.drain(..=end).collect();
    bytes.truncate(end);
    let mut list = List::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        let at = line
            .iter()
            .position(|byte| *byte == b'=')
            .ok_or(Malformed::Garbage)?;
        let (name, value) = line.split_at(at);
        list.push((name.to_vec(), value.get(1..).unwrap_or_default().to_vec()));
    }
    Ok(Some(list))
}

/// The value of this name.
pub fn value<'a>(list: &'a List, name: &str) -> Option<&'a [u8]> {
    list.iter()
        .find(|(found, _)| found == name.as_bytes())
        .map(|(_, value)| value.as_slice())
}

/// The number of this name.
pub fn number(list: &List, name: &str) -> Option<i32> {
    let text = std::str::from_utf8(value(list, name)?).ok()?;
    Some(text.parse::<u32>().ok()?.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_out_of_the_stream() {
        let mut buffer = encode_request(Event::Connect, &ident("smtp", "192.0.2.1\n"));
        assert_eq!(buffer, b"request=connect\nident=smtp:192.0.2.1?\n\n");
        buffer.extend(encode_reply(0, &[("count", 2), ("rate", 3)]));
        buffer.extend_from_slice(b"status=4294967295\n");
        let request = take(&mut buffer).unwrap().unwrap();
        assert_eq!(value(&request, "request"), Some(&b"connect"[..]));
        let reply = take(&mut buffer).unwrap().unwrap();
        assert_eq!(
            (number(&reply, "status"), number(&reply, "rate")),
            (Some(0), Some(3))
        );
        assert_eq!(take(&mut buffer), Ok(None));
        buffer.push(b'\n');
        let refused = take(&mut buffer).unwrap().unwrap();
        assert_eq!(number(&refused, "status"), Some(-1));
        assert!(buffer.is_empty());
    }

    #[test]
    fn garbage_is_refused() {
        assert_eq!(take(&mut b"hello\n\n".to_vec()), Err(Malformed::Garbage));
        assert_eq!(take(&mut vec![b'x'; MAX_LIST + 1]), Err(Malformed::TooLong));
        assert_eq!(take(&mut b"\nrest".to_vec()), Ok(Some(vec![])));
    }
}
