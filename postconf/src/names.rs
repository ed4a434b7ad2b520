//! Which parameter names exist: built in, made by the services of `master.cf`, or made by the user who refers to them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use pf_config::expand::{self, Options, Purpose, Values};
use pf_config::{Kind, system, table, transport};

use crate::databases;
use crate::master::{COMMAND, Service};

/// Who made a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The table of all parameters.
    Builtin,
    /// A service of `master.cf`.
    Service,
    /// The user.
    User,
    /// An old name that nobody has used yet.
    Legacy,
    /// Not a class of its own: parameters that are only accepted.
    Inactive,
}

/// One parameter.
#[derive(Debug, Clone)]
pub struct Node {
    /// Who made it.
    pub class: Class,
    /// The default.
    pub default: String,
    /// Whether its value is never expanded.
    pub raw: bool,
    /// Whether it cannot be set.
    pub read_only: bool,
    /// Whether it is only accepted: our programs do not act on it yet.
    pub inactive: bool,
}

/// Every name, and what the files set.
pub struct Names {
    /// The directory of the files.
    pub directory: String,
    /// What `main.cf` sets.
    pub main: BTreeMap<String, String>,
    /// The services of `master.cf`.
    pub services: Vec<Service>,
    /// The parameters.
    pub nodes: BTreeMap<String, Node>,
    /// For each service, names that only make sense there.
    local: Vec<BTreeSet<String>>,
    /// Restriction classes of `main.cf`.
    restriction_classes: BTreeSet<String>,
    /// Whether only defaults count.
    pub defaults_only: bool,
}

/// A service, or `main.cf`.
pub type Scope = Option<usize>;

impl Names {
    /// The built-in names.
    pub fn new(
        directory: &str,
        main: BTreeMap<String, String>,
        services: Vec<Service>,
        defaults_only: bool,
    ) -> anyhow::Result<Self> {
        let mut nodes = BTreeMap::new();
        for row in table::all() {
            nodes.insert(
                row.name.to_owned(),
                Node {
                    class: Class::Builtin,
                    default: row.default.to_owned(),
                    raw: row.kind == Kind::Raw,
                    read_only: row.read_only(),
                    inactive: !row.honoured,
                },
            );
        }
        for name in table::LEGACY {
            nodes.insert(
                (*name).to_owned(),
                Node {
                    class: Class::Legacy,
                    default: String::new(),
                    raw: false,
                    read_only: false,
                    inactive: false,
                },
            );
        }
        let mut names = Self {
            directory: directory.to_owned(),
            main,
            local: vec![BTreeSet::new(); services.len()],
            services,
            nodes,
            restriction_classes: BTreeSet::new(),
            defaults_only,
        };
        names.compute_defaults()?;
        names.add_service_names();
        Ok(names)
    }

    /// Fills in the defaults that depend on this machine and this process.
    fn compute_defaults(&mut self) -> anyhow::Result<()> {
        self.set_default("process_name", "postconf".to_owned());
        self.set_default("service_name", pf_config::NO_SERVICE_NAME.to_owned());
        self.set_default("process_id", std::process::id().to_string());
        self.set_default("config_directory", pf_config::DEFAULT_DIRECTORY.to_owned());
        let domain = self.main.get("mydomain").cloned();
        let domain = domain.map(|text| self.expand(&text, None)).transpose()?;
        let host = system::full_hostname(domain.as_deref());
        self.set_default("myhostname", host.clone());
        let host = match self.main.get("myhostname").cloned() {
            Some(text) => self.expand(&text, None)?,
            None => host,
        };
        self.set_default("mydomain", system::domain_of(&host).to_owned());
        if !self.main.contains_key("mynetworks") {
            let style = self.expand("$mynetworks_style", None)?;
            let interfaces = self.expand("$inet_interfaces", None)?;
            let protocols = self.expand("$inet_protocols", None)?;
            let networks = system::networks(&style, &interfaces, &protocols)?;
            self.set_default("mynetworks", networks);
        }
        Ok(())
    }

    fn set_default(&mut self, name: &str, value: String) {
        if let Some(node) = self.nodes.get_mut(name) {
            node.default = value;
        }
    }

