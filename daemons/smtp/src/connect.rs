//! The way to a server: a connection, perhaps from an address of our choice.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use pf_dsn::{Dsn, Status};
use pf_log::warning;
use tokio::net::{TcpSocket, UnixStream};
use tokio::time::timeout;

use crate::connection::Link;
use crate::params::Params;
use crate::server::{Place, Server};

/// Connects to one server.
pub async fn connect(params: &Params, server: &Server) -> Result<Link, Status> {
    let failed = |why: &str| {
        Status::new(
            Dsn::new(4, 4, 1),
            format!("connect to {}: {why}", server.relay()),
        )
    };
    let reason = |err: std::io::Error| failed(&pf_config::system::reason(&err));
    let limit = if params.connect_timeout.is_zero() {
        Duration::from_secs(3600)
    } else {
        params.connect_timeout
    };
    let too_slow = || failed("Connection timed out");
    let (address, port) = match &server.at {
        Place::Net(address, port) => (*address, *port),
        Place::Socket(path) => {
            let stream = timeout(limit, UnixStream::connect(Path::new(path))).await;
            return stream
                .map_err(|_| too_slow())?
                .map(Link::Unix)
                .map_err(reason);
        }
    };
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }
    .map_err(reason)?;
    let configured = if address.is_ipv4() {
        params.bind_address
    } else {
        params.bind_address6
    };
    if let Some(source) = configured.or_else(|| only_address(params, address))
        && let Err(err) = socket.bind(SocketAddr::new(source, 0))
    {
        warning!(
            "smtp_connect_addr: bind {source}: {}",
            pf_config::system::reason(&err)
        );
        if configured.is_some() && params.bind_enforce {
            return Err(Status::new(Dsn::new(4, 4, 0), "server configuration error"));
        }
    }
    let stream = timeout(limit, socket.connect(SocketAddr::new(address, port))).await;
    let stream = stream.map_err(|_| too_slow())?.map_err(reason)?;
    // Commands go out in one piece each; waiting for more would only cost time.
    let _ = stream.set_nodelay(true);
    Ok(Link::Tcp(stream))
}

/// A system that listens on one address of a family only also speaks from it.
fn only_address(params: &Params, server: IpAddr) -> Option<IpAddr> {
    let mut own = params
        .own_addresses
        .iter()
        .filter(|address| address.is_ipv4() == server.is_ipv4());
    let first = own.next()?;
    (own.next().is_none() && !first.is_loopback()).then_some(*first)
}
