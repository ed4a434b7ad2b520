//! From the arguments to the exit status.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use pf_config::{Config, Source, param};
use pf_log::{Facility, Fallback, Options, Sink};

use crate::environment::safe_environment;
use crate::nearest::{split_meant, suggest_option, tell_meant};
use crate::options::{BadOption, Scanned, Spec};

/// Where the lines of a command go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sinks {
    /// Standard error only.
    StandardError,
    /// Standard error, and the log.
    Log,
    /// Standard output: what such a command says is what it is for. How it is used is not; that goes to standard error.
    StandardOutput,
}

/// One run of a command.
#[derive(Debug)]
pub struct Invocation {
    /// The name that complaints use.
    pub called: String,
    /// The last part of the name that the caller used.
    pub name: String,
    /// The options and operands.
    pub scanned: Scanned,
}

impl Invocation {
    /// Where the configuration comes from: `-c`, else `MAIL_CONFIG`, else the default directory.
    pub fn source(&self) -> Source {
        Source::with_directory(self.scanned.last('c').map(PathBuf::from))
    }

    /// Reads the configuration, and from now on logs as it says.
    ///
    /// `fallback`: whether lines may be written to `maillog_file` itself while postlogd does not run.
    ///
    /// # Errors
    /// The configuration is bad.
    pub fn config(&self, fallback: bool) -> anyhow::Result<Config> {
        let mut config = Config::load(&self.source())?;
        config.set_names(&self.name, pf_config::NO_SERVICE_NAME);
        config.check()?;
        open_log(&self.name, &config, fallback)?;
        Ok(config)
    }
}

/// Logs to standard error and where the configuration says, as `syslog_name/name`.
///
/// # Errors
/// A parameter about logging has a bad value.
pub fn open_log(name: &str, config: &Config, fallback: bool) -> anyhow::Result<()> {
    open_log_as(name, name, config, fallback)
}

/// As [`open_log`], with another name on standard error.
///
/// # Errors
/// A parameter about logging has a bad value.
pub fn open_log_as(shown: &str, name: &str, config: &Config, fallback: bool) -> anyhow::Result<()> {
    let tag = format!("{}/{name}", config.get(param::SYSLOG_NAME)?);
    open_log_tagged(shown, tag, config, fallback)
}

/// As [`open_log`], with another name on standard error and this tag in the log.
///
/// # Errors
/// A parameter about logging has a bad value.
pub fn open_log_tagged(
    shown: &str,
    tag: String,
    config: &Config,
    fallback: bool,
) -> anyhow::Result<()> {
    let file = config.log_file()?;
    let sink = if file.is_empty() {
        let facility = config.get(param::SYSLOG_FACILITY)?;
        let known = Facility::by_name(&facility).ok_or_else(|| {
            anyhow::anyhow!(
                "file {}/main.cf: parameter syslog_facility: unrecognized value: {facility}",
                config.directory().display()
            )
        })?;
        Sink::syslog(known)
    } else {
        let socket = Path::new(&config.get(param::QUEUE_DIRECTORY)?)
            .join("public")
            .join(config.get(param::POSTLOG_SERVICE_NAME)?);
        let hostname = config.get(param::MYHOSTNAME)?;
        let permissions = config.get(param::MAILLOG_FILE_PERMISSIONS)?;
        let fallback = fallback.then(|| Fallback::new(file, &permissions));
        Sink::postlog(socket, &hostname, fallback)
    };
    if let Some(problem) = sink.problem() {
        anyhow::bail!("{problem}");
    }
    pf_log::show_utf8(config.get(param::SMTPUTF8_ENABLE)?);
    pf_log::open(Options {
        program: shown.to_owned(),
        tag,
        sinks: vec![Sink::Stderr, sink],
    });
    Ok(())
}

/// An end with another status than 1, or without a line.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// The exit status.
    pub status: u8,
    /// What is logged as `fatal:`; empty for nothing.
    pub text: String,
}

/// The complaint about a command line that makes no sense.
pub fn usage(spec: &Spec, called: &str) -> anyhow::Error {
    anyhow::anyhow!("usage: {}", spec.usage.replace("%s", called))
}