    /// Names that begin with the name of a service.
    fn add_service_names(&mut self) {
        let mut found: Vec<(String, &str)> = Vec::new();
        for service in &self.services {
            let queue = transport::SUFFIXES;
            let command = transport::COMMAND_SUFFIXES;
            let (first, second): (&[_], &[_]) = match service.field(COMMAND) {
                "local" | "error" | "virtual" | "smtp" | "lmtp" => (queue, &[]),
                "pipe" => (command, queue),
                "spawn" => (command, &[]),
                _ => continue,
            };
            for (suffix, general) in first.iter().chain(second) {
                found.push((format!("{}{suffix}", service.field(0)), general));
            }
        }
        for (name, general) in found {
            self.nodes
                .entry(name)
                .and_modify(|node| node.class = Class::Service)
                .or_insert_with(|| Node {
                    class: Class::Service,
                    default: format!("${general}"),
                    raw: false,
                    read_only: false,
                    inactive: false,
                });
        }
    }

    /// The value of a name: what the service sets, what `main.cf` sets, the default unless `set_only`.
    pub fn value(&self, name: &str, scope: Scope, set_only: bool) -> Option<&str> {
        if !self.defaults_only {
            if let Some(service) = scope.and_then(|at| self.services.get(at)) {
                let found = service
                    .read_only(name)
                    .or_else(|| service.overrides.get(name).map(String::as_str));
                if found.is_some() {
                    return found;
                }
            }
            if let Some(value) = self.main.get(name) {
                return Some(value);
            }
            if set_only {
                return None;
            }
        }
        self.nodes.get(name).map(|node| node.default.as_str())
    }

    /// Expands a text with the values of this scope.
    ///
    /// # Errors
    /// The syntax is bad; what exactly is warned about.
    pub fn expand(&self, text: &str, scope: Scope) -> anyhow::Result<String> {
        let options = Options {
            recursive: true,
            ..Options::default()
        };
        let mut values = Scoped { names: self, scope };
        match expand::expand(text.as_bytes(), &options, &mut values) {
            Ok(expanded) => Ok(String::from_utf8_lossy(&expanded.text).into_owned()),
            Err(err) => {
                pf_log::warning!("{err}");
                Err(anyhow!("macro processing error"))
            }
        }
    }

    /// Finds the names that users made: those that a value refers to, restriction classes, and those of database clients.
    ///
    /// # Errors
    /// A value that must be expanded cannot be.
    pub fn add_user_names(&mut self, report: &mut Report) -> anyhow::Result<()> {
        for at in 0..self.services.len() {
            if self
                .services
                .get(at)
                .is_some_and(|service| !service.overrides.is_empty())
            {
                self.scan_scope(Some(at), report)?;
            }
        }
        let defaults: Vec<String> = self
            .nodes
            .iter()
            .filter(|(name, node)| !node.raw && !self.main.contains_key(*name))
            .map(|(_, node)| node.default.clone())
            .collect();
        for text in defaults {
            self.scan_text(&text, None, report);
        }
        self.scan_scope(None, report)
    }

    fn settings(&self, scope: Scope) -> Vec<(String, String)> {
        let map = match scope {
            None => Some(&self.main),
            Some(at) => self.services.get(at).map(|service| &service.overrides),
        };
        map.into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn source(scope: Scope) -> &'static str {
        if scope.is_some() {
            "master.cf"
        } else {
            "main.cf"
        }
    }

    fn scan_scope(&mut self, scope: Scope, report: &mut Report) -> anyhow::Result<()> {
        let settings = self.settings(scope);
        if let Some((_, classes)) = settings
            .iter()
            .find(|(name, _)| name == "smtpd_restriction_classes")
        {
            let classes = self.expand(classes, scope)?;
            for class in classes
                .split([',', ' ', '\t', '\r', '\n'])
                .filter(|class| !class.is_empty())
            {
                if scope.is_none() {
                    self.restriction_classes.insert(class.to_owned());
                }
                self.refer(class, scope, false, report);
            }
        }
        for (name, value) in settings {
            if let Some(at) = scope
                && self.restriction_classes.contains(&name)
                && let Some(local) = self.local.get_mut(at)
            {
                local.insert(name.clone());
            }
            let mut known = false;
            if let Some(node) = self.nodes.get_mut(&name) {
                if node.read_only {
                    pf_log::warning!(
                        "{}/{}: read-only parameter assignment: {name}={value}",
                        self.directory,
                        Self::source(scope)
                    );
                    match scope {
                        None => drop(self.main.remove(&name)),
                        Some(at) => {
                            if let Some(service) = self.services.get_mut(at) {
                                service.overrides.remove(&name);
                            }
                        }
                    }
                    continue;
                }
                if node.class == Class::Legacy {
                    node.class = Class::User;
                }
                if node.raw {
                    continue;
                }
                known = matches!(node.class, Class::Builtin | Class::Service);
            }
            self.scan_text(&value, scope, report);
            if known {
                let expanded = self.expand(&value, scope)?;
                let place = match scope {
                    None => format!("{}/main.cf", self.directory),
                    Some(at) => format!(
                        "{}/master.cf:{}",
                        self.directory,
                        self.services.get(at).map(Service::name).unwrap_or_default()
                    ),
                };
                for name in databases::names(&expanded, &place, report) {
                    self.refer(&name, scope, true, report);
                }
            }
        }
        Ok(())
    }

