//! Names that users made: those that values refer to, restriction classes, parameters of database clients.

use std::borrow::Cow;

use pf_config::expand::{self, Options, Purpose, Values};

use crate::databases;
use crate::master::Service;
use crate::names::{Class, Names, Node, Scope};
use crate::unused::Report;

impl Names {
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

    fn scan_scope(&mut self, scope: Scope, report: &mut Report) -> anyhow::Result<()> {
        let settings = self.settings(scope);
        if settings
            .iter()
            .any(|(name, _)| name == "smtpd_restriction_classes")
        {
            let classes = self.evaluate("smtpd_restriction_classes", scope)?;
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
                for name in databases::names(&expanded, &place, report)? {
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
        let scanned = expand::expand(text.as_bytes(), &options, &mut note);
        for name in referred {
            self.refer(&name, scope, false, report);
        }
        if let Err(err) = scanned {
            pf_log::warning!("{err}");
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
}

struct Referred<'a>(&'a mut Vec<String>);

impl Values for Referred<'_> {
    fn value(&mut self, name: &str, _: Purpose) -> Option<Cow<'_, [u8]>> {
        self.0.push(name.to_owned());
        None
    }

    fn has_function(&self, name: &str) -> bool {
        expand::DOMAIN_FUNCTIONS.contains(&name)
    }

    fn call(&mut self, name: &str, _: &[u8]) -> Option<Result<Vec<u8>, expand::Error>> {
        self.has_function(name).then(|| Ok(Vec::new()))
    }
}
