//! The `postlog` command: logs its arguments, or the lines of its standard input, as a program of the mail system would
//! (postlog(1)). It is installed setgid, so that every user's lines reach postlogd.

use std::ffi::OsStr;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use pf_cli::{Invocation, Opt, Scanned, Spec, safe_environment};
use pf_config::{Config, param};
use pf_log::{Facility, Fallback, Level, Sink};
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
    // Complaints about the command line have the name that lines in the log have.
    let mut scanned = Scanned::default();
    if let Err(bad) = SPEC.scan_into(&mut scanned, std::env::args_os().skip(1)) {
        let own = task();
        open(&own, &own, Sink::syslog(Facility::MAIL));
        // A severity is looked at as it comes.
        match level(&scanned) {
            Err(err) => pf_log::fatal!("{err}"),
            Ok(_) => {
                let _unread = writeln!(std::io::stderr(), "{}: {bad}", SPEC.name);
                pf_log::fatal!("{}", pf_cli::usage(&SPEC, SPEC.name));
                pf_cli::suggest_option(SPEC.name, &bad, &SPEC);
            }
        }
        return ExitCode::FAILURE;
    }
    pf_cli::run_setgid(&SPEC, 1, |_| Ok(()), run)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let own = task();
    open(&own, &own, Sink::syslog(Facility::MAIL));
    let level = level(&invocation.scanned)?;
    let source = invocation.source();
    pf_cli::authorize(&source)?;
    let config = Config::load(&source)?;
    let own = format!("{}/{}", config.get(param::SYSLOG_NAME)?, SPEC.name);
    open(&own, &own, Sink::syslog(Facility::MAIL));
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
    pf_log::show_utf8(config.get(param::SMTPUTF8_ENABLE)?);
    open(shown, &tag, sink(&config)?);
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

fn open(program: &str, tag: &str, sink: Sink) {
    pf_log::open(pf_log::Options {
        program: program.to_owned(),
        tag: tag.to_owned(),
        sinks: vec![Sink::Stderr, sink],
    });
}

fn sink(config: &Config) -> Result<Sink> {
    let file = config.log_file()?;
    if file.is_empty() {
        let facility = config.get(param::SYSLOG_FACILITY)?;
        return match Facility::by_name(&facility) {
            Some(facility) => Ok(Sink::syslog(facility)),
            None => bail!(
                "file {}/main.cf: parameter syslog_facility: unrecognized value: {facility}",
                config.directory().display()
            ),
        };
    }
    let socket = Path::new(&config.get(param::QUEUE_DIRECTORY)?)
        .join("public")
        .join(config.get(param::POSTLOG_SERVICE_NAME)?);
    let fallback = Fallback::new(file, &config.get(param::MAILLOG_FILE_PERMISSIONS)?);
    let sink = Sink::postlog(socket, &config.get(param::MYHOSTNAME)?, Some(fallback));
    if let Some(problem) = sink.problem() {
        bail!("{problem}");
    }
    Ok(sink)
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
