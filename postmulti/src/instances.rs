//! The instances that share the programs of one installation: the primary one, and those that its
//! `multi_instance_directories` lists.

use std::collections::HashMap;
use std::io::Write as _;

use anyhow::{Result, anyhow, bail};
use pf_config::{Config, Source, param};

/// All names of instances begin with this.
pub const PREFIX: &str = "postfix-";

/// What an instance has to itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Instance {
    pub config: String,
    pub queue: String,
    pub data: String,
    /// Empty: it has none.
    pub name: String,
    /// Empty: it is in none.
    pub group: String,
    pub enabled: bool,
    pub primary: bool,
}

impl Instance {
    /// Reads the instance whose configuration is in this directory. `commands`: the directory of postconf(1), which does this in
    /// the original, and complains.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn load(directory: &str, commands: &str) -> Result<Self> {
        let config = Config::load(&Source::with_directory(Some(directory.into())));
        match config
            .map_err(anyhow::Error::from)
            .and_then(|config| Self::of(&config))
        {
            Ok(instance) => Ok(Self {
                config: directory.to_owned(),
                ..instance
            }),
            Err(err) => {
                let _unread = writeln!(std::io::stderr(), "{commands}/postconf: fatal: {err:#}");
                bail!("Failed to obtain all required {directory}/main.cf parameters")
            }
        }
    }

    /// What a configuration says of its instance.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn of(config: &Config) -> Result<Self> {
        Ok(Self {
            config: config.directory().to_string_lossy().into_owned(),
            queue: config.get(param::QUEUE_DIRECTORY)?,
            data: config.get(param::DATA_DIRECTORY)?,
            name: config.get(param::MULTI_INSTANCE_NAME)?,
            group: config.get(param::MULTI_INSTANCE_GROUP)?,
            enabled: config.get(param::MULTI_INSTANCE_ENABLE)?,
            primary: false,
        })
    }
}

/// Which instances are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    None,
    All,
    /// By name, with or without its prefix, or by directory; `-`: the primary one.
    Name(String),
    Group(String),
}

impl Selection {
    /// Whether this instance is meant.
    pub fn matches(&self, instance: &Instance) -> bool {
        match self {
            Selection::None => false,
            Selection::All => true,
            Selection::Group(group) => !instance.group.is_empty() && *group == instance.group,
            Selection::Name(name) => {
                let known = if name.starts_with('/') || instance.name.is_empty() {
                    &instance.config
                } else if name.starts_with(PREFIX) {
                    &instance.name
                } else {
                    instance.name.strip_prefix(PREFIX).unwrap_or(&instance.name)
                };
                name == known || (instance.primary && name == "-")
            }
        }
    }
}

/// Names and directories, and whose they are: none is for two.
#[derive(Debug, Default)]
pub struct Claims(HashMap<String, String>);

impl Claims {
    /// Registers a value of a parameter of an instance.
    ///
    /// # Errors
    /// It is somebody else's.
    pub fn register(&mut self, instance: &str, parameter: &str, value: &str) -> Result<()> {
        let claimant = format!("{instance}, {parameter}");
        let owner = self
            .0
            .entry(value.to_owned())
            .or_insert_with(|| claimant.clone());
        if *owner == claimant {
            return Ok(());
        }
        Err(anyhow!(
            "instance {instance}, {parameter}={value} conflicts with instance {owner}={value}"
        ))
    }

    /// Whose this value is.
    pub fn owner(&self, value: &str) -> Option<&str> {
        self.0.get(value).map(String::as_str)
    }

    fn register_all(&mut self, instance: &Instance) -> Result<()> {
        let directory = &instance.config;
        if !instance.name.is_empty() {
            self.register(directory, "multi_instance_name", &instance.name)?;
        }
        self.register(directory, "config_directory", directory)?;
        self.register(directory, "queue_directory", &instance.queue)?;
        self.register(directory, "data_directory", &instance.data)
    }
}

