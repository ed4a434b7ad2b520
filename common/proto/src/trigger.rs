//! Waking up a service: a few bytes sent to its socket or FIFO, with no answer.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::Address;

/// Wakes up any service (pickup, flush, ...).
pub const WAKEUP: u8 = b'W';
/// Queue manager: look through the deferred queue.
pub const SCAN_DEFERRED: u8 = b'D';
/// Queue manager: look through the incoming queue.
pub const SCAN_INCOMING: u8 = b'I';
/// Queue manager: forget which destinations are dead.
pub const FLUSH_DEAD: u8 = b'F';
/// Queue manager: the next scan ignores when a message is due.
pub const SCAN_ALL: u8 = b'A';

/// What tells the queue manager to try all deferred mail now.
pub const FLUSH_DEFERRED: &[u8] = &[FLUSH_DEAD, SCAN_ALL, SCAN_DEFERRED, SCAN_INCOMING];

/// Why a service was not woken up.
#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    /// There is no such socket. Worth a warning.
    #[error("unable to look up {0}: {1}")]
    Missing(String, io::Error),
    /// Something else has the socket's name. Worth a warning.
    #[error("{0} is not a socket or a fifo")]
    NotASocket(String),
    /// Nobody listens: the mail system is down.
    #[error("connect to {0}: {1}")]
    Down(String, io::Error),
}

/// Sends a request to a service, which need not be running at this moment as long as master is. Blocks no longer than
/// `timeout`.
///
/// # Errors
/// The service's socket is not there, or nobody listens. The latter is of no consequence to most callers: the service looks
/// at its queue when it starts.
pub fn send(address: &Address, request: &[u8], timeout: Duration) -> Result<(), TriggerError> {
    let path = address.path();
    let name = || address.name().to_owned();
    let kind = std::fs::metadata(path)
        .map_err(|err| TriggerError::Missing(name(), err))?
        .file_type();
    if kind.is_fifo() {
        // Without a reader this fails at once.
        OpenOptions::new()
            .write(true)
            .custom_flags(NONBLOCK_NOFOLLOW)
            .open(path)
            .and_then(|mut fifo| fifo.write_all(request))
            .map_err(|err| TriggerError::Down(name(), err))
    } else if kind.is_socket() {
        let sent = UnixStream::connect(path).and_then(|mut stream| {
            stream.set_write_timeout(Some(timeout).filter(|limit| !limit.is_zero()))?;
            // A socket's request ends with a NUL.
            let mut bytes = request.to_vec();
            bytes.push(0);
            stream.write_all(&bytes)
        });
        match sent {
            Err(err) if err.kind() != ErrorKind::BrokenPipe => Err(TriggerError::Down(name(), err)),
            _ => Ok(()),
        }
    } else {
        Err(TriggerError::NotASocket(name()))
    }
}

/// Of `open`: do not wait for a reader, do not follow a symbolic link.
const NONBLOCK_NOFOLLOW: i32 = libc::O_NONBLOCK | libc::O_NOFOLLOW;
