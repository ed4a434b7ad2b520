//! From a request to an index.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use pf_config::system::reason;
use pf_config::{MigrationLevel, param};
use pf_log::info;
use pf_maps::{Options, non_bdb};
use pf_service::Context;
use pf_service::others::{Environment, MailOwner};
use pf_sys::identity::EffectiveIdentity;

use crate::command;
use crate::language::command_for;
use crate::trust::{Found, Prefixes, Trust};

/// What the names of Berkeley DB's indexes end in.
const OLD_SUFFIX: &str = ".db";

/// Makes indexes.
#[derive(Debug)]
pub struct Indexer {
    service: String,
    options: Options,
    trust: Trust,
    commands: PathBuf,
    environment: Environment,
    owner: MailOwner,
}

impl Indexer {
    /// As the configuration says.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn new(context: &Context) -> Result<Self> {
        let config = &context.config;
        let prefixes = |key: pf_config::Param<String>| -> Result<Prefixes> {
            Ok(Prefixes::new(key.name(), config.get(key)?))
        };
        Ok(Self {
            service: context.service.clone(),
            options: Options::from_config(config)?,
            trust: Trust {
                root: prefixes(param::NON_BDB_MIGRATION_ALLOW_ROOT_PREFIXES)?,
                users: prefixes(param::NON_BDB_MIGRATION_ALLOW_USER_PREFIXES)?,
            },
            commands: config.get(param::COMMAND_DIRECTORY)?.into(),
            environment: pf_cli::exported(&config.get(param::EXPORT_ENVIRONMENT)?)
                .map_err(anyhow::Error::msg)?,
            owner: MailOwner::new(config)?,
        })
    }

    /// Gives up the rights of root until a command is run.
    ///
    /// # Errors
    /// The process may not.
    pub fn be_modest(&mut self) -> Result<()> {
        self.owner.take_rights()
    }

    /// Makes the index that takes the place of Berkeley DB's, for the table `kind:source`.
    ///
    /// # Errors
    /// The process cannot go on. Inside: there is no index; why, in Postfix's words.
    pub fn index(&mut self, kind: &str, source: &Path) -> Result<Result<(), String>> {
        let job = match self.examine(kind, source) {
            Ok(Some(job)) => job,
            Ok(None) => return Ok(Ok(())),
            Err(why) => return Ok(Err(why)),
        };
        let Self {
            owner,
            commands,
            environment,
            ..
        } = self;
        let done = owner.as_root(|| job.execute(commands, environment))?;
        Ok(done?.map_err(|why| {
            format!(
                "could not execute command '{}': {why}; alternatively, execute the failed command by hand",
                job.shown()
            )
        }))
    }

    /// What is to be done; `None` when the index is there already, as it is when several have asked for it.
    fn examine(&self, kind: &str, source: &Path) -> Result<Option<Job>, String> {
        if self.options.non_bdb.level < MigrationLevel::Reindex {
            return Err(format!("the {} service is disabled", self.service));
        }
        let new_kind = non_bdb::replacement(kind, &source.to_string_lossy(), &self.options)?;
        let suffix = non_bdb::suffix(&new_kind)
            .ok_or_else(|| format!("non-Berkeley-DB type '{new_kind}' has no known suffix"))?;
        let index = with_suffix(source, suffix);
        if fs::metadata(&index).is_ok_and(|status| status.size() > 0) {
            let index = index.display();
            info!("target file '{index}' already exists, skipping this request");
            return Ok(None);
        }
        let old = with_suffix(source, OLD_SUFFIX);
        let parent = parent_of(source);
        let found = Found {
            old_status: status("legacy indexed file", &old)?,
            source_status: status("source file", source)?,
            parent_status: status("parent directory", parent)?,
            source,
            old: &old,
            parent,
        };
        // Before anything is made of what the file holds.
        self.trust.check(&found)?;
        let (uid, gid) = (found.old_status.uid(), found.old_status.gid());
        let text = read_as(source, uid, gid).map_err(|err| {
            format!(
                "open lookup table source file {} as uid={uid} gid={gid}: {}",
                source.display(),
                reason(&err)
            )
        })?;
        Ok(Some(Job {
            command: command_for(&source.to_string_lossy(), &text),
            kind: new_kind,
            source: source.to_owned(),
            index,
            owner: (uid, gid),
        }))
    }
}

/// A command to be run.
#[derive(Debug)]
struct Job {
    command: &'static str,
    kind: String,
    source: PathBuf,
    index: PathBuf,
    owner: (u32, u32),
}

impl Job {
    /// The command's argument.
    fn word(&self) -> OsString {
        let mut word = OsString::from(&self.kind);
        word.push(":");
        word.push(&self.source);
        word
    }

    /// The command as one types it.
    fn shown(&self) -> String {
        format!("{} {}:{}", self.command, self.kind, self.source.display())
    }

    /// Runs the command, with the rights of root at first.
    fn execute(&self, commands: &Path, environment: &Environment) -> Result<Result<(), String>> {
        let program = commands.join(self.command);
        let done = command::run(&program, &self.word(), self.owner, environment)?;
        match &done {
            Ok(()) => {
                let (shown, uid) = (self.shown(), self.owner.0);
                info!("successfully executed '{shown}' as uid {uid}");
            }
            // Half an index would count as one. It was made with these rights, so they are enough to remove it.
            Err(_) => {
                let _as_owner = EffectiveIdentity::switch(self.owner.0, self.owner.1)?;
                let _none_made = fs::remove_file(&self.index);
            }
        }
        Ok(done)
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut whole = path.as_os_str().to_owned();
    whole.push(suffix);
    whole.into()
}

/// The directory that a file is in.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None if path.has_root() => Path::new("/"),
        None => Path::new("."),
    }
}

fn status(what: &str, path: &Path) -> Result<fs::Metadata, String> {
    fs::metadata(path).map_err(|err| {
        let path = path.display();
        format!("look up status for {what} '{path}': {}", reason(&err))
    })
}

/// Reads a file with the rights of the one who is to read it later.
fn read_as(path: &Path, uid: u32, gid: u32) -> io::Result<Vec<u8>> {
    let mut file = {
        let _as_owner = EffectiveIdentity::switch(uid, gid)?;
        File::open(path)?
    };
    let mut text = Vec::new();
    match file.read_to_end(&mut text) {
        // As the commands have it, a directory is a source without lines.
        Err(err) if err.kind() != io::ErrorKind::IsADirectory => Err(err),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (path, parent) in [
            ("/etc/t", "/etc"),
            ("/t", "/"),
            ("/", "/"),
            ("/etc/a/", "/etc"),
            ("t", "."),
            ("", "."),
        ] {
            assert_eq!(parent_of(Path::new(path)), Path::new(parent), "{path}");
        }
        assert_eq!(
            with_suffix(Path::new("/a/b.c"), ".db"),
            Path::new("/a/b.c.db")
        );
    }
}