/// All instances, the primary one first.
#[derive(Debug, Default)]
pub struct Instances {
    pub list: Vec<Instance>,
    pub claims: Claims,
}

impl Instances {
    /// Reads them. `claims`: what nobody may have to himself.
    ///
    /// # Errors
    /// One cannot be read, or two are in each other's way.
    pub fn load(config: &Config, claims: Claims) -> Result<Self> {
        let mut all = Self {
            list: Vec::new(),
            claims,
        };
        let directories = config.get(param::MULTI_INSTANCE_DIRECTORIES)?;
        let others: Vec<&str> = pf_text::split::list(&directories).collect();
        let mut primary = Instance {
            primary: true,
            ..Instance::of(config)?
        };
        primary.enabled |= others.is_empty();
        all.insert(primary, &Selection::None)?;
        let commands = config.get(param::COMMAND_DIRECTORY)?;
        for directory in others {
            all.insert(Instance::load(directory, &commands)?, &Selection::None)?;
        }
        Ok(all)
    }

    /// Adds an instance: before the first of the others that is selected, else behind all.
    ///
    /// # Errors
    /// It is in the way of another, or none is selected where one must be.
    pub fn insert(&mut self, instance: Instance, before: &Selection) -> Result<()> {
        self.claims.register_all(&instance)?;
        let others = self.list.iter().enumerate().skip(1);
        let mut found = others.filter(|(_, other)| before.matches(other));
        let at = match (found.next(), before) {
            (Some((at, _)), _) => at,
            (None, Selection::None | Selection::All) => self.list.len(),
            (None, _) => bail!("No matching secondary instances"),
        };
        self.list.insert(at, instance);
        Ok(())
    }

    /// The directories of all but the primary one.
    pub fn secondary(&self) -> String {
        let others: Vec<&str> = self
            .list
            .iter()
            .skip(1)
            .map(|instance| instance.config.as_str())
            .collect();
        others.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instance(config: &str, name: &str, group: &str) -> Instance {
        Instance {
            config: config.to_owned(),
            queue: format!("{config}/queue"),
            data: format!("{config}/data"),
            name: name.to_owned(),
            group: group.to_owned(),
            ..Instance::default()
        }
    }

    #[test]
    fn instances_are_found_by_name_directory_and_group() {
        let out = instance("/etc/postfix-out", "postfix-out", "mta");
        for (name, found) in [
            ("postfix-out", true),
            ("out", true),
            ("/etc/postfix-out", true),
            ("-", false),
            ("mta", false),
        ] {
            assert_eq!(
                Selection::Name(name.to_owned()).matches(&out),
                found,
                "{name}"
            );
        }
        assert!(Selection::Group("mta".to_owned()).matches(&out));
        assert!(!Selection::Group(String::new()).matches(&instance("/x", "", "")));
    }

    #[test]
    fn new_ones_go_where_they_are_wanted_and_nobody_is_in_the_way() {
        let mut all = Instances::default();
        for (config, name) in [("/p", ""), ("/a", "postfix-a"), ("/b", "postfix-b")] {
            all.insert(instance(config, name, ""), &Selection::None)
                .unwrap();
        }
        let before = Selection::Name("b".to_owned());
        all.insert(instance("/c", "postfix-c", ""), &before)
            .unwrap();
        all.insert(instance("/d", "", ""), &Selection::All).unwrap();
        assert_eq!(all.secondary(), "/d /a /c /b");
        let twice = all.insert(instance("/e", "postfix-a", ""), &Selection::None);
        assert_eq!(
            twice.unwrap_err().to_string(),
            "instance /e, multi_instance_name=postfix-a conflicts with instance /a, multi_instance_name=postfix-a"
        );
        let none = all.insert(instance("/f", "", ""), &Selection::Group("x".to_owned()));
        assert_eq!(
            none.unwrap_err().to_string(),
            "No matching secondary instances"
        );
    }
}
