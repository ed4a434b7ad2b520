//! Mixed systems: programs of one system put over those of the other, in the instance's own view of the files.
//!
//! `POSTFIX_RS_SWAP` names them (`smtp,postqueue`). With the peer as target they are ours inside the peer's system; with ours as
//! target they are the peer's inside ours, which then runs in the peer's root, where their libraries are.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use crate::Target;

/// Commands that run with the group `postdrop`; its number is not the same everywhere.
const SETGID: [&str; 3] = ["postdrop", "postlog", "postqueue"];

/// Programs that go by two names.
const SECOND_NAMES: [(&str, &str); 2] = [("smtp", "lmtp"), ("qmgr", "nqmgr")];

/// The programs that the environment asks to be swapped.
pub(crate) fn swapped() -> Vec<String> {
    std::env::var("POSTFIX_RS_SWAP")
        .map(|names| names.split(',').map(str::to_owned).collect())
        .unwrap_or_default()
}

/// The lines of the shell that mount our programs into the peer's root where needed, and the swapped ones over the others.
pub(crate) fn mounts(target: &Target, top: &Path, swapped: &[String]) -> String {
    let root = target.root();
    let ours = Target::Ours(Target::our_prefix());
    let mut script = String::new();
    if let Target::OursInPeerRoot(_) = target {
        let prefix = Target::our_prefix();
        let inside = below(root, &target.prefix());
        script += &format!("mount --bind {} {}\n", prefix.display(), inside.display());
        for name in SETGID {
            let from = with_group(root, top, name, &place(&ours, name));
            script += &over(&from, &below(root, &place(target, name)));
        }
    }
    for (name, from, to) in swaps(target, swapped) {
        if SETGID.contains(&name.as_str()) {
            script += &over(&with_group(root, top, &name, &from), &to);
        } else {
            script += &over(&from, &to);
        }
    }
    script
}

/// The lines that take back what [`mounts`] did with the swapped programs.
pub(crate) fn unmounts(target: &Target, swapped: &[String]) -> String {
    swaps(target, swapped)
        .iter()
        .map(|(_, _, to)| format!("umount --lazy {}\n", to.display()))
        .collect()
}

/// The swapped programs: name, the other system's file, and whose place it takes.
fn swaps(target: &Target, swapped: &[String]) -> Vec<(String, PathBuf, PathBuf)> {
    let other = if target.is_peer() {
        Target::Ours(Target::our_prefix())
    } else {
        Target::Peer(Target::peer_root())
    };
    let mut names: Vec<&str> = swapped.iter().map(String::as_str).collect();
    for (first, second) in SECOND_NAMES {
        if names.contains(&first) && !names.contains(&second) {
            names.push(second);
        }
    }
    let files = names.into_iter().map(|name| {
        let from = below(other.root(), &place(&other, name));
        (
            name.to_owned(),
            from,
            below(target.root(), &place(target, name)),
        )
    });
    files.collect()
}

/// All programs that both systems have.
pub(crate) fn all(target: &Target) -> Vec<String> {
    let ours = Target::Ours(Target::our_prefix());
    let both = |name: &String| below(target.root(), &place(target, name)).exists();
    [ours.command_directory(), ours.daemon_directory()]
        .iter()
        .flat_map(|dir| fs::read_dir(dir).unwrap().flatten())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(both)
        .collect()
}

fn over(from: &Path, to: &Path) -> String {
    format!("mount --bind {} {}\n", from.display(), to.display())
}

/// Where a program is, seen from inside.
fn place(target: &Target, name: &str) -> PathBuf {
    match name {
        "postlogd" | "postscreen" => target.daemon_directory().join(name),
        "sendmail" => target.command(name),
        _ if name.starts_with("post") => target.command(name),
        _ => target.daemon_directory().join(name),
    }
}

fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap())
}

/// A copy of a command with the group `postdrop` of the system that it is to run in.
fn with_group(root: &Path, top: &Path, name: &str, from: &Path) -> PathBuf {
    let groups = fs::read_to_string(root.join("etc/group")).unwrap();
    let gid: u32 = groups
        .lines()
        .find_map(|line| {
            line.strip_prefix("postdrop:x:")?
                .split(':')
                .next()?
                .parse()
                .ok()
        })
        .unwrap();
    let to = top.join(format!("swapped-{name}"));
    fs::copy(from, &to).unwrap_or_else(|err| panic!("{}: {err}", from.display()));
    chown(&to, None, Some(gid)).unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o2755)).unwrap();
    to
}
