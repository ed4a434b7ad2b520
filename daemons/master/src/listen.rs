//! Making the sockets of services.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrStorage, UnixAddr, bind, listen,
    setsockopt, socket, sockopt,
};
use pf_config::master_cf::Type;
use pf_sys::identity::EffectiveIdentity;

use crate::services::{Endpoint, Service};

/// Makes the listen sockets of a service. Files are made with the rights of the mail owner (`owner`), whose directories they
/// stand in.
///
/// # Errors
/// An address is taken, or a file cannot be made.
pub fn sockets(service: &Service, owner: (u32, u32)) -> Result<Vec<OwnedFd>> {
    match &service.endpoint {
        Endpoint::Inet(addresses) => addresses
            .iter()
            .map(|address| {
                inet(*address, service.backlog)
                    .with_context(|| format!("bind {} port {}", address.ip(), address.port()))
            })
            .collect(),
        Endpoint::Path(kind, path) => {
            let _owner =
                EffectiveIdentity::switch(owner.0, owner.1).context("become the mail owner")?;
            let made = match kind {
                Type::Fifo => fifo(path),
                Type::UnixDgram => unix(path, SockType::Datagram, service.backlog),
                _ => unix(path, SockType::Stream, service.backlog),
            };
            Ok(vec![
                made.with_context(|| format!("bind: {}", path.display()))?,
            ])
        }
    }
}

fn inet(address: SocketAddr, backlog: i32) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() {
        AddressFamily::Inet
    } else {
        AddressFamily::Inet6
    };
    let fd = socket(
        family,
        SockType::Stream,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        None,
    )?;
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    if address.is_ipv6() {
        setsockopt(&fd, sockopt::Ipv6V6Only, &true)?;
    }
    bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
    start_listening(&fd, backlog)?;
    Ok(fd)
}

fn unix(path: &Path, kind: SockType, backlog: i32) -> io::Result<OwnedFd> {
    let fd = socket(
        AddressFamily::Unix,
        kind,
        SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK,
        None,
    )?;
    clear(path)?;
    bind(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    // Who may connect is decided by the directory.
    fs::set_permissions(path, Permissions::from_mode(0o666))?;
    if kind == SockType::Stream {
        start_listening(&fd, backlog)?;
    }
    Ok(fd)
}

/// Removes what an earlier master left behind.
fn clear(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(err),
        _ => Ok(()),
    }
}

fn fifo(path: &Path) -> io::Result<OwnedFd> {
    clear(path)?;
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::from_bits_truncate(0o622))?;
    fs::set_permissions(path, Permissions::from_mode(0o622))?;
    // Open for writing too, so that there is never an end of file.
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(path)?;
    Ok(file.into())
}

fn start_listening(fd: &OwnedFd, backlog: i32) -> io::Result<()> {
    let most = fs::read_to_string("/proc/sys/net/core/somaxconn")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(128);
    listen(&fd.as_fd(), Backlog::new(backlog.clamp(1, most))?)?;
    Ok(())
}
