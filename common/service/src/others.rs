//! What daemons share that run commands with the rights of others: the rights of the mail owner between commands, and the one way
//! that a command is started, limited in time, and ended with all that it has started.

use std::ffi::OsString;
use std::io;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use pf_config::{Config, param};
use pf_sys::error::text;
use pf_sys::identity::{self, EffectiveIdentity};
use pf_sys::process::{ChildSetup, Ended, kill, wait_at_most, wait_for};

/// Names and values.
pub type Environment = Vec<(OsString, OsString)>;

/// The user and group of `mail_owner`, whose rights the process has between commands.
#[derive(Debug)]
pub struct MailOwner {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    taken: Option<EffectiveIdentity>,
}

impl MailOwner {
    /// As the configuration says.
    ///
    /// # Errors
    /// There is no such user.
    pub fn new(config: &Config) -> Result<Self> {
        let name = config.get(param::MAIL_OWNER)?;
        let owner =
            identity::user_by_name(&name)?.with_context(|| format!("unknown user: {name}"))?;
        Ok(Self {
            uid: owner.uid,
            gid: owner.gid,
            taken: None,
        })
    }

    /// Takes on the mail owner's rights.
    ///
    /// # Errors
    /// The process may not.
    pub fn take_rights(&mut self) -> Result<()> {
        let taken = EffectiveIdentity::switch(self.uid, self.gid);
        self.taken = Some(taken.context("become the mail owner")?);
        Ok(())
    }

    /// Does something with the rights of root, and takes on the mail owner's again.
    ///
    /// # Errors
    /// The rights cannot be had back. What the work itself gives is inside.
    pub fn as_root<T>(&mut self, work: impl FnOnce() -> T) -> Result<T> {
        self.taken = None;
        let done = work();
        self.take_rights()?;
        Ok(done)
    }
}

/// Whose rights a command has, how long it may run, and what is in its environment.
#[derive(Debug)]
pub struct RunAs<'a> {
    /// The user and the only group.
    pub identity: (u32, u32),
    /// When this has passed, the command and all that it has started are killed.
    pub limit: Duration,
    /// All of its environment.
    pub environment: &'a Environment,
}

impl RunAs<'_> {
    /// Runs the command to its end or its time limit. The process must have the rights of root.
    ///
    /// # Errors
    /// No process can be made. Inside: there is no such program; that stands in the log already.
    pub fn run(&self, mut command: Command) -> Result<io::Result<Ended>> {
        let program = command.get_program().display().to_string();
        let (uid, gid) = self.identity;
        command.env_clear().envs(self.environment.iter().cloned());
        ChildSetup {
            identity: Some((uid, gid, vec![gid])),
            // The whole family of the command can be killed.
            new_session: true,
            default_signals: true,
            ..ChildSetup::default()
        }
        .apply(&mut command)?;
        let child = match command.spawn() {
            Ok(child) => child,
            Err(err)
                if matches!(
                    err.raw_os_error(),
                    Some(nix::libc::EAGAIN | nix::libc::ENOMEM)
                ) =>
            {
                return Err(anyhow::anyhow!(text(&err))).context("fork");
            }
            Err(err) => {
                // As if it were the new process that says so.
                pf_log::fatal!("spawn_comand: execvp {program}: {}", text(&err));
                return Ok(Err(err));
            }
        };
        // Our copies of what the command reads and writes would keep a client or a pipe open after it has closed them.
        drop(command);
        let pid = i32::try_from(child.id())?;
        if let Some(ended) = wait_at_most(pid, self.limit)? {
            return Ok(Ok(ended));
        }
        pf_log::warning!("{program}: process id {pid}: command time limit exceeded");
        {
            let _as_user = EffectiveIdentity::switch(uid, gid)?;
            if let Err(err) = kill(-pid, Some(Signal::SIGKILL)) {
                pf_log::warning!("parent: kill: {}", text(&err));
            }
        }
        Ok(Ok(wait_for(pid)?))
    }
}
