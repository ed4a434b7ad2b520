//! What to connect to.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use anyhow::{Result, bail};
use pf_address::idn;
use pf_config::{Config, param};
use pf_log::warning;
use pf_net::parse_destination;

use crate::options::Options;

/// What to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A local socket.
    Socket(PathBuf),
    /// Servers on the network.
    Network(pf_net::Destination),
}

/// Parses the destination: the text as complaints about servers show it, and what it means.
///
/// # Errors
/// It is malformed, or its port is not known.
pub fn parse(
    options: &Options,
    config: &Config,
    destination: &OsStr,
) -> Result<(String, Destination)> {
    let text = destination.to_string_lossy().into_owned();
    if !options.lmtp {
        return network(&text, "smtp", config);
    }
    if let Some(path) = destination.as_bytes().strip_prefix(b"unix:") {
        let path = PathBuf::from(OsStr::from_bytes(path));
        return Ok((text, Destination::Socket(path)));
    }
    network(text.strip_prefix("inet:").unwrap_or(&text), "24", config)
}

fn network(text: &str, default: &str, config: &Config) -> Result<(String, Destination)> {
    let known = config.get(param::KNOWN_TCP_PORTS)?;
    let parsed = parse_destination(text, default, &known).map_err(anyhow::Error::msg)?;
    let utf8 = config.get(param::SMTPUTF8_ENABLE)?;
    if parsed.name.is_ascii() || utf8 && has_ascii_form(&parsed.name) {
        return Ok((text.to_owned(), Destination::Network(parsed)));
    }
    bail!("valid hostname or network address required in server description: {text}")
}

fn has_ascii_form(name: &str) -> bool {
    if idn::to_ascii(name.as_bytes()).is_some() {
        return true;
    }
    let why = if name.contains(char::REPLACEMENT_CHARACTER) {
        "malformed UTF-8"
    } else {
        "malformed ASCII label(s)"
    };
    warning!(
        "midna_domain_to_ascii_create: Problem translating domain \"{name:.100}\" to ASCII form: {why}"
    );
    false
}
