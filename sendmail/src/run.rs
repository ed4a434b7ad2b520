//! From the command line to what is done.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use anyhow::Result;
use pf_config::{Config, Source, param};
use pf_log::{Facility, Sink};

use crate::enqueue::enqueue;
use crate::exit::{OSERR, USAGE, fail};
use crate::options::{Mode, Options};

/// The command's main function.
pub fn main() -> ExitCode {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let path = words.next().unwrap_or_default();
    let called = path.rsplit('/').next().unwrap_or("sendmail").to_owned();
    pf_log::open(pf_log::Options {
        program: "sendmail".to_owned(),
        tag: "postfix/sendmail".to_owned(),
        sinks: vec![Sink::Stderr, Sink::syslog(Facility::MAIL)],
    });
    match run(&called, words.collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => match err.downcast_ref::<pf_cli::Failure>() {
            Some(failure) => {
                pf_log::fatal!("{}", failure.text);
                ExitCode::from(failure.status)
            }
            None => {
                pf_log::fatal!("{err:#}");
                ExitCode::from(OSERR)
            }
        },
    }
}

fn run(called: &str, words: Vec<String>) -> Result<()> {
    let options = Options::parse(called, words)?;
    let source = Source::with_directory(options.config.clone().map(Into::into));
    let config = Config::load(&source)?;
    pf_cli::open_log("sendmail", &config, false)?;
    pf_log::set_verbose(options.verbose.saturating_sub(1));
    let other = |name: &str, args: &[&str]| -> Result<()> {
        let directory = config.get(param::COMMAND_DIRECTORY)?;
        become_program(&Path::new(&directory).join(name), args, &source)
    };
    match options.mode {
        Mode::Enqueue | Mode::Verify => enqueue(&options, &config),
        Mode::MailQueue => {
            no_operands(&options, "recipients")?;
            other("postqueue", &["-p"])
        }
        Mode::Flush => match (&options.site, &options.queue_id) {
            (Some(site), _) => other("postqueue", &["-s", site]),
            (_, Some(id)) => other("postqueue", &["-i", id]),
            _ => other("postqueue", &["-f"]),
        },
        Mode::NewAliases => {
            let databases = config.get(param::ALIAS_DATABASE)?;
            match &options.alias_source {
                Some(path) => other("postalias", &[path]),
                None => {
                    let list: Vec<&str> = pf_text::split::list(&databases).collect();
                    if list.is_empty() {
                        return Ok(());
                    }
                    let mut args = vec!["--"];
                    args.extend(list);
                    other("postalias", &args)
                }
            }
        }
        Mode::Daemon => {
            no_operands(&options, "recipients")?;
            other("postfix", &["start"])
        }
        Mode::Stand => {
            no_operands(&options, "recipients")?;
            let directory = config.get(param::DAEMON_DIRECTORY)?;
            become_program(&Path::new(&directory).join("smtpd"), &["-S"], &source)
        }
    }
}

fn no_operands(options: &Options, what: &str) -> Result<()> {
    if options.recipients.is_empty() {
        return Ok(());
    }
    Err(fail(USAGE, format!("stand-alone mode requires no {what}")))
}

fn become_program(path: &Path, args: &[&str], source: &Source) -> Result<()> {
    let err = Command::new(path)
        .args(args)
        .env("MAIL_CONFIG", &source.dir)
        .exec();
    Err(fail(
        OSERR,
        format!("execvp {}: {}", path.display(), pf_sys::error::text(&err)),
    ))
}