/// Whether the error is only that nobody reads our output any more.
pub fn broken_pipe(err: &anyhow::Error) -> bool {
    err.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|err| err.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

/// From now on logs as this script of the original's.
///
/// # Errors
/// The log cannot be opened as the configuration says.
pub fn as_script(script: &str, config: &Config) -> anyhow::Result<()> {
    // As with the original, what is said while postlogd does not run is not in `maillog_file`.
    open_log(script, config, false)?;
    // A script sees the lines as those of postlog, a person as those of postfix-script.
    let name = if std::io::stderr().is_terminal() {
        script
    } else {
        "postlog"
    };
    pf_log::set_program(format!("{}/{name}", config.get(param::SYSLOG_NAME)?));
    Ok(())
}

/// Runs a command: scans its arguments, sets up logging, and turns what `main` returns into the exit status.
pub fn run(
    spec: &Spec,
    sinks: Sinks,
    main: impl FnOnce(&Invocation) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    run_checked(spec, sinks, |_| Ok(()), main)
}

/// As [`run`], for a command that looks at its options as they come: `check` is asked of all of them, or of those before the
/// first bad one, and its complaint is told first.
pub fn run_checked(
    spec: &Spec,
    sinks: Sinks,
    check: fn(&Invocation) -> anyhow::Result<()>,
    main: impl FnOnce(&Invocation) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    run_with(spec, sinks, check, |invocation, ()| main(invocation))
}

/// As [`run_checked`], for a command that needs what it found when it looked at its options.
pub fn run_with<T>(
    spec: &Spec,
    sinks: Sinks,
    check: impl FnOnce(&Invocation) -> anyhow::Result<T>,
    main: impl FnOnce(&Invocation, T) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let (_, name, arguments) = words(spec);
    run_named(spec, name.clone(), name, arguments, sinks, check, main)
}

/// As [`run_checked`], for a command that complains to standard error only, under its name as the caller wrote it, path and all.
pub fn run_as_called(
    spec: &Spec,
    check: fn(&Invocation) -> anyhow::Result<()>,
    main: impl FnOnce(&Invocation) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let (called, name, arguments) = words(spec);
    run_named(
        spec,
        called,
        name,
        arguments,
        Sinks::StandardError,
        check,
        |invocation, ()| main(invocation),
    )
}

/// The name that the caller used, the last part of it, and the arguments.
fn words(spec: &Spec) -> (String, String, Vec<OsString>) {
    let mut arguments = std::env::args_os();
    let called = arguments
        .next()
        .map(|called| called.to_string_lossy().into_owned())
        .unwrap_or_else(|| spec.name.to_owned());
    let name = called.rsplit('/').next().unwrap_or(&called).to_owned();
    (called, name, arguments.collect())
}

fn run_named<T>(
    spec: &Spec,
    called: String,
    name: String,
    arguments: Vec<OsString>,
    sinks: Sinks,
    check: impl FnOnce(&Invocation) -> anyhow::Result<T>,
    main: impl FnOnce(&Invocation, T) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    let places = match sinks {
        Sinks::StandardError => vec![Sink::Stderr],
        Sinks::Log => vec![Sink::Stderr, Sink::syslog(Facility::MAIL)],
        Sinks::StandardOutput => vec![Sink::Stdout],
    };
    let tag = safe_environment("MAIL_LOGTAG").map_or_else(
        || "postfix".to_owned(),
        |tag| tag.to_string_lossy().into_owned(),
    );
    pf_log::open(Options {
        program: called.clone(),
        tag: format!("{tag}/{name}"),
        sinks: places,
    });
    let mut invocation = Invocation {
        called,
        name,
        scanned: Scanned::default(),
    };
    let bad = spec.scan_into(&mut invocation.scanned, arguments);
    let checked = match check(&invocation) {
        Ok(checked) => checked,
        Err(err) => return end(err, &invocation.called, 1),
    };
    if let Err(bad) = bad {
        if sinks == Sinks::StandardOutput {
            tell_getopt(&invocation.called, &bad);
            tell_usage(spec, &invocation.called);
            suggest_option(&invocation.called, &bad, spec);
        } else {
            tell_bad(spec, &invocation.called, &bad);
        }
        return ExitCode::FAILURE;
    }
    let scanned = &invocation.scanned;
    let mut verbose = scanned.count('v');
    if verbose == 0 && sinks != Sinks::StandardOutput && safe_environment("MAIL_VERBOSE").is_some()
    {
        verbose = 1;
    }
    pf_log::set_verbose(u8::try_from(verbose).unwrap_or(u8::MAX));
    main(&invocation, checked).unwrap_or_else(|err| end(err, &invocation.called, 1))
}

/// Says what is wrong with an option, and how the command is used.
pub(crate) fn tell_bad(spec: &Spec, called: &str, bad: &BadOption) {
    tell_getopt(called, bad);
    pf_log::fatal!("{}", usage(spec, called));
    suggest_option(called, bad, spec);
}

/// This line is getopt(3)'s, not one of ours: it goes to standard error only.
fn tell_getopt(called: &str, bad: &BadOption) {
    let _unread = writeln!(std::io::stderr(), "{called}: {bad}");
}

/// Neither is this one, where the log is on standard output.
fn tell_usage(spec: &Spec, called: &str) {
    let _unread = writeln!(std::io::stderr(), "{}", usage(spec, called));
}

/// Says how a command of [`Sinks::StandardOutput`] is used; what is left to do is to end with this.
pub fn plain_usage(spec: &Spec, called: &str) -> anyhow::Error {
    tell_usage(spec, called);
    Failure {
        status: 1,
        text: String::new(),
    }
    .into()
}

/// Says why a command ends, and what it may have meant; `status` is the exit status of errors that do not say otherwise.
pub(crate) fn end(err: anyhow::Error, called: &str, status: u8) -> ExitCode {
    if broken_pipe(&err) {
        return ExitCode::from(status);
    }
    let (err, name) = split_meant(err);
    let (text, status) = match err.downcast_ref::<Failure>() {
        Some(failure) => (failure.text.clone(), failure.status),
        None => (format!("{err:#}"), status),
    };
    if !text.is_empty() {
        pf_log::fatal!("{text}");
    }
    tell_meant(called, name.as_deref());
    ExitCode::from(status)
}
