//! How the files of an instance and the list of instances are changed. What changes in a configuration is changed by postconf(1),
//! and what belongs to whom is set by postfix(1), so that both are as always.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow};
use pf_cli::Failure;
use pf_config::{Config, Source, param};
use pf_log::warning;
use pf_sys::error::text;

use crate::instances::Instance;
use crate::iterate::search_path;
use crate::manage::Names;

/// Parameters of the primary instance that a new one takes over, when they are set.
const SHARED: [&str; 13] = [
    "command_directory",
    "daemon_directory",
    "meta_directory",
    "mail_owner",
    "setgid_group",
    "sendmail_path",
    "mailq_path",
    "newaliases_path",
    "html_directory",
    "manpage_directory",
    "sample_directory",
    "readme_directory",
    "shlib_directory",
];

/// Directories of a queue that nobody has used are removed with it.
const QUEUES: [&str; 14] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop",
    "pid", "private", "public", "saved", "trace",
];

/// What works on one instance.
pub struct Manager<'a> {
    pub config: &'a Config,
    pub target: &'a Instance,
    /// The directories of all instances but the primary one, as they are now to be.
    pub others: String,
}

impl Manager<'_> {
    /// Takes an instance in. `create`: makes it, when it is not there.
    ///
    /// # Errors
    /// A program that was run failed and said why, or a file cannot be made.
    pub fn add(&self, create: bool, names: &Names) -> Result<()> {
        let directory = Path::new(&self.target.config);
        let files = ["main.cf", "master.cf"];
        let missing = files.iter().find(|name| !directory.join(name).is_file());
        if let Some(name) = missing {
            if !create {
                return Err(fatal(format!(
                    "'{}' lacks a {name} file",
                    directory.display()
                )));
            }
            self.install(directory)?;
        }
        self.name(names)?;
        self.list(false)?;
        let well = self.postfix(&["set-permissions"], false)?;
        if well { Ok(()) } else { Err(silent()) }
    }

    /// The stock configuration: `master.cf` last, since the instance is complete when it has one.
    fn install(&self, directory: &Path) -> Result<()> {
        let meta = self.config.get(param::META_DIRECTORY)?;
        let stock = |name: &str| Path::new(&meta).join(format!("{name}.proto"));
        for name in ["main.cf", "master.cf"] {
            let path = stock(name);
            if !path.is_file() {
                return Err(fatal(format!(
                    "Missing {name} prototype: {}",
                    path.display()
                )));
            }
        }
        make(directory, 0o755)?;
        make(Path::new(&self.target.queue), 0o755)?;
        make(Path::new(&self.target.data), 0o700)?;
        let aside = directory.join(".tmp");
        make(&aside, 0o700)?;
        copy(&stock("main.cf"), &aside.join("main.cf"))?;
        let mut settings = vec![
            format!("queue_directory = {}", self.target.queue),
            format!("data_directory = {}", self.target.data),
            // Nobody uses it before somebody has looked at it.
            "authorized_submit_users =".to_owned(),
            "master_service_disable = inet".to_owned(),
        ];
        let mut usual = Vec::new();
        for name in SHARED {
            let set = self
                .config
                .is_set(name)
                .then(|| self.config.raw(name))
                .flatten();
            match set.filter(|value| !value.is_empty()) {
                Some(value) => settings.push(format!("{name} = {value}")),
                None => usual.push(name),
            }
        }
        if !usual.is_empty() {
            let mut command = self.postconf(&aside)?;
            succeed(command.arg("-#").args(usual))?;
        }
        edit(self.config, &aside, &settings)?;
        copy(&stock("master.cf"), &aside.join("master.cf"))?;
        for name in ["main.cf", "master.cf"] {
            fs::rename(aside.join(name), directory.join(name)).map_err(complain(directory))?;
        }
        // It is empty now; if it is not, that does no harm.
        let _left = fs::remove_dir(&aside);
        Ok(())
    }

    /// Lets an instance go.
    ///
    /// # Errors
    /// It runs, or as [`Manager::add`].
    pub fn deport(&self) -> Result<()> {
        if Path::new(&self.target.config).join("main.cf").is_file() {
            self.must_be_stopped()?;
            return self.list(true);
        }
        self.list(false)
    }

    /// Removes an instance that nobody has used.
    ///
    /// # Errors
    /// It runs, or as [`Manager::add`].
    pub fn destroy(&self) -> Result<()> {
        let directory = Path::new(&self.target.config);
        let main = directory.join("main.cf");
        if !main.is_file() {
            return Err(fatal(format!("{} file not found", main.display())));
        }
        self.must_be_stopped()?;
        self.list(false)?;
        let of_target = Config::load(&Source::with_directory(Some(directory.into())))?;
        log_as(&of_target)?;
        let queue = Path::new(&self.target.queue);
        for name in QUEUES {
            remove_empty(&queue.join(name), name);
        }
        for whole in [&self.target.data, &self.target.queue] {
            remove_empty(Path::new(whole), whole);
        }
        log_as(self.config)?;
        for name in ["master.cf", "main.cf"] {
            match fs::remove_file(directory.join(name)) {
                Err(err) if err.kind() != ErrorKind::NotFound => {
                    warning!("{}: {}", directory.join(name).display(), text(&err));
                }
                _ => {}
            }
        }
        remove_empty(directory, &self.target.config);
        Ok(())
    }

    fn must_be_stopped(&self) -> Result<()> {
        if self.postfix(&["status"], true)? {
            return Err(fatal(format!(
                "Instance '{}' is not stopped",
                self.target.config
            )));
        }
        Ok(())
    }

    /// Tells the primary instance of the others. One that is let go may still be used by itself.
    fn list(&self, let_go: bool) -> Result<()> {
        let known = self
            .config
            .raw("alternate_config_directories")
            .unwrap_or_default();
        let known: Vec<&str> = pf_text::split::list(&known).collect();
        let target = self.target.config.as_str();
        let mut keep: Vec<&str> = known.iter().copied().filter(|one| *one != target).collect();
        let found = keep.len() < known.len();
        let mut settings = vec![format!("multi_instance_directories = {}", self.others)];
        if let_go {
            keep.push(target);
        }
        if let_go != found {
            settings.push(format!("alternate_config_directories = {}", keep.join(" ")));
        }
        edit(self.config, self.config.directory(), &settings)
    }

    /// Gives it names.
    ///
    /// # Errors
    /// As [`Manager::add`].
    pub fn name(&self, names: &Names) -> Result<()> {
        let mut settings = Vec::new();
        if let Some(name) = &names.name {
            settings.push(format!("multi_instance_name = {name}"));
        }
        if let Some(group) = &names.group {
            settings.push(format!("multi_instance_group = {group}"));
        }
        if settings.is_empty() {
            return Ok(());
        }
        edit(self.config, Path::new(&self.target.config), &settings)
    }

    /// Sets one parameter.
    ///
    /// # Errors
    /// As [`Manager::add`].
    pub fn set(&self, setting: &str) -> Result<()> {
        edit(
            self.config,
            Path::new(&self.target.config),
            &[setting.to_owned()],
        )
    }

    fn postconf(&self, directory: &Path) -> Result<Command> {
        postconf(self.config, directory)
    }

    /// Runs postfix(1) for the instance; gives whether all went well.
    fn postfix(&self, words: &[&str], quiet: bool) -> Result<bool> {
        let mut command = program(self.config, "postfix")?;
        command.arg("-c").arg(&self.target.config).args(words);
        if quiet {
            command.stdout(Stdio::null()).stderr(Stdio::null());
        }
        Ok(command.status().context("postfix")?.success())
    }
}

