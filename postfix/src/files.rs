//! `postfix-files`: what is installed, who owns it and with which mode.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown, lchown};
use std::path::{Path, PathBuf};

use anyhow::Result;
use pf_sys::identity;

use crate::layout::Layout;
use crate::say::told;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    File,
}

/// One line: `path:type:owner:group:mode:flags`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    path: String,
    kind: Kind,
    owner: String,
    group: String,
    mode: String,
    flags: String,
}

/// Which owners and modes are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those of directories that had to be made.
    Made,
    /// And those of everything whose owner or mode changed in some version (flag `u`).
    Upgraded,
    /// All.
    All,
}

/// The whole list.
#[derive(Debug, Default)]
pub struct Files(Vec<Entry>);

impl Files {
    /// Reads the list of the meta directory, and what packages have added to it.
    ///
    /// # Errors
    /// The list cannot be read, or has a line of an unknown type.
    pub fn read(meta: &Path) -> Result<Self> {
        let mut paths = vec![meta.join("postfix-files")];
        let mut more = Vec::new();
        all_files(&meta.join("postfix-files.d"), &mut more);
        more.sort();
        paths.append(&mut more);
        let mut files = Self::default();
        for path in paths {
            let text = fs::read(&path)
                .map_err(|err| told(format!("cannot open {}: {}", path.display(), text(&err))))?;
            files.add(&String::from_utf8_lossy(&text), &path)?;
        }
        Ok(files)
    }

    fn add(&mut self, text: &str, from: &Path) -> Result<()> {
        for line in text.lines().filter(|line| line.starts_with('$')) {
            let mut fields = line.split(':');
            let mut next = || fields.next().unwrap_or_default().to_owned();
            let (path, kind) = (next(), next());
            let (owner, group, mode, flags) = (next(), next(), next(), next());
            let kind = match kind.as_str() {
                "d" => Kind::Directory,
                "f" => Kind::File,
                "h" | "l" => continue,
                other => {
                    return Err(told(format!(
                        "unknown type {other} for {path} in {}",
                        from.display()
                    )));
                }
            };
            self.0.push(Entry {
                path,
                kind,
                owner,
                group,
                mode,
                flags,
            });
        }
        Ok(())
    }

    /// Only what belongs to one of several instances, not what all share.
    pub fn retain_unshared(&mut self) {
        const OWN: [&str; 3] = ["$config_directory", "$queue_directory", "$data_directory"];
        self.0
            .retain(|entry| OWN.iter().any(|own| entry.path.starts_with(own)));
    }

    /// Makes the directories that are missing, and sets owners and modes. Gives the files that are there but no longer belong to
    /// the mail system.
    ///
    /// # Errors
    /// Something cannot be made or changed; what was not is told.
    pub fn apply(&self, layout: &Layout, which: Which) -> Result<Vec<PathBuf>> {
        let first = layout.config == pf_config::Source::default().dir;
        let mut obsolete = Vec::new();
        for entry in &self.0 {
            let Some(path) = entry.place(layout) else {
                continue;
            };
            let has = |flag: char| entry.flags.contains(flag);
            if entry.flags.contains(['1', 'i']) && !first && !readable(&path) {
                continue;
            }
            if has('o') {
                if entry.kind == Kind::File && readable(&path) {
                    obsolete.push(path);
                }
                continue;
            }
            let missing = entry.kind == Kind::Directory && has('c') && !path.is_dir();
            if missing {
                fs::create_dir(&path).map_err(|err| {
                    told(format!(
                        "mkdir: cannot create directory '{}': {}",
                        path.display(),
                        text(&err)
                    ))
                })?;
            }
            if missing || which == Which::All || (which == Which::Upgraded && has('u')) {
                entry.own(layout, &path)?;
            }
        }
        Ok(obsolete)
    }
}

impl Entry {
    /// The path with its name replaced; `None` for a part that is not installed.
    fn place(&self, layout: &Layout) -> Option<PathBuf> {
        let path = PathBuf::from(expand(&self.path, layout));
        (!path.starts_with("no")).then_some(path)
    }

