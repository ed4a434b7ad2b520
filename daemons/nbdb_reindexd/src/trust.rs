//! Whether a table is out of everybody's reach but its owner's. Requests come from programs that strangers talk to; one that
//! was taken over could name any path, and change what is there between our look and our deed.

use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use pf_config::system::reason;
use pf_log::warning;

/// Write permission for the group or for others.
const FOREIGN_WRITE: u32 = 0o022;

/// The directories below which tables may be indexed (`non_bdb_migration_allow_..._prefixes`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixes {
    parameter: &'static str,
    setting: String,
    list: Vec<String>,
}

impl Prefixes {
    /// The list that a parameter holds; what is no absolute path is left out, with a warning.
    pub fn new(parameter: &'static str, setting: String) -> Self {
        let list = pf_text::split::list(&setting)
            .filter(|prefix| {
                prefix.starts_with('/') || declined("relative pathname", Path::new(prefix))
            })
            .map(|prefix| prefix.trim_end_matches('/').to_owned())
            .collect();
        Self {
            parameter,
            setting,
            list,
        }
    }

    /// Whether a path is below one of the directories, as far as its text tells.
    fn allow(&self, path: &Path) -> bool {
        let text = path.as_os_str().as_bytes();
        if !text.starts_with(b"/") {
            return declined("relative pathname", path);
        }
        if text.windows(4).any(|part| part == b"/../") {
            return declined("'/../'", path);
        }
        self.list.iter().any(|prefix| {
            text.strip_prefix(prefix.as_bytes())
                .is_some_and(|rest| rest.starts_with(b"/"))
        })
    }
}

fn declined(what: &str, path: &Path) -> bool {
    warning!(
        "request to allowlist prefix with {what}: '{}'",
        path.display()
    );
    false
}

/// A table, as it was found.
#[derive(Debug)]
pub struct Found<'a> {
    /// The path of its source.
    pub source: &'a Path,
    /// What the system knows of the source.
    pub source_status: Metadata,
    /// The path of its old index.
    pub old: &'a Path,
    /// What the system knows of the old index, whose owner the new one is made for.
    pub old_status: Metadata,
    /// The directory of the source.
    pub parent: &'a Path,
    /// What the system knows of it.
    pub parent_status: Metadata,
}

/// Where tables of root, and those of others, may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// Those of root.
    pub root: Prefixes,
    /// Those of others.
    pub users: Prefixes,
}

impl Trust {
    /// Whether nobody but root and the owner of the old index can change the table, or put something in its place.
    ///
    /// # Errors
    /// Somebody can: who, and what is to be done about it, in Postfix's words.
    pub fn check(&self, table: &Found<'_>) -> Result<(), String> {
        let uid = table.old_status.uid();
        let (prefixes, who) = match uid {
            0 => (&self.root, "root"),
            _ => (&self.users, "non-root"),
        };
        let (source, old) = (table.source.display(), table.old.display());
        if !prefixes.allow(table.source) {
            return Err(format!(
                "table {source} has an unexpected pathname; to allow automatic indexing as {who}, append its parent directory to the '{}' setting (current setting is: \"{}\")",
                prefixes.parameter, prefixes.setting
            ));
        }
        if !is_safe(uid, &table.source_status) {
            return Err(format!(
                "legacy indexed file '{old}' is owned by uid '{uid}', but source file '{source}' is owned or writable by other user; to allow automatic indexing, correct the ownership or permissions"
            ));
        }
        if !is_safe(uid, &table.parent_status) || !are_safe_above(uid, table.parent) {
            let parent = table.parent.display();
            return Err(format!(
                "legacy indexed file '{old}' is owned by uid '{uid}', but parent directory '{parent}' is owned or writable by other user; to allow automatic indexing, correct the ownership orpermissions"
            ));
        }
        Ok(())
    }
}

/// Whether only this user and root can change a file or directory.
fn is_safe(uid: u32, status: &Metadata) -> bool {
    (status.uid() == 0 || status.uid() == uid) && status.mode() & FOREIGN_WRITE == 0
}

/// Whether so it is with all directories above this one. Where one is a symbolic link, what it points to counts.
fn are_safe_above(uid: u32, directory: &Path) -> bool {
    directory
        .ancestors()
        .skip(1)
        .all(|above| match fs::metadata(above) {
            Ok(status) => is_safe(uid, &status),
            Err(err) => {
                let above = above.display();
                warning!("look up status for directory '{above}': {}", reason(&err));
                false
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    fn prefixes(setting: &str) -> Prefixes {
        Prefixes::new("some_prefixes", setting.to_owned())
    }

    #[test]
    fn paths_below_a_prefix() {
        let list = prefixes("/etc/, relative\t/usr/local/etc");
        for good in ["/etc/x", "/etc/a/b", "/etc//x", "/usr/local/etc/x"] {
            assert!(list.allow(Path::new(good)), "{good}");
        }
        for bad in [
            "/etc",
            "/etcx",
            "/usr/x",
            "etc/x",
            "",
            "/etc/../x",
            "//etc/x",
        ] {
            assert!(!list.allow(Path::new(bad)), "{bad}");
        }
        assert!(prefixes("/").allow(Path::new("/x")));
        assert!(!prefixes("").allow(Path::new("/x")));
    }

    fn check(setting: &str, source: &Path) -> Result<(), String> {
        let old = PathBuf::from(format!("{}.db", source.display()));
        let parent = source.parent().unwrap();
        let status = |path: &Path| fs::metadata(path).unwrap();
        Trust {
            root: prefixes(setting),
            users: prefixes(setting),
        }
        .check(&Found {
            source,
            source_status: status(source),
            old: &old,
            old_status: status(&old),
            parent,
            parent_status: status(parent),
        })
    }

    /// Bug 20260720: each directory on the way counts, not only the last one.
    #[test]
    fn bug_20260720_directories_that_others_can_write_to() {
        let top = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let deep = top.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        let source = deep.join("t");
        fs::write(&source, "").unwrap();
        fs::write(deep.join("t.db"), "").unwrap();
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for path in [top.path(), &top.path().join("a"), &deep] {
            set(path, 0o755);
        }
        set(&source, 0o644);
        let setting = top.path().to_str().unwrap();
        let uid = fs::metadata(&source).unwrap().uid();
        // Where the tree of this test itself is within others' reach, nothing below it is safe.
        let safe = are_safe_above(uid, top.path());
        assert_eq!(check(setting, &source).is_ok(), safe);
        assert!(
            check("/nowhere", &source)
                .unwrap_err()
                .contains("has an unexpected pathname")
        );
        set(&source, 0o664);
        assert!(check(setting, &source).unwrap_err().contains("source file"));
        set(&source, 0o644);
        set(&top.path().join("a"), 0o777);
        let why = check(setting, &source).unwrap_err();
        assert!(why.contains("but parent directory"), "{why}");
    }

    #[test]
    fn others_own_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let status = fs::metadata(dir.path()).unwrap();
        assert!(is_safe(status.uid(), &status));
        assert_eq!(is_safe(status.uid() + 1, &status), status.uid() == 0);
    }
}
