//! The loop: clients knock, processes tell their status or end, timers run out, signals arrive.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use pf_config::{Config, Source, param};
use pf_proto::master::{Availability, SIZE, Status};
use pf_service::logging;
use pf_sys::process::{self, Ended};

use crate::pool::Update;
use crate::running::Running;
use crate::services::{Mode, Reader};
use crate::spawn::{Inheritance, Load, spawn};
use crate::start::mail_owner;
use crate::wakeup::{Woken, wake_up};

/// How long the other processes have to end, in good order.
const END_TIME: Duration = Duration::from_secs(3);

/// The master.
pub struct Master {
    name: String,
    source: Source,
    config: Config,
    mode: Mode,
    environment: Vec<(OsString, OsString)>,
    owner: (u32, u32),
    init: bool,
    reader: Reader,
    services: Vec<Running>,
    /// Which service a process belongs to: its key.
    children: HashMap<i32, String>,
    woken: Vec<Woken>,
    flow: (OwnedFd, OwnedFd),
    signals: SignalFd,
    generation: u32,
}

/// The signals that end the mail system.
const DEADLY: [Signal; 3] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

impl Master {
    /// Reads `master.cf` and makes all sockets.
    ///
    /// # Errors
    /// The operator's trouble.
    pub fn new(
        name: String,
        source: Source,
        config: Config,
        mode: Mode,
        environment: Vec<(OsString, OsString)>,
        owner: (u32, u32),
        init: bool,
    ) -> Result<Self> {
        let mut mask = SigSet::empty();
        for signal in DEADLY.into_iter().chain([Signal::SIGHUP, Signal::SIGCHLD]) {
            mask.add(signal);
        }
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&mask), None)?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let flow = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC | nix::fcntl::OFlag::O_NONBLOCK)
            .context("pipe")?;
        let mut master = Self {
            name,
            source,
            config,
            mode,
            environment,
            owner,
            init,
            reader: Reader::default(),
            services: Vec::new(),
            children: HashMap::new(),
            woken: Vec::new(),
            flow,
            signals,
            generation: 0,
        };
        master.configure()?;
        Ok(master)
    }

    /// Runs the mail system until a signal, or `exit_time`, ends it.
    ///
    /// # Errors
    /// The operator's trouble.
    pub fn run(&mut self, exit_time: Option<Duration>) -> Result<ExitCode> {
        let version = self.config.get(param::MAIL_VERSION)?;
        pf_log::info!(
            "daemon started -- version {version}, configuration {}",
            self.config.directory().display()
        );
        let exit_at = exit_time.map(|time| Instant::now() + time);
        loop {
            for signal in self.wait(exit_at)? {
                match signal {
                    Signal::SIGHUP => self.reload()?,
                    Signal::SIGCHLD => self.reap()?,
                    deadly => return Ok(self.end(deadly)),
                }
            }
            if exit_at.is_some_and(|end| end <= Instant::now()) {
                pf_log::info!("master exit time has arrived");
                return Ok(ExitCode::SUCCESS);
            }
            self.run_timers();
        }
    }

    /// Waits for the next event and deals with all but signals.
    fn wait(&mut self, exit_at: Option<Instant>) -> Result<Vec<Signal>> {
        let now = Instant::now();
        let timers = self
            .services
            .iter()
            .flat_map(|running| [running.throttle, running.wakeup]);
        let patience = self.woken.iter().map(|woken| woken.until);
        let next = timers.chain([exit_at]).flatten().chain(patience).min();
        let timeout = next.map_or(PollTimeout::NONE, |at| {
            PollTimeout::try_from(at.saturating_duration_since(now) + Duration::from_millis(1))
                .unwrap_or(PollTimeout::MAX)
        });
        let mut wanted: Vec<BorrowedFd<'_>> = vec![self.signals.as_fd()];
        let mut owners = Vec::new();
        for (at, running) in self.services.iter().enumerate() {
            wanted.push(running.status.0.as_fd());
            owners.push((at, Event::Status));
            if running.pool.must_listen() {
                for socket in &running.sockets {
                    wanted.push(socket.as_fd());
                    owners.push((at, Event::Client));
                }
            }
        }
        wanted.extend(self.woken.iter().map(|woken| woken.connection.as_fd()));
        let mut polled: Vec<PollFd<'_>> = wanted
            .iter()
            .map(|fd| PollFd::new(*fd, PollFlags::POLLIN))
            .collect();
        match poll(&mut polled, timeout) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(err) => return Err(io::Error::from(err)).context("poll"),
        }
        let ready: Vec<bool> = polled
            .iter()
            .map(|one| one.revents().is_some_and(|events| !events.is_empty()))
            .collect();
        drop(polled);
        let mut answered = ready.iter().skip(1 + owners.len());
        let mut events: Vec<(usize, Event)> = owners
            .into_iter()
            .zip(ready.iter().skip(1))
            .filter(|(_, ready)| **ready)
            .map(|(owner, _)| owner)
            .collect();
        events.dedup();
        let now = Instant::now();
        self.woken
            .retain(|woken| answered.next() == Some(&false) && woken.until > now);
        for (at, event) in events {
            match event {
                Event::Status => self.read_status(at),
                Event::Client => self.start_process(at),
            }
        }
        let mut arrived = Vec::new();
        while let Ok(Some(info)) = self.signals.read_signal() {
            if let Ok(signal) = Signal::try_from(i32::try_from(info.ssi_signo)?) {
                arrived.push(signal);
            }
        }
        Ok(arrived)
    }

    /// Starts a process, if the service may have one more.
    fn start_process(&mut self, at: usize) {
        let Some(running) = self.services.get_mut(at) else {
            return;
        };
        if running.pool.throttled || !running.pool.has_room() {
            return;
        }
        let share = running
            .service
            .takes_many
            .then(|| running.pool.next_share(running.service.maxproc));
        self.generation = self.generation.wrapping_add(1);
        let stressed = running
            .stress_until
            .is_some_and(|until| until > Instant::now());
        let inherited = Inheritance {
            flow: &self.flow,
            status: &running.status.1,
            listen: &running.sockets,
        };
        match spawn(
            &running.service,
            self.generation,
            Load { share, stressed },
            &self.environment,
            &inherited,
            || {
                // It was opened before with the same settings.
                let _ = logging::open(&self.config, &self.name, false, true);
            },
        ) {
            Ok(pid) => {
                pf_log::debug!(
                    "spawn command {}; pid {pid}",
                    running.service.program.display()
                );
                running
                    .pool
                    .started(pid, self.generation, share.unwrap_or(1));
                self.children.insert(pid, running.key());
                if running.wakeup.is_none() && running.service.wakeup_optional {
                    running.wakeup = running.service.wakeup.map(|_| Instant::now());
                }
            }
            Err(err) => {
                pf_log::warning!(
                    "master_spawn: fork: {} -- throttling",
                    pf_config::system::reason(&err)
                );
                Self::throttle(running, &self.config);
            }
        }
    }

    fn throttle(running: &mut Running, config: &Config) {
        let time = config
            .get(param::SERVICE_THROTTLE_TIME)
            .unwrap_or(Duration::from_secs(60));
        running.pool.throttled = true;
        running.throttle = Some(Instant::now() + time);
    }

    /// One status message of a child.
    fn read_status(&mut self, at: usize) {
        let Some(running) = self.services.get_mut(at) else {
            return;
        };
        let mut message = [0; SIZE];
        match running.status.0.read(&mut message) {
            Ok(SIZE) => {}
            Ok(count) => {
                pf_log::warning!(
                    "service {}({}): child sent partial status update ({count} bytes)",
                    running.service.name,
                    running.service.key
                );
                return;
            }
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => return,
            Err(err) => {
                pf_log::warning!("status channel: read: {err}");
                return;
            }
        }
        let status = match Status::decode(&message) {
            Ok(status) => status,
            Err(unknown) => {
                pf_log::warning!("{unknown}");
                return;
            }
        };
        let (pid, generation) = (status.pid, status.generation);
        let update = running.pool.update(pid, generation, status.availability);
        if update == Update::OldGeneration {
            pf_log::info!("ignoring status update from child pid {pid} generation {generation}");
        }
        if let Err(err) = running.note_load() {
            pf_log::warning!("{err:#}");
        }
        // One that has served many clients is about to end: the next ones will come as well.
        let another = matches!(
            status.availability,
            Availability::Retired | Availability::Busy
        );
        if update == Update::Noted && another {
            self.start_process(at);
        }
    }

    /// Children that have ended.
    fn reap(&mut self) -> Result<()> {
        while let Some((pid, ended)) = process::reap()? {
            let Some(key) = self.children.remove(&pid) else {
                // As the first process of a container, one inherits those of others.
                continue;
            };
            let Some(at) = self
                .services
                .iter()
                .position(|running| running.key() == key)
            else {
                continue;
            };
            let Some(running) = self.services.get_mut(at) else {
                continue;
            };
            let member = running.pool.ended(pid);
            let path = running.service.program.display();
            match ended {
                Ended::Exited(0) => continue,
                Ended::Exited(status) => {
                    pf_log::warning!("process {path} pid {pid} exit status {status}")
                }
                Ended::Signaled(signal) => {
                    pf_log::warning!("process {path} pid {pid} killed by signal {signal}")
                }
            }
            if member.is_some_and(|member| !member.useful) && !running.pool.throttled {
                pf_log::warning!("{path}: bad command startup -- throttling");
                Self::throttle(running, &self.config);
            }
        }
        Ok(())
    }

    fn run_timers(&mut self) {
        let now = Instant::now();
        for running in &mut self.services {
            if running.throttle.is_some_and(|end| end <= now) {
                running.throttle = None;
                running.pool.throttled = false;
            }
            if running.wakeup.is_some_and(|due| due <= now) {
                running.wakeup = running.service.wakeup.map(|time| now + time);
                if running.pool.throttled {
                    continue;
                }
                match wake_up(&running.service, self.owner) {
                    Ok(woken) => self.woken.extend(woken),
                    Err(err) => pf_log::warning!(
                        "master_wakeup_timer_event: service {}({}): {}",
                        running.service.name,
                        running.service.key,
                        pf_sys::error::text(&err)
                    ),
                }
            }
        }
    }

    /// SIGHUP: reads the configuration again. Processes of the old generation end when they have served their clients.
    fn reload(&mut self) -> Result<()> {
        let version = self.config.get(param::MAIL_VERSION)?;
        pf_log::info!(
            "reload -- version {version}, configuration {}",
            self.config.directory().display()
        );
        let before = std::mem::replace(&mut self.config, Config::load(&self.source)?);
        self.keep_what_cannot_change(&before)?;
        logging::open(&self.config, &self.name, false, true)?;
        self.config.check()?;
        self.owner = mail_owner(&self.config)?;
        self.configure()
    }

    /// Settings that processes of both generations must agree on stay as they were at the start.
    fn keep_what_cannot_change(&mut self, before: &Config) -> Result<()> {
        for key in [param::QUEUE_DIRECTORY, param::INET_PROTOCOLS] {
            let (old, new) = (before.get(key)?, self.config.get(key)?);
            if old == new {
                continue;
            }
            let name = key.name();
            pf_log::warning!("ignoring {name} parameter value change");
            pf_log::warning!("old value: \"{old}\", new value: \"{new}\"");
            pf_log::warning!("to change {name}, stop and start Postfix");
            self.config.set(name, &old)?;
        }
        Ok(())
    }

    /// Makes what runs equal to what `master.cf` says.
    fn configure(&mut self) -> Result<()> {
        let wanted = self.reader.read(&self.config, self.mode)?;
        let mut before: Vec<Running> = std::mem::take(&mut self.services);
        for service in wanted {
            let same = |running: &Running| {
                running.service.key == service.key && running.service.kind == service.kind
            };
            let running = match before.iter().position(same) {
                Some(at) => before.swap_remove(at).renewed(service)?,
                None => Running::new(service, self.owner)?,
            };
            self.services.push(running);
        }
        for running in before {
            self.stop(running);
        }
        Ok(())
    }

    /// A service that is no longer in `master.cf`.
    fn stop(&mut self, running: Running) {
        for pid in running.pool.pids() {
            let _ = process::kill(pid, Some(Signal::SIGTERM));
            let _ = process::wait_for(pid);
            self.children.remove(&pid);
        }
    }

    /// The end of the mail system: all its processes are told, and have a moment to end.
    fn end(&mut self, signal: Signal) -> ExitCode {
        pf_log::info!("terminating on signal {}", signal as i32);
        // The family is this process group when we lead one; children are told one by one as well, for those that left it.
        let _ = process::ignore_signal(Signal::SIGTERM);
        if nix::unistd::getpgrp() == nix::unistd::getpid() {
            let _ = process::kill(-nix::unistd::getpid().as_raw(), Some(Signal::SIGTERM));
        }
        for pid in self.children.keys() {
            let _ = process::kill(*pid, Some(Signal::SIGTERM));
        }
        let end = Instant::now() + END_TIME;
        while !self.children.is_empty() && Instant::now() < end {
            while let Ok(Some((pid, _))) = process::reap() {
                self.children.remove(&pid);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if !self.init {
            // Whoever started us sees which signal it was.
            process::end_by(signal);
        }
        ExitCode::SUCCESS
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Status,
    Client,
}