    /// Sets owner, group and mode.
    fn own(&self, layout: &Layout, path: &Path) -> Result<()> {
        let name = expand(&self.owner, layout);
        let owner = name.to_string_lossy();
        let uid = match owner.parse() {
            Ok(number) => number,
            Err(_) => {
                identity::user_by_name(&owner)?
                    .ok_or_else(|| told(format!("chown: invalid user: '{owner}'")))?
                    .uid
            }
        };
        let deep = self.flags.contains('r');
        change(path, deep, "chown", "ownership", &|path, link| {
            set_owner(path, link, Some(uid), None)
        })?;
        let name = expand(&self.group, layout);
        let group = name.to_string_lossy();
        if !matches!(group.as_ref(), "" | "-") {
            let gid = match group.parse() {
                Ok(number) => number,
                Err(_) => identity::group_by_name(&group)?
                    .ok_or_else(|| told(format!("chgrp: invalid group: '{group}'")))?,
            };
            change(path, deep, "chgrp", "group", &|path, link| {
                set_owner(path, link, None, Some(gid))
            })?;
        }
        // After the owner: a change of owner takes setgid bits away. What a queue directory holds keeps its modes: they tell
        // which messages are complete.
        let mode = u32::from_str_radix(&self.mode, 8)
            .map_err(|_| told(format!("chmod: invalid mode: '{}'", self.mode)))?;
        let set = |path: &Path, _link| match fs::symlink_metadata(path) {
            Ok(status) if path.is_dir() || !status.is_symlink() || !deep => {
                fs::set_permissions(path, Permissions::from_mode(mode))
            }
            Ok(_) => Ok(()),
            Err(err) => Err(err),
        };
        if deep && self.kind == Kind::Directory {
            change(path, true, "chmod", "permissions", &|path, link| {
                if link || !path.is_dir() {
                    Ok(())
                } else {
                    set(path, link)
                }
            })
        } else {
            change(path, false, "chmod", "permissions", &set)
        }
    }
}

/// Changes a path, and with `deep` all below it, where symbolic links themselves are changed.
fn change(
    path: &Path,
    deep: bool,
    program: &str,
    what: &str,
    act: &dyn Fn(&Path, bool) -> io::Result<()>,
) -> Result<()> {
    if let Err(err) = fs::symlink_metadata(path) {
        return Err(told(format!(
            "{program}: cannot access '{}': {}",
            path.display(),
            text(&err)
        )));
    }
    act(path, deep && path.is_symlink()).map_err(|err| {
        told(match err.kind() {
            io::ErrorKind::NotFound => {
                format!(
                    "{program}: cannot dereference '{}': {}",
                    path.display(),
                    text(&err)
                )
            }
            _ => format!(
                "{program}: changing {what} of '{}': {}",
                path.display(),
                text(&err)
            ),
        })
    })?;
    if !deep || path.is_symlink() || !path.is_dir() {
        return Ok(());
    }
    let entries = fs::read_dir(path).map_err(|err| {
        told(format!(
            "{program}: cannot read directory '{}': {}",
            path.display(),
            text(&err)
        ))
    })?;
    for entry in entries.flatten() {
        match change(&entry.path(), true, program, what, act) {
            // The mail system may be at work: a queue file comes and goes.
            Err(_) if fs::symlink_metadata(entry.path()).is_err() => {}
            result => result?,
        }
    }
    Ok(())
}

fn set_owner(path: &Path, link: bool, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    if link {
        lchown(path, uid, gid)
    } else {
        chown(path, uid, gid)
    }
}

/// Replaces a leading `$name`.
fn expand(text: &str, layout: &Layout) -> OsString {
    let Some(rest) = text.strip_prefix('$') else {
        return text.into();
    };
    let end = rest
        .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let mut value = layout.value(name);
    value.push(OsStr::new(rest));
    value
}

/// All files below a directory that may not be there.
fn all_files(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => all_files(&entry.path(), into),
            Ok(kind) if kind.is_file() => into.push(entry.path()),
            _ => {}
        }
    }
}

fn readable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::R_OK).is_ok()
}

fn text(err: &io::Error) -> String {
    pf_sys::error::text(err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_directories_are_made() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name).display().to_string();
        let config = pf_config::Config::for_tests(&[
            ("queue_directory", &at("spool")),
            ("mail_owner", "root"),
            ("setgid_group", "root"),
        ]);
        let layout = Layout::new(&config).unwrap();
        let mut files = Files::default();
        let text = "# comment\n$queue_directory:d:root:-:755:uc\n$queue_directory/public:d:$mail_owner:$setgid_group:710:uc\n$queue_directory/x:d:root:-:755:u\n$mailq_path:l:$sendmail_path\n$html_directory/x:f:root:-:644\n";
        files.add(text, Path::new("postfix-files")).unwrap();
        if identity::effective_uid() == 0 {
            files.apply(&layout, Which::Made).unwrap();
            let public = fs::metadata(root.path().join("spool/public")).unwrap();
            assert_eq!(public.permissions().mode() & 0o7777, 0o710);
            assert!(!root.path().join("spool/x").exists());
        }
        assert!(files.add("$a:z:b", Path::new("f")).is_err());
    }
}
