//! What every program checks before it goes on: accounts that exist and are not shared, names that are names.

use pf_sys::identity::{User, group_by_name, user_by_name, user_by_uid};

use crate::{Config, Error, param, system};

/// The accounts of the mail system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accounts {
    /// User and group of `mail_owner`.
    pub mail_owner: (u32, u32),
    /// The group of `setgid_group`.
    pub setgid_group: u32,
    /// User and group of `default_privs`.
    pub default_privs: (u32, u32),
}

impl Config {
    /// A complaint about a parameter in `main.cf`.
    fn complaint(&self, parameter: &str, text: &str) -> Error {
        Error(format!(
            "file {}/main.cf: parameter {parameter}: {text}",
            self.directory().display()
        ))
    }

    fn user(&self, parameter: &str, name: &str) -> Result<User, Error> {
        let user = user_by_name(name)
            .map_err(|err| self.complaint(parameter, &system::reason(&err)))?
            .ok_or_else(|| {
                self.complaint(parameter, &format!("unknown user name value: {name}"))
            })?;
        let privileged = |what: &str| {
            self.complaint(parameter, &format!("user {name} has privileged {what} ID"))
        };
        if user.uid == 0 {
            return Err(privileged("user"));
        }
        if user.gid == 0 {
            return Err(privileged("group"));
        }
        Ok(user)
    }

    /// The accounts of the mail system, each with rights of its own.
    ///
    /// # Errors
    /// An account does not exist, is root's, or shares its ids with another.
    pub fn accounts(&self) -> Result<Accounts, Error> {
        let privs_name = self.get(param::DEFAULT_PRIVS)?;
        let owner_name = self.get(param::MAIL_OWNER)?;
        let group_name = self.get(param::SETGID_GROUP)?;
        let privs = self.user("default_privs", &privs_name)?;
        let owner = self.user("mail_owner", &owner_name)?;
        if let Ok(Some(other)) = user_by_uid(owner.uid)
            && other.name != owner_name
        {
            return Err(self.complaint(
                "mail_owner",
                &format!(
                    "user {owner_name} has the same user ID {} as user {}",
                    owner.uid, other.name
                ),
            ));
        }
        let group = group_by_name(&group_name)
            .map_err(|err| self.complaint("setgid_group", &system::reason(&err)))?
            .ok_or_else(|| {
                self.complaint("setgid_group", &format!("unknown group name: {group_name}"))
            })?;
        if group == 0 {
            return Err(self.complaint(
                "setgid_group",
                &format!("group {group_name} has privileged group ID"),
            ));
        }
        let shared = |first: &str, second: &str, text: String| {
            Err(Error(format!(
                "file {}/main.cf: parameters {first} and {second}{text}",
                self.directory().display()
            )))
        };
        if privs_name == owner_name {
            return shared(
                "default_privs",
                "mail_owner",
                format!(" specify the same user {privs_name}"),
            );
        }
        if privs.uid == owner.uid {
            return shared(
                "default_privs",
                "mail_owner",
                format!(
                    ": users {privs_name} and {owner_name} have the same user ID: {}",
                    owner.uid
                ),
            );
        }
        if privs.gid == owner.gid {
            return shared(
                "default_privs",
                "mail_owner",
                format!(
                    ": users {privs_name} and {owner_name} have the same group ID: {}",
                    owner.gid
                ),
            );
        }
        if privs.gid == group {
            return shared(
                "default_privs",
                "setgid_group",
                format!(
                    ": user {privs_name} and group {group_name} have the same group ID: {group}"
                ),
            );
        }
        if owner.gid == group {
            return shared(
                "mail_owner",
                "setgid_group",
                format!(
                    ": user {owner_name} and group {group_name} have the same group ID: {group}"
                ),
            );
        }
        Ok(Accounts {
            mail_owner: (owner.uid, owner.gid),
            setgid_group: group,
            default_privs: (privs.uid, privs.gid),
        })
    }

