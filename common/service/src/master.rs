//! Talking to master: which descriptors it left open, and the messages about who is busy.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use pf_proto::master::{self, Availability};
use pf_sys::fd;

/// The pipe of status messages to master. It closes when master ends or begins a new generation.
pub const STATUS_FD: RawFd = 5;
/// The first listen socket.
pub const LISTEN_FD: RawFd = 6;

/// The pipe to master.
#[derive(Debug)]
pub struct Status {
    pipe: OwnedFd,
    generation: u32,
    pid: i32,
}

impl Status {
    /// Takes the pipe over from master.
    ///
    /// # Errors
    /// Master left none open, or a generation that is no octal number.
    pub fn inherit() -> anyhow::Result<Self> {
        let generation = match std::env::var("GENERATION") {
            Ok(text) => u32::from_str_radix(&text, 8)
                .map_err(|_| anyhow::anyhow!("bad generation: {text}"))?,
            Err(_) => 0,
        };
        let pipe = fd::inherit(STATUS_FD)
            .map_err(|err| anyhow::anyhow!("status descriptor {STATUS_FD}: {err}"))?;
        fd::set_nonblocking(&pipe, false)?;
        Ok(Self {
            pipe,
            generation,
            pid: nix::unistd::getpid().as_raw(),
        })
    }

    /// Tells master whether this process takes more clients.
    ///
    /// # Errors
    /// Master has gone: the process should end when its clients are served.
    pub fn notify(&self, availability: Availability) -> io::Result<()> {
        let message = master::Status {
            pid: self.pid,
            generation: self.generation,
            availability,
        };
        match nix::unistd::write(&self.pipe, &message.encode())? {
            master::SIZE => Ok(()),
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }
}

impl AsFd for Status {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }
}

impl AsRawFd for Status {
    fn as_raw_fd(&self) -> RawFd {
        self.pipe.as_raw_fd()
    }
}
