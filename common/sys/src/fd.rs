//! Descriptors: inherited ones, flags, and passing them over a socket.
#![allow(unsafe_code, reason = "adopting a descriptor by its number")]

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

/// Takes over a descriptor that the parent process left open at this number. It is closed on exec from here on.
///
/// Each number may be taken over once; a process does so at its start, before it opens anything itself.
///
/// # Errors
/// There is no open descriptor at this number.
pub fn inherit(number: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the descriptor is only looked at; when it is not open, fcntl says so and nothing is adopted.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl(borrowed, FcntlArg::F_GETFD)?;
    // SAFETY: the descriptor is open, and by this function's contract nobody else in the process owns it.
    let owned = unsafe { OwnedFd::from_raw_fd(number) };
    set_cloexec(&owned, true)?;
    Ok(owned)
}

/// Whether the descriptor is closed when another program is executed.
///
/// # Errors
/// As fcntl(2).
pub fn set_cloexec(fd: impl AsFd, on: bool) -> io::Result<()> {
    let flags = if on {
        FdFlag::FD_CLOEXEC
    } else {
        FdFlag::empty()
    };
    fcntl(fd, FcntlArg::F_SETFD(flags))?;
    Ok(())
}

/// Whether operations on the descriptor return instead of waiting.
///
/// # Errors
/// As fcntl(2).
pub fn set_nonblocking(fd: impl AsFd, on: bool) -> io::Result<()> {
    let mut flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
    flags.set(OFlag::O_NONBLOCK, on);
    fcntl(fd, FcntlArg::F_SETFL(flags))?;
    Ok(())
}

/// Sends a descriptor over a Unix-domain socket, with one byte, as Postfix does.
///
/// # Errors
/// As sendmsg(2).
pub fn send_fd(socket: impl AsFd, fd: BorrowedFd<'_>) -> io::Result<()> {
    let fds = [fd.as_raw_fd()];
    let control = [ControlMessage::ScmRights(&fds)];
    let empty = [0];
    sendmsg::<()>(
        socket.as_fd().as_raw_fd(),
        &[IoSlice::new(&empty)],
        &control,
        MsgFlags::empty(),
        None,
    )?;
    Ok(())
}

/// Receives a descriptor that was sent by [`send_fd`]. It is closed on exec.
///
/// # Errors
/// As recvmsg(2); `InvalidData` when the message has no descriptor, `UnexpectedEof` when the peer hung up.
pub fn recv_fd(socket: impl AsFd) -> io::Result<OwnedFd> {
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let mut space = nix::cmsg_space!([RawFd; 1]);
    let flags = MsgFlags::MSG_CMSG_CLOEXEC;
    let message = recvmsg::<()>(
        socket.as_fd().as_raw_fd(),
        &mut parts,
        Some(&mut space),
        flags,
    )?;
    let mut received = None;
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(numbers) = control {
            for number in numbers {
                // SAFETY: the kernel has just made this descriptor for us, and nobody else knows of it.
                let fd = unsafe { OwnedFd::from_raw_fd(number) };
                received.get_or_insert(fd);
            }
        }
    }
    match received {
        Some(fd) => Ok(fd),
        None if message.bytes == 0 => Err(io::ErrorKind::UnexpectedEof.into()),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Takes over a descriptor that a system call of ours has just made.
pub fn adopt_accepted(number: RawFd) -> OwnedFd {
    // SAFETY: by this function's contract the kernel has just made the descriptor, and nobody else knows of it.
    unsafe { OwnedFd::from_raw_fd(number) }
}
