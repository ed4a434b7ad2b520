//! The PROXY protocol: a load balancer tells where a connection really comes from, before anything else.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::session::hostname::Families;
use crate::text::escape;

/// What a version 2 header begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The longest header, in bytes.
const MAX_HEADER: usize = 536;

type Ends = Option<(SocketAddr, SocketAddr)>;

/// Where a header ends, and what it says. The error is what is wrong. A header comes in one piece; what is not there is missing.
fn parse(bytes: &[u8], families: Families) -> Result<(usize, Ends), &'static str> {
    if !bytes.starts_with(b"PROXY ") {
        return parse_v2(bytes, families);
    }
    let end = memchr::memchr(b'\n', bytes).ok_or("missing protocol header terminator")?;
    let line = bytes.get(..end).unwrap_or_default();
    Ok((end + 1, Some(parse_v1(line, families)?)))
}

/// A version 1 line. The type `UNKNOWN` is refused: nobody could tell what such a client may do.
fn parse_v1(line: &[u8], families: Families) -> Result<(SocketAddr, SocketAddr), &'static str> {
    let mut words = line
        .split(|byte| matches!(byte, b' ' | b'\r'))
        .filter(|word| !word.is_empty())
        .map(|word| std::str::from_utf8(word).ok())
        .skip(1);
    let kind = words.next().flatten().unwrap_or_default();
    let v4 = if kind.eq_ignore_ascii_case("TCP4") && families.v4 {
        true
    } else if kind.eq_ignore_ascii_case("TCP6") && families.v6 {
        false
    } else {
        return Err("bad or missing protocol type");
    };
    let mut address = || {
        let word = words.next()??;
        if v4 {
            ipv4(word).map(IpAddr::V4)
        } else {
            Some(word.parse::<Ipv6Addr>().ok()?.to_canonical())
        }
    };
    let client = address().ok_or("bad or missing client address")?;
    let server = address().ok_or("bad or missing server address")?;
    let mut port = || {
        let word = words.next()??;
        let plain = word == "0" || !word.starts_with(['0', '+']);
        word.parse::<u16>().ok().filter(|_| plain)
    };
    let client_port = port().ok_or("bad or missing client port")?;
    let server_port = port().ok_or("bad or missing server port")?;
    Ok((
        SocketAddr::new(client, client_port),
        SocketAddr::new(server, server_port),
    ))
}

/// Four numbers; one that begins with a zero is octal, as everywhere in the C library.
fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = text.split('.').map(|word| {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        let radix = if word.starts_with('0') { 8 } else { 10 };
        u8::from_str_radix(word, radix).ok().filter(|_| digits)
    });
    let mut next = || octets.next()?;
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    octets.next().is_none().then_some(address)
}

fn parse_v2(bytes: &[u8], families: Families) -> Result<(usize, Ends), &'static str> {
    let (head, rest) = bytes.split_at_checked(16).ok_or("short protocol header")?;
    let Some([command, family, high, low]) = head.strip_prefix(SIGNATURE) else {
        return Err("unrecognized protocol header");
    };
    if command & 0xf0 != 0x20 {
        return Err("unrecognized protocol version");
    }
    let len = usize::from(u16::from_be_bytes([*high, *low]));
    let body = rest.get(..len).ok_or("short version 2 protocol header")?;
    let ends = match (command & 0x0f, family) {
        (0, _) => None,
        (1, 0x11) => {
            if !families.v4 {
                return Err("Postfix IPv4 support is disabled");
            }
            let mut fields = Fields(body);
            let (client, server) = (fields.v4()?, fields.v4()?);
            Some(fields.ends(client.into(), server.into())?)
        }
        (1, 0x21) => {
            if !families.v6 {
                return Err("Postfix IPv6 support is disabled");
            }
            let mut fields = Fields(body);
            let (client, server) = (fields.v6()?, fields.v6()?);
            Some(fields.ends(client.into(), server.into())?)
        }
        (1, _) => return Err("unsupported network protocol"),
        _ => return Err("bad command in proxy header"),
    };
    Ok((16 + len, ends))
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
pub(crate) async fn receive(
    stream: &mut TcpStream,
    limit: Duration,
    families: Families,
) -> Result<Ends, String> {
    match timeout(limit, read(stream, families)).await {
        Ok(result) => result,
        Err(_) => Err("haproxy read: timeout error".to_owned()),
    }
}

