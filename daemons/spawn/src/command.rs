//! Running the command.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use anyhow::Result;
use pf_service::others::{Environment, RunAs};
use pf_sys::process::Ended;

use crate::attributes::Attributes;

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
        .stdin(Stdio::from(client.try_clone()?))
        .stdout(Stdio::from(client.try_clone()?))
        .stderr(Stdio::from(client));
    let run_as = RunAs {
        identity: (attributes.uid, attributes.gid),
        limit: attributes.limit,
        environment,
    };
    // Where there is no such program, the one that was to be it ended.
    let ended = run_as.run(command)?.unwrap_or(Ended::Exited(1));
    match ended {
        Ended::Exited(0) => {}
        Ended::Exited(status) => pf_log::warning!("command {program} exit status {status}"),
        Ended::Signaled(signal) => pf_log::warning!("command {program} killed by signal {signal}"),
    }
    Ok(())
}
