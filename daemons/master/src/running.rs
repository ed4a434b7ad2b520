//! One service that runs: its sockets, its processes, its timers.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::listen;
use crate::pool::Pool;
use crate::services::Service;

/// How long a service that strangers have filled up counts as stressed.
const STRESS_TIME: Duration = Duration::from_secs(1000);
/// How often it is logged that a service is full.
const BUSY_WARNING: Duration = Duration::from_secs(1000);

/// A service that runs.
pub struct Running {
    /// What `master.cf` says of it.
    pub service: Service,
    /// Where its clients come in.
    pub sockets: Vec<OwnedFd>,
    /// Our end and the children's end of the status channel.
    pub status: (UnixStream, OwnedFd),
    /// Its processes.
    pub pool: Pool,
    /// When throttling ends.
    pub throttle: Option<Instant>,
    /// When the next wake-up is due.
    pub wakeup: Option<Instant>,
    /// Until when strangers are thought to fill it up.
    pub stress_until: Option<Instant>,
    warned: Option<Instant>,
}

impl Running {
    /// A service that begins.
    ///
    /// # Errors
    /// Its sockets cannot be made.
    pub fn new(service: Service, owner: (u32, u32)) -> Result<Self> {
        let sockets = listen::sockets(&service, owner)?;
        let pool = Pool::with_limit(service.processes);
        let wakeup = first_wakeup(&service);
        Ok(Self {
            sockets,
            status: status_channel()?,
            pool,
            throttle: None,
            wakeup,
            stress_until: None,
            warned: None,
            service,
        })
    }

    /// The same service after a reload: the sockets stay, a new status channel sends the old processes away.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn renewed(self, service: Service) -> Result<Self> {
        let mut pool = self.pool;
        pool.limit = service.processes;
        pool.retire_all();
        Ok(Self {
            status: status_channel()?,
            pool,
            wakeup: first_wakeup(&service),
            service,
            ..self
        })
    }

    /// What identifies it.
    pub fn key(&self) -> String {
        format!("{}/{}", self.service.key, self.service.kind.name())
    }

    /// Notes that strangers have filled the service up. Processes that know of it take over; those of now serve their clients to
    /// the end.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn note_load(&mut self) -> Result<()> {
        if self.service.stress.is_none() || !self.pool.exhausted() {
            return Ok(());
        }
        let now = Instant::now();
        if self.stress_until.is_none_or(|until| until < now) {
            self.status = status_channel()?;
            self.pool.retire_all();
        }
        self.stress_until = Some(now + STRESS_TIME);
        if self
            .warned
            .is_none_or(|last| now.duration_since(last) > BUSY_WARNING)
        {
            self.warned = Some(now);
            pf_log::warning!(
                "service \"{}\" ({}) has reached its process limit \"{}\": new clients may experience noticeable delays",
                self.service.name,
                self.service.key,
                self.service.maxproc
            );
            pf_log::warning!(
                "to avoid this condition, increase the process count in master.cf or reduce the service time per client"
            );
            pf_log::warning!(
                "see https://www.postfix.org/STRESS_README.html for examples of stress-adapting configuration settings"
            );
        }
        Ok(())
    }
}

/// The first wake-up comes at once, so that what was left over from before the start is looked at.
fn first_wakeup(service: &Service) -> Option<Instant> {
    service
        .wakeup
        .filter(|_| !service.wakeup_optional)
        .map(|_| Instant::now())
}

fn status_channel() -> Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = UnixStream::pair().context("socketpair")?;
    ours.set_nonblocking(true)?;
    Ok((ours, theirs.into()))
}
