//! Listing the queue: who is asked, and which of the messages are shown.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Result, anyhow, ensure};
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::showq::Listing;
use pf_proto::{Address, Class};
use pf_select::Criteria;
use pf_sys::error::text;
use pf_sys::identity;

use crate::count::CountBy;
use crate::shown::Shown;

/// What is shown, and how.
#[derive(Debug)]
pub struct Choice {
    pub form: Form,
    pub criteria: Criteria,
}

/// How messages are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `-p`.
    People,
    /// `-j`.
    Json,
    /// `--table`.
    Table,
    /// `--count-by`.
    Count(CountBy),
}

/// Lists the queue: with the help of the showq service, or while the mail system is down and the user is root, with a showq
/// process of our own.
///
/// # Errors
/// Nobody can tell, or talks nonsense.
pub fn list(config: &Config, config_dir: &Path, queue: &Path, choice: &Choice) -> Result<()> {
    let address = Address::new(
        Path::new("."),
        Class::Public,
        &config.get(param::SHOWQ_SERVICE_NAME)?,
    );
    let long_ids = config.get(param::ENABLE_LONG_QUEUE_IDS)?;
    let err = match UnixStream::connect(address.path()) {
        Ok(stream) => return show(stream, choice, long_ids),
        Err(err) => err,
    };
    let why = format!(
        "Connect to the {} {} service: {}",
        config.get(param::MAIL_NAME)?,
        config.get(param::SHOWQ_SERVICE_NAME)?,
        text(&err)
    );
    // That it is not for us to ask does not mean that the mail system is down.
    ensure!(err.kind() != ErrorKind::PermissionDenied, "{why}");
    ensure!(
        identity::effective_uid() == 0,
        "Queue report unavailable - mail system is down ({why})"
    );
    warning!("Mail system is down -- accessing queue directly ({why})");
    let directory = config.get(param::DAEMON_DIRECTORY)?;
    let program = Path::new(&directory).join("showq");
    let running = || anyhow!("Error running {}", program.display());
    let mut showq = Command::new(&program)
        .args(["-u", "-S"])
        .args(std::iter::repeat_n("-v", pf_log::verbose().into()))
        .env("MAIL_CONFIG", config_dir)
        .current_dir(queue)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|_| running())?;
    let listed = match showq.stdout.take() {
        Some(output) => show(output, choice, long_ids),
        None => Ok(()),
    };
    let status = showq.wait()?;
    listed?;
    ensure!(status.success(), running());
    Ok(())
}

fn show(source: impl Read, choice: &Choice, long_ids: bool) -> Result<()> {
    let mut listing =
        Listing::open(BufReader::with_capacity(64 * 1024, source)).map_err(nonsense)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let mut shown = Shown::new(choice.form, long_ids, now);
    let mut left = choice.criteria.limit();
    while left > 0
        && let Some(message) = listing.message().map_err(nonsense)?
    {
        if choice.criteria.is_empty() {
            // A message with very many recipients is shown while it is read.
            let mut next = || listing.recipient().map_err(nonsense);
            shown.add(&mut out, &message, &mut next)?;
            continue;
        }
        let mut recipients = Vec::new();
        while let Some(recipient) = listing.recipient().map_err(nonsense)? {
            recipients.push(recipient);
        }
        if choice.criteria.matches(&message, &recipients, now) {
            left -= 1;
            let mut recipients = recipients.into_iter();
            shown.add(&mut out, &message, &mut || Ok(recipients.next()))?;
        }
    }
    shown.end(&mut out)?;
    Ok(out.flush()?)
}

fn nonsense(_: pf_attr::Error) -> anyhow::Error {
    anyhow!("malformed showq server response")
}