async fn read(stream: &mut TcpStream, families: Families) -> Result<Ends, String> {
    let lost = |_: io::Error| "haproxy read: EOF".to_owned();
    let mut buffer = vec![0; MAX_HEADER];
    // Looked at first: what comes behind the header is the session's.
    let count = stream.peek(&mut buffer).await.map_err(lost)?;
    if count == 0 {
        return Err("haproxy read: EOF".to_owned());
    }
    let bytes = buffer.get(..count).unwrap_or_default();
    let (len, ends) =
        parse(bytes, families).map_err(|why| format!("haproxy read: {why}: {}", escape(bytes)))?;
    let header = buffer.get_mut(..len).unwrap_or_default();
    stream.read_exact(header).await.map_err(lost)?;
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Families = Families { v4: true, v6: true };

    fn read(bytes: &[u8]) -> Result<(usize, Ends), &'static str> {
        parse(bytes, BOTH)
    }

    #[test]
    fn version_1() {
        let line = b"PROXY TCP4 192.0.2.1 192.0.2.2 1234 25\r\nEHLO";
        let (len, ends) = read(line).unwrap();
        assert_eq!(len, 40);
        assert_eq!(ends.unwrap().0.to_string(), "192.0.2.1:1234");
        let (_, ends) = read(b"PROXY tcp6 ::1  ::ffff:1.2.3.4 0 25 more\n").unwrap();
        let (client, server) = ends.unwrap();
        assert_eq!(client.to_string(), "[::1]:0");
        assert_eq!(server.to_string(), "1.2.3.4:25");
        for (wrong, why) in [
            (&b"EHLO x\r\n"[..], "short protocol header"),
            (b"EHLO foo.example.com\r\n", "unrecognized protocol header"),
            (b"PROXY TC", "missing protocol header terminator"),
            (b"PROXY UNKNOWN\r\n", "bad or missing protocol type"),
            (
                b"PROXY TCP4 192.0.2.1 ::1 1 2\r\n",
                "bad or missing server address",
            ),
            (
                b"PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
                "bad or missing client address",
            ),
            (
                b"PROXY TCP4 1.2.3.4 1.2.3.4 x 2\r\n",
                "bad or missing client port",
            ),
            (
                b"PROXY TCP4 1.2.3.4 1.2.3.4 1 02\r\n",
                "bad or missing server port",
            ),
            (
                b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
                "bad or missing client port",
            ),
        ] {
            assert_eq!(read(wrong), Err(why));
        }
        let v4 = Families {
            v4: true,
            v6: false,
        };
        assert!(parse(b"PROXY TCP6 ::1 ::1 1 2\r\n", v4).is_err());
    }

    #[test]
    fn version_2() {
        let mut header = SIGNATURE.to_vec();
        header.extend_from_slice(&[0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 4, 210, 0, 25]);
        let (len, ends) = read(&header).unwrap();
        assert_eq!(len, 28);
        assert_eq!(ends.unwrap().0.to_string(), "192.0.2.1:1234");
        assert_eq!(read(&header[..20]), Err("short version 2 protocol header"));
        header[12] = 0x20;
        assert_eq!(read(&header).unwrap().1, None);
        header[12] = 0x31;
        assert_eq!(read(&header), Err("unrecognized protocol version"));
        let short = [&SIGNATURE[..], &[0x21, 0x11, 0, 4, 1, 2, 3, 4]].concat();
        assert_eq!(read(&short), Err("short address field"));
    }

    #[test]
    fn bug_20260625_only_what_was_read_is_told() {
        let wrong = b"PROXY TCP4 \xff\xfe\x01 x\r\n";
        assert_eq!(read(wrong), Err("bad or missing client address"));
        assert_eq!(escape(wrong), "PROXY TCP4 \\377\\376\\001 x\\r\\n");
    }
}
