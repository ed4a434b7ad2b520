//! The same for many instances: to list them, to run a command for each.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use pf_config::{Config, param};
use pf_log::fatal;

use crate::instances::{Instance, Selection};

/// What disabled instances get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disabled {
    /// The same as the others.
    Same,
    /// Nothing.
    Skipped,
    /// `postfix check`, in place of a start.
    Checked,
}

/// The path where a program of the system is found, when there is none.
const ROOT_PATH: &str = "/bin:/usr/bin:/sbin:/usr/sbin";

/// `-l`: a line for each selected instance.
///
/// # Errors
/// The lines cannot be written.
pub fn list(instances: &[&Instance], selection: &Selection, json: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for instance in instances.iter().filter(|one| selection.matches(one)) {
        let named = |name: &str| {
            if name.is_empty() {
                "-".to_owned()
            } else {
                name.to_owned()
            }
        };
        let (name, group) = (named(&instance.name), named(&instance.group));
        let enabled = if instance.enabled { "y" } else { "n" };
        let directory = &instance.config;
        if json {
            let quoted = |text: &str| serde_json::to_string(text);
            writeln!(
                out,
                "{{\"name\": {},\"group\": {},\"enabled\": \"{enabled}\",\"config_directory\": {}}}",
                quoted(&name)?,
                quoted(&group)?,
                quoted(directory)?
            )?;
        } else {
            writeln!(out, "{name:<15} {group:<15} {enabled:<9} {directory}")?;
        }
    }
    out.flush().context("error writing output")
}

/// `-p`: a command of postfix(1) for each selected instance. Gives whether all went well.
///
/// # Errors
/// No instance is selected, or a parameter has a bad value.
pub fn postfix(
    config: &Config,
    instances: &[&Instance],
    selection: &Selection,
    words: &[OsString],
) -> Result<bool> {
    let is = |list: String| {
        let word = words.first().and_then(|word| word.to_str());
        word.is_some_and(|word| pf_text::split::list(&list).any(|known| known == word))
    };
    let (disabled, reverse) = if is(config.get(param::POSTMULTI_START_COMMANDS)?) {
        (Disabled::Checked, false)
    } else if is(config.get(param::POSTMULTI_STOP_COMMANDS)?) {
        (Disabled::Skipped, true)
    } else if is(config.get(param::POSTMULTI_CONTROL_COMMANDS)?) {
        (Disabled::Skipped, false)
    } else {
        (Disabled::Same, false)
    };
    let program = format!("{}/postfix", config.get(param::COMMAND_DIRECTORY)?);
    let mut instances = instances.to_vec();
    if reverse {
        instances.reverse();
    }
    let log = log(config)?;
    each(&instances, selection, disabled, |instance| {
        let mut command = Command::new(&program);
        command.arg("--");
        let rest = if disabled == Disabled::Checked && !instance.enabled {
            command.arg("check");
            words.get(1..).unwrap_or_default()
        } else {
            words
        };
        command
            .args(rest)
            .envs(log.iter().cloned())
            .env("MAIL_CONFIG", &instance.config);
        command
    })
}

/// `-x`: any command for each selected instance. Gives whether all went well.
///
/// # Errors
/// No instance is selected, or a parameter has a bad value.
pub fn any(
    config: &Config,
    instances: &[&Instance],
    selection: &Selection,
    words: &[OsString],
) -> Result<bool> {
    let commands = config.get(param::COMMAND_DIRECTORY)?;
    let daemons = config.get(param::DAEMON_DIRECTORY)?;
    let path = search_path(&commands);
    let program = words.first().map(OsString::as_os_str).unwrap_or_default();
    let log = log(config)?;
    each(instances, selection, Disabled::Same, |instance| {
        let mut command = Command::new(program);
        command
            .args(words.get(1..).unwrap_or_default())
            .envs(log.iter().cloned())
            .env("PATH", &path)
            .env("MAIL_CONFIG", &instance.config)
            .env("daemon_directory", &daemons)
            .env("command_directory", &commands)
            .env("config_directory", &instance.config)
            .env("queue_directory", &instance.queue)
            .env("data_directory", &instance.data)
            .env("multi_instance_name", &instance.name)
            .env("multi_instance_group", &instance.group)
            .env(
                "multi_instance_enable",
                if instance.enabled { "yes" } else { "no" },
            );
        command
    })
}

/// How a program logs before it has read its own `main.cf`.
fn log(config: &Config) -> Result<Vec<(&'static str, String)>> {
    let mut told = vec![("MAIL_LOGTAG", config.get(param::SYSLOG_NAME)?)];
    if !config.get(param::MAILLOG_FILE)?.is_empty() {
        let queue = config.get(param::QUEUE_DIRECTORY)?;
        let service = config.get(param::POSTLOG_SERVICE_NAME)?;
        told.push(("POSTLOG_SERVICE", format!("{queue}/public/{service}")));
        told.push(("POSTLOG_HOSTNAME", config.get(param::MYHOSTNAME)?));
    }
    Ok(told)
}

/// The search path, the system's own commands before all others.
pub fn search_path(commands: &str) -> OsString {
    let path = std::env::var_os("PATH").filter(|path| !path.is_empty());
    let path = path.unwrap_or_else(|| ROOT_PATH.into());
    [OsStr::new(commands), OsStr::new(":"), &path]
        .into_iter()
        .collect()
}

fn each(
    instances: &[&Instance],
    selection: &Selection,
    disabled: Disabled,
    command: impl Fn(&Instance) -> Command,
) -> Result<bool> {
    let mut well = true;
    let mut matched = false;
    for instance in instances {
        let skipped = disabled == Disabled::Skipped && !instance.enabled;
        if skipped || !selection.matches(instance) {
            continue;
        }
        matched = true;
        let mut command = command(instance);
        match command.status() {
            Ok(status) => well &= status.success(),
            Err(err) => {
                let program = command.get_program().to_string_lossy();
                fatal!("execvp {program}: {}", pf_sys::error::text(&err));
                well = false;
            }
        }
    }
    if !matched {
        bail!("No matching instances");
    }
    Ok(well)
}
