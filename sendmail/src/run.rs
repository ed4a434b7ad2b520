//! From the command line to what is done.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;
use pf_config::{Config, Source, param};
use pf_log::{Facility, Sink};
use pf_sys::error::text;
use pf_sys::identity;

use crate::enqueue::{enqueue, may_submit};
use crate::exit::{TEMPFAIL, fail};
use crate::options::{Mode, Options, config_directory};

/// The command's main function.
pub fn main() -> ExitCode {
    let mut words = std::env::args_os().map(OsString::into_vec);
    let path = words.next().unwrap_or_default();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let called = String::from_utf8_lossy(name).into_owned();
    pf_log::open(pf_log::Options {
        program: called.clone(),
        tag: "postfix/sendmail".to_owned(),
        sinks: vec![Sink::Stderr, Sink::syslog(Facility::MAIL)],
    });
    let words: Vec<Vec<u8>> = words.collect();
    match run(&called, &words) {
        Ok(status) => status,
        Err(err) => {
            let (err, meant) = pf_cli::split_meant(err);
            pf_log::fatal!("{err:#}");
            pf_cli::tell_meant(&called, meant.as_deref());
            ExitCode::from(TEMPFAIL)
        }
    }
}

fn run(called: &str, words: &[Vec<u8>]) -> Result<ExitCode> {
    if pf_cli::safe_environment("MAIL_VERBOSE").is_some() {
        pf_log::set_verbose(1);
    }
    let named = config_directory(called, words, |directory| {
        if identity::effective_uid() != 0 {
            pf_cli::require_listed(&Source::with_directory(Some(directory)))?;
        }
        Ok(())
    })?;
    let source = Source::with_directory(named);
    let mut config = Config::load(&source)?;
    config.set_names(called, pf_config::NO_SERVICE_NAME);
    pf_cli::open_log_as(called, "sendmail", &config, false)?;
    config.check()?;
    let directory = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&directory)
        .map_err(|err| fail(format!("chdir {directory}: {}", text(&err))))?;
    let options = Options::parse(called, words, &config)?;
    if options.interval && options.mode != Mode::Daemon {
        return Ok(ExitCode::SUCCESS);
    }
    let other = Other {
        commands: config.get(param::COMMAND_DIRECTORY)?.into(),
        daemons: config.get(param::DAEMON_DIRECTORY)?.into(),
        source: &source,
        verbose: options.verbose.into(),
    };
    match (options.mode, &options.site, &options.queue_id) {
        (Mode::Enqueue, Some(site), _) => {
            alone(&options, "flush site")?;
            other.command("postqueue", &[b"-s", site], &[])
        }
        (Mode::Enqueue, None, Some(id)) => {
            alone(&options, "flush queue_id")?;
            other.command("postqueue", &[b"-i", id], &[])
        }
        (Mode::Enqueue, None, None) => {
            enqueue(&options, &config)?;
            Ok(ExitCode::SUCCESS)
        }
        (Mode::MailQueue, ..) => {
            alone(&options, "display queue mode")?;
            other.command("postqueue", &[b"-p"], &[])
        }
        (Mode::Flush, ..) => {
            alone(&options, "flush queue mode")?;
            other.command("postqueue", &[b"-f"], &[])
        }
        (Mode::NewAliases, ..) => {
            alone(&options, "alias initialization mode")?;
            let databases = config.get(param::ALIAS_DATABASE)?;
            let sources: Vec<&[u8]> = match &options.alias_source {
                Some(path) => vec![path],
                None => pf_text::split::list(&databases)
                    .map(str::as_bytes)
                    .collect(),
            };
            if sources.is_empty() {
                return Ok(ExitCode::SUCCESS);
            }
            let mut last: Vec<&[u8]> = vec![b"--"];
            last.extend(sources);
            other.command("postalias", &[], &last)
        }
        (Mode::Daemon, ..) => {
            alone(&options, "daemon mode")?;
            // Nobody waits for it.
            let started = other
                .prepare(&other.commands, "postfix", &[], &[b"start"])
                .spawn();
            Ok(match started {
                Ok(_) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            })
        }
        (Mode::Stand, ..) => {
            alone(&options, "stand-alone mode")?;
            may_submit(&config)?;
            other.replace(&other.daemons, "smtpd", &[b"-S"], &[])
        }
        (Mode::Ignore, ..) => Ok(ExitCode::SUCCESS),
    }
}

fn alone(options: &Options, what: &str) -> Result<()> {
    if options.recipients.is_empty() {
        return Ok(());
    }
    Err(fail(format!("{what} requires no recipient")))
}

/// How other programs are run.
struct Other<'a> {
    commands: PathBuf,
    daemons: PathBuf,
    source: &'a Source,
    verbose: usize,
}

impl Other<'_> {
    /// Becomes a command; its arguments are these, one `-v` for each of ours, and those.
    fn command(&self, name: &str, first: &[&[u8]], last: &[&[u8]]) -> Result<ExitCode> {
        self.replace(&self.commands, name, first, last)
    }

    fn replace(
        &self,
        directory: &Path,
        name: &str,
        first: &[&[u8]],
        last: &[&[u8]],
    ) -> Result<ExitCode> {
        let err = self.prepare(directory, name, first, last).exec();
        let path = directory.join(name);
        Err(fail(format!("execv {}: {}", path.display(), text(&err))))
    }

    fn prepare(&self, directory: &Path, name: &str, first: &[&[u8]], last: &[&[u8]]) -> Command {
        let mut command = Command::new(directory.join(name));
        command
            .arg0(name)
            .args(first.iter().map(|arg| OsStr::from_bytes(arg)))
            .args(std::iter::repeat_n("-v", self.verbose))
            .args(last.iter().map(|arg| OsStr::from_bytes(arg)))
            .env("MAIL_CONFIG", &self.source.dir);
        command
    }
}
