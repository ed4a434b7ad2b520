//! Where the parts of the mail system are.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;
use pf_config::{Config, param};

/// Directories, programs and accounts, by the names that `postfix-files` uses.
#[derive(Debug, Clone)]
pub struct Layout {
    /// `command_directory`.
    pub command: PathBuf,
    /// `daemon_directory`.
    pub daemon: PathBuf,
    /// `config_directory`.
    pub config: PathBuf,
    /// `data_directory`.
    pub data: PathBuf,
    /// `meta_directory`.
    pub meta: PathBuf,
    /// `queue_directory`.
    pub queue: PathBuf,
    /// `shlib_directory`, or `no`.
    pub shlib: PathBuf,
    /// `mail_owner`.
    pub owner: String,
    /// `setgid_group`.
    pub group: String,
    others: Vec<(&'static str, String)>,
}

impl Layout {
    /// Reads the parameters.
    ///
    /// # Errors
    /// One has a bad value.
    pub fn new(config: &Config) -> Result<Self> {
        Ok(Self {
            command: config.get(param::COMMAND_DIRECTORY)?.into(),
            daemon: config.get(param::DAEMON_DIRECTORY)?.into(),
            config: config.directory().to_owned(),
            data: config.get(param::DATA_DIRECTORY)?.into(),
            meta: config.get(param::META_DIRECTORY)?.into(),
            queue: config.get(param::QUEUE_DIRECTORY)?.into(),
            shlib: config.get(param::SHLIB_DIRECTORY)?.into(),
            owner: config.get(param::MAIL_OWNER)?,
            group: config.get(param::SETGID_GROUP)?,
            others: vec![
                ("sendmail_path", config.get(param::SENDMAIL_PATH)?),
                ("mailq_path", config.get(param::MAILQ_PATH)?),
                ("newaliases_path", config.get(param::NEWALIASES_PATH)?),
                ("manpage_directory", config.get(param::MANPAGE_DIRECTORY)?),
                ("sample_directory", config.get(param::SAMPLE_DIRECTORY)?),
                ("readme_directory", config.get(param::README_DIRECTORY)?),
                ("html_directory", config.get(param::HTML_DIRECTORY)?),
            ],
        })
    }

    /// All names and values, as programs find them in their environment.
    pub fn exported(&self) -> Vec<(&'static str, OsString)> {
        let mut all: Vec<(&'static str, OsString)> = vec![
            ("command_directory", self.command.clone().into()),
            ("daemon_directory", self.daemon.clone().into()),
            ("data_directory", self.data.clone().into()),
            ("meta_directory", self.meta.clone().into()),
            ("queue_directory", self.queue.clone().into()),
            ("config_directory", self.config.clone().into()),
            ("shlib_directory", self.shlib.clone().into()),
            ("mail_owner", self.owner.clone().into()),
            ("setgid_group", self.group.clone().into()),
        ];
        all.extend(
            self.others
                .iter()
                .map(|(name, value)| (*name, OsString::from(value))),
        );
        all
    }

    /// Takes another value for a name.
    pub fn set(&mut self, name: &str, value: &str) {
        let place = match name {
            "command_directory" => &mut self.command,
            "daemon_directory" => &mut self.daemon,
            "data_directory" => &mut self.data,
            "meta_directory" => &mut self.meta,
            "queue_directory" => &mut self.queue,
            "config_directory" => &mut self.config,
            "shlib_directory" => &mut self.shlib,
            "mail_owner" => return value.clone_into(&mut self.owner),
            "setgid_group" => return value.clone_into(&mut self.group),
            _ => {
                if let Some((_, old)) = self.others.iter_mut().find(|(known, _)| *known == name) {
                    value.clone_into(old);
                }
                return;
            }
        };
        *place = value.into();
    }

    /// The value of a name in `postfix-files`; empty for a name that is not known.
    pub fn value(&self, name: &str) -> OsString {
        self.exported()
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
            .unwrap_or_default()
    }

    /// Whether there are shared libraries.
    pub fn has_libraries(&self) -> bool {
        self.shlib != Path::new("no")
    }

    /// A command's path.
    pub fn command(&self, name: &str) -> PathBuf {
        self.command.join(name)
    }

    /// The master daemon's path.
    pub fn master(&self) -> PathBuf {
        self.daemon.join("master")
    }
}
