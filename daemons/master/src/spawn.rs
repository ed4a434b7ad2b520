//! Starting one process of a service.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use pf_service::{CLIENTS_VARIABLE, LISTEN_FD, MASTER_VARIABLE, STATUS_FD};
use pf_sys::process::ChildSetup;

use crate::services::Service;

/// Where a child finds the flow control pipe.
const FLOW_FDS: (i32, i32) = (3, 4);

/// What a child inherits.
pub struct Inheritance<'a> {
    /// The flow control pipe, both ends.
    pub flow: &'a (OwnedFd, OwnedFd),
    /// The child's end of the status channel.
    pub status: &'a OwnedFd,
    /// The listen sockets.
    pub listen: &'a [OwnedFd],
}

/// What a child is told of its clients.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many it may take at once; `None` for a program that takes one.
    pub share: Option<u32>,
    /// Whether the service is overloaded.
    pub stressed: bool,
}

/// Starts a process and gives its id.
///
/// `open_log` opens the log anew, in the new process.
///
/// # Errors
/// No process can be made. That the program cannot be executed is told by the process itself.
pub fn spawn(
    service: &Service,
    generation: u32,
    load: Load,
    environment: &[(OsString, OsString)],
    inherited: &Inheritance<'_>,
    open_log: impl FnOnce(),
) -> io::Result<i32> {
    let mut args = service.args.clone();
    if let (true, Some(word)) = (
        load.stressed,
        service.stress.and_then(|at| args.get_mut(at)),
    ) {
        word.push_str("yes");
    }
    let mut command = Command::new(&service.program);
    let mut args = args.into_iter();
    if let Some(name) = args.next() {
        command.arg0(name);
    }
    command
        .args(args)
        .env_clear()
        .envs(environment.iter().cloned())
        .env("GENERATION", format!("{generation:o}"))
        .env(MASTER_VARIABLE, "yes");
    if let Some(share) = load.share {
        command.env(CLIENTS_VARIABLE, share.to_string());
    }
    let copy = |fd: &OwnedFd| fd.as_fd().try_clone_to_owned();
    let mut descriptors = vec![
        (copy(&inherited.flow.0)?, FLOW_FDS.0),
        (copy(&inherited.flow.1)?, FLOW_FDS.1),
        (copy(inherited.status)?, STATUS_FD),
    ];
    for (number, socket) in (LISTEN_FD..).zip(inherited.listen) {
        descriptors.push((copy(socket)?, number));
    }
    ChildSetup {
        descriptors,
        default_signals: true,
        ..ChildSetup::default()
    }
    .apply(&mut command)?;
    pf_sys::process::start(&mut command, |err| {
        // What was the log's descriptor may be one of the program's now.
        open_log();
        pf_log::fatal!(
            "master_spawn: exec {}: {}",
            service.program.display(),
            pf_sys::error::text(err)
        );
        std::thread::sleep(Duration::from_secs(1));
    })
}
