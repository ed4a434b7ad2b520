//! Waking a service up: one byte, as any client could send it.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pf_config::master_cf::Type;
use pf_sys::identity::EffectiveIdentity;

use crate::services::{Endpoint, Service};

/// The request that means nothing but "wake up", as a named pipe gets it.
const LETTER: &[u8] = b"W";
/// On a connection a zero byte follows.
const WAKE_UP: &[u8] = b"W\0";

/// Sends the wake-up request; never waits long.
///
/// # Errors
/// The service cannot be reached.
pub fn wake_up(service: &Service, owner: (u32, u32)) -> io::Result<()> {
    let brief = Some(Duration::from_secs(1));
    match &service.endpoint {
        Endpoint::Inet(addresses) => {
            let Some(address) = addresses.first() else {
                return Ok(());
            };
            let mut stream = TcpStream::connect_timeout(address, Duration::from_secs(1))?;
            stream.set_write_timeout(brief)?;
            stream.write_all(WAKE_UP)
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
                .write_all(LETTER)
        }
        Endpoint::Path(Type::Pass, path) => {
            // The byte travels over a connection that is handed over like that of a client.
            let (mut ours, theirs) = UnixStream::pair()?;
            let stream = UnixStream::connect(path)?;
            stream.set_write_timeout(brief)?;
            pf_sys::fd::send_fd(&stream, std::os::fd::AsFd::as_fd(&theirs))?;
            ours.write_all(WAKE_UP)
        }
        Endpoint::Path(_, path) => {
            let mut stream = UnixStream::connect(path)?;
            stream.set_write_timeout(brief)?;
            stream.write_all(WAKE_UP)
        }
    }
}