/// A program of this installation, in the environment of the primary instance.
fn program(config: &Config, name: &str) -> Result<Command> {
    let commands = config.get(param::COMMAND_DIRECTORY)?;
    let mut command = Command::new(Path::new(&commands).join(name));
    let kept =
        pf_cli::imported(&config.get(param::IMPORT_ENVIRONMENT)?).map_err(anyhow::Error::msg)?;
    command
        .env_clear()
        .envs(kept)
        .env("PATH", search_path(&commands))
        .env("MAIL_CONFIG", Source::default().dir);
    Ok(command)
}

fn postconf(config: &Config, directory: &Path) -> Result<Command> {
    let mut command = program(config, "postconf")?;
    command.arg("-c").arg(directory);
    Ok(command)
}

/// Changes parameters.
///
/// # Errors
/// postconf(1) failed, and said why.
pub fn edit(config: &Config, directory: &Path, settings: &[String]) -> Result<()> {
    succeed(postconf(config, directory)?.arg("-e").args(settings))
}

/// Runs a program that says itself what is wrong.
fn succeed(command: &mut Command) -> Result<()> {
    if command.status().context("postconf")?.success() {
        Ok(())
    } else {
        Err(silent())
    }
}

fn complain(path: &Path) -> impl Fn(std::io::Error) -> anyhow::Error {
    move |err| anyhow!("{}: {}", path.display(), text(&err))
}

/// Makes a directory, and those above it.
fn make(path: &Path, mode: u32) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .map_err(complain(path))
}

/// Copies a file with its owner and mode.
fn copy(from: &Path, to: &Path) -> Result<()> {
    let status = fs::metadata(from).map_err(complain(from))?;
    fs::copy(from, to).map_err(complain(to))?;
    std::os::unix::fs::chown(to, Some(status.uid()), Some(status.gid())).map_err(complain(to))?;
    let mode = fs::Permissions::from_mode(status.mode() & 0o7777);
    fs::set_permissions(to, mode).map_err(complain(to))
}

/// Removes a directory in which nothing is left; whatever else is there is for somebody to look at.
fn remove_empty(path: &Path, called: &str) {
    if let Err(err) = fs::remove_dir(path) {
        let _unread = writeln!(
            std::io::stderr(),
            "rmdir: failed to remove '{called}': {}",
            text(&err)
        );
        warning!(
            "{}: please verify contents and remove by hand",
            path.display()
        );
    }
}

/// Under the name of this instance's system.
fn log_as(config: &Config) -> Result<()> {
    pf_cli::as_script("postmulti-script", config)
}

/// The end, with a line logged as fatal and exit status 1.
pub fn fatal(text: impl Into<String>) -> anyhow::Error {
    anyhow!(Failure {
        status: 1,
        text: text.into(),
    })
}

/// The end, after somebody else has said why.
fn silent() -> anyhow::Error {
    fatal("")
}
