//! The lines that the command logs as `postfix-script` and its like, who say them in Postfix, and what those say aside from the log.

use std::fmt::Display;
use std::io::Write as _;

use anyhow::Result;
use pf_cli::Failure;
pub use pf_cli::as_script;

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
