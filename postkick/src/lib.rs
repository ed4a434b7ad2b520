//! The `postkick` command: sends a request to a service of the mail system and wants no answer (postkick(1)).

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use pf_cli::{Invocation, Opt, Sinks, Spec};
use pf_config::{Config, param};
use pf_proto::Address;
use pf_proto::trigger::{self, TriggerError};

/// The options of the command.
pub const SPEC: Spec = Spec {
    name: "postkick",
    about: "send a request to a service of the mail system",
    usage: "%s [-c config_dir] [-v] class service request",
    options: &[
        Opt::value('c', "config_dir", "The directory of main.cf."),
        Opt::flag('v', "Log more."),
    ],
    long: &[],
    operands: "class service request",
};

/// The command.
pub fn main() -> ExitCode {
    pf_cli::run(&SPEC, Sinks::StandardError, run)
}

fn run(invocation: &Invocation) -> Result<ExitCode> {
    let [class, service, request] = invocation.scanned.operands.as_slice() else {
        return Err(pf_cli::usage(&SPEC, &invocation.called));
    };
    let (class, service) = (class.to_string_lossy(), service.to_string_lossy());
    let config = Config::load(&invocation.source())?;
    config.check()?;
    let limit = config.get(param::APPLICATION_EVENT_DRAIN_TIME)?;
    let queue = config.get(param::QUEUE_DIRECTORY)?;
    std::env::set_current_dir(&queue)
        .map_err(|err| anyhow::anyhow!("chdir {queue}: {}", pf_sys::error::text(&err)))?;
    let address = Address::below(Path::new("."), &class, &service);
    let why = match trigger::send(&address, request.as_bytes(), limit) {
        Ok(()) => return Ok(ExitCode::SUCCESS),
        Err(TriggerError::Missing(name, err)) => Some(format!(
            "unable to look up {name}: {}",
            pf_sys::error::text(&err)
        )),
        Err(err @ TriggerError::NotASocket(_)) => Some(err.to_string()),
        // That nobody listens is what the next line says.
        Err(TriggerError::Down(..)) => None,
    };
    if let Some(why) = why {
        pf_log::warning!("{why}");
    }
    pf_log::warning!(
        "Cannot contact class {class} service {service} - perhaps the mail system is down"
    );
    suggest(invocation, &class, &service);
    Ok(ExitCode::FAILURE)
}

/// To a person, a class that there is not, or a service without a socket, may be another one misspelt.
fn suggest(invocation: &Invocation, class: &str, service: &str) {
    const CLASSES: [&str; 2] = ["private", "public"];
    if !CLASSES.contains(&class) {
        return pf_cli::suggest(&invocation.called, class, CLASSES);
    }
    // The queue directory is the current one.
    let Ok(entries) = std::fs::read_dir(class) else {
        return;
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    if !names.iter().any(|name| name == service) {
        pf_cli::suggest(
            &invocation.called,
            service,
            names.iter().map(String::as_str),
        );
    }
}
