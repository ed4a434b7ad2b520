//! Tables behind a server: `socketmap:` (netstrings) and `tcp:` (one line each way).

use std::cell::RefCell;
use std::io;
use std::time::Duration;

use pf_config::system::reason;
use pf_text::netstring;
use pf_text::space::trim_end;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::net_place::{Duplex, Place};
use crate::table::{Answer, Inner, OpenError, Remote};
use crate::{Lookup, LookupError, Options};

/// How long a server may take for one reply.
const LIMIT: Duration = Duration::from_secs(100);
/// How often a lookup is tried, on a new connection each time.
const TRIES: usize = 2;
/// How often a `tcp:` lookup is tried, on a new connection each time, with a pause before each but the first.
const TCP_TRIES: usize = 10;
/// The pause.
const TCP_PAUSE: Duration = Duration::from_secs(1);
/// The longest line of a `tcp:` server, in bytes.
const LINE_LIMIT: usize = 4096;

/// The error that was wrapped.
fn cause(err: io::Error) -> io::Error {
    match err.into_inner().map(|inner| inner.downcast::<io::Error>()) {
        Some(Ok(inner)) => *inner,
        _ => io::ErrorKind::NotConnected.into(),
    }
}

/// A connection that is used again and again.
struct Line {
    place: Place,
    /// The server, as a warning about a failed connection has it.
    shown: String,
    tries: usize,
    pause: Duration,
    idle: RefCell<Option<Box<dyn Duplex>>>,
}

impl Line {
    fn new(place: Place, shown: String, tries: usize, pause: Duration) -> Self {
        Self {
            place,
            shown,
            tries,
            pause,
            idle: RefCell::new(None),
        }
    }

    /// Sends a request and reads until `complete` finds a whole reply in what came. A server that has closed the connection
    /// meanwhile is asked again on a new one.
    async fn ask(
        &self,
        request: &[u8],
        complete: impl Fn(&[u8]) -> io::Result<Option<Vec<u8>>>,
    ) -> io::Result<Vec<u8>> {
        let mut last = io::Error::other("no answer");
        for number in 0..self.tries {
            if number > 0 {
                tokio::time::sleep(self.pause).await;
            }
            let kept = self.idle.borrow_mut().take();
            let exchange = async {
                let mut stream = match kept {
                    Some(stream) => stream,
                    None => match self.place.connect().await {
                        Ok(stream) => stream,
                        Err(err) => {
                            pf_log::warning!("connect to {}: {}", self.shown, reason(&err));
                            return Err(io::Error::new(io::ErrorKind::NotConnected, err));
                        }
                    },
                };
                stream.write_all(request).await?;
                let mut buffer = Vec::new();
                loop {
                    if let Some(reply) = complete(&buffer)? {
                        *self.idle.borrow_mut() = Some(stream);
                        return Ok::<_, io::Error>(reply);
                    }
                    if stream.read_buf(&mut buffer).await? == 0 {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
            };
            match timeout(LIMIT, exchange).await {
                Ok(Ok(reply)) => return Ok(reply),
                Ok(Err(err)) if err.kind() == io::ErrorKind::InvalidData => return Err(err),
                Ok(Err(err)) if err.kind() == io::ErrorKind::NotConnected => {
                    // The cause was logged where it was seen.
                    last = cause(err);
                    if self.pause.is_zero() {
                        return Err(last);
                    }
                }
                Ok(Err(err)) => last = err,
                Err(_) => return Err(io::ErrorKind::TimedOut.into()),
            }
        }
        Err(last)
    }
}

struct SocketMap {
    title: String,
    map: String,
    line: Line,
    limit: usize,
}

/// `socketmap:inet:host:port:name` or `socketmap:unix:path:name`.
pub(crate) fn socketmap(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let bad = || OpenError("socketmap requires server:socketmap argument".to_owned());
    let (place, map) = name.rsplit_once(':').ok_or_else(bad)?;
    let place = match place.split_once(':') {
        Some(("inet", address)) if !address.is_empty() => Place::inet(address)?,
        Some(("unix", path)) if !path.is_empty() => Place::Unix(path.to_owned()),
        Some((transport, endpoint)) if !endpoint.is_empty() => {
            return Err(OpenError(format!(
                "invalid transport name: {transport} in service: {place}"
            )));
        }
        _ => {
            return Err(OpenError(format!(
                "need service transport:endpoint instead of \"{place}\""
            )));
        }
    };
    let shown = place.shown().to_owned();
    Ok(Inner::Remote(Box::new(SocketMap {
        title: format!("socketmap:{name}"),
        map: map.to_owned(),
        line: Line::new(place, shown, TRIES, Duration::ZERO),
        limit: options.socketmap_reply_limit,
    })))
}

impl Remote for SocketMap {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let mut query = self.map.clone().into_bytes();
            query.push(b' ');
            query.extend_from_slice(key);
            let reply = self
                .line
                .ask(
                    &netstring::encode(&query),
                    |buffer| match netstring::decode(buffer, self.limit) {
                        Ok(found) => Ok(found.map(|(content, _)| content.to_vec())),
                        Err(_) => Err(io::ErrorKind::InvalidData.into()),
                    },
                )
                .await;
            let trouble = |why: String| {
                pf_log::warning!("table {} lookup error: {why}", self.title);
                Lookup::Unavailable(LookupError(why))
            };
            match reply {
                Err(err) => trouble(reason(&err)),
                Ok(reply) => {
                    let (status, text) = split(&reply);
                    match status {
                        b"OK" => Lookup::Found(text.to_vec()),
                        b"NOTFOUND" => Lookup::Missing,
                        b"TEMP" => trouble(format!(
                            "temporary error: {}",
                            String::from_utf8_lossy(text)
                        )),
                        b"PERM" => trouble(format!(
                            "permanent error: {}",
                            String::from_utf8_lossy(text)
                        )),
                        b"TIMEOUT" => {
                            trouble(format!("timeout error: {}", String::from_utf8_lossy(text)))
                        }
                        _ => trouble(format!(
                            "unknown status: {}",
                            String::from_utf8_lossy(status)
                        )),
                    }
                }
            }
        })
    }
}

