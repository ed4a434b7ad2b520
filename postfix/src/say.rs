//! The lines that the command logs as `postfix-script`, which is who says them in Postfix.

use std::io::IsTerminal as _;

use anyhow::Result;
use pf_cli::Failure;
use pf_config::{Config, param};

/// From now on logs as `postfix-script`.
///
/// # Errors
/// The log cannot be opened as the configuration says.
pub fn as_script(config: &Config) -> Result<()> {
    // As with the original, what is said while postlogd does not run is not in `maillog_file`.
    pf_cli::open_log("postfix-script", config, false)?;
    // A script sees the lines as those of postlog, a person as those of postfix-script.
    let name = if std::io::stderr().is_terminal() {
        "postfix-script"
    } else {
        "postlog"
    };
    pf_log::set_program(format!("{}/{name}", config.get(param::SYSLOG_NAME)?));
    Ok(())
}

/// The end, with a line logged as fatal and exit status 1.
pub fn fatal(text: impl Into<String>) -> anyhow::Error {
    anyhow::anyhow!(Failure {
        status: 1,
        text: text.into(),
    })
}

/// The end, after somebody else has said why.
pub fn silent(status: u8) -> anyhow::Error {
    anyhow::anyhow!(Failure {
        status,
        text: String::new(),
    })
}
