//! `postfix-files`: what is installed, who owns it and with which mode.

use std::ffi::{OsStr, OsString};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, lchown};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use pf_sys::identity;

use crate::layout::Layout;

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
    mode: u32,
    flags: String,
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
        let main = meta.join("postfix-files");
        if !main.is_file() {
            bail!("Error: {} is not a file.", main.display());
        }
        let mut paths = vec![main];
        let mut more: Vec<PathBuf> = fs::read_dir(meta.join("postfix-files.d"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        more.sort();
        paths.append(&mut more);
        let mut files = Self::default();
        for path in paths {
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            files.add(&text, &path)?;
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
                other => bail!("unknown type {other} for {path} in {}", from.display()),
            };
            let mode = u32::from_str_radix(&mode, 8)
                .with_context(|| format!("bad mode for {path} in {}", from.display()))?;
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

    /// Makes the directories that are missing.
    ///
    /// # Errors
    /// One cannot be made.
    pub fn create_missing(&self, layout: &Layout) -> Result<()> {
        for entry in &self.0 {
            let Some(path) = entry.place(layout) else {
                continue;
            };
            if entry.kind == Kind::Directory && entry.flags.contains('c') && !path.is_dir() {
                fs::create_dir(&path).with_context(|| format!("mkdir {}", path.display()))?;
                entry.apply(layout, &path)?;
            }
        }
        Ok(())
    }

    /// Gives everything that is installed its owner and mode.
    ///
    /// # Errors
    /// Something cannot be changed.
    pub fn set_permissions(&self, layout: &Layout) -> Result<()> {
        for entry in &self.0 {
            let Some(path) = entry.place(layout) else {
                continue;
            };
            if entry.flags.contains('o') || !path.exists() {
                continue;
            }
            if entry.flags.contains('r') {
                let (uid, gid) = entry.owners(layout)?;
                own_tree(&path, uid, gid)?;
            }
            entry.apply(layout, &path)?;
        }
        Ok(())
    }
}

impl Entry {
    /// The path with its name replaced; `None` for a part that is not installed.
    fn place(&self, layout: &Layout) -> Option<PathBuf> {
        let path = PathBuf::from(expand(&self.path, layout));
        path.is_absolute().then_some(path)
    }

    fn owners(&self, layout: &Layout) -> Result<(Option<u32>, Option<u32>)> {
        let owner = expand(&self.owner, layout);
        let owner = owner.to_string_lossy();
        let uid = identity::user_by_name(&owner)?
            .with_context(|| format!("unknown user {owner}"))?
            .uid;
        let gid = match expand(&self.group, layout).to_string_lossy().as_ref() {
            "" | "-" => None,
            group => Some(
                identity::group_by_name(group)?
                    .with_context(|| format!("unknown group {group}"))?,
            ),
        };
        Ok((Some(uid), gid))
    }

    fn apply(&self, layout: &Layout, path: &Path) -> Result<()> {
        let (uid, gid) = self.owners(layout)?;
        lchown(path, uid, gid).with_context(|| format!("chown {}", path.display()))?;
        // After the owner: a change of owner takes setgid bits away.
        if !path.is_symlink() {
            fs::set_permissions(path, Permissions::from_mode(self.mode))
                .with_context(|| format!("chmod {}", path.display()))?;
        }
        Ok(())
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

fn own_tree(path: &Path, uid: Option<u32>, gid: Option<u32>) -> Result<()> {
    lchown(path, uid, gid).with_context(|| format!("chown {}", path.display()))?;
    if path.is_symlink() || !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| path.display().to_string())? {
        own_tree(&entry?.path(), uid, gid)?;
    }
    Ok(())
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
        let text = "# comment\n$queue_directory:d:root:-:755:uc\n$queue_directory/public:d:$mail_owner:$setgid_group:710:uc\n$queue_directory/x:d:root:-:755:u\n$mailq_path:l:$sendmail_path\n";
        files.add(text, Path::new("postfix-files")).unwrap();
        if identity::effective_uid() == 0 {
            files.create_missing(&layout).unwrap();
            let public = fs::metadata(root.path().join("spool/public")).unwrap();
            assert_eq!(public.permissions().mode() & 0o7777, 0o710);
            assert!(!root.path().join("spool/x").exists());
        }
        assert!(files.add("$a:z:b", Path::new("f")).is_err());
    }
}
