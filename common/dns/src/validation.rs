//! Answers for which somebody vouches (DNSSEC), and whether anybody does.

use std::cell::Cell;

use pf_log::{debug, warning};

use crate::{Answer, Kind, Resolver, check};

/// Asks for validated answers. When the first one is not, it finds out once whether any ever would be, and warns.
#[derive(Debug)]
pub struct Validating {
    resolver: Resolver,
    probe: String,
    known: Cell<bool>,
}

/// `dnssec_probe` makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("malformed dnssec_probe value: {0} format is qtype:qname")]
pub struct BadProbe(String);

impl Validating {
    /// With `probe` (`dnssec_probe`), a type and a name such as `ns:.` that a server which validates can vouch for; empty for none.
    pub fn new(resolver: Resolver, probe: &str) -> Self {
        Self {
            resolver: resolver.trusting(),
            probe: probe.to_owned(),
            known: Cell::new(false),
        }
    }

    /// The resolver, for questions whose answers nobody needs to vouch for.
    pub fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    /// As [`Resolver::lookup`].
    ///
    /// # Errors
    /// What is to be asked to find out whether there is validation is malformed.
    pub async fn lookup(&self, name: &str, kind: Kind) -> Result<Answer, BadProbe> {
        let answer = self.resolver.lookup(name, kind).await;
        if answer.authentic() {
            self.known.set(true);
        } else if !self.known.get() && check::may_be_asked(name) {
            self.known.set(true);
            self.find_out().await?;
        }
        Ok(answer)
    }

    async fn find_out(&self) -> Result<(), BadProbe> {
        let probe = self.probe.as_str();
        if probe.is_empty() {
            return Ok(());
        }
        let (kind, name) = probe
            .split_once(':')
            .filter(|(_, name)| !name.is_empty())
            .and_then(|(kind, name)| Some((Kind::by_name(kind)?, name)))
            .ok_or_else(|| BadProbe(probe.to_owned()))?;
        let answer = self.resolver.lookup(name, kind).await;
        if answer.authentic() {
            debug!("dnssec_probe '{probe}' received a response that is DNSSEC validated");
            return Ok(());
        }
        warning!("DNSSEC validation may be unavailable");
        match answer {
            Answer::Retry(trouble) | Answer::Fail(trouble) => {
                warning!(
                    "reason: dnssec_probe '{probe}' received no response: {}",
                    trouble.text
                );
            }
            _ => {
                warning!(
                    "reason: dnssec_probe '{probe}' received a response that is not DNSSEC validated"
                );
            }
        }
        Ok(())
    }
}
