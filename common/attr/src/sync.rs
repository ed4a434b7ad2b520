//! Attribute lists over a blocking Unix-domain socket.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::{Error, Message, cut_off};

/// A connection on which both ends send attribute lists, each read and write bounded by a time limit.
#[derive(Debug)]
pub struct Stream {
    io: UnixStream,
    pending: Vec<u8>,
}

impl Stream {
    /// Connects to the socket at `path`; `timeout` bounds each later read and write (`ipc_timeout`).
    ///
    /// # Errors
    /// The connection cannot be made.
    pub fn connect(path: &Path, timeout: Duration) -> Result<Self, Error> {
        Self::new(UnixStream::connect(path)?, timeout)
    }

    /// Wraps a connected socket.
    ///
    /// # Errors
    /// The time limit cannot be set.
    pub fn new(io: UnixStream, timeout: Duration) -> Result<Self, Error> {
        let limit = Some(timeout).filter(|t| !t.is_zero());
        io.set_read_timeout(limit)?;
        io.set_write_timeout(limit)?;
        Ok(Self {
            io,
            pending: Vec::new(),
        })
    }

    /// Sends bytes made by an [`Encoder`](crate::Encoder).
    ///
    /// # Errors
    /// The peer is gone or does not read in time.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.io.write_all(bytes)?)
    }

    /// Receives the next list.
    ///
    /// # Errors
    /// [`Error::Closed`] when the peer ended the connection between lists; else what went wrong.
    pub fn recv(&mut self) -> Result<Message, Error> {
        let mut chunk = [0; 4096];
        loop {
            if let Some(message) = Message::take(&mut self.pending)? {
                return Ok(message);
            }
            let count = match self.io.read(&mut chunk) {
                Err(err) if err.kind() == std::io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if count == 0 {
                return Err(cut_off(&self.pending));
            }
            self.pending
                .extend_from_slice(chunk.get(..count).unwrap_or_default());
        }
    }

    /// The socket, and what was read from it beyond the last list.
    pub fn into_parts(self) -> (UnixStream, Vec<u8>) {
        (self.io, self.pending)
    }

    /// The socket itself, for descriptor passing and raw records between lists.
    pub fn socket(&mut self) -> &mut UnixStream {
        &mut self.io
    }
}
