//! The `postfix` command: starts, stops and looks after the mail system (postfix(1)).
//!
//! In Postfix a shell script does the work; here it is [`actions`], with the script's words and exit statuses. [`layout`] knows
//! where the parts are, [`check`] what is wrong with them, [`files`] what `postfix-files` says of owners and modes, [`install`] and
//! [`upgrade`] what a new version needs, [`tls`] and [`non_bdb`] how these are turned on.

mod actions;
mod check;
mod files;
mod install;
mod layout;
mod non_bdb;
mod rotate;
mod say;
mod tls;
mod upgrade;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use pf_cli::{Invocation, Opt, Sinks, Spec};
use pf_config::compat::Level;
use pf_config::{Config, Source, param};
use pf_sys::identity;

use layout::Layout;

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postfix",
    about: "control the mail system",
    usage: "%s [-c config_dir] [-Dv] command",
    options: &[
        Opt::value('c', "config_dir", "The directory of main.cf and master.cf."),
        Opt::flag('D', "Run each daemon under the debugger_command."),
        Opt::flag('v', "Log more."),
    ],
    long: &[],
    operands: "command",
};

/// Where programs are looked for.
const PATH: &str = "/bin:/usr/bin:/sbin:/usr/sbin";

/// The compatibility level at which nothing of the past is kept.
const LATEST: &str = "3.11";

/// The command.
pub fn main() -> ExitCode {
    pf_cli::run_checked(&SPEC, Sinks::Log, absolute, run)
}

/// Each directory is looked at as it comes.
fn absolute(invocation: &Invocation) -> Result<()> {
    ensure!(
        invocation
            .scanned
            .all('c')
            .all(|directory| directory.as_encoded_bytes().starts_with(b"/")),
        "-c requires absolute pathname"
    );
    Ok(())
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    pf_sys::process::umask(0o022);
    if identity::real_uid() != 0 {
        pf_log::error!("to submit mail, use the Postfix sendmail command");
        bail!("the postfix command is reserved for the superuser");
    }
    ensure!(
        !identity::has_borrowed_rights(),
        "the postfix command must not run as a set-uid process"
    );
    let scanned = &invocation.scanned;
    let single = scanned.has('c') || std::env::var_os("MAIL_CONFIG").is_some();
    let source = Source::with_directory(scanned.last('c').map(PathBuf::from));
    let mut config = Config::load(&source)?;
    config.set_names(&invocation.name, pf_config::NO_SERVICE_NAME);
    config.check()?;
    let layout = Layout::new(&config)?;
    let environment = environment(
        &config,
        &source,
        &layout,
        scanned.has('D'),
        scanned.has('v'),
    )?;
    // Unlike the others, this command has no system's name before its own.
    pf_cli::open_log_tagged(&invocation.name, invocation.name.clone(), &config, true)?;
    if config.level() < Level::LATEST {
        pf_log::info!("Postfix is using backwards-compatible default settings");
        pf_log::info!("See https://www.postfix.org/COMPATIBILITY_README.html for details");
        pf_log::info!(
            "To disable backwards compatibility use \"postconf compatibility_level={LATEST}\" and \"postfix reload\""
        );
    }
    for directory in [&layout.command, &layout.daemon, &layout.queue] {
        std::env::set_current_dir(directory)
            .map_err(|err| anyhow::anyhow!(pf_sys::error::text(&err)))
            .with_context(|| format!("chdir({})", directory.display()))?;
    }
    let instances = config.get(param::MULTI_INSTANCE_DIRECTORIES)?;
    if !single && pf_text::split::list(&instances).next().is_some() {
        return Err(hand_over(&config, &environment, &scanned.operands));
    }
    actions::run(&config, &layout, &environment, &scanned.operands)
}

/// Lets the manager of several instances do the work; returns only when that fails.
fn hand_over(
    config: &Config,
    environment: &[(OsString, OsString)],
    operands: &[OsString],
) -> anyhow::Error {
    let wrapper = match config.get(param::MULTI_INSTANCE_WRAPPER) {
        Ok(wrapper) => wrapper,
        Err(err) => return err.into(),
    };
    let mut words = wrapper.split_ascii_whitespace();
    let Some(program) = words.next() else {
        return anyhow::anyhow!(
            "multi-instance support is requested, but multi_instance_wrapper is empty"
        );
    };
    let err = Command::new(program)
        .args(words)
        .args(operands)
        .env_clear()
        .envs(environment.iter().cloned())
        .exec();
    anyhow::anyhow!("{program}: {}", pf_sys::error::text(&err))
}

/// What all programs that are started find in their environment.
fn environment(
    config: &Config,
    source: &Source,
    layout: &Layout,
    debug: bool,
    verbose: bool,
) -> Result<Vec<(OsString, OsString)>> {
    let mut kept =
        pf_cli::imported(&config.get(param::IMPORT_ENVIRONMENT)?).map_err(anyhow::Error::msg)?;
    let mut set = |name: &str, value: OsString| {
        kept.retain(|(known, _)| known != name);
        kept.push((name.into(), value));
    };
    set("PATH", PATH.into());
    set("MAIL_CONFIG", source.dir.clone().into());
    set("MAIL_LOGTAG", config.get(param::SYSLOG_NAME)?.into());
    if debug {
        set("MAIL_DEBUG", OsString::new());
    }
    if verbose {
        set("MAIL_VERBOSE", OsString::new());
    }
    for (name, value) in layout.exported() {
        set(name, value);
    }
    Ok(kept)
}
