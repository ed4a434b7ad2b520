//! `-e`: instances are made, taken in, named, switched on and off, let go and removed.

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use pf_config::{Config, param};

use crate::change::{Manager, edit, fatal};
use crate::instances::{Instance, Instances, PREFIX, Selection};

/// What is done to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Import,
    Destroy,
    Deport,
    Enable,
    Disable,
    Assign,
    Init,
}

impl Action {
    const ALL: [(&'static str, Self); 8] = [
        ("create", Self::Create),
        ("import", Self::Import),
        ("destroy", Self::Destroy),
        ("deport", Self::Deport),
        ("enable", Self::Enable),
        ("disable", Self::Disable),
        ("assign", Self::Assign),
        ("init", Self::Init),
    ];

    /// The action of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, action)| *action)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, action)| *action == self)
            .map_or("", |(name, _)| name)
    }

    /// Whether it adds an instance.
    pub fn adds(self) -> bool {
        matches!(self, Self::Create | Self::Import)
    }
}

/// Names to give; an empty one takes the old one away.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    pub name: Option<String>,
    pub group: Option<String>,
}

/// Does it.
///
/// # Errors
/// It cannot be done; why is in the error, or was told already.
pub fn run(
    config: &Config,
    action: Action,
    mut instances: Instances,
    selection: &Selection,
    names: &Names,
    settings: &[String],
) -> Result<ExitCode> {
    if action == Action::Init {
        return edit(
            config,
            config.directory(),
            &[
                "multi_instance_wrapper = ${command_directory}/postmulti -p --".to_owned(),
                "multi_instance_enable = yes".to_owned(),
            ],
        )
        .map(|()| ExitCode::SUCCESS);
    }
    let (target, changed) = if action.adds() {
        check_names(names)?;
        let target = new_instance(config, action, &instances, names, settings)?;
        let (target, changed) = assign(target, names, &mut instances)?;
        instances.insert(target.clone(), selection)?;
        (target, changed)
    } else {
        let Selection::Name(name) = selection else {
            bail!("Select an instance via '-i name'");
        };
        let found = instances.list.iter().position(|one| selection.matches(one));
        let at = found.ok_or_else(|| anyhow!("No instance named {name}"))?;
        check_names(names)?;
        let target = instances.list.get(at).cloned().unwrap_or_default();
        if matches!(action, Action::Destroy | Action::Deport) {
            if target.primary {
                bail!("Cannot remove the primary instance");
            }
            if target.enabled {
                bail!("Cannot remove enabled instances");
            }
            instances.list.remove(at);
        }
        assign(target, names, &mut instances)?
    };
    if action == Action::Assign && changed == Names::default() {
        return Ok(ExitCode::SUCCESS);
    }
    pf_cli::as_script("postmulti-script", config)?;
    if config.get(param::MULTI_INSTANCE_WRAPPER)?.is_empty() {
        return Err(fatal(
            "multi_instance_wrapper is empty, run 'postmulti -e init' first.",
        ));
    }
    if !config.get(param::MULTI_INSTANCE_ENABLE)? {
        return Err(fatal(
            "multi_instance_enable!=yes, run 'postmulti -e init' first.",
        ));
    }
    let manager = Manager {
        config,
        target: &target,
        others: instances.secondary(),
    };
    match action {
        Action::Create | Action::Import => manager.add(action == Action::Create, &changed)?,
        Action::Deport => manager.deport()?,
        Action::Destroy => manager.destroy()?,
        Action::Enable => manager.set("multi_instance_enable = yes")?,
        Action::Disable => manager.set("multi_instance_enable = no")?,
        Action::Assign => manager.name(&changed)?,
        Action::Init => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// Names may only have letters that are safe in file names and in a shell.
fn check_names(names: &Names) -> Result<()> {
    let safe = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!@%-_=+:./".contains(&byte))
    };
    if let Some(name) = names.name.as_ref().filter(|name| !name.is_empty()) {
        if !safe(name) {
            bail!("Unsafe characters in new instance name: '{name}'");
        }
        if name.contains('/') {
            bail!("Illegal '/' character in new instance name: '{name}'");
        }
        if !name.starts_with(PREFIX) {
            bail!("New instance name must start with '{PREFIX}'");
        }
    }
    match &names.group {
        Some(group) if !safe(group) => Err(anyhow!("Unsafe characters in '-G {group}'")),
        _ => Ok(()),
    }
}

/// Gives names; what really changes comes with the instance.
fn assign(
    mut target: Instance,
    names: &Names,
    instances: &mut Instances,
) -> Result<(Instance, Names)> {
    let mut changed = Names::default();
    if let Some(name) = names.name.as_ref().filter(|name| **name != target.name) {
        instances
            .claims
            .register(&target.config, "multi_instance_name", name)?;
        target.name.clone_from(name);
        changed.name = Some(name.clone());
    }
    if let Some(group) = names.group.as_ref().filter(|group| **group != target.group) {
        target.group.clone_from(group);
        changed.group = Some(group.clone());
    }
    Ok((target, changed))
}

/// The directories of a new instance: as said, else those of the primary one with the new name as their last part.
fn new_instance(
    config: &Config,
    action: Action,
    instances: &Instances,
    names: &Names,
    settings: &[String],
) -> Result<Instance> {
    let mut new = Instance::default();
    for setting in settings {
        let (name, value) = setting
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| anyhow!("Malformed parameter setting '{setting}'"))?;
        let place = match name {
            "config_directory" => &mut new.config,
            "queue_directory" if action == Action::Create => &mut new.queue,
            "data_directory" if action == Action::Create => &mut new.data,
            _ => bail!("Parameter '{name}' not valid with action {}", action.name()),
        };
        if !value.starts_with('/') {
            bail!("Parameter setting '{name}' is not an absolute path");
        }
        let path = value.trim_end_matches('/');
        if path.is_empty() {
            bail!("Parameter setting '{name}' is the root directory");
        }
        path.clone_into(place);
    }
    let name = names.name.as_deref().unwrap_or_default();
    let fill = |place: &mut String, parameter: &str, like: &str| -> Result<()> {
        if place.is_empty() {
            *place = beside(parameter, like, name)?;
        }
        Ok(())
    };
    let primary = config.directory().to_string_lossy();
    fill(&mut new.config, "config_directory", &primary)?;
    if let Some(owner) = instances.claims.owner(&new.config) {
        let directory = &new.config;
        bail!("new config_directory={directory} is already in use by instance {owner}={directory}");
    }
    if action == Action::Import {
        return Instance::load(&new.config, &config.get(param::COMMAND_DIRECTORY)?);
    }
    fill(
        &mut new.queue,
        "queue_directory",
        &config.get(param::QUEUE_DIRECTORY)?,
    )?;
    fill(
        &mut new.data,
        "data_directory",
        &config.get(param::DATA_DIRECTORY)?,
    )?;
    Ok(new)
}

