//! Waking a service up: one byte, as any client could send it.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use pf_config::master_cf::Type;
use pf_sys::identity::EffectiveIdentity;

use crate::services::{Endpoint, Service};

/// The request that means nothing but "wake up", as a named pipe gets it.
const LETTER: &[u8] = b"W";
/// On a connection a zero byte follows.
const WAKE_UP: &[u8] = b"W\0";

/// How long a service may leave the connection open.
const PATIENCE: Duration = Duration::from_secs(101);

/// A connection that a wake-up request went over. A service that greets its clients (flush) must find it open still: Postfix's does
/// not read what it was sent when it cannot write.
#[derive(Debug)]
pub struct Woken {
    pub connection: OwnedFd,
    /// When it is closed at the latest; as a rule the service closes it.
    pub until: Instant,
}

/// Sends the wake-up request; never waits long. There is no connection to a FIFO.
///
/// # Errors
/// The service cannot be reached.
pub fn wake_up(service: &Service, owner: (u32, u32)) -> io::Result<Option<Woken>> {
    let connection = send(service, owner)?;
    Ok(connection.map(|connection| Woken {
        connection,
        until: Instant::now() + PATIENCE,
    }))
}

fn send(service: &Service, owner: (u32, u32)) -> io::Result<Option<OwnedFd>> {
    let brief = Some(Duration::from_secs(1));
    match &service.endpoint {
        Endpoint::Inet(addresses) => {
            let Some(address) = addresses.first() else {
                return Ok(None);
            };
            let mut stream = TcpStream::connect_timeout(address, Duration::from_secs(1))?;
            stream.set_write_timeout(brief)?;
            stream.write_all(WAKE_UP)?;
            Ok(Some(stream.into()))
        }
        Endpoint::Path(Type::UnixDgram, _) => {
            Err(io::Error::from_raw_os_error(nix::libc::EOPNOTSUPP))
        }
        Endpoint::Path(Type::Fifo, path) => {
            let _owner = EffectiveIdentity::switch(owner.0, owner.1)?;
            let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW;
            std::fs::OpenOptions::new()
                .write(true)
                .custom_flags(flags)
                .open(path)?
                .write_all(LETTER)?;
            Ok(None)
        }
        Endpoint::Path(Type::Pass, path) => {
            // The byte travels over a connection that is handed over like that of a client.
            let (mut ours, theirs) = UnixStream::pair()?;
            let stream = UnixStream::connect(path)?;
            stream.set_write_timeout(brief)?;
            pf_sys::fd::send_fd(&stream, std::os::fd::AsFd::as_fd(&theirs))?;
            ours.write_all(WAKE_UP)?;
            Ok(Some(ours.into()))
        }
        Endpoint::Path(_, path) => {
            let mut stream = UnixStream::connect(path)?;
            stream.set_write_timeout(brief)?;
            stream.write_all(WAKE_UP)?;
            Ok(Some(stream.into()))
        }
    }
}
