//! Work that a signal may end, in good order. There are no handlers: signals that would end the program are blocked, and waited for
//! together with the input, so that what is unfinished is dealt with by the same code as in every other case.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::process::is_ignored;

/// What became of waiting.
#[derive(Debug, PartialEq, Eq)]
pub enum Input {
    /// So many bytes were read; 0 at the end.
    Bytes(usize),
    /// The program is to end.
    Interrupted(Signal),
}

/// Waits for signals.
#[derive(Debug)]
pub struct Interrupts {
    signals: SignalFd,
}

impl Interrupts {
    /// From now on the signals of a terminal, and a request to end, are only met in
    /// [`read`](Self::read) and [`pending`](Self::pending). What the caller had
    /// ignored stays so.
    ///
    /// # Errors
    /// As sigprocmask(2) and signalfd(2).
    pub fn catch() -> io::Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGINT);
        set.add(Signal::SIGQUIT);
        for signal in [Signal::SIGTERM, Signal::SIGHUP] {
            if !is_ignored(signal)? {
                set.add(signal);
            }
        }
        set.thread_block()?;
        let signals = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        Ok(Self { signals })
    }

    /// The signal that has come, if any.
    ///
    /// # Errors
    /// As read(2).
    pub fn pending(&self) -> io::Result<Option<Signal>> {
        Ok(self.signals.read_signal()?.map(|info| {
            let number = i32::try_from(info.ssi_signo).unwrap_or_default();
            Signal::try_from(number).unwrap_or(Signal::SIGTERM)
        }))
    }

    /// Reads from a descriptor.
    ///
    /// # Errors
    /// As poll(2) and read(2).
    pub fn read(&self, from: impl AsFd, buffer: &mut [u8]) -> io::Result<Input> {
        loop {
            let input = from.as_fd();
            let mut ready = [
                PollFd::new(input, PollFlags::POLLIN),
                PollFd::new(self.signals.as_fd(), PollFlags::POLLIN),
            ];
            match poll(&mut ready, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            if let Some(signal) = self.pending()? {
                return Ok(Input::Interrupted(signal));
            }
            match nix::unistd::read(input, buffer) {
                Err(Errno::EINTR) => {}
                other => return Ok(Input::Bytes(other?)),
            }
        }
    }
}
