//! The files of a case: made, and what is there afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::case::Case;
use crate::queue_file::{long_inode, records_of};

/// Parameters that a case has its own values of.
const PLACES: [&str; 3] = ["queue_directory", "data_directory", "maillog_file "];
/// Parameters that tell where the programs of one system are.
const PROGRAMS: [&str; 7] = [
    "command_directory",
    "daemon_directory",
    "sendmail_path",
    "mailq_path",
    "newaliases_path",
    "meta_directory",
    "shlib_directory",
];

/// What stands for inode numbers in this run.
#[derive(Debug, Default)]
pub struct Labels(Vec<(char, u64)>);

/// Who owns what, by name: numbers differ between the systems.
#[derive(Debug)]
pub struct Owners {
    /// The account `postfix`.
    pub postfix: u32,
    /// Its group.
    pub group: u32,
    /// The group `postdrop`.
    pub postdrop: u32,
}

impl Labels {
    /// Puts this run's numbers in.
    pub fn filled(&self, bytes: &[u8], top: &Path) -> Vec<u8> {
        let mut bytes = replaced(bytes, b"@TOP@", top.to_str().unwrap().as_bytes());
        for (label, inode) in &self.0 {
            bytes = replaced(
                &bytes,
                format!("@I{label}@").as_bytes(),
                format!("{inode:X}").as_bytes(),
            );
            bytes = replaced(
                &bytes,
                format!("@L{label}@").as_bytes(),
                long_inode(*inode).as_bytes(),
            );
        }
        bytes
    }

    /// Takes this run's numbers out.
    pub fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (label, inode) in &self.0 {
            text = text
                .replace(&format!("{inode:X}"), &format!("<{label}>"))
                .replace(&format!("z{}", long_inode(*inode)), &format!("z<{label}>"));
        }
        text
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut new = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            new.extend(to);
            at += from.len();
        } else {
            new.push(bytes[at]);
            at += 1;
        }
    }
    new
}

/// Makes the directory `top` with all that the case begins with.
pub fn make(top: &Path, case: &Case, base: &str, master: &str, owners: &Owners) -> Labels {
    let mut labels = Labels::default();
    fs::create_dir_all(top.join("w")).unwrap();
    fs::set_permissions(top.join("w"), fs::Permissions::from_mode(0o777)).unwrap();
    if let Some(lines) = &case.main_cf {
        for below in ["etc", "data", "spool"] {
            fs::create_dir(top.join(below)).unwrap();
        }
        chown(top.join("data"), Some(owners.postfix), None).unwrap();
        for (queue, mode) in [
            ("active", 0o700),
            ("bounce", 0o700),
            ("corrupt", 0o700),
            ("defer", 0o700),
            ("deferred", 0o700),
            ("flush", 0o700),
            ("hold", 0o700),
            ("incoming", 0o700),
            ("saved", 0o700),
            ("trace", 0o700),
            ("private", 0o700),
            ("maildrop", 0o730),
            ("public", 0o710),
            ("pid", 0o755),
        ] {
            let path = top.join("spool").join(queue);
            fs::create_dir(&path).unwrap();
            let group = ["maildrop", "public"]
                .contains(&queue)
                .then_some(owners.postdrop);
            let owner = (queue != "pid").then_some(owners.postfix);
            chown(&path, owner, group).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut own_lines = String::new();
        let mut text = if case.whole {
            Vec::new()
        } else {
            let top = top.display();
            let text = String::from_utf8_lossy(lines);
            let set = |name: &str| {
                text.lines()
                    .any(|line| line.split(['=', ' ']).next() == Some(name))
            };
            // What only one of the systems needs is last: complaints tell numbers of lines.
            let (own, all): (Vec<&str>, Vec<&str>) = base
                .lines()
                .filter(|line| !PLACES.iter().any(|name| line.starts_with(name)))
                .filter(|line| !set(line.split(' ').next().unwrap_or_default()))
                .partition(|line| PROGRAMS.iter().any(|name| line.starts_with(name)));
            let places: String = [
                ("queue_directory", "spool"),
                ("data_directory", "data"),
                ("maillog_file", "log"),
            ]
            .iter()
            .filter(|(name, _)| !set(name))
            .map(|(name, below)| format!("{name} = {top}/{below}\n"))
            .collect();
            own_lines = own.join("\n") + "\n";
            format!("{}\n{places}", all.join("\n")).into_bytes()
        };
        text.extend(labels.filled(lines, top));
        text.extend(own_lines.bytes());
        fs::write(top.join("etc/main.cf"), text).unwrap();
        let master = case.master_cf.as_deref().unwrap_or(master.as_bytes());
        fs::write(top.join("etc/master.cf"), labels.filled(master, top)).unwrap();
        for name in ["etc/main.cf", "etc/master.cf"] {
            age(&top.join(name), super::case::OLD);
        }
    }
    for file in &case.files {
        let mut path = top.join(&file.path);
        let directory = path.parent().unwrap();
        let mut missing = Vec::new();
        let mut at = directory;
        while !at.exists() {
            missing.push(at.to_owned());
            at = at.parent().unwrap();
        }
        for directory in missing.iter().rev() {
            fs::create_dir(directory).unwrap();
            if file.mail_owner {
                chown(directory, Some(owners.postfix), None).unwrap();
                fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
            }
        }
        if file.path.contains("@I@") || file.path.contains("@L@") {
            path = directory.join("being made");
        }
        fs::write(&path, labels.filled(&file.bytes, top)).unwrap();
        let inode = path.metadata().unwrap().ino();
        if let Some(label) = file.label {
            labels.0.push((label, inode));
        }
        let named = file
            .path
            .replace("@I@", &format!("{inode:X}"))
            .replace("@L@", &long_inode(inode));
        let to = top.join(String::from_utf8(labels.filled(named.as_bytes(), top)).unwrap());
        if to != path {
            fs::rename(&path, &to).unwrap();
        }
        age(&to, file.age);
        if file.mail_owner {
            chown(&to, Some(owners.postfix), None).unwrap();
        }
        fs::set_permissions(&to, fs::Permissions::from_mode(file.mode)).unwrap();
    }
    labels
}

fn age(path: &Path, seconds: i64) {
    let span = Duration::from_secs(seconds.unsigned_abs());
    let now = SystemTime::now();
    let then = if seconds < 0 { now + span } else { now - span };
    // Whole seconds and a known rest: a part of a new queue id.
    let whole = then
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let then = SystemTime::UNIX_EPOCH + Duration::new(whole, 123_456_000);
    let file = fs::File::open(path).unwrap();
    file.set_times(fs::FileTimes::new().set_modified(then).set_accessed(then))
        .unwrap();
}

/// All that is below `top` now.
pub fn look(top: &Path, case: &Case, labels: &Labels, owners: &Owners) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    below(top, "", labels, owners, &mut found);
    if !case.whole {
        // It tells where programs are.
        found.remove("etc/main.cf");
    }
    found
}

