//! Building the programs and laying them out.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::layout::{
    ALIASES, COMMANDS, DAEMONS, Layout, MASTER_CF, QUEUES, SECOND_NAMES, SENDMAIL, SETGID,
};
use crate::shell::{command, root, run as run_command, say, target_dir};

/// How to install.
#[derive(Debug, Clone)]
pub struct Plan {
    pub layout: Layout,
    /// What stands before each path while copying, for packagers.
    pub destdir: PathBuf,
    /// Optimised or quick to build.
    pub release: bool,
}

/// `cargo xtask install [--prefix P] [--destdir D] [--dev]`.
pub fn run(options: &[&str]) -> Result<()> {
    let mut plan = Plan {
        layout: Layout::system(),
        destdir: PathBuf::new(),
        release: true,
    };
    let mut words = options.iter();
    while let Some(option) = words.next() {
        match *option {
            "--prefix" => {
                let prefix = words.next().context("--prefix needs a directory")?;
                plan.layout = Layout::below(&std::path::absolute(prefix)?);
            }
            "--destdir" => {
                plan.destdir = PathBuf::from(words.next().context("--destdir needs a directory")?)
            }
            "--dev" => plan.release = false,
            other => bail!("install: unknown option {other}"),
        }
    }
    install(&plan)
}

/// Builds all programs.
pub fn build(release: bool) -> Result<PathBuf> {
    let mut cargo = command(
        "cargo",
        &["build", "--quiet", "--locked", "--workspace", "--bins"],
    );
    if release {
        cargo.arg("--release");
    }
    run_command(&mut cargo)?;
    Ok(target_dir().join(if release { "release" } else { "debug" }))
}

/// Builds, and copies everything to its place. Existing configuration is kept.
pub fn install(plan: &Plan) -> Result<()> {
    let built = build(plan.release)?;
    let at = |path: &Path| -> PathBuf {
        if plan.destdir.as_os_str().is_empty() {
            path.to_owned()
        } else {
            plan.destdir.join(path.strip_prefix("/").unwrap_or(path))
        }
    };
    let layout = &plan.layout;
    let as_root = nix::unistd::geteuid().is_root();
    if as_root {
        crate::setup::accounts()?;
    } else {
        say("not root: owners and setgid bits are left to the one who copies this in place");
    }
    let owners = Owners::find()?.filter(|_| as_root);

    let commands = at(&layout.command_directory);
    fs::create_dir_all(&commands)?;
    for name in COMMANDS {
        let gid = owners
            .as_ref()
            .filter(|_| SETGID.contains(&name))
            .map(|owners| owners.postdrop);
        copy_program(&built.join(name), &commands.join(name), gid)?;
    }
    let sendmail = at(&layout.sendmail_path);
    copy_program(&built.join(SENDMAIL), &sendmail, None)?;
    for path in [&layout.mailq_path, &layout.newaliases_path] {
        let link = at(path);
        if let Some(parent) = link.parent() {
            fs::create_dir_all(parent)?;
        }
        if link.symlink_metadata().is_ok() {
            fs::remove_file(&link)?;
        }
        // Beside it, the name alone will do, wherever the directory is mounted.
        let target = if path.parent() == layout.sendmail_path.parent() {
            Path::new(SENDMAIL)
        } else {
            &layout.sendmail_path
        };
        symlink(target, &link).with_context(|| format!("link {}", link.display()))?;
    }

    let daemons = at(&layout.daemon_directory);
    fs::create_dir_all(&daemons)?;
    for name in DAEMONS {
        copy_program(&built.join(name), &daemons.join(name), None)?;
    }
    for (alias, daemon) in ALIASES {
        let path = daemons.join(alias);
        if path.exists() {
            fs::remove_file(&path)?;
        }
        fs::hard_link(daemons.join(daemon), &path)?;
    }

    let config = at(&layout.config_directory);
    fs::create_dir_all(&config)?;
    write_new(&config.join("main.cf"), &layout.main_cf())?;
    write_new(&config.join("master.cf"), MASTER_CF)?;
    // What postmulti(1) gives new instances.
    fs::write(config.join("main.cf.proto"), layout.main_cf())?;
    fs::write(config.join("master.cf.proto"), MASTER_CF)?;
    fs::write(config.join("postfix-files"), layout.postfix_files())?;
    manuals(&at(&layout.manpage_directory))?;
    let completions = layout.completions.each_ref().map(|path| at(path));
    crate::completions::install(&built, &completions)?;
    queue(
        &at(&layout.queue_directory),
        &at(&layout.data_directory),
        owners.as_ref(),
    )
}

