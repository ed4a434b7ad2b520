//! Advisory locks on files.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

/// Which kind of lock other programs on this system look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// flock(2).
    Flock,
    /// fcntl(2) record locks.
    Fcntl,
    /// A lock file beside the file; taken by those who own the mailbox, not here.
    DotLock,
}

/// What the lock allows others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// No lock: gives it up.
    None,
    /// Others may read.
    Shared,
    /// Others must keep out.
    Exclusive,
}

/// Takes, changes or gives up a lock on a whole file. `Ok(false)`: somebody else has it, and we were not to wait.
///
/// # Errors
/// As flock(2) and fcntl(2). [`Style::DotLock`] is no lock of this kind: `Unsupported`.
pub fn lock(file: impl AsFd, style: Style, mode: Mode, wait: bool) -> io::Result<bool> {
    loop {
        let done = match style {
            Style::Flock => flock(file.as_fd().as_raw_fd(), mode, wait),
            Style::Fcntl => record_lock(&file, mode, wait),
            Style::DotLock => return Err(io::ErrorKind::Unsupported.into()),
        };
        return match done {
            Ok(()) => Ok(true),
            Err(Errno::EINTR) => continue,
            Err(Errno::EAGAIN | Errno::EACCES) if !wait => Ok(false),
            Err(err) => Err(err.into()),
        };
    }
}

#[allow(
    unsafe_code,
    reason = "nix ties flock to an owned descriptor; here the file is borrowed"
)]
fn flock(fd: std::os::fd::RawFd, mode: Mode, wait: bool) -> nix::Result<()> {
    let operation = match mode {
        Mode::None => libc::LOCK_UN,
        Mode::Shared => libc::LOCK_SH,
        Mode::Exclusive => libc::LOCK_EX,
    } | if wait { 0 } else { libc::LOCK_NB };
    // SAFETY: the caller holds the descriptor open during the call; no memory is passed.
    Errno::result(unsafe { libc::flock(fd, operation) }).map(drop)
}

fn record_lock(file: &impl AsFd, mode: Mode, wait: bool) -> nix::Result<()> {
    let kind = match mode {
        Mode::None => libc::F_UNLCK,
        Mode::Shared => libc::F_RDLCK,
        Mode::Exclusive => libc::F_WRLCK,
    };
    // The constants are small numbers of either width.
    let kind = libc::c_short::try_from(kind).unwrap_or_default();
    let whence = libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default();
    let request = libc::flock {
        l_type: kind,
        l_whence: whence,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let how = if wait {
        FcntlArg::F_SETLKW(&request)
    } else {
        FcntlArg::F_SETLK(&request)
    };
    fcntl(file.as_fd(), how).map(drop)
}