fn below(
    directory: &Path,
    shown: &str,
    labels: &Labels,
    owners: &Owners,
    found: &mut BTreeMap<String, String>,
) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let Ok(status) = fs::symlink_metadata(entry.path()) else {
            continue;
        };
        let name = labels.named(&entry.file_name().to_string_lossy());
        if name.starts_with("log.") {
            // What was rotated is named by the second.
            continue;
        }
        let name = format!("{shown}{name}");
        // The original leaves what it failed to write.
        let litter = name.starts_with("etc/") && name.ends_with(".tmp");
        if litter || ["o", "e", "s", "run"].contains(&name.as_str()) {
            continue;
        }
        let group = match status.gid() {
            // Where postlog is setgid, what it makes is its group's.
            id if id == owners.postdrop && name != "log" => "postdrop".to_owned(),
            _ if name == "log" => "any".to_owned(),
            id if id == owners.group => "postfix".to_owned(),
            id => id.to_string(),
        };
        let owner = match status.uid() {
            id if id == owners.postfix => "postfix".to_owned(),
            id => id.to_string(),
        };
        let mut text = format!("{:o} {owner} {group}", status.mode() & 0o7777,);
        let kind = status.file_type();
        if kind.is_dir() {
            let name = format!("{name}/");
            below(&entry.path(), &name, labels, owners, found);
            found.insert(name, text);
            continue;
        }
        if kind.is_symlink() {
            let _ = write!(text, " -> {:?}", fs::read_link(entry.path()));
        } else if kind.is_socket() || kind.is_fifo() {
            text += " socket or pipe";
        } else {
            let now = i64::try_from(
                SystemTime::now()
                    .duration_since(SystemTime::UNIX_EPOCH)
                    .unwrap()
                    .as_secs(),
            )
            .unwrap();
            let when = match now - status.mtime() {
                ..-600 => "future",
                -600..600 => "now",
                _ => "past",
            };
            let bytes = fs::read(entry.path()).unwrap_or_default();
            let _ = write!(text, " {when}\n{}", content(&name, &bytes));
        }
        if name.starts_with("spool/maildrop/") && text.contains(" now\n") {
            // A new one: its name says when it was made.
            let all = found.entry("spool/maildrop/QID".to_owned()).or_default();
            let mut files: Vec<&str> = all
                .split_terminator("\n--\n")
                .chain([text.as_str()])
                .collect();
            files.sort_unstable();
            *all = files.join("\n--\n");
        } else {
            found.insert(name, text);
        }
    }
}

/// What is in a file, in a form that can be compared.
fn content(name: &str, bytes: &[u8]) -> String {
    if name.ends_with(".lmdb") {
        // Pages are each library's own affair; the script tells what is in it.
        return "lmdb".to_owned();
    }
    if name.starts_with("spool/maildrop/") {
        return records_of(bytes);
    }
    let mut text = bytes.escape_ascii().to_string().replace("\\n", "\n");
    if let Some(at) = text.find("YP_LAST_MODIFIED") {
        let digits: Vec<usize> = text[at..]
            .char_indices()
            .filter(|(_, ch)| ch.is_ascii_digit())
            .map(|(n, _)| at + n)
            .collect();
        for digit in digits.into_iter().take(13) {
            text.replace_range(digit..=digit, "0");
        }
    }
    text
}
