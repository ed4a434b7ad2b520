//! Which parameter names exist: built in, made by the services of `master.cf`, or made by the user who refers to them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::anyhow;
use pf_config::expand::{self, Options, Purpose, Values};
use pf_config::{Kind, system, table, transport};

use crate::lines::{close, open};
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
    pub(crate) local: Vec<BTreeSet<String>>,
    /// Restriction classes of `main.cf`.
    pub(crate) restriction_classes: BTreeSet<String>,
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
        let host = match self.main.get("myhostname") {
            Some(_) => self.evaluate("myhostname", None)?,
            None => {
                let domain = match self.main.contains_key("mydomain") {
                    true => Some(self.evaluate("mydomain", None)?),
                    false => None,
                };
                let host = system::full_hostname(domain.as_deref());
                self.set_default("myhostname", host.clone());
                host
            }
        };
        self.set_default("mydomain", system::domain_of(&host).to_owned());
        if !self.main.contains_key("mynetworks") {
            let style = self.evaluate("mynetworks_style", None)?;
            let interfaces = self.evaluate("inet_interfaces", None)?;
            let protocols = self.evaluate("inet_protocols", None)?;
            let networks = system::networks(&style, &interfaces, &protocols)?;
            self.set_default("mynetworks", networks);
        }
        Ok(())
    }

    /// The names that anybody should use, for those who misspelt one.
    pub fn current(&self) -> impl Iterator<Item = &str> {
        let nodes = self.nodes.iter();
        nodes
            .filter(|(_, node)| node.class != Class::Legacy)
            .map(|(name, _)| name.as_str())
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
        self.expand_from(text, scope, false)
    }

    fn expand_from(&self, text: &str, scope: Scope, set_only: bool) -> anyhow::Result<String> {
        let options = Options {
            recursive: true,
            ..Options::default()
        };
        let mut values = Scoped {
            names: self,
            scope,
            set_only,
        };
        match expand::expand(text.as_bytes(), &options, &mut values) {
            Ok(expanded) => Ok(String::from_utf8_lossy(&expanded.text).into_owned()),
            Err(err) => {
                pf_log::warning!("{err}");
                Err(anyhow!("macro processing error"))
            }
        }
    }

    /// The expanded value of a parameter that postconf itself depends on.
    ///
    /// # Errors
    /// As [`expand`](Self::expand); for a setting the text names the dictionary, as everywhere where a program reads its
    /// configuration.
    pub fn evaluate(&self, name: &str, scope: Scope) -> anyhow::Result<String> {
        if let Some(text) = self.value(name, scope, true) {
            return self
                .expand_from(text, scope, true)
                .map_err(|err| anyhow!("dictionary mail_dict: {err}"));
        }
        let default = self.nodes.get(name).map_or("", |node| &node.default);
        self.expand(default, scope)
    }

    pub(crate) fn settings(&self, scope: Scope) -> Vec<(String, String)> {
        let map = match scope {
            None => Some(&self.main),
            Some(at) => self.services.get(at).map(|service| &service.overrides),
        };
        map.into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    pub(crate) fn source(scope: Scope) -> &'static str {
        if scope.is_some() {
            "master.cf"
        } else {
            "main.cf"
        }
    }
}

struct Scoped<'a> {
    names: &'a Names,
    scope: Scope,
    /// Whether defaults do not count.
    set_only: bool,
}

impl Values for Scoped<'_> {
    fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
        self.names
            .value(name, self.scope, self.set_only)
            .map(|value| Cow::Borrowed(value.as_bytes()))
    }

    fn verbatim(&mut self, name: &str) -> bool {
        self.names.nodes.get(name).is_some_and(|node| node.raw)
    }

    fn has_function(&self, name: &str) -> bool {
        expand::DOMAIN_FUNCTIONS.contains(&name)
    }

    fn call(&mut self, name: &str, text: &[u8]) -> Option<Result<Vec<u8>, expand::Error>> {
        let text = close(&String::from_utf8_lossy(text));
        let result = expand::domain_function(name, &text)?;
        Some(result.map(|text| open(&text).into_bytes()))
    }
}
