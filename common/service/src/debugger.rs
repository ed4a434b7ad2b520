//! `-D`: the debugger is started on this process.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use pf_config::{Config, param};

/// Runs `debugger_command`, and waits for the shell that starts it.
///
/// # Errors
/// There is no command, or no shell.
pub fn run(config: &Config) -> Result<()> {
    let command = config.get(param::DEBUGGER_COMMAND)?;
    ensure!(!command.is_empty(), "no debugger_command variable set up");
    pf_log::info!("running: {command}");
    Command::new("/bin/sh")
        .args(["-c", &command])
        .status()
        .context("/bin/sh")?;
    Ok(())
}

/// Whether the environment asks for the debugger.
pub fn wanted() -> bool {
    std::env::var_os("MAIL_DEBUG").is_some()
}
