//! The restriction lists as they are configured.

use anyhow::{Result, bail};
use pf_config::{Config, param};
use pf_text::split;

use crate::access::words::{self, Kind, Word};

/// The restriction lists.
#[derive(Debug, Default)]
pub(crate) struct Restrictions {
    pub(crate) client: Vec<Word>,
    pub(crate) helo: Vec<Word>,
    pub(crate) sender: Vec<Word>,
    pub(crate) relay: Vec<Word>,
    /// What would apply but for the compatibility level.
    pub(crate) relay_by_default: Vec<Word>,
    pub(crate) recipient: Vec<Word>,
    pub(crate) etrn: Vec<Word>,
    pub(crate) data: Vec<Word>,
    pub(crate) end_of_data: Vec<Word>,
    pub(crate) local_rewrite: Vec<Word>,
    classes: Vec<(String, Vec<Word>)>,
}

impl Restrictions {
    /// A restriction class, by name as written.
    pub(crate) fn class(&self, name: &str) -> Option<Vec<Word>> {
        let mut classes = self.classes.iter();
        let found = classes.find(|(class, _)| class == name);
        found.map(|(_, words)| words.clone())
    }

    /// The tables that the lists name, each once.
    pub(crate) fn tables(&self) -> Vec<String> {
        let lists = [
            &self.client,
            &self.helo,
            &self.sender,
            &self.relay,
            &self.recipient,
            &self.etrn,
            &self.data,
            &self.end_of_data,
        ];
        let classes = self.classes.iter().map(|(_, class)| class);
        let lists = lists
            .into_iter()
            .chain(classes)
            .chain([&self.local_rewrite]);
        let mut names: Vec<&str> = Vec::new();
        let mut refused: Vec<&str> = Vec::new();
        for list in lists {
            let mut policy = false;
            for word in list {
                let table = word.text.starts_with('{') || word.kind == Kind::Table;
                if table && !policy && !refused.contains(&word.text.as_str()) {
                    match table_name(&word.text) {
                        Ok(name) if names.contains(&name) => {}
                        Ok(name) => names.push(name),
                        Err(complaints) => {
                            refused.push(&word.text);
                            for complaint in complaints {
                                pf_log::warning!("{complaint}");
                            }
                        }
                    }
                }
                policy = word.kind == Kind::CheckPolicyService;
            }
        }
        names.into_iter().map(str::to_owned).collect()
    }

    pub(super) fn read(config: &Config) -> Result<Self> {
        let list = |key| -> Result<Vec<Word>> {
            let text: String = config.get(key)?;
            Ok(words::parse(&text))
        };
        let mut classes = Vec::new();
        for name in pf_text::split::list(&config.get(param::SMTPD_RESTRICTION_CLASSES)?) {
            match config.string(name)?.filter(|value| !value.is_empty()) {
                Some(value) => classes.push((name.to_owned(), words::parse(&value))),
                None => bail!("restriction class `{name}' needs a definition"),
            };
        }
        classes.push((
            "reject_sender_login_mismatch".to_owned(),
            words::parse("reject_authenticated_sender_login_mismatch reject_unauthenticated_sender_login_mismatch"),
        ));
        Ok(Self {
            client: list(param::SMTPD_CLIENT_RESTRICTIONS)?,
            helo: list(param::SMTPD_HELO_RESTRICTIONS)?,
            sender: list(param::SMTPD_SENDER_RESTRICTIONS)?,
            relay: list(param::SMTPD_RELAY_RESTRICTIONS)?,
            relay_by_default: words::parse(
                "permit_mynetworks, permit_sasl_authenticated, permit_auth_destination",
            ),
            recipient: list(param::SMTPD_RECIPIENT_RESTRICTIONS)?,
            etrn: list(param::SMTPD_ETRN_RESTRICTIONS)?,
            data: list(param::SMTPD_DATA_RESTRICTIONS)?,
            end_of_data: list(param::SMTPD_END_OF_DATA_RESTRICTIONS)?,
            local_rewrite: list(param::LOCAL_HEADER_REWRITE_CLIENTS)?,
            classes,
        })
    }

    /// Makes sure that the server does not relay for everybody.
    pub(super) fn check(&self) -> Result<()> {
        let mut warn = |text: String| pf_log::warning!("{text}");
        let class = |name: &str| self.class(name);
        if words::has_required(&self.recipient, &class, &mut warn, 0)
            || words::has_required(&self.relay, &class, &mut warn, 0)
        {
            return Ok(());
        }
        bail!(
            "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working instance of: {}",
            words::REQUIRED
        )
    }
}

/// The table of `type:name`, `{type:name}` or `{type:name, {search_order = ...}}`. The error is what to warn of.
fn table_name(word: &str) -> Result<&str, Vec<String>> {
    let name = if word.starts_with('{') {
        let inner = split::strip_braces(word)
            .map_err(|why| vec![format!("malformed map specification: '{why}'")])?;
        let first = split::list_braces(inner).next();
        first.ok_or_else(|| vec![format!("empty map specification: '{word}'")])?
    } else {
        word
    };
    if name.contains(':') {
        return Ok(name);
    }
    Err(vec![
        format!("malformed map specification: '{word}'"),
        format!("expected maptype:mapname instead of '{name}'"),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::tests::params;
    use super::*;

    #[test]
    fn tables_of_restrictions_are_collected() {
        let params = params(&[
            (
                "smtpd_client_restrictions",
                "check_client_access cidr:/a, check_policy_service unix:private/p, inline:{x=y}",
            ),
            ("smtpd_restriction_classes", "mine"),
            (
                "mine",
                "check_sender_access cidr:/a check_helo_access hash:/b",
            ),
        ]);
        let mut tables = params.restrictions.tables();
        tables.sort();
        assert_eq!(tables, ["cidr:/a", "hash:/b", "inline:{x=y}"]);
    }

    #[test]
    fn tables_in_braces() {
        assert_eq!(table_name("{ cidr:/a, {search_order = x} }"), Ok("cidr:/a"));
        assert_eq!(
            table_name("{ reject }").unwrap_err(),
            [
                "malformed map specification: '{ reject }'",
                "expected maptype:mapname instead of 'reject'"
            ]
        );
        assert_eq!(
            table_name("{ }").unwrap_err(),
            ["empty map specification: '{ }'"]
        );
    }
}
