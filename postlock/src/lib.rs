//! The `postlock` command: runs a command while it keeps a mail folder locked, with the locks that the mail system uses
//! (postlock(1)).

mod folder;

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::{Result, anyhow, bail};
use pf_cli::{Failure, Invocation, Opt, Spec};
use pf_config::{Config, param};

use folder::Styles;
use pf_sys::mailbox_lock::Patience;

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postlock",
    about: "lock a mail folder and run a command",
    usage: "%s [-c config_dir] [-l lock_style] [-v] folder command...",
    options: &[
        Opt::value('c', "config_dir", "The directory of main.cf."),
        Opt::value(
            'l',
            "lock_style",
            "The locks to take, instead of mailbox_delivery_lock.",
        ),
        Opt::flag('v', "Log more."),
    ],
    long: &[],
    operands: "folder command",
};

/// The exit status that asks the caller to try again later.
const TEMPORARY_FAILURE: u8 = 75;

/// The command. All failures but those of the command it runs are worth another try.
pub fn main() -> ExitCode {
    if let Err(bad) = SPEC.scan(std::env::args_os().skip(1)) {
        let _unread = writeln!(
            std::io::stderr(),
            "{name}: {bad}\n{name}: fatal: {}",
            pf_cli::usage(&SPEC, SPEC.name),
            name = SPEC.name
        );
        pf_cli::suggest_option(SPEC.name, &bad, &SPEC);
        return ExitCode::from(TEMPORARY_FAILURE);
    }
    pf_cli::run_as_called(
        &SPEC,
        |_| Ok(()),
        |invocation| {
            run(invocation).map_err(|err| {
                pf_cli::map_meant(err, |err| {
                    anyhow!(Failure {
                        status: TEMPORARY_FAILURE,
                        text: format!("{err:#}"),
                    })
                })
            })
        },
    )
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let mut operands = invocation.scanned.operands.iter();
    let (Some(folder), Some(program)) = (operands.next(), operands.next()) else {
        return Err(pf_cli::usage(&SPEC, &invocation.called));
    };
    let config = Config::load(&invocation.source())?;
    config.check()?;
    let styles = match invocation.scanned.last('l') {
        Some(styles) => styles.to_string_lossy().into_owned(),
        None => config.get(param::MAILBOX_DELIVERY_LOCK)?,
    };
    let styles = Styles::parse(&styles).map_err(|word| {
        let bad = anyhow!("unknown mailbox_delivery_lock value \"{word}\" in \"{styles}\"");
        pf_cli::meant(bad, &word, ["flock", "fcntl", "dotlock"])
    })?;
    let patience = Patience {
        attempts: config.get(param::DELIVER_LOCK_ATTEMPTS)?,
        delay: config.get(param::DELIVER_LOCK_DELAY)?,
        stale: config.get(param::STALE_LOCK_TIME)?,
    };
    pf_sys::process::umask(0o022);
    let folder = Path::new(folder);
    let locked = folder::lock(folder, &styles, &patience)
        .map_err(|why| anyhow!("open file {}: {why}", folder.display()))?;
    let mut command = Command::new(program);
    command.args(operands);
    for (name, value) in
        pf_cli::imported(&config.get(param::IMPORT_ENVIRONMENT)?).map_err(anyhow::Error::msg)?
    {
        command.env(name, value);
    }
    // Programs of the mail system begin with this name for themselves.
    command.env("MAIL_LOGTAG", config.get(param::SYSLOG_NAME)?);
    if let Some(directory) = invocation.scanned.last('c') {
        command.env("MAIL_CONFIG", directory);
    }
    let attempts = config.get(param::FORK_ATTEMPTS)?;
    let mut count = 1;
    let status = loop {
        match command.status() {
            Ok(status) => break status,
            // The process was made, but the program is not there; what the copy of us would say.
            Err(err) if !matches!(err.raw_os_error(), Some(EAGAIN | ENOMEM)) => {
                drop(locked);
                pf_log::fatal!(
                    "execvp {}: {}",
                    program.display(),
                    pf_sys::error::text(&err)
                );
                return Ok(ExitCode::FAILURE);
            }
            Err(err) => {
                pf_log::warning!("fork {}: {}", program.display(), pf_sys::error::text(&err));
                if count >= attempts {
                    bail!(Failure {
                        status: TEMPORARY_FAILURE,
                        text: String::new()
                    });
                }
                count += 1;
                std::thread::sleep(config.get(param::FORK_DELAY)?);
            }
        }
    };
    drop(locked);
    let code = match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code & 0xff).unwrap_or(1),
        (None, _) => 1,
    };
    Ok(ExitCode::from(code))
}

const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
