//! Running the program that makes an index.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use pf_service::others::{Environment, RunAs};
use pf_sys::error::text;
use pf_sys::fd::set_nonblocking;
use pf_sys::process::Ended;

/// How long a command may run.
const LIMIT: Duration = Duration::from_secs(100);
/// How much of what a command says is read, in bytes.
const OUTPUT: usize = 4096;

/// Runs `program word` as this user and group, to its end or its time limit. The process must have the rights of root.
///
/// # Errors
/// No process can be made. Inside: the command failed; what it said.
pub fn run(
    program: &Path,
    word: &OsStr,
    identity: (u32, u32),
    environment: &Environment,
) -> Result<Result<(), String>> {
    let (mut output, theirs) = io::pipe().context("create output pipe")?;
    // A command that says more than fits is not to wait for a reader, nor we for one that says nothing.
    set_nonblocking(&output, true)?;
    set_nonblocking(&theirs, true)?;
    let mut command = Command::new(program);
    command
        .arg(word)
        .stdin(Stdio::null())
        .stdout(theirs.try_clone()?)
        .stderr(theirs);
    let run_as = RunAs {
        identity,
        limit: LIMIT,
        environment,
    };
    let ended = match run_as.run(command)? {
        Ok(ended) => ended,
        Err(err) => return Ok(Err(unavailable(program, &text(&err)))),
    };
    if ended == Ended::Exited(0) {
        return Ok(Ok(()));
    }
    let mut said = vec![0; OUTPUT];
    Ok(Err(match output.read(&mut said) {
        Ok(count @ 1..) => on_one_line(said.get(..count).unwrap_or_default()),
        Ok(_) => unavailable(program, "Success"),
        Err(err) => unavailable(program, &text(&err)),
    }))
}

fn unavailable(program: &Path, why: &str) -> String {
    let name = program.file_name().unwrap_or_default().display();
    format!("({name} failure reason unavailable: {why})")
}

/// What was said, as a part of one line of the log.
fn on_one_line(said: &[u8]) -> String {
    let until_null = said.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(until_null).replace(['\x08', '\r', '\n'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use pf_sys::identity;

    fn try_out(script: &str) -> Result<(), String> {
        // Only root can become somebody, even itself, with other groups.
        if identity::effective_uid() != 0 {
            return Err("not root".into());
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).unwrap();
        let environment = pf_cli::exported("A=b").unwrap();
        run(&path, OsStr::new("x y"), (0, 0), &environment).unwrap()
    }

    #[test]
    fn what_a_failed_command_says() {
        if identity::effective_uid() != 0 {
            return;
        }
        assert_eq!(try_out("echo nothing of interest"), Ok(()));
        assert_eq!(
            try_out("echo \"$1 $A\"; echo two >&2; exit 1"),
            Err("x y b_two_".into())
        );
        assert_eq!(
            try_out("exit 2"),
            Err("(program failure reason unavailable: Success)".into())
        );
        // A pipe that is full keeps nobody waiting.
        let long = try_out("yes | head -c 300000; exit 1").unwrap_err();
        assert_eq!(long.len(), OUTPUT);
        let missing = run(
            Path::new("/nonexistent/x"),
            OsStr::new(""),
            (0, 0),
            &Vec::new(),
        );
        assert_eq!(
            missing.unwrap().unwrap_err(),
            "(x failure reason unavailable: No such file or directory)"
        );
    }
}
