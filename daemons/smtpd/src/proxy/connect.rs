//! Where a before-queue filter listens, and the connection to it.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::access::ask::Ask;

pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

/// Where the filter listens; `host:port`, `inet:host:port`, `:port`, `port`, with a name or a number for the port.
pub(super) async fn addresses(service: &str, ask: &impl Ask) -> Vec<SocketAddr> {
    if service.starts_with("unix:") {
        return Vec::new();
    }
    let service = service.strip_prefix("inet:").unwrap_or(service);
    let (host, port) = service.rsplit_once(':').unwrap_or(("", service));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = if host.is_empty() { "localhost" } else { host };
    let Some(port) = pf_net::port_number(port) else {
        return Vec::new();
    };
    if let Ok(ip) = host.parse() {
        return vec![SocketAddr::new(ip, port)];
    }
    let found = ask.host_addresses(host.as_bytes()).await;
    let found = found.unwrap_or_default();
    found.iter().map(|ip| SocketAddr::new(*ip, port)).collect()
}

/// Connects to the first of these addresses that answers.
pub(super) async fn connect(
    service: &str,
    addresses: &[SocketAddr],
    limit: Duration,
) -> io::Result<Box<dyn Wire>> {
    if let Some(path) = service.strip_prefix("unix:") {
        let stream = within(limit, UnixStream::connect(path)).await?;
        return Ok(Box::new(stream));
    }
    if addresses.is_empty() {
        let service = service.strip_prefix("inet:").unwrap_or(service);
        pf_log::warning!("host or service {service} not found: Name or service not known");
    }
    let mut trouble = io::Error::from_raw_os_error(nix::libc::EADDRNOTAVAIL);
    for address in addresses {
        match within(limit, TcpStream::connect(address)).await {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(Box::new(stream));
            }
            Err(err) => trouble = err,
        }
    }
    Err(trouble)
}

async fn within<T>(limit: Duration, dial: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(limit, dial).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::from_raw_os_error(nix::libc::ETIMEDOUT)),
    }
}
