//! The PROXY protocol: a load balancer tells where a connection really comes from, before anything else.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, Interest};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::text::escape;

/// What a version 2 header begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest version 1 line, and the longest version 2 header that is read.
const MAX_LINE: usize = 107;
const MAX_HEADER: usize = 4096;

type Ends = Option<(SocketAddr, SocketAddr)>;

/// Where a header ends, and what it says; `None`: more must be read first. The error is what is wrong.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Ends)>, &'static str> {
    let begins = |with: &[u8]| {
        let len = with.len().min(bytes.len());
        bytes.get(..len) == with.get(..len)
    };
    if begins(SIGNATURE) {
        return parse_v2(bytes);
    }
    if !begins(b"PROXY ") {
        return Err(if bytes.len() < SIGNATURE.len() + 4 {
            "short protocol header"
        } else {
            "unrecognized protocol header"
        });
    }
    let window = bytes.get(..MAX_LINE).unwrap_or(bytes);
    match memchr::memchr(b'\n', window) {
        Some(end) => {
            let line = window.get(..end).unwrap_or_default();
            Ok(Some((end + 1, Some(parse_v1(line)?))))
        }
        None if bytes.len() >= MAX_LINE => Err("missing protocol header terminator"),
        None => Ok(None),
    }
}

/// A version 1 line. The type `UNKNOWN` is refused: nobody could tell what such a client may do.
fn parse_v1(line: &[u8]) -> Result<(SocketAddr, SocketAddr), &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "bad or missing protocol header")?;
    let mut words = line
        .split([' ', '\r'])
        .filter(|word| !word.is_empty())
        .skip(1);
    let v4 = match words.next() {
        Some("TCP4") => true,
        Some("TCP6") => false,
        _ => return Err("bad or missing protocol type"),
    };
    let mut address = || {
        let ip: IpAddr = words.next()?.parse().ok()?;
        (ip.is_ipv4() == v4).then_some(ip)
    };
    let client = address().ok_or("bad or missing client address")?;
    let server = address().ok_or("bad or missing server address")?;
    let mut port = || {
        let word = words.next()?;
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        word.parse::<u16>().ok().filter(|_| digits)
    };
    let client_port = port().ok_or("bad or missing client port")?;
    let server_port = port().ok_or("bad or missing server port")?;
    Ok((
        SocketAddr::new(client, client_port),
        SocketAddr::new(server, server_port),
    ))
}

fn parse_v2(bytes: &[u8]) -> Result<Option<(usize, Ends)>, &'static str> {
    let Some((head, rest)) = bytes.split_at_checked(16) else {
        return Ok(None);
    };
    let [.., command, family, high, low] = head else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([*high, *low]));
    if len > MAX_HEADER {
        return Err("short version 2 protocol header");
    }
    let Some(body) = rest.get(..len) else {
        return Ok(None);
    };
    let ends = match (command, family) {
        (0x20, _) => None,
        (0x21, 0x11) => {
            let mut fields = Fields(body);
            let (client, server) = (fields.v4()?, fields.v4()?);
            Some(fields.ends(client.into(), server.into())?)
        }
        (0x21, 0x21) => {
            let mut fields = Fields(body);
            let (client, server) = (fields.v6()?, fields.v6()?);
            Some(fields.ends(client.into(), server.into())?)
        }
        (0x21, _) => return Err("unsupported network protocol"),
        (0x22..=0x2f, _) => return Err("bad command in proxy header"),
        _ => return Err("unrecognized protocol version"),
    };
    Ok(Some((16 + len, ends)))
}

