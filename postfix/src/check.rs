//! What is wrong with owners, modes and the queue, without being in the way of mail.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use pf_config::{Config, Source, param};
use pf_sys::identity;

use crate::actions::Run;

/// Queue directories that belong to the mail owner, with all that is in them.
const OWNED: [&str; 12] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private",
    "public", "saved", "trace",
];

/// Warns of everything that is not as it should be.
///
/// # Errors
/// The accounts are not known.
pub(crate) fn warn(run: &Run<'_>) -> Result<()> {
    run.complain()?;
    let layout = run.layout;
    let queue = &layout.queue;
    let owner = identity::user_by_name(&layout.owner)?
        .with_context(|| format!("unknown user: {}", layout.owner))?
        .uid;
    let group = identity::group_by_name(&layout.group)?
        .with_context(|| format!("unknown group: {}", layout.group))?;
    let shared = !is_secondary(&layout.config)?;

    let tops = [queue.join("."), queue.join("pid")];
    not_owned(&tops, 0, "root", false);
    writable(&tops, false);

    let mut trees = vec![layout.config.join(".")];
    if shared {
        trees.push(layout.daemon.join("."));
        trees.push(layout.meta.join("."));
        if layout.has_libraries() {
            trees.push(layout.shlib.join("."));
        }
    }
    trees.sort();
    trees.dedup();
    not_owned(&trees, 0, "root", true);
    writable(&trees, true);

    let data = [layout.data.join(".")];
    not_owned(&data, owner, &layout.owner, true);
    writable(&data, true);

    for name in OWNED {
        walk(&queue.join(name), true, &mut |path, status| {
            use std::os::unix::fs::FileTypeExt as _;
            let kind = status.file_type();
            if !kind.is_fifo() && !kind.is_socket() && status.uid() != owner {
                pf_log::warning!("not owned by {}: {}", layout.owner, path.display());
            }
        });
    }
    // What is in the maildrop directory comes from anybody: it is not looked at.
    not_owned(&[queue.join("maildrop")], owner, &layout.owner, false);

    let mut grouped = vec![queue.join("public"), queue.join("maildrop")];
    let setgid = [layout.command("postqueue"), layout.command("postdrop")];
    if shared {
        grouped.splice(0..0, setgid.clone());
    }
    for path in grouped {
        walk(&path, false, &mut |path, status| {
            if status.gid() != group {
                pf_log::warning!("not owned by group {}: {}", layout.group, path.display());
            }
        });
    }
    if shared {
        for path in setgid {
            walk(&path, false, &mut |path, status| {
                if status.mode() & 0o2111 != 0o2111 {
                    pf_log::warning!(
                        "not set-gid or not owner+group+world executable: {}",
                        path.display()
                    );
                }
            });
        }
    }
    jail(queue);
    walk(&queue.join("corrupt"), true, &mut |path, status| {
        if status.is_file() {
            let path = path.strip_prefix(queue).unwrap_or(path);
            pf_log::warning!("damaged message: {}", path.display());
        }
    });
    if shared {
        remnants();
    }
    Ok(())
}

/// What another mail system may have left behind.
fn remnants() {
    let [new, old] = ["/usr/sbin/sendmail", "/usr/lib/sendmail"].map(Path::new);
    if new.is_file() && old.is_file() && fs::read(new).ok() != fs::read(old).ok() {
        pf_log::warning!("{} and {} differ", old.display(), new.display());
        pf_log::warning!("Replace one by a symbolic link to the other");
    }
}

/// Whether this is not the first of several instances: then the programs are somebody else's to look after.
///
/// # Errors
/// The configuration of the first instance is broken.
pub(crate) fn is_secondary(directory: &Path) -> Result<bool> {
    Ok(directory != Source::default().dir
        && instances()?.iter().any(|instance| instance == directory))
}

/// The other instances, as the first one lists them.
///
/// # Errors
/// As [`is_secondary`].
pub(crate) fn instances() -> Result<Vec<PathBuf>> {
    let first = Source::default();
    if !first.dir.join("main.cf").is_file() {
        return Ok(Vec::new());
    }
    let list = Config::load(&first)?.get(param::MULTI_INSTANCE_DIRECTORIES)?;
    Ok(pf_text::split::list(&list).map(PathBuf::from).collect())
}

fn not_owned(paths: &[PathBuf], uid: u32, name: &str, deep: bool) {
    for path in paths {
        walk(path, deep, &mut |path, status| {
            if status.uid() != uid {
                pf_log::warning!("not owned by {name}: {}", path.display());
            }
        });
    }
}

fn writable(paths: &[PathBuf], deep: bool) {
    for path in paths {
        walk(path, deep, &mut |path, status| {
            if !status.is_symlink() && status.mode() & 0o022 != 0 {
                pf_log::warning!("group or other writable: {}", path.display());
            }
        });
    }
}

/// Files that daemons find in the queue directory when they are shut into it must be the system's own.
fn jail(queue: &Path) {
    for name in ["bin", "etc", "lib", "sbin", "usr"] {
        let top = queue.join(name);
        if !top.is_dir() {
            continue;
        }
        walk(&top, true, &mut |path, status| {
            if status.uid() != 0 {
                pf_log::warning!("not owned by root: {}", path.display());
            }
        });
        walk(&top, true, &mut |path, status| {
            let Ok(inside) = path.strip_prefix(queue) else {
                return;
            };
            let outside = Path::new("/").join(inside);
            if status.is_file()
                && outside.is_file()
                && fs::read(path).ok() != fs::read(&outside).ok()
            {
                pf_log::warning!("{} and {} differ", path.display(), outside.display());
            }
        });
    }
}

/// Looks at a path, and with `deep` at all that is below it. What is not there is passed over.
fn walk(path: &Path, deep: bool, look: &mut dyn FnMut(&Path, &Metadata)) {
    let Ok(status) = fs::symlink_metadata(path) else {
        return;
    };
    look(path, &status);
    if !deep || !status.is_dir() {
        return;
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| path.join(entry.file_name()))
        .collect();
    entries.sort();
    for entry in entries {
        walk(&entry, true, look);
    }
}
