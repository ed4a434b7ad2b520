//! The skeleton for services that take on a user's or a recipient's identity: one client at a time, one thread.

use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{SockFlag, accept4};
use pf_config::param;
use pf_proto::master::Availability;

use crate::start::{begin, end, enter_jail};
use crate::{Context, Jail, LISTEN_FD, Limit, Status};

/// A service that takes one client at a time.
pub trait SingleService: Sized {
    /// The number of processes that the service can live with.
    const LIMIT: Limit = Limit::Any;
    /// The rights that the service needs.
    const JAIL: Jail = Jail::Any;

    /// Before the jail: reads parameters, opens tables.
    ///
    /// # Errors
    /// The operator's trouble; the process ends with it.
    fn start(context: &Context) -> Result<Self>;

    /// Inside the jail, before the first client.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    fn ready(&mut self, _context: &Context) -> Result<()> {
        Ok(())
    }

    /// Serves one client from start to end.
    ///
    /// # Errors
    /// The operator's trouble, after which the process ends; trouble with the client is the service's own.
    fn serve(&mut self, client: SingleClient, context: &Context) -> Result<()>;

    /// Whether a new process should take over before the next client: a table has changed that this one cannot open again.
    fn is_outdated(&self) -> bool {
        false
    }
}

/// A client of a [`SingleService`], in blocking mode.
#[derive(Debug)]
pub enum SingleClient {
    /// A local client.
    Unix(UnixStream),
    /// A client from the network.
    Tcp(std::net::TcpStream),
    /// The client is whoever started this process (`-S`): standard input and output.
    Stdio,
}

/// A daemon's main function.
pub fn run<S: SingleService>() -> ExitCode {
    end(main::<S>())
}

fn main<S: SingleService>() -> Result<()> {
    let context = begin(S::LIMIT, S::JAIL)?;
    std::panic::set_hook(Box::new(|info| pf_log::bug!("{info}")));
    let mut service = S::start(&context)?;
    enter_jail(&context)?;
    service.ready(&context)?;
    if context.options.stand_alone {
        return service.serve(SingleClient::Stdio, &context);
    }
    let inet = match context.options.transport.as_deref() {
        Some("inet") => true,
        Some("unix") => false,
        other => bail!("unsupported transport type: {}", other.unwrap_or_default()),
    };
    let status = Status::inherit()?;
    let mut listen = Vec::new();
    for number in LISTEN_FD..LISTEN_FD + context.options.sockets {
        let socket =
            pf_sys::fd::inherit(number).with_context(|| format!("listen descriptor {number}"))?;
        pf_sys::fd::set_nonblocking(&socket, true)?;
        listen.push(socket);
    }
    let idle = context.config.get(param::MAX_IDLE)?;
    let uses = u64::try_from(context.config.get(param::MAX_USE)?)?;
    let limit =
        u32::try_from(context.config.get(param::DAEMON_TIMEOUT)?.as_secs()).unwrap_or(u32::MAX);
    let mut served = 0;
    while (uses == 0 || served < uses) && !service.is_outdated() {
        let Some(fd) = next_client(&listen, &status, idle)? else {
            return Ok(());
        };
        nix::unistd::alarm::set(limit.max(3));
        // That master has gone shows when the client is served.
        let _ = status.notify(Availability::Taken);
        pf_sys::fd::set_nonblocking(&fd, false)?;
        let client = if inet {
            SingleClient::Tcp(fd.into())
        } else {
            SingleClient::Unix(fd.into())
        };
        service.serve(client, &context)?;
        nix::unistd::alarm::cancel();
        if status.notify(Availability::Available).is_err() {
            return Ok(());
        }
        served += 1;
    }
    Ok(())
}

/// Waits for a client; `None` when the process should end: nobody came for `idle`, or master has gone.
fn next_client(listen: &[OwnedFd], status: &Status, idle: Duration) -> Result<Option<OwnedFd>> {
    let end = (!idle.is_zero()).then(|| Instant::now() + idle);
    loop {
        let mut wanted: Vec<PollFd<'_>> = listen
            .iter()
            .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN))
            .collect();
        wanted.push(PollFd::new(status.as_fd(), PollFlags::POLLIN));
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let timeout = left.map_or(PollTimeout::NONE, |left| {
            // Rounded up, or the last millisecond would be spent in a tight loop.
            PollTimeout::try_from(left + Duration::from_millis(1)).unwrap_or(PollTimeout::MAX)
        });
        match poll(&mut wanted, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(err) => bail!("poll: {err}"),
        }
        let ready: Vec<bool> = wanted
            .iter()
            .map(|one| one.revents().is_some_and(|events| !events.is_empty()))
            .collect();
        for (socket, ready) in listen.iter().zip(&ready) {
            if !ready {
                continue;
            }
            match accept4(socket.as_raw_fd(), SockFlag::SOCK_CLOEXEC) {
                Ok(fd) => return Ok(Some(pf_sys::fd::adopt_accepted(fd))),
                Err(Errno::EAGAIN | Errno::EINTR | Errno::ECONNABORTED) => {}
                Err(err) => pf_log::error!("accept connection: {err}"),
            }
        }
        if ready.last() == Some(&true) || left.is_some_and(|left| left.is_zero()) {
            return Ok(None);
        }
    }
}
