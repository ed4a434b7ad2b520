//! Running the command.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;
use pf_sys::error::text;
use pf_sys::identity::EffectiveIdentity;
use pf_sys::process::{ChildSetup, Ended, kill, wait_at_most, wait_for};

use crate::attributes::Attributes;

/// Names and values.
pub type Environment = Vec<(OsString, OsString)>;

/// Runs the command with the client as its standard input, output and error, to its end or its time limit. The process must
/// have the rights of root.
///
/// # Errors
/// No process can be made.
pub fn run(attributes: &Attributes, environment: &Environment, client: OwnedFd) -> Result<()> {
    let Some((program, args)) = attributes.argv.split_first() else {
        return Ok(());
    };
    let mut command = Command::new(program);
    command
        .args(args)
        .env_clear()
        .envs(environment.iter().cloned())
        .stdin(Stdio::from(client.try_clone()?))
        .stdout(Stdio::from(client.try_clone()?))
        .stderr(Stdio::from(client));
    ChildSetup {
        identity: Some((attributes.uid, attributes.gid, vec![attributes.gid])),
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
            pf_log::fatal!("spawn_comand: execvp {program}: {}", text(&err));
            pf_log::warning!("command {program} exit status 1");
            return Ok(());
        }
    };
    // Our copy of the client would keep the connection open after the command has closed it.
    drop(command);
    let pid = i32::try_from(child.id())?;
    let ended = match wait_at_most(pid, attributes.limit)? {
        Some(ended) => ended,
        None => {
            pf_log::warning!("{program}: process id {pid}: command time limit exceeded");
            let as_user = EffectiveIdentity::switch(attributes.uid, attributes.gid)?;
            if let Err(err) = kill(-pid, Some(Signal::SIGKILL)) {
                pf_log::warning!("parent: kill: {}", text(&err));
            }
            drop(as_user);
            wait_for(pid)?
        }
    };
    match ended {
        Ended::Exited(0) => {}
        Ended::Exited(status) => pf_log::warning!("command {program} exit status {status}"),
        Ended::Signaled(signal) => pf_log::warning!("command {program} killed by signal {signal}"),
    }
    Ok(())
}