/// The accounts that own the queue.
struct Owners {
    postfix: u32,
    postdrop: u32,
}

impl Owners {
    fn find() -> Result<Option<Self>> {
        let user = nix::unistd::User::from_name("postfix")?;
        let group = nix::unistd::Group::from_name("postdrop")?;
        Ok(user.zip(group).map(|(user, group)| Self {
            postfix: user.uid.as_raw(),
            postdrop: group.gid.as_raw(),
        }))
    }
}

/// Puts a program in place by rename, so that a running one is never cut off.
fn copy_program(from: &Path, to: &Path, setgid: Option<u32>) -> Result<()> {
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    let partial = to.with_extension("new");
    fs::copy(from, &partial)
        .with_context(|| format!("copy {} to {}", from.display(), partial.display()))?;
    if let Some(gid) = setgid {
        chown(&partial, None, Some(gid))?;
    }
    fs::set_permissions(
        &partial,
        fs::Permissions::from_mode(if setgid.is_some() { 0o2755 } else { 0o755 }),
    )?;
    fs::rename(&partial, to).with_context(|| format!("rename to {}", to.display()))
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    if !path.exists() {
        fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    Ok(())
}

fn manuals(to: &Path) -> Result<()> {
    let (from, to) = (root().join("man/man1"), to.join("man1"));
    fs::create_dir_all(&to)?;
    for name in COMMANDS.into_iter().chain([SENDMAIL]).chain(SECOND_NAMES) {
        let page = format!("{name}.1");
        fs::copy(from.join(&page), to.join(&page)).with_context(|| format!("copy {page}"))?;
    }
    Ok(())
}

fn queue(queue: &Path, data: &Path, owners: Option<&Owners>) -> Result<()> {
    let uid = owners.map(|owners| owners.postfix);
    let gid = owners.map(|owners| owners.postdrop);
    let make = |path: PathBuf, mode: u32, uid: Option<u32>, gid: Option<u32>| -> Result<()> {
        fs::create_dir_all(&path)?;
        if owners.is_some() {
            chown(&path, uid, gid)?;
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .with_context(|| path.display().to_string())
    };
    make(queue.to_owned(), 0o755, None, None)?;
    for name in QUEUES {
        make(queue.join(name), 0o700, uid, None)?;
    }
    make(queue.join("private"), 0o700, uid, None)?;
    make(queue.join("maildrop"), 0o730, uid, gid)?;
    make(queue.join("public"), 0o710, uid, gid)?;
    make(queue.join("pid"), 0o755, None, None)?;
    make(data.to_owned(), 0o700, uid, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_manuals_are_installed_and_listed() {
        let to = tempfile::tempdir().unwrap();
        manuals(to.path()).unwrap();
        let pages = |dir: PathBuf| -> Vec<String> {
            let entries = fs::read_dir(dir).unwrap();
            let mut names: Vec<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        };
        let installed = pages(to.path().join("man1"));
        assert_eq!(installed, pages(root().join("man/man1")));
        let list = Layout::system().postfix_files();
        let mut listed: Vec<&str> = list
            .lines()
            .filter_map(|line| line.strip_prefix("$manpage_directory/man1/"))
            .filter_map(|line| line.strip_suffix(":f:root:-:644"))
            .collect();
        listed.sort_unstable();
        assert_eq!(installed, listed);
    }
}
