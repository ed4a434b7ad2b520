//! The flow control tokens: a pipe that receiving processes read from and the queue manager writes to, one byte a message. A
//! receiver that finds no token waits for `in_flow_delay` before it takes the next message.

use std::os::fd::{OwnedFd, RawFd};
use std::rc::Rc;

use pf_sys::fd;

const READ_FD: RawFd = 3;
const WRITE_FD: RawFd = 4;

/// The token pipe that master shares among all daemons; without one (a daemon run by hand) there is always a token.
#[derive(Debug, Clone)]
pub struct Flow {
    pipe: Option<Rc<(OwnedFd, OwnedFd)>>,
}

impl Flow {
    /// Takes the pipe over from master.
    pub fn inherit() -> Self {
        let pipe = fd::inherit(READ_FD).and_then(|read| Ok((read, fd::inherit(WRITE_FD)?)));
        Self {
            pipe: pipe.ok().map(Rc::new),
        }
    }

    /// No pipe.
    pub fn none() -> Self {
        Self { pipe: None }
    }

    /// Takes one token; false when there is none.
    pub fn take(&self) -> bool {
        let mut token = [0; 1];
        self.pipe
            .as_ref()
            .is_none_or(|pipe| matches!(nix::unistd::read(&pipe.0, &mut token), Ok(1)))
    }

    /// Gives so many tokens back. A pipe that is full has enough of them.
    pub fn put(&self, count: usize) {
        if let Some(pipe) = &self.pipe {
            let _ = nix::unistd::write(&pipe.1, &vec![0; count.min(1024)]);
        }
    }

    /// Whether a token is there to take.
    pub fn has_tokens(&self) -> bool {
        use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
        use std::os::fd::AsFd as _;
        self.pipe.as_ref().is_none_or(|pipe| {
            let mut wanted = [PollFd::new(pipe.0.as_fd(), PollFlags::POLLIN)];
            poll(&mut wanted, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
        })
    }

    /// Makes the number of tokens just this: none is owed by or to anybody while the queue manager has caught up.
    pub fn refill(&self, count: usize) {
        if let Some(pipe) = &self.pipe {
            let mut tokens = [0; 4096];
            while matches!(nix::unistd::read(&pipe.0, &mut tokens), Ok(read) if read == tokens.len())
            {
            }
            self.put(count);
        }
    }
}
