//! From the command line to what is done.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use pf_cli::{Failure, Invocation, Opt, Spec};
use pf_config::{Config, param};
use pf_sys::identity;

use crate::{ask, list};

/// Exit statuses (sysexits.h).
pub(crate) const USAGE: u8 = 64;
pub(crate) const UNAVAILABLE: u8 = 69;
pub(crate) const SOFTWARE: u8 = 70;
pub(crate) const NOPERM: u8 = 77;

/// What the command accepts.
pub const SPEC: Spec = Spec {
    name: "postqueue",
    about: "list and flush the mail queue",
    usage: "%s -f | %s -i queueid | %s -j | %s -p | %s -s site",
    options: &[
        Opt::value('c', "config_dir", "use the configuration in this directory"),
        Opt::flag('f', "try to deliver all queued mail"),
        Opt::value('i', "queueid", "try to deliver this message"),
        Opt::flag('j', "list the queue, one JSON object a line"),
        Opt::flag('p', "list the queue"),
        Opt::value('s', "site", "try to deliver mail for this site"),
        Opt::flag('v', "be talkative (root only)"),
    ],
    operands: "",
};

/// The command's main function.
pub fn main() -> ExitCode {
    pf_cli::run_setgid(&SPEC, SOFTWARE, run)
}

pub(crate) fn fail(status: u8, text: impl Into<String>) -> anyhow::Error {
    Failure {
        status,
        text: text.into(),
    }
    .into()
}

fn usage() -> anyhow::Error {
    fail(
        USAGE,
        "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue -p | postqueue -s site",
    )
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let scanned = &invocation.scanned;
    let modes = ['f', 'i', 'j', 'p', 's']
        .iter()
        .filter(|letter| scanned.has(**letter))
        .count();
    if modes != 1 || !scanned.operands.is_empty() {
        return Err(usage());
    }
    let source = invocation.source();
    pf_cli::authorize(&source)?;
    let config = Config::load(&source)?;
    pf_cli::open_log("postqueue", &config, false)?;
    let directory = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&directory).with_context(|| format!("chdir {directory}"))?;
    if scanned.has('p') || scanned.has('j') {
        permitted(
            &config,
            "authorized_mailq_users",
            &config.get(param::AUTHORIZED_MAILQ_USERS)?,
            "view the mail queue",
        )?;
        list::list(
            &config,
            &source.dir,
            Path::new(&directory),
            scanned.has('j'),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    permitted(
        &config,
        "authorized_flush_users",
        &config.get(param::AUTHORIZED_FLUSH_USERS)?,
        "flush the mail queue",
    )?;
    let text = |letter: char| {
        scanned
            .last(letter)
            .map(|value| value.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    if scanned.has('f') {
        ask::flush_all(&config)?;
    } else if scanned.has('i') {
        ask::flush_message(&config, &text('i'))?;
    } else {
        ask::flush_site(&config, &text('s'))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn permitted(_config: &Config, parameter: &str, list: &str, what: &str) -> Result<()> {
    let uid = identity::real_uid();
    let (user, allowed) = pf_cli::user_allowed(parameter, list, uid)?;
    if allowed {
        return Ok(());
    }
    Err(fail(
        NOPERM,
        format!("User {user}({uid}) is not allowed to {what}"),
    ))
}
