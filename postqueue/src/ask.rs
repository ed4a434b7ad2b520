//! Asking the mail system to deliver.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::flush::{FlushRequest, Status};
use pf_proto::{Address, Class, sync_call, trigger};
use pf_queue::QueueId;

use crate::run::{UNAVAILABLE, USAGE, fail};

const DOWN: &str = "Cannot flush mail queue - mail system is down";

/// All mail.
///
/// # Errors
/// The mail system is down.
pub fn flush_all(config: &Config) -> Result<()> {
    let qmgr = Address::new(
        Path::new("."),
        Class::Public,
        &config.get(param::QUEUE_SERVICE_NAME)?,
    );
    trigger::send(&qmgr, trigger::FLUSH_DEFERRED, Duration::from_secs(5))
        .map_err(|_| fail(UNAVAILABLE, DOWN))?;
    let flush = Address::new(
        Path::new("."),
        Class::Public,
        &config.get(param::FLUSH_SERVICE_NAME)?,
    );
    // The logs of fast flush are brought up to date; nobody waits for that.
    if let Err(err) = sync_call(&flush, Duration::from_secs(10), &FlushRequest::Purge) {
        warning!("Cannot flush mail queue - mail system is down: {err}");
    }
    Ok(())
}

/// One message.
///
/// # Errors
/// There can be no such message, or the mail system is down.
pub fn flush_message(config: &Config, id: &str) -> Result<()> {
    if QueueId::parse(id.as_bytes()).is_none() {
        return Err(fail(
            USAGE,
            format!("Cannot flush queue ID - invalid name: \"{id}\""),
        ));
    }
    match ask(
        config,
        &FlushRequest::SendFile {
            queue_id: id.as_bytes(),
        },
    )? {
        Status::Ok => Ok(()),
        _ => Err(fail(UNAVAILABLE, DOWN)),
    }
}

/// Mail for one site.
///
/// # Errors
/// The site makes no sense or is not served, or the mail system is down.
pub fn flush_site(config: &Config, site: &str) -> Result<()> {
    let bare = site
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let plausible = match bare {
        Some(literal) => {
            pf_text::hostname::valid_hostaddr(literal)
                || pf_text::hostname::valid_hostname(literal.as_bytes())
        }
        None => pf_text::hostname::valid_hostname(site.as_bytes()),
    };
    if !plausible {
        return Err(fail(
            USAGE,
            format!("Cannot flush mail queue - invalid destination: \"{site:.100}\""),
        ));
    }
    match ask(
        config,
        &FlushRequest::SendSite {
            site: site.as_bytes(),
        },
    )? {
        Status::Ok => Ok(()),
        Status::Bad => Err(fail(USAGE, format!("Invalid request: \"{site}\""))),
        Status::Deny => Err(fail(
            UNAVAILABLE,
            format!("Flush service is not configured for destination \"{site}\""),
        )),
        Status::Fail => Err(fail(UNAVAILABLE, DOWN)),
    }
}

fn ask(config: &Config, request: &FlushRequest<'_>) -> Result<Status> {
    let flush = Address::new(
        Path::new("."),
        Class::Public,
        &config.get(param::FLUSH_SERVICE_NAME)?,
    );
    sync_call(&flush, Duration::from_secs(100), request).map_err(|_| fail(UNAVAILABLE, DOWN))
}
