//! Connections that another process accepted and passes on (`pass` services): the descriptor, then attributes.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use pf_attr::aio;
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

use crate::{Client, Stream};

/// How long the other process may take for each step.
const LIMIT: Duration = Duration::from_secs(100);

/// Receives one passed connection.
///
/// # Errors
/// What went wrong, fit for a warning.
pub async fn receive(connection: UnixStream) -> io::Result<Client> {
    let fd = tokio::time::timeout(LIMIT, async {
        connection
            .async_io(Interest::READABLE, || pf_sys::fd::recv_fd(&connection))
            .await
    })
    .await
    .map_err(|_| io::Error::other("timeout receiving file descriptor"))?
    .map_err(|err| io::Error::other(format!("cannot receive file descriptor: {err}")))?;
    let mut attributes = aio::Stream::new(connection, LIMIT);
    let message = attributes
        .recv()
        .await
        .map_err(|err| io::Error::other(format!("cannot receive connection attributes: {err}")))?;
    let mut list = message.decoder();
    let mut passed = Vec::new();
    let table = list
        .table()
        .map_err(|err| io::Error::other(format!("cannot receive connection attributes: {err}")))?;
    passed.extend(
        table
            .into_iter()
            .map(|(name, value)| (name.to_vec(), value.to_vec())),
    );
    Ok(Client {
        stream: stream(fd)?,
        passed: Some(passed),
    })
}

/// The descriptor as the kind of socket that it is.
fn stream(fd: OwnedFd) -> io::Result<Stream> {
    use nix::sys::socket::{AddressFamily, SockaddrLike as _, SockaddrStorage, getsockname};
    use std::os::fd::AsRawFd as _;
    pf_sys::fd::set_nonblocking(&fd, true)?;
    let local: SockaddrStorage = getsockname(fd.as_raw_fd())?;
    Ok(match local.family() {
        Some(AddressFamily::Unix) => Stream::Unix(UnixStream::from_std(fd.into())?),
        _ => Stream::Tcp(TcpStream::from_std(fd.into())?),
    })
}