/// What is left of a version 2 header.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (field, rest) = self.0.split_first_chunk().ok_or("short address field")?;
        self.0 = rest;
        Ok(*field)
    }

    fn v4(&mut self) -> Result<Ipv4Addr, &'static str> {
        Ok(Ipv4Addr::from(self.take::<4>()?))
    }

    fn v6(&mut self) -> Result<Ipv6Addr, &'static str> {
        Ok(Ipv6Addr::from(self.take::<16>()?))
    }

    fn ends(
        &mut self,
        client: IpAddr,
        server: IpAddr,
    ) -> Result<(SocketAddr, SocketAddr), &'static str> {
        let client_port = u16::from_be_bytes(self.take()?);
        let server_port = u16::from_be_bytes(self.take()?);
        Ok((
            SocketAddr::new(client.to_canonical(), client_port),
            SocketAddr::new(server.to_canonical(), server_port),
        ))
    }
}

/// Reads the header and nothing behind it; `None`: the connection is the proxy's own. The error is what to log.
pub(crate) async fn receive(stream: &mut TcpStream, limit: Duration) -> Result<Ends, String> {
    match timeout(limit, read(stream)).await {
        Ok(result) => result,
        Err(_) => Err("haproxy read: timeout error".to_owned()),
    }
}

async fn read(stream: &mut TcpStream) -> Result<Ends, String> {
    let lost = |_: io::Error| "haproxy read: EOF".to_owned();
    let mut buffer = vec![0; MAX_HEADER + 16];
    let mut seen = 0;
    loop {
        // Looked at first: what comes behind the header is the session's.
        let count = stream.peek(&mut buffer).await.map_err(lost)?;
        if count == 0 {
            return Err("haproxy read: EOF".to_owned());
        }
        let bytes = buffer.get(..count).unwrap_or_default();
        let header =
            parse(bytes).map_err(|why| format!("haproxy read: {why}: {}", escape(bytes)))?;
        if let Some((len, ends)) = header {
            let header = buffer.get_mut(..len).unwrap_or_default();
            stream.read_exact(header).await.map_err(lost)?;
            return Ok(ends);
        }
        if count == seen {
            // The rest has not come yet; the event loop says only that there is something.
            tokio::time::sleep(Duration::from_millis(10)).await;
            stream.ready(Interest::READABLE).await.map_err(lost)?;
        }
        seen = count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\nEHLO";
        let (len, ends) = parse(line).unwrap().unwrap();
        assert_eq!(len, 40);
        assert_eq!(ends.unwrap().0.to_string(), "192.0.2.1:1234");
        assert_eq!(
            parse(b"PROXY UNKNOWN\r\n").unwrap_err(),
            "bad or missing protocol type"
        );
        assert_eq!(parse(b"PROXY TC").unwrap(), None);
        for wrong in [
            &b"EHLO x\r\n"[..],
            b"PROXY TCP4 192.0.2.1 ::1 1 2\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 x 25\r\n",
            b"PROXY TCP5 1 2 3 4\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 +1 25\r\n",
            &[b'x'; 200],
        ] {
            assert!(parse(wrong).is_err());
        }
    }

    #[test]
    fn version_2() {
        let mut header = SIGNATURE.to_vec();
        header.extend_from_slice(&[0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 25]);
        let (len, ends) = parse(&header).unwrap().unwrap();
        assert_eq!(len, 28);
        assert_eq!(ends.unwrap().0.to_string(), "192.0.2.1:1234");
        assert_eq!(parse(&header[..20]).unwrap(), None);
        header[12] = 0x20;
        assert_eq!(parse(&header).unwrap().unwrap().1, None);
        header[12] = 0x31;
        assert!(parse(&header).is_err());
        let short = [&SIGNATURE[..], &[0x21, 0x11, 0, 4, 1, 2, 3, 4]].concat();
        assert!(parse(&short).is_err());
    }

    #[test]
    fn bug_20260625_only_what_was_read_is_told() {
        let wrong = b"PROXY TCP4 \xff\xfe\x01 x\r\n";
        assert_eq!(parse(wrong).unwrap_err(), "bad or missing protocol header");
        assert_eq!(escape(wrong), "PROXY TCP4 \\377\\376\\1 x\\r\\n");
        assert_eq!(parse(b"EHLO foo\r\n").unwrap_err(), "short protocol header");
    }
}
