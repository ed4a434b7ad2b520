//! The lines that the command logs as `postfix-script` and its like, who say them in Postfix, and what those say aside from the log.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use anyhow::Result;
use pf_cli::Failure;
use pf_config::{Config, param};

/// From now on logs as this script of the original's.
///
/// # Errors
/// The log cannot be opened as the configuration says.
pub fn as_script(script: &str, config: &Config) -> Result<()> {
    // As with the original, what is said while postlogd does not run is not in `maillog_file`.
    pf_cli::open_log(script, config, false)?;
    // A script sees the lines as those of postlog, a person as those of postfix-script.
    let name = if std::io::stderr().is_terminal() {
        script
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

/// Says something to standard error only, as the programs do that a script calls; and the end.
pub fn told(text: impl Display) -> anyhow::Error {
    let _unread = writeln!(std::io::stderr(), "{text}");
    silent(1)
}

/// Says something to standard output.
///
/// # Errors
/// Nobody reads it.
pub fn say(text: impl Display) -> Result<()> {
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
