//! The `postlog` command: logs its arguments, or the lines of its standard input, as a program of the mail system would
//! (postlog(1)). It is installed setgid, so that every user's lines reach postlogd.

use std::ffi::OsStr;
use std::io::{BufRead as _, IsTerminal as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow};
use pf_cli::{Invocation, Opt, Scanned, Spec, safe_environment};
use pf_config::{Config, param};
use pf_log::{Facility, Level, Sink};
use pf_text::{Show, printable};

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postlog",
    about: "log text as a program of the mail system does",
    usage: "%s [-c config_dir] [-i] [-p priority] [-t tag] [-v] [text]",
    options: &[
        Opt::value('c', "config_dir", "The directory of main.cf."),
        Opt::flag('i', "Log the process id, which is always done."),
        Opt::value(
            'p',
            "priority",
            "info (the default), warn, error, fatal or panic.",
        ),
        Opt::value('t', "tag", "The name before each line, instead of our own."),
        Opt::flag('v', "Log more; for root only."),
    ],
    long: &[],
    operands: "text",
};

/// How long a program waits after a fatal error, so that what starts it again does not spin.
const PAUSE: Duration = Duration::from_secs(1);

/// The command.
pub fn main() -> ExitCode {
    pf_cli::run_setgid(&SPEC, 1, check, run)
}

/// A severity is looked at as it comes; complaints about the command line have the name that lines in the log have.
fn check(invocation: &Invocation) -> Result<()> {
    open(&task());
    level(&invocation.scanned).map(drop)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let level = level(&invocation.scanned)?;
    let source = invocation.source();
    pf_cli::authorize(&source)?;
    let config = Config::load(&source)?;
    let own = format!("{}/{}", config.get(param::SYSLOG_NAME)?, SPEC.name);
    open(&own);
    let tag = match invocation.scanned.last('t') {
        Some(tag) => String::from_utf8_lossy(&printable(tag.as_bytes(), b'?')).into_owned(),
        None => own.clone(),
    };
    // A person sees the tag that was asked for; a script sees who wrote the line.
    let shown = if std::io::stderr().is_terminal() {
        &tag
    } else {
        &own
    };
    pf_cli::open_log_tagged(shown, tag.clone(), &config, true)?;
    let operands = &invocation.scanned.operands;
    if operands.is_empty() {
        lines(level)?;
    } else {
        let text = operands.join(OsStr::new(" "));
        pf_log::log(level, format_args!("{}", Show(text.as_bytes())));
    }
    if level >= Level::Fatal {
        std::thread::sleep(PAUSE);
    }
    Ok(ExitCode::SUCCESS)
}

/// Logs each line of the standard input, the last one also without a newline.
fn lines(level: Level) -> Result<()> {
    let mut input = std::io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        // A line is a C string to all that read the log.
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        pf_log::log(level, format_args!("{}", Show(text)));
    }
}

/// The severity that was asked for last; all of them have to be known.
fn level(scanned: &Scanned) -> Result<Level> {
    scanned
        .all('p')
        .try_fold(Level::Info, |_, name| severity(name))
}

fn severity(name: &OsStr) -> Result<Level> {
    const NAMES: [(&str, Level); 8] = [
        ("info", Level::Info),
        ("warn", Level::Warning),
        ("warning", Level::Warning),
        ("error", Level::Error),
        ("err", Level::Error),
        ("fatal", Level::Fatal),
        ("crit", Level::Fatal),
        ("panic", Level::Panic),
    ];
    match NAMES
        .iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known))
    {
        Some((_, level)) => Ok(*level),
        None => {
            let bad = anyhow!("bad severity: \"{}\"", Show(name.as_bytes()));
            let known = NAMES.map(|(known, _)| known);
            Err(pf_cli::meant(bad, &name.to_string_lossy(), known))
        }
    }
}

/// `postfix/postlog`; the environment may name another system.
fn task() -> String {
    let system = safe_environment("MAIL_LOGTAG").map_or_else(
        || "postfix".to_owned(),
        |tag| tag.to_string_lossy().into_owned(),
    );
    format!("{system}/{}", SPEC.name)
}

fn open(name: &str) {
    pf_log::open(pf_log::Options {
        program: name.to_owned(),
        tag: name.to_owned(),
        sinks: vec![Sink::Stderr, Sink::syslog(Facility::MAIL)],
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_have_several_names() {
        assert_eq!(severity(OsStr::new("WARN")).unwrap(), Level::Warning);
        assert_eq!(severity(OsStr::new("crit")).unwrap(), Level::Fatal);
        assert_eq!(
            severity(OsStr::new("bogus")).unwrap_err().to_string(),
            "bad severity: \"bogus\""
        );
    }
}
