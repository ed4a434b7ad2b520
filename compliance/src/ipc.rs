//! The sockets of services, spoken to as other programs of the mail system do.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pf_testkit::Instance;

/// A connection to a service's socket, speaking attribute lists.
pub struct Peer {
    /// For what is no attribute list.
    pub stream: UnixStream,
    pending: Vec<u8>,
}

impl Peer {
    /// Connects to a socket below the queue directory.
    pub fn connect(instance: &Instance, socket: &str) -> Self {
        let path = instance.path("spool").join(socket);
        Self::over(UnixStream::connect(path).unwrap())
    }

    /// Takes a connection that is there already.
    pub fn over(stream: UnixStream) -> Self {
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self {
            stream,
            pending: Vec::new(),
        }
    }

    /// Sends a list.
    pub fn send(&mut self, list: &[(&str, &str)]) {
        let mut bytes = Vec::new();
        for (name, value) in list {
            bytes.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
        }
        bytes.push(0);
        self.stream.write_all(&bytes).unwrap();
    }

    fn word(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == 0) {
                let rest = self.pending.split_off(end + 1);
                let word = std::mem::replace(&mut self.pending, rest);
                return Some(String::from_utf8_lossy(&word[..end]).into_owned());
            }
            let mut chunk = [0; 4096];
            let count = self
                .stream
                .read(&mut chunk)
                .ok()
                .filter(|count| *count > 0)?;
            self.pending.extend_from_slice(&chunk[..count]);
        }
    }

    /// Waits for a list.
    pub fn receive(&mut self) -> Vec<(String, String)> {
        self.try_receive().expect("the service hung up")
    }

    /// Waits for a list; `None` when the other end hung up.
    pub fn try_receive(&mut self) -> Option<Vec<(String, String)>> {
        let mut list = Vec::new();
        loop {
            let name = self.word()?;
            if name.is_empty() {
                return Some(list);
            }
            list.push((name, self.word()?));
        }
    }

    /// Sends a descriptor.
    pub fn send_fd(&self, fd: impl AsFd) {
        pf_sys::fd::send_fd(&self.stream, fd.as_fd()).unwrap();
    }

    /// Waits for a descriptor.
    pub fn receive_fd(&self) -> OwnedFd {
        assert!(self.pending.is_empty());
        pf_sys::fd::recv_fd(&self.stream).unwrap()
    }
}
