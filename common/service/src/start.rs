//! The first steps of every daemon: command line, configuration, logging; later jail and privileges; and its last words.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pf_config::{Config, Source, param};
use pf_log::Sink;

use crate::{Context, Flow, Jail, Limit, MASTER_VARIABLE, Options, debugger, logging};

/// Reads command line and configuration, opens the log, and goes to the queue directory.
///
/// # Errors
/// The operator's trouble, in Postfix's words.
pub fn begin(limit: Limit, jail: Jail) -> Result<Context> {
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let path = words.next().unwrap_or_default();
    let process_name = Path::new(&path)
        .file_name()
        .map_or_else(|| path.clone(), |name| name.to_string_lossy().into_owned());
    // Until the configuration is known, complaints go where syslog looks for them.
    pf_log::open(pf_log::Options {
        program: process_name.clone(),
        tag: logging::early_tag(&process_name),
        sinks: vec![early_sink()],
    });
    let options = Options::parse(words).map_err(anyhow::Error::msg)?;
    pf_log::set_verbose(
        options
            .verbose
            .max(u8::from(std::env::var_os("MAIL_VERBOSE").is_some())),
    );
    let service = options
        .service
        .clone()
        .unwrap_or_else(|| process_name.clone());
    let mut source = Source::from_environment();
    source.overrides.clone_from(&options.settings);
    let config = Config::for_daemon(&source, &process_name, &service)?;
    logging::open(&config, &process_name, options.stderr, false)?;
    config.check()?;
    if !options.by_hand
        && !options.stand_alone
        && std::io::IsTerminal::is_terminal(&std::io::stdin())
    {
        pf_log::open(pf_log::Options {
            program: process_name.clone(),
            tag: process_name,
            sinks: vec![Sink::Stderr],
        });
        bail!("do not run this command by hand");
    }
    if !options.stand_alone {
        ensure!(
            limit != Limit::One || options.alone,
            "service {service} requires a process limit of 1"
        );
        ensure!(
            limit != Limit::None || options.unlimited,
            "service {service} requires a process limit of 0"
        );
        ensure!(options.transport.is_some(), "no transport type specified");
    }
    if std::env::var_os(MASTER_VARIABLE).is_none() {
        let daemons = config.get(param::DAEMON_DIRECTORY)?;
        pf_proto::dialect::learn(&Path::new(&daemons).join("master"))?;
    }
    ensure!(
        jail != Jail::Privileged || !options.unprivileged,
        "service {service} requires privileged operation"
    );
    ensure!(
        jail != Jail::Unprivileged || options.unprivileged || options.stand_alone,
        "service {service} requires unprivileged operation"
    );
    // Nobody could read what a closed pipe or an oversized file does to us otherwise.
    pf_sys::process::ignore_signal(nix::sys::signal::Signal::SIGPIPE)?;
    pf_sys::process::ignore_signal(nix::sys::signal::Signal::SIGXFSZ)?;
    if let Ok(zone) = std::env::var("TZ") {
        // The time zone is read once, before a chroot hides its file.
        pf_log::debug!("time zone {zone}");
    }
    let _ = pf_sys::time::Calendar::local(0);
    let queue = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&queue).with_context(|| format!("chdir(\"{queue}\")"))?;
    if options.debugger || debugger::wanted() {
        debugger::run(&config)?;
    }
    let flow = if options.stand_alone {
        Flow::none()
    } else {
        Flow::inherit()
    };
    let argv = options.argv.clone();
    Ok(Context {
        config,
        service,
        argv,
        process_name,
        options,
        flow,
    })
}

/// The log before the configuration is known: what master left in the environment, or else syslog.
fn early_sink() -> Sink {
    match (
        std::env::var_os("POSTLOG_SERVICE"),
        std::env::var("POSTLOG_HOSTNAME"),
    ) {
        (Some(path), host) if !path.is_empty() => {
            Sink::postlog(path.into(), host.as_deref().unwrap_or("amnesiac"), None)
        }
        _ => Sink::syslog(pf_log::Facility::MAIL),
    }
}

/// Enters the jail and gives up rights, as the command line asks.
///
/// # Errors
/// The process may not, or `mail_owner` is unknown.
pub fn enter_jail(context: &Context) -> Result<()> {
    let owner = if context.options.unprivileged {
        let name = context.config.get(param::MAIL_OWNER)?;
        Some(
            pf_sys::identity::user_by_name(&name)?
                .with_context(|| format!("unknown user: {name}"))?,
        )
    } else {
        None
    };
    if context.options.chroot {
        let queue = context.config.get(param::QUEUE_DIRECTORY)?;
        pf_sys::process::chroot_and_cd(Path::new(&queue))
            .with_context(|| format!("chroot({queue})"))?;
    }
    if let Some(owner) = owner
        && pf_sys::identity::effective_uid() != owner.uid
    {
        pf_sys::identity::drop_to_user(&owner.name, owner.uid, owner.gid)
            .with_context(|| format!("setuid({})", owner.uid))?;
    }
    Ok(())
}

/// The end of a process that has told what is wrong already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told;

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("what is wrong was told before")
    }
}

impl std::error::Error for Told {}

/// Ends the process in Postfix's way: the reason in the log, and a pause so that master does not spin.
pub fn end(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) if err.is::<Told>() => ExitCode::FAILURE,
        Err(err) => {
            pf_log::fatal!("{err:#}");
            std::thread::sleep(Duration::from_secs(1));
            ExitCode::FAILURE
        }
    }
}
