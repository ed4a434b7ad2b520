//! Where a server is: `inet:host:port` or `unix:path`, and the way there.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::table::OpenError;

pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// The place of a server.
#[derive(Debug)]
pub(crate) enum Place {
    Inet {
        written: String,
        host: String,
        port: String,
    },
    Unix(String),
}

/// Where a service without a host is.
const DEFAULT_HOST: &str = "localhost";

impl Place {
    /// `host:port`, `[host]:port`, or a port of this host.
    ///
    /// # Errors
    /// The port is missing, or is neither a number nor a name.
    pub(crate) fn inet(written: &str) -> Result<Self, OpenError> {
        let (host, port) = written.rsplit_once(':').unwrap_or(("", written));
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        if port.is_empty() {
            return Err(OpenError(format!("{written}: missing service information")));
        }
        if port.starts_with(|c: char| c.is_ascii_digit())
            && !port.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Err(OpenError(format!(
                "{written}: garbage after numerical service"
            )));
        }
        Ok(Place::Inet {
            written: written.to_owned(),
            host: if bare.is_empty() { DEFAULT_HOST } else { bare }.to_owned(),
            port: port.to_owned(),
        })
    }

    /// As it was written.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Place::Inet { written, .. } | Place::Unix(written) => written,
        }
    }

    /// Connects to the server; a name that cannot be found out is warned about.
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Duplex>> {
        let (written, host, port) = match self {
            Place::Unix(path) => return Ok(Box::new(UnixStream::connect(path).await?)),
            Place::Inet {
                written,
                host,
                port,
            } => (written, host, port),
        };
        let unknown = |why: &str| {
            pf_log::warning!("host or service {written} not found: {why}");
            io::Error::from_raw_os_error(nix::libc::EADDRNOTAVAIL)
        };
        let port = number(port).ok_or_else(|| unknown("Servname not supported for ai_socktype"))?;
        let addresses: Vec<SocketAddr> = match tokio::net::lookup_host((host.as_str(), port)).await
        {
            Ok(found) => found.collect(),
            Err(err) => {
                let text = err.to_string();
                return Err(unknown(text.rsplit(": ").next().unwrap_or(&text)));
            }
        };
        let stream = TcpStream::connect(addresses.as_slice()).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// The number of a port. As in the C library, only the low bits of a large one count.
fn number(port: &str) -> Option<u16> {
    match port.parse::<u64>() {
        Ok(number) => u16::try_from(number & 0xffff).ok(),
        Err(_) => pf_net::port_number(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let parts = |text: &str| match Place::inet(text) {
            Ok(Place::Inet { host, port, .. }) => format!("{host} {port}"),
            Ok(Place::Unix(_)) => unreachable!(),
            Err(OpenError(why)) => why,
        };
        assert_eq!(parts("a.b:25"), "a.b 25");
        assert_eq!(parts("[::1]:25"), "::1 25");
        assert_eq!(parts("smtp"), "localhost smtp");
        assert_eq!(parts("a:"), "a:: missing service information");
        assert_eq!(
            parts("127.0.0.1"),
            "127.0.0.1: garbage after numerical service"
        );
        assert_eq!(number("65561"), Some(25));
    }
}
