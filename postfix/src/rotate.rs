//! `postfix logrotate`: puts the log file aside and compresses it.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Result, anyhow};
use nix::sys::signal::Signal;
use pf_config::param;

use crate::actions::{Run, kill};
use crate::say::fatal;

/// How long postlogd may take to close the old file.
const PAUSE: Duration = Duration::from_secs(1);

/// Rotates the log file.
///
/// # Errors
/// A parameter is empty, or a step failed.
pub(crate) fn rotate(run: &Run<'_>) -> Result<ExitCode> {
    let config = run.config;
    let file = config.get(param::MAILLOG_FILE)?;
    let compressor = config.get(param::MAILLOG_FILE_COMPRESSOR)?;
    let suffix = config.get(param::MAILLOG_FILE_ROTATE_SUFFIX)?;
    for (name, value) in [
        ("maillog_file", &file),
        ("maillog_file_compressor", &compressor),
        ("maillog_file_rotate_suffix", &suffix),
    ] {
        if value.is_empty() {
            return Err(fatal(format!(
                "empty '{name}' parameter value - logfile rotation failed"
            )));
        }
    }
    if file.starts_with("/dev/") {
        return Err(fatal(format!("not rotating '{file}'")));
    }
    steps(run, &file, &compressor, &suffix)
        .map_err(|err| fatal(format!("logfile '{file}' rotation failed: {err:#}")))?;
    Ok(ExitCode::SUCCESS)
}

fn steps(run: &Run<'_>, file: &str, compressor: &str, suffix: &str) -> Result<()> {
    // date(1) knows all the letters that a suffix may have.
    let date = Command::new("date").arg(format!("+{suffix}")).output()?;
    if !date.status.success() {
        return Err(anyhow!(
            "{}",
            String::from_utf8_lossy(&date.stderr).trim_end()
        ));
    }
    let suffix = String::from_utf8(date.stdout)?;
    let mut target = OsString::from(file);
    target.push(".");
    target.push(suffix.trim_end());
    let target = PathBuf::from(target);
    // Who is asked opens the log.
    let running = run.is_running();
    fs::rename(file, &target)
        .map_err(|err| anyhow!("rename {file}: {}", pf_sys::error::text(&err)))?;
    if running {
        kill(run.master_pid()?, Signal::SIGHUP)?;
    }
    std::thread::sleep(PAUSE);
    let done = run
        .program(compressor.as_ref())
        .arg(&target)
        .output()
        .map_err(|err| anyhow!("{compressor}: {}", pf_sys::error::text(&err)))?;
    if done.status.success() {
        Ok(())
    } else {
        Err(anyhow!(
            "{}",
            String::from_utf8_lossy(&done.stderr).trim_end()
        ))
    }
}
