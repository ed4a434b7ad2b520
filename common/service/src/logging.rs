//! Where the lines of a mail program go, by configuration (`maillog_file`, `syslog_name`, `syslog_facility`).

use std::path::PathBuf;

use pf_config::{Config, param};
use pf_log::{Facility, Fallback, Sink};

/// The log tag of a program: `postfix/smtpd`.
///
/// # Errors
/// `syslog_name` cannot be expanded.
pub fn tag(config: &Config, program: &str) -> Result<String, pf_config::Error> {
    Ok(format!("{}/{program}", config.get(param::SYSLOG_NAME)?))
}

/// The log tag before the configuration is known: what whoever started us left in `MAIL_LOGTAG`.
pub fn early_tag(program: &str) -> String {
    match std::env::var("MAIL_LOGTAG") {
        Ok(name) if !pf_sys::identity::has_borrowed_rights() => format!("{name}/{program}"),
        _ => format!("postfix/{program}"),
    }
}

/// Sends the lines of this process where the configuration says, and with `stderr` to standard error too. With
/// `write_file`, a program that has the right to may write `maillog_file` itself while postlogd does not run.
///
/// # Errors
/// A parameter has a bad value.
pub fn open(
    config: &Config,
    program: &str,
    stderr: bool,
    write_file: bool,
) -> Result<(), pf_config::Error> {
    let mut sinks = Vec::new();
    if stderr {
        sinks.push(Sink::Stderr);
    }
    sinks.push(system_sink(config, write_file)?);
    let tag = tag(config, program)?;
    pf_log::show_utf8(config.get(param::SMTPUTF8_ENABLE)?);
    pf_log::open(pf_log::Options {
        // A daemon names itself on standard error as it does in the log.
        program: tag.clone(),
        tag,
        sinks,
    });
    Ok(())
}

fn system_sink(config: &Config, write_file: bool) -> Result<Sink, pf_config::Error> {
    let file = config.log_file()?;
    if file.is_empty() {
        let name = config.get(param::SYSLOG_FACILITY)?;
        let facility = Facility::by_name(&name).ok_or_else(|| {
            pf_config::Error(format!(
                "file {}/main.cf: parameter syslog_facility: unrecognized value: {name}",
                config.directory().display()
            ))
        })?;
        return Ok(Sink::syslog(facility));
    }
    let socket = PathBuf::from(config.get(param::QUEUE_DIRECTORY)?)
        .join("public")
        .join(config.get(param::POSTLOG_SERVICE_NAME)?);
    let permissions = config.get(param::MAILLOG_FILE_PERMISSIONS)?;
    let fallback = write_file.then(|| Fallback::new(file, &permissions));
    Ok(Sink::postlog(
        socket,
        &config.get(param::MYHOSTNAME)?,
        fallback,
    ))
}
