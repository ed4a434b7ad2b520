//! The pipes to and from a command and its end, each waited for no longer than the time limit.

use std::io::{self, PipeReader, PipeWriter, Read as _, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use pf_config::system::reason;
use pf_log::warning;
use pf_sys::identity::EffectiveIdentity;

use super::OUTPUT_LIMIT;

/// The time limit: for each step, until it was exceeded once; nothing waits after that.
pub(super) struct Watch {
    pub(super) limit: Duration,
    pub(super) expired: bool,
}

impl Watch {
    /// Waits until the descriptor is ready; false when the time is up.
    fn ready(&mut self, fd: BorrowedFd<'_>, events: PollFlags, what: &str) -> bool {
        let end = Instant::now()
            + if self.expired {
                Duration::ZERO
            } else {
                self.limit
            };
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            match poll(&mut [PollFd::new(fd, events)], timeout) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => {
                    if Instant::now() < end {
                        continue;
                    }
                    if !self.expired {
                        warning!("pipe_command_{what}: {what} time limit exceeded");
                        self.expired = true;
                    }
                    return false;
                }
                // An error shows when the descriptor is used.
                _ => return true,
            }
        }
    }

    /// What the command wrote, as text of one line, up to a NUL; and whether it wrote anything.
    pub(super) fn read(&mut self, mut pipe: PipeReader) -> (Vec<u8>, bool) {
        let mut output = Vec::new();
        let mut chunk = [0; OUTPUT_LIMIT];
        while output.len() < OUTPUT_LIMIT {
            if !self.ready(pipe.as_fd(), PollFlags::POLLIN, "read") {
                break;
            }
            let room = OUTPUT_LIMIT - output.len();
            match pipe.read(chunk.get_mut(..room).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => output.extend_from_slice(chunk.get(..count).unwrap_or_default()),
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let spoke = !output.is_empty();
        if let Some(end) = output.iter().position(|byte| *byte == 0) {
            output.truncate(end);
        }
        for byte in &mut output {
            if matches!(byte, b'\t' | b'\n') {
                *byte = b' ';
            }
        }
        (pf_text::printable_utf8(&output, b'_').into_owned(), spoke)
    }

    /// Waits for the command to end, or ends it and what it has started.
    pub(super) fn wait(
        &mut self,
        child: &mut Child,
        identity: (u32, u32),
    ) -> io::Result<ExitStatus> {
        let end = Instant::now() + self.limit;
        let mut pause = Duration::from_micros(200);
        while !self.expired {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= end {
                warning!("pipe_command_wait_or_kill: child wait time limit exceeded");
                self.expired = true;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
        {
            let _as_user = EffectiveIdentity::switch(identity.0, identity.1)?;
            let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
            if pf_sys::process::kill(-pid, Some(Signal::SIGKILL)).is_err()
                && let Err(err) = pf_sys::process::kill(pid, Some(Signal::SIGKILL))
                && child.try_wait()?.is_none()
            {
                warning!("cannot kill process (group) {pid}: {}", reason(&err));
            }
        }
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {
            if let Some(status) = child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // Whatever keeps it alive, root ends it.
        let _as_root = EffectiveIdentity::switch(0, 0)?;
        child.kill()?;
        child.wait()
    }
}

/// The command's standard input.
pub(super) struct Feed<'a> {
    pub(super) pipe: PipeWriter,
    pub(super) watch: &'a mut Watch,
}

impl Write for Feed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self
            .watch
            .ready(self.pipe.as_fd(), PollFlags::POLLOUT, "write")
        {
            return Err(io::ErrorKind::TimedOut.into());
        }
        // No more than a pipe that is ready takes at once: a write that waits has no time limit.
        self.pipe.write(bytes.get(..4096).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
