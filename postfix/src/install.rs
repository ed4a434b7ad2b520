//! What `post-install` does in Postfix: makes missing directories, sets owners and modes as `postfix-files` says, saves installation
//! parameters in `main.cf`, and upgrades the configuration of an older version.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;
use pf_config::{Config, Source, param};

use crate::actions::Run;
use crate::check::is_secondary;
use crate::files::{Files, Which};
use crate::layout::Layout;
use crate::say::{say, silent, told};
use crate::upgrade;

/// The installation parameters, in the order in which they are saved.
const PARAMETERS: [&str; 15] = [
    "daemon_directory",
    "command_directory",
    "queue_directory",
    "data_directory",
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
    "meta_directory",
];

/// What the operands ask for.
#[derive(Debug, Default)]
struct Request {
    create: bool,
    permissions: bool,
    old_permissions: bool,
    configuration: bool,
    reminder: bool,
    settings: Vec<(String, String)>,
}

/// One run.
struct Install<'a> {
    run: &'a Run<'a>,
    layout: Layout,
    /// The name that complaints use: that of the script in Postfix.
    called: String,
}

/// Does what the operands say.
///
/// # Errors
/// What went wrong was said to standard error.
pub(crate) fn run(run: &Run<'_>, words: &[OsString]) -> Result<ExitCode> {
    let called = run.layout.daemon.join("post-install");
    let mut install = Install {
        run,
        layout: run.layout.clone(),
        called: called.display().to_string(),
    };
    let request = install.request(words)?;
    install.settle(&request)?;
    install.save()?;
    let obsolete = if request.create {
        install.files(&request)?
    } else {
        Vec::new()
    };
    if request.configuration {
        install.upgrade(&obsolete)?;
    }
    if request.reminder {
        install.remind()?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Install<'_> {
    fn error(&self, text: impl Display) -> anyhow::Error {
        told(format!("{}: Error: {text}", self.called))
    }

    fn request(&self, words: &[OsString]) -> Result<Request> {
        let mut request = Request::default();
        for word in words {
            let word = word.to_string_lossy();
            if word.contains([' ', '\t']) {
                say(format!(
                    "{}: Error: argument contains whitespace: '{word}'",
                    self.called
                ))?;
                return Err(silent(1));
            }
            match word.split_once('=') {
                Some((name, value)) => request.settings.push((name.to_owned(), value.to_owned())),
                None if word == "create-missing" => request.create = true,
                None if word.starts_with("set-perm") => {
                    (request.create, request.permissions) = (true, true);
                }
                None if word.starts_with("upgrade-perm") => {
                    (request.create, request.old_permissions) = (true, true);
                }
                None if word.starts_with("upgrade-conf") => request.configuration = true,
                None if word == "upgrade-source" => {
                    (request.create, request.configuration) = (true, true);
                    request.old_permissions = true;
                }
                None if word == "upgrade-package" => {
                    (request.create, request.configuration) = (true, true);
                    request.permissions = true;
                }
                None if word.starts_with("first-install") => request.reminder = true,
                None => return Err(self.usage()),
            }
        }
        if request.create || request.configuration || request.reminder {
            Ok(request)
        } else {
            Err(self.usage())
        }
    }

    fn usage(&self) -> anyhow::Error {
        const WORDS: [(&str, &str); 5] = [
            ("create-missing", "Create missing queue directories."),
            (
                "upgrade-source",
                "When installing or upgrading from source code.",
            ),
            (
                "upgrade-package",
                "When installing or upgrading from pre-built package.",
            ),
            (
                "first-install-reminder",
                "Remind of mandatory first-time configuration steps.",
            ),
            ("name=value", "Specify an installation parameter."),
        ];
        let words: String = WORDS
            .iter()
            .map(|(word, meaning)| format!("\n    {word:<24}{meaning}"))
            .collect();
        self.error(format!(
            "Usage: {} [name=value] command{words}",
            self.called
        ))
    }

    /// Finds out the installation parameters and looks whether they make sense.
    fn settle(&mut self, request: &Request) -> Result<()> {
        for (name, value) in &request.settings {
            self.layout.set(name, value);
        }
        let postconf = self.layout.command("postconf");
        let (_, command) = set(&request.settings, "command_directory");
        if !postconf.is_file() {
            let postconf = if command == Some("") {
                Path::new("postconf")
            } else {
                &postconf
            };
            return Err(told(format!(
                "{called}: Error: no {} command found.\nRe-run this command as {called} command_directory=/some/where.",
                postconf.display(),
                called = self.called
            )));
        }
        if !self.layout.config.is_dir() {
            return Err(self.error(format!(
                "{} is not a directory.",
                self.layout.config.display()
            )));
        }
        let list = self.layout.meta.join("postfix-files");
        if !list.is_file() {
            return Err(self.error(format!("{} is not a file.", list.display())));
        }
        // An empty value is none: then main.cf decides.
        let main = self.main_cf()?;
        for name in PARAMETERS {
            if self.layout.value(name).is_empty() {
                self.layout.set(name, &main.raw(name).unwrap_or_default());
            }
        }
        for (name, hint) in [
            ("manpage_directory", "manpage_directory=/pathname ..."),
            ("setgid_group", "setgid_group=groupname ..."),
        ] {
            if self.layout.value(name) == "no" {
                return Err(told(format!(
                    "{called}: Error: {name} no longer accepts \"no\" values.\nTry again with \"{called} {hint}\"{dot}",
                    called = self.called,
                    dot = if name == "manpage_directory" { "." } else { "" },
                )));
            }
        }
        for name in [
            "daemon_directory",
            "command_directory",
            "queue_directory",
            "sendmail_path",
            "newaliases_path",
            "mailq_path",
            "manpage_directory",
            "meta_directory",
        ] {
            let value = self.text(name);
            if !value.starts_with('/') {
                return Err(self.error(format!("\"{value}\" should be an absolute path name.")));
            }
        }
        for name in ["html_directory", "readme_directory", "shlib_directory"] {
            let value = self.text(name);
            if !value.starts_with('/') && value != "no" {
                return Err(self.error(format!(
                    "\"{value}\" should be \"no\" or an absolute path name."
                )));
            }
        }
        Ok(())
    }

    fn text(&self, name: &str) -> String {
        self.layout.value(name).to_string_lossy().into_owned()
    }

    fn main_cf(&self) -> Result<Config> {
        Ok(Config::load(&Source::with_directory(Some(
            self.layout.config.clone(),
        )))?)
    }

    /// Keeps in `main.cf` what differs from it.
    fn save(&self) -> Result<()> {
        let main = self.main_cf()?;
        let version = self.run.config.get(param::MAIL_VERSION)?;
        let value = |name: &str| {
            let text = self.text(name);
            match text.strip_suffix(&version) {
                Some(start) => format!("{start}${{mail_version}}"),
                None => text,
            }
        };
        if PARAMETERS
            .iter()
            .all(|name| main.raw(name).unwrap_or_default() == value(name))
        {
            return Ok(());
        }
        let settings: Vec<String> = PARAMETERS
            .iter()
            .map(|name| format!("{name} = {}", value(name)))
            .collect();
        self.edit_main_cf(&settings)
    }

    fn edit_main_cf(&self, settings: &[String]) -> Result<()> {
        let postconf = self.layout.command("postconf");
        let done = self
            .run
            .program(&postconf)
            .arg("-qc")
            .arg(&self.layout.config)
            .arg("-e")
            .args(settings)
            .status();
        match done {
            Ok(status) if status.success() => Ok(()),
            Ok(_) => Err(silent(1)),
            Err(err) => Err(told(format!(
                "{}: {}",
                postconf.display(),
                pf_sys::error::text(&err)
            ))),
        }
    }

    fn files(&self, request: &Request) -> Result<Vec<PathBuf>> {
        let mut files = Files::read(&self.layout.meta)?;
        if is_secondary(&self.layout.config)? {
            files.retain_unshared();
        }
        let which = if request.permissions {
            Which::All
        } else if request.old_permissions {
            Which::Upgraded
        } else {
            Which::Made
        };
        files.apply(&self.layout, which)
    }

    fn upgrade(&self, obsolete: &[PathBuf]) -> Result<()> {
        let path = self.layout.config.join("master.cf");
        for round in 0..upgrade::ROUNDS {
            match round {
                1 => self.hash_queues()?,
                2 => {
                    self.report(obsolete)?;
                    self.protocols()?;
                }
                _ => {}
            }
            let mut text =
                String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
            let done = upgrade::edit(&mut text, round);
            for what in &done {
                say(format!("Editing {}, {what}", path.display()))?;
            }
            if !done.is_empty() {
                replace(&path, text.as_bytes()).map_err(|err| {
                    told(format!("{}: {}", path.display(), pf_sys::error::text(&err)))
                })?;
            }
        }
        Ok(())
    }

    /// Directories that can hold many files are to be hashed.
    fn hash_queues(&self) -> Result<()> {
        let found = self.main_cf()?.raw("hash_queue_names").unwrap_or_default();
        let missing: String = ["defer", "deferred"]
            .iter()
            .filter(|name| !found.contains(*name))
            .map(|name| format!(" {name}"))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        say(format!(
            "fixing main.cf hash_queue_names for missing{missing}"
        ))?;
        self.edit_main_cf(&[format!("hash_queue_names={found}{missing}")])
    }

    fn report(&self, obsolete: &[PathBuf]) -> Result<()> {
        if obsolete.is_empty() {
            return Ok(());
        }
        let list: String = obsolete
            .iter()
            .map(|path| format!(" {}", path.display()))
            .collect();
        filled(&format!(
            "\n    Note: the following files or directories still exist but are\n    no longer part of Postfix:\n\n    {list}\n\n"
        ))
    }

    /// A configuration from before IPv6 was on by default stays as it was.
    fn protocols(&self) -> Result<()> {
        if self.main_cf()?.is_set("inet_protocols") {
            return Ok(());
        }
        filled(&format!(
            "    COMPATIBILITY: editing {}/main.cf, setting\n    inet_protocols=ipv4.  Specify inet_protocols explicitly if you\n    want to enable IPv6.\n    In a future release IPv6 will be enabled by default.\n",
            self.layout.config.display()
        ))?;
        self.edit_main_cf(&["inet_protocols=ipv4".into()])
    }

    fn remind(&self) -> Result<()> {
        let main = self.main_cf()?;
        let aliases = main.raw("alias_database").unwrap_or_default();
        let aliases = aliases
            .split_once(':')
            .map_or(aliases.as_str(), |(_, path)| path);
        filled(&format!(
            "\n    Warning: you still need to edit myorigin/mydestination/mynetworks\n    parameter settings in {}/main.cf.\n\n    See also https://www.postfix.org/STANDARD_CONFIGURATION_README.html\n    for information about dialup sites or about sites inside a\n    firewalled network.\n\n    BTW: Check your {aliases} file and be sure to set up aliases\n    that send mail for root and postmaster to a real person, then\n    run {}.\n\n",
            self.layout.config.display(),
            main.raw("newaliases_path").unwrap_or_default()
        ))
    }
}

/// The last value that the operands give a parameter.
fn set<'a>(settings: &'a [(String, String)], name: &'a str) -> (&'a str, Option<&'a str>) {
    let value = settings.iter().rev().find(|(known, _)| known == name);
    (name, value.map(|(_, value)| value.as_str()))
}

/// Shows paragraphs with their lines filled by fmt(1), if there is one.
fn filled(text: &str) -> Result<()> {
    let started = Command::new("fmt")
        .env("PATH", crate::PATH)
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut fmt) = started else {
        return say(text.trim_end_matches('\n'));
    };
    if let Some(mut input) = fmt.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    fmt.wait()?;
    Ok(())
}

/// Puts a new text in the place of a file, all or nothing.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let new = path.with_extension("cf.tmp");
    let _ = fs::remove_file(&new);
    let mode = fs::metadata(path).map_or(0o644, |status| status.permissions().mode());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&new)?;
    file.set_permissions(fs::Permissions::from_mode(mode & 0o7777))?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&new, path)
}
