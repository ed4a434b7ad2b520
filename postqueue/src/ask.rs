//! Asking the mail system to deliver.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use pf_config::{Config, param};
use pf_log::warning;
use pf_proto::flush::{FlushRequest, Status};
use pf_proto::trigger::{self, TriggerError};
use pf_proto::{Address, Class, sync_call};
use pf_queue::QueueId;
use pf_text::hostaddr::valid_hostaddr;
use pf_text::hostname::valid_hostname;

const DOWN: &str = "Cannot flush mail queue - mail system is down";
/// The flush service reads its files before it answers.
const PATIENCE: Duration = Duration::from_secs(100);

fn service(name: &str) -> Address {
    Address::new(Path::new("."), Class::Public, name)
}

/// All mail: what is in the queue, and what users have dropped.
///
/// # Errors
/// The mail system is down.
pub fn flush_all(config: &Config) -> Result<()> {
    let wake = |name: String, request: &[u8]| {
        trigger::send(&service(&name), request, Duration::from_secs(5)).map_err(|err| {
            if !matches!(err, TriggerError::Down(..)) {
                warning!("{err}");
            }
            anyhow!(DOWN)
        })
    };
    wake(
        config.get(param::QUEUE_SERVICE_NAME)?,
        trigger::FLUSH_DEFERRED,
    )?;
    wake(config.get(param::PICKUP_SERVICE_NAME)?, &[trigger::WAKEUP])
}

/// The id of a message.
///
/// # Errors
/// There can be no such message.
pub fn queue_id(id: &str) -> Result<QueueId> {
    QueueId::parse(id.as_bytes())
        .ok_or_else(|| anyhow!("Cannot flush queue ID - invalid name: \"{}\"", short(id)))
}

/// The name or the address of a site.
///
/// # Errors
/// There can be no such site.
pub fn site(site: &str) -> Result<String> {
    let literal = site
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let plausible = match literal {
        Some(address) => {
            valid_hostaddr(address.strip_prefix("ipv6:").unwrap_or(address).as_bytes())
        }
        None => valid_hostname(site.as_bytes()),
    };
    if plausible {
        return Ok(site.to_owned());
    }
    bail!(
        "Cannot flush mail queue - invalid destination: \"{}\"",
        short(site)
    );
}

fn short(text: &str) -> String {
    let more = if text.len() > 100 { "..." } else { "" };
    format!("{text:.100}{more}")
}

/// One message.
///
/// # Errors
/// The mail system is down.
pub fn flush_message(config: &Config, id: &QueueId) -> Result<()> {
    let queue_id = id.as_bytes();
    match ask(config, &FlushRequest::SendFile { queue_id })? {
        Status::Ok => Ok(()),
        Status::Bad => bail!("Invalid request: \"{id}\""),
        _ => bail!(DOWN),
    }
}

/// Mail for one site.
///
/// # Errors
/// The site is not served, or the mail system is down.
pub fn flush_site(config: &Config, site: &str) -> Result<()> {
    let denied = || anyhow!("Flush service is not configured for destination \"{site}\"");
    let listed = config.get(param::FAST_FLUSH_DOMAINS)?;
    if !may_be_served(&listed, site) {
        return Err(denied());
    }
    let request = FlushRequest::SendSite {
        site: site.as_bytes(),
    };
    match ask(config, &request)? {
        Status::Ok => Ok(()),
        Status::Bad => bail!("Invalid request: \"{site}\""),
        Status::Deny => Err(denied()),
        Status::Fail => bail!(DOWN),
    }
}

/// Whether `fast_flush_domains` may list the site: a program with the rights of a group opens no tables or files, and leaves it
/// to the flush service to look there.
fn may_be_served(listed: &str, site: &str) -> bool {
    pf_text::split::list(listed).any(|word| {
        let name = word.trim_start_matches('!');
        let tail = name.strip_prefix('.').unwrap_or(name);
        let below = site.len().checked_sub(tail.len());
        let tail_matches = below
            .and_then(|at| site.get(at..))
            .is_some_and(|end| end.eq_ignore_ascii_case(tail));
        name.contains([':', '/']) || tail_matches
    })
}

fn ask(config: &Config, request: &FlushRequest<'_>) -> Result<Status> {
    let flush = service(&config.get(param::FLUSH_SERVICE_NAME)?);
    sync_call(&flush, PATIENCE, request).map_err(|err| {
        if let pf_attr::Error::Io(err) = &err {
            warning!("connect to {}: {}", flush.name(), pf_sys::error::text(err));
        }
        anyhow!(DOWN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        assert!(site("a.example").is_ok() && site("[192.0.2.1]").is_ok());
        assert!(site("[ipv6:::1]").is_ok());
        assert!(site("a_b..c").is_err() && site("[a.example]").is_err() && site("").is_err());
        assert!(may_be_served("x.example, lmdb:/t", "y"));
        assert!(may_be_served("example", "A.Example"));
        assert!(!may_be_served("x.example", "y"));
        assert!(!may_be_served("", "y"));
    }
}
