//! `-w`: the process that was started waits until the one that stays behind is ready.

use std::os::fd::OwnedFd;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use pf_sys::process::{Fork, fork};

/// How long the new master may take.
const LIMIT: Duration = Duration::from_secs(100);

/// The side of the pair one is on.
pub enum Side {
    /// The one that goes on as master; it writes a byte to this pipe when it is ready.
    Master(OwnedFd),
    /// The one that was waiting: the master is ready.
    Ready,
}

/// Splits the process in two and lets the old one wait for the new.
///
/// # Errors
/// The new process did not get ready.
pub fn split() -> Result<Side> {
    use std::os::fd::AsFd as _;
    let (read, write) = nix::unistd::pipe().context("pipe")?;
    if fork().context("fork")? == Fork::Child {
        drop(read);
        return Ok(Side::Master(write));
    }
    drop(write);
    let mut wanted = [PollFd::new(read.as_fd(), PollFlags::POLLIN)];
    let limit = PollTimeout::try_from(LIMIT).unwrap_or(PollTimeout::MAX);
    match poll(&mut wanted, limit) {
        Ok(0) => bail!("timeout on daemon initialization"),
        Ok(_) => {}
        Err(err) => bail!("poll: {err}"),
    }
    let mut byte = [0];
    match nix::unistd::read(&read, &mut byte) {
        Ok(1) => Ok(Side::Ready),
        Ok(_) => bail!("daemon initialization failure -- see logs for details"),
        Err(err) => bail!("read: {err}"),
    }
}