    /// Notes every name that a text refers to.
    fn scan_text(&mut self, text: &str, scope: Scope, report: &mut Report) {
        let mut referred = Vec::new();
        let options = Options {
            scan: true,
            ..Options::default()
        };
        let mut note = Referred(&mut referred);
        if let Err(err) = expand::expand(text.as_bytes(), &options, &mut note) {
            pf_log::warning!("{err}");
        }
        for name in referred {
            self.refer(&name, scope, false, report);
        }
    }

    /// A reference makes a name valid where it is set.
    fn refer(&mut self, name: &str, scope: Scope, database: bool, report: &mut Report) {
        let mut set = false;
        let sets = |names: &Self, at: usize| {
            names
                .services
                .get(at)
                .is_some_and(|service| service.overrides.contains_key(name))
        };
        match scope {
            Some(at) if sets(self, at) => {
                set = true;
                if let Some(local) = self.local.get_mut(at) {
                    local.insert(name.to_owned());
                }
            }
            _ if self.main.contains_key(name) => {
                set = true;
                self.nodes.entry(name.to_owned()).or_insert_with(|| Node {
                    class: Class::User,
                    default: String::new(),
                    raw: false,
                    read_only: false,
                    inactive: false,
                });
            }
            _ => {}
        }
        if scope.is_none() {
            for at in 0..self.services.len() {
                if sets(self, at) {
                    set = true;
                    if let Some(local) = self.local.get_mut(at) {
                        local.insert(name.to_owned());
                    }
                }
            }
        }
        if !set && !database && !self.nodes.contains_key(name) {
            report.undefined(&format!(
                "{}/{}: undefined parameter: {name}",
                self.directory,
                Self::source(scope)
            ));
        }
    }

    /// Warns about settings that nothing uses, and about those that will go away.
    pub fn warn_unused(&self, scope: Scope, report: &mut Report) {
        let file = Self::source(scope);
        for (name, value) in self.settings(scope) {
            let known = self.nodes.contains_key(&name)
                || scope
                    .and_then(|at| self.local.get(at))
                    .is_some_and(|local| local.contains(&name));
            let instead = DEPRECATED.iter().find(|(old, _)| *old == name);
            match (known, instead) {
                (true, None) => {}
                (true, Some((_, instead))) => {
                    report.deprecated = true;
                    pf_log::warning!(
                        "{}/{file}: support for parameter \"{name}\" will be removed; instead, {instead}",
                        self.directory
                    );
                }
                (false, Some((_, instead))) => {
                    report.deprecated = true;
                    pf_log::warning!(
                        "{}/{file}: support for parameter {name} has been removed; instead, {instead}",
                        self.directory
                    );
                }
                (false, None) => pf_log::warning!(
                    "{}/{file}: unused parameter: {name}={value}",
                    self.directory
                ),
            }
        }
    }
}

/// What was complained about.
#[derive(Debug, Default)]
pub struct Report {
    /// Whether a deprecated parameter was found.
    pub deprecated: bool,
    /// Whether unused parameters of database files are reported.
    pub unused: bool,
    seen: BTreeSet<String>,
}

impl Report {
    /// Nothing so far; `unused` as the field of this name.
    pub fn new(unused: bool) -> Self {
        Self {
            unused,
            ..Self::default()
        }
    }

    fn undefined(&mut self, text: &str) {
        pf_log::warning!("{text}");
    }

    /// Whether this database file was not looked at before.
    pub fn first(&mut self, file: &str) -> bool {
        self.seen.insert(file.to_owned())
    }
}

struct Scoped<'a> {
    names: &'a Names,
    scope: Scope,
}