/// A path like another, with another last part.
fn beside(parameter: &str, like: &str, name: &str) -> Result<String> {
    if name.is_empty() {
        bail!("Missing {parameter} parameter value");
    }
    if !like.starts_with('/') {
        bail!(
            "Invalid default {parameter} parameter value: '{like}': specify an absolute pathname"
        );
    }
    let trimmed = like.trim_end_matches('/');
    let parent = trimmed.rsplit_once('/').map_or("", |(parent, _)| parent);
    Ok(format!("{}/{name}", parent.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_beside_those_of_the_primary_instance() {
        let beside = |like| beside("queue_directory", like, "postfix-a").unwrap();
        assert_eq!(beside("/var/spool/postfix"), "/var/spool/postfix-a");
        assert_eq!(beside("/var/spool//postfix//"), "/var/spool/postfix-a");
        assert_eq!(beside("/postfix"), "/postfix-a");
    }

    #[test]
    fn names_must_be_safe() {
        let check = |name: &str, group: &str| {
            check_names(&Names {
                name: Some(name.to_owned()),
                group: Some(group.to_owned()),
            })
            .map_err(|err| err.to_string())
        };
        assert_eq!(check("postfix-a", "mta"), Ok(()));
        assert_eq!(check("", ""), Ok(()));
        assert!(check("postfix-a b", "").is_err());
        assert!(check("postfix-a/b", "").is_err());
        assert!(check("a", "").is_err());
        assert!(check("postfix-a", "a b").is_err());
    }
}