    /// `maillog_file`, which must be below one of `maillog_file_prefixes`; empty for syslog.
    ///
    /// # Errors
    /// It is elsewhere.
    pub fn log_file(&self) -> Result<String, Error> {
        let file = self.get(param::MAILLOG_FILE)?;
        let prefixes = self.get(param::MAILLOG_FILE_PREFIXES)?;
        let allowed = pf_text::split::list(&prefixes).any(|prefix| file.starts_with(prefix));
        if file.is_empty() || allowed {
            Ok(file)
        } else {
            Err(Error(format!(
                "maillog_file value '{file}' does not match any prefix in maillog_file_prefixes"
            )))
        }
    }

    /// Checks what every program depends on.
    ///
    /// # Errors
    /// A value is bad, or values do not go together.
    pub fn check(&self) -> Result<(), Error> {
        let facility = self.get(param::SYSLOG_FACILITY)?;
        if pf_log::Facility::by_name(&facility).is_none() {
            return Err(self.complaint(
                "syslog_facility",
                &format!("unrecognized value: {facility}"),
            ));
        }
        let protocols = self.get(param::INET_PROTOCOLS)?;
        system::families(&protocols)?;
        let host = self.get(param::MYHOSTNAME)?;
        let domain = self.get(param::MYDOMAIN)?;
        for (parameter, name) in [("myhostname", &host), ("mydomain", &domain)] {
            let trouble = match name.bytes().find(|byte| !byte.is_ascii()) {
                Some(byte) => Some(format!("invalid character {byte}(decimal): {name}")),
                None => pf_text::hostname::check_hostname(name.as_bytes()).err(),
            };
            if let Some(why) = trouble {
                pf_log::warning!("valid_hostname: {why}");
                return Err(self.complaint(parameter, &format!("bad parameter value: {name}")));
            }
        }
        self.general()?;
        self.accounts()?;
        let interfaces = self.get(param::INET_INTERFACES)?;
        if !["all", "loopback-only"].contains(&interfaces.as_str()) {
            system::own_interfaces(&interfaces, &protocols)?;
        }
        let relay = self.get(param::RELAYHOST)?;
        if relay.to_lowercase() == host.to_lowercase() {
            return Err(Error(format!(
                "myhostname and relayhost parameter settings must not be identical: {host}"
            )));
        }
        let origin = self.get(param::MYORIGIN)?;
        if origin.contains([',', ' ', '\t', '\r', '\n']) {
            return Err(Error(format!(
                "myorigin parameter setting must not contain multiple values: {origin}"
            )));
        }
        let delimiters = self.get(param::DEFAULT_VERP_DELIMITERS)?;
        let allowed = self.get(param::VERP_DELIMITER_FILTER)?;
        if let Some(at) = delimiters.chars().position(|c| !allowed.contains(c)) {
            let which = if at == 0 { "first" } else { "second" };
            return Err(Error(format!(
                "file {}/main.cf: parameters default_verp_delimiters and verp_delimiter_filter: bad {which} VERP delimiter character",
                self.directory().display()
            )));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(settings: &[(&str, &str)]) -> String {
        let mut all = vec![("myhostname", "h.example")];
        all.extend_from_slice(settings);
        Config::for_tests(&all).check().unwrap_err().0
    }

    #[test]
    fn bad_names() {
        assert_eq!(
            complaint(&[("myhostname", "a..b")]),
            "file /etc/postfix/main.cf: parameter myhostname: bad parameter value: a..b"
        );
        assert_eq!(
            complaint(&[("inet_protocols", "ipv5")]),
            "unknown inet_protocols value \"ipv5\" in \"ipv5\""
        );
    }

    #[test]
    fn bad_accounts() {
        assert_eq!(
            complaint(&[("default_privs", "no-such-user")]),
            "file /etc/postfix/main.cf: parameter default_privs: unknown user name value: no-such-user"
        );
        assert_eq!(
            complaint(&[("default_privs", "root")]),
            "file /etc/postfix/main.cf: parameter default_privs: user root has privileged user ID"
        );
        assert_eq!(
            complaint(&[
                ("mail_owner", "nobody"),
                ("default_privs", "nobody"),
                ("setgid_group", "daemon")
            ]),
            "file /etc/postfix/main.cf: parameters default_privs and mail_owner specify the same user nobody"
        );
        assert_eq!(
            complaint(&[("mail_owner", "daemon"), ("setgid_group", "daemon")]),
            "file /etc/postfix/main.cf: parameters mail_owner and setgid_group: user daemon and group daemon have the same group ID: 1"
        );
    }
}