impl Values for Scoped<'_> {
    fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
        self.names
            .value(name, self.scope, false)
            .map(|value| Cow::Borrowed(value.as_bytes()))
    }

    fn verbatim(&mut self, name: &str) -> bool {
        self.names.nodes.get(name).is_some_and(|node| node.raw)
    }

    fn call(&mut self, name: &str, text: &[u8]) -> Option<Result<Vec<u8>, expand::Error>> {
        expand::domain_function(name, text)
    }
}

struct Referred<'a>(&'a mut Vec<String>);

impl Values for Referred<'_> {
    fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
        self.0.push(name.to_owned());
        None
    }

    fn call(&mut self, name: &str, _: &[u8]) -> Option<Result<Vec<u8>, expand::Error>> {
        matches!(name, "domain_to_ascii" | "domain_to_utf8").then(|| Ok(Vec::new()))
    }
}

/// Old parameters, and what to do instead.
const DEPRECATED: &[(&str, &str)] = &[
    ("disable_dns_lookups", "specify \"smtp_dns_support_level\""),
    ("lmtp_use_tls", "specify \"lmtp_tls_security_level\""),
    (
        "postscreen_use_tls",
        "specify \"postscreen_tls_security_level\"",
    ),
    ("smtp_use_tls", "specify \"smtp_tls_security_level\""),
    ("smtpd_use_tls", "specify \"smtpd_tls_security_level\""),
    (
        "tlsproxy_client_use_tls",
        "specify \"tlsproxy_client_security_level\"",
    ),
    (
        "tlsproxy_use_tls",
        "specify \"tlsproxy_tls_security_level\"",
    ),
    ("lmtp_enforce_tls", "lmtp_tls_security_level"),
    (
        "postscreen_enforce_tls",
        "specify \"postscreen_tls_security_level\"",
    ),
    ("smtp_enforce_tls", "specify \"smtp_tls_security_level\""),
    ("smtpd_enforce_tls", "specify \"smtpd_tls_security_level\""),
    (
        "tlsproxy_client_enforce_tls",
        "specify \"tlsproxy_client_security_level\"",
    ),
    (
        "tlsproxy_enforce_tls",
        "specify \"tlsproxy_tls_security_level\"",
    ),
    ("lmtp_tls_per_site", "specify \"lmtp_tls_policy_maps\""),
    ("smtp_tls_per_site", "specify \"smtp_tls_policy_maps\""),
    (
        "tlsproxy_client_per_site",
        "specify \"tlsproxy_client_policy_maps\"",
    ),
    (
        "smtpd_tls_dh1024_param_file",
        "do not specify (leave at default)",
    ),
    ("smtpd_tls_eecdh_grade", "do not specify (leave at default)"),
    (
        "authorized_verp_clients",
        "specify \"smtpd_authorized_verp_clients\"",
    ),
    ("fallback_relay", "specify \"smtp_fallback_relay\""),
    (
        "lmtp_per_record_deadline",
        "specify \"lmtp_per_request_deadline\"",
    ),
    (
        "lmtp_tls_enforce_peername",
        "specify \"lmtp_tls_security_level\"",
    ),
    (
        "postscreen_blacklist_action",
        "specify \"postscreen_denylist_action\"",
    ),
    (
        "postscreen_dnsbl_ttl",
        "specify \"postscreen_dnsbl_max_ttl\"",
    ),
    (
        "postscreen_dnsbl_whitelist_threshold",
        "specify \"postscreen_dnsbl_allowlist_threshold\"",
    ),
    (
        "postscreen_whitelist_interfaces",
        "specify \"postscreen_allowlist_interfaces\"",
    ),
    (
        "smtpd_client_connection_limit_exceptions",
        "specify \"smtpd_client_event_limit_exceptions\"",
    ),
    (
        "smtpd_per_record_deadline",
        "specify \"smtpd_per_request_deadline\"",
    ),
    (
        "smtp_per_record_deadline",
        "specify \"smtp_per_request_deadline\"",
    ),
    (
        "smtp_tls_enforce_peername",
        "specify \"smtp_tls_security_level\"",
    ),
    (
        "tlsproxy_client_level",
        "specify \"tlsproxy_client_security_level\"",
    ),
    (
        "tlsproxy_client_policy",
        "specify \"tlsproxy_client_policy_maps\"",
    ),
    ("virtual_maps", "specify \"virtual_alias_maps\""),
    ("lmtp_cname_overrides_servername", "do not specify"),
    ("smtp_cname_overrides_servername", "do not specify"),
    ("tlsproxy_client_loglevel_parameter", "do not specify"),
];