fn split(reply: &[u8]) -> (&[u8], &[u8]) {
    match reply.iter().position(|byte| *byte == b' ') {
        Some(at) => (
            reply.get(..at).unwrap_or_default(),
            reply.get(at + 1..).unwrap_or_default(),
        ),
        None => (reply, b""),
    }
}

struct TcpTable {
    title: String,
    line: Line,
}

/// `tcp:host:port`.
pub(crate) fn tcp(name: &str, _options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Remote(Box::new(TcpTable {
        title: format!("tcp:{name}"),
        line: Line::new(
            Place::inet(name)?,
            format!("TCP map {name}"),
            TCP_TRIES,
            TCP_PAUSE,
        ),
    })))
}

impl Remote for TcpTable {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let mut request = b"get ".to_vec();
            quote(&mut request, key);
            request.push(b'\n');
            let reply = self
                .line
                .ask(&request, |buffer| {
                    match buffer.iter().position(|byte| *byte == b'\n') {
                        Some(end) => Ok(Some(
                            trim_end(buffer.get(..end).unwrap_or_default()).to_vec(),
                        )),
                        None if buffer.len() > LINE_LIMIT => Err(io::ErrorKind::InvalidData.into()),
                        None => Ok(None),
                    }
                })
                .await;
            let trouble = |why: String| {
                pf_log::warning!("table {}: {why}", self.title);
                Lookup::Unavailable(LookupError(why))
            };
            let reply = match reply {
                Ok(reply) => reply,
                Err(err) => return Lookup::Unavailable(LookupError(reason(&err))),
            };
            let (code, text) = split(&reply);
            match (code, unquote(text)) {
                (b"200", Some(value)) => Lookup::Found(value),
                (b"500", Some(_)) => Lookup::Missing,
                (b"400", Some(why)) => {
                    trouble(format!("lookup error: {}", String::from_utf8_lossy(&why)))
                }
                _ => trouble(format!(
                    "malformed reply: {}",
                    String::from_utf8_lossy(&reply)
                )),
            }
        })
    }
}

/// `%XX` for what is not printable, and for `%` and space.
fn quote(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if (b'!'..=b'~').contains(&byte) && byte != b'%' {
            out.push(byte);
        } else {
            out.extend(format!("%{byte:02x}").into_bytes());
        }
    }
}

fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || u8::try_from(char::from(*bytes.next()?).to_digit(16)?).ok();
            out.push((digit()? << 4) | digit()?);
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_goes_there_and_back() {
        let mut out = Vec::new();
        quote(&mut out, b"a b%\n");
        assert_eq!(out, b"a%20b%25%0a");
        assert_eq!(unquote(&out), Some(b"a b%\n".to_vec()));
        assert_eq!(unquote(b"%4"), None);
    }
}
