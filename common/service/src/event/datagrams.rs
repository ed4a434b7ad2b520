//! Datagrams, taken as many at a time as are waiting.

use std::io;
use std::os::fd::OwnedFd;

use nix::sys::socket::{MsgFlags, recv};

/// The longest datagram, in bytes; the rest of a longer one is lost.
pub(super) const DATAGRAM_SIZE: usize = 4096;
/// No more datagrams than this are taken at once.
const DATAGRAM_BATCH: usize = 64;

/// Datagrams that came in together.
#[derive(Debug, Default)]
pub struct Datagrams {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Datagrams {
    /// Each datagram.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut from = 0;
        self.ends.iter().map(move |end| {
            let one = self.bytes.get(from..*end).unwrap_or_default();
            from = *end;
            one
        })
    }

    /// Receives what is waiting, up to a whole batch; false when nothing more is waiting after it.
    pub(super) fn receive(&mut self, socket: &OwnedFd, room: &mut [u8]) -> io::Result<bool> {
        use std::os::fd::AsRawFd as _;
        self.bytes.clear();
        self.ends.clear();
        while self.ends.len() < DATAGRAM_BATCH {
            match recv(socket.as_raw_fd(), room, MsgFlags::MSG_DONTWAIT) {
                Ok(count) => {
                    self.bytes
                        .extend_from_slice(room.get(..count).unwrap_or_default());
                    self.ends.push(self.bytes.len());
                }
                Err(err) if self.ends.is_empty() => return Err(err.into()),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }
}
