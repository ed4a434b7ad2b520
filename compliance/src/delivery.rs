//! Messages to one recipient after the other, and what becomes of them in the log and in files.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use pf_testkit::{Instance, wait_for};
use regex::Regex;

use crate::golden::log;

const LOG: &str = r"postfix/(local|virtual|pipe|smtp|error)\[\d+\]: |postfix/qmgr\[\d+\]: [0-9A-F]+: from=|: uid=";

/// A system with `main_cf`, these aliases, and whatever `prepare` does before the start. `TOP` stands for its directory.
pub fn system(main_cf: &str, aliases: &str, prepare: impl FnOnce(&Instance)) -> Instance {
    system_with(main_cf, "", aliases, prepare)
}

/// As [`system`], with services for `master.cf`.
pub fn system_with(
    main_cf: &str,
    master_cf: &str,
    aliases: &str,
    prepare: impl FnOnce(&Instance),
) -> Instance {
    let instance = Instance::builder()
        .main_cf("append_dot_mydomain = no\nrecipient_delimiter = +\ndefault_transport = error:no outside world")
        .main_cf(main_cf)
        .master_cf(master_cf)
        .build();
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/').to_owned();
    for file in ["etc/main.cf", "etc/master.cf"] {
        let text = instance.read(file).replace("TOP", &top);
        instance.write(file, text);
    }
    instance.write(
        "etc/aliases",
        format!("postmaster root\n{}", aliases.replace("TOP", &top)),
    );
    std::fs::create_dir(instance.path("out")).unwrap();
    std::fs::set_permissions(
        instance.path("out"),
        std::fs::Permissions::from_mode(0o1777),
    )
    .unwrap();
    prepare(&instance);
    instance.start();
    instance
}

/// Writes a file that belongs to a user.
pub fn own(instance: &Instance, below: &str, user: &str, text: &str) {
    let path = instance.write(below, text);
    let home = std::fs::metadata(instance.path(&format!("home/{user}"))).unwrap();
    let (uid, gid) = (
        std::os::unix::fs::MetadataExt::uid(&home),
        std::os::unix::fs::MetadataExt::gid(&home),
    );
    chown(path, Some(uid), Some(gid)).unwrap();
}

/// Sends a message to one recipient after the other, each when the one before is done, and tells what the log has.
pub fn send(instance: &Instance, recipients: &[&str]) -> String {
    let content = b"Subject: test\n\nFrom the first line\n.dot\nlast\n";
    recipients
        .iter()
        .map(|recipient| send_with(instance, "-i", recipient, content))
        .collect()
}

/// Flushes the queue, and waits until all that was put aside has been taken up.
pub fn flush(instance: &Instance) {
    let ids = put_aside(&instance.seen("spool/deferred"));
    let taken = |id: &String| instance.log().matches(&format!("{id}: from=<")).count();
    let before: Vec<_> = ids.iter().map(taken).collect();
    instance.run("postqueue", &["-f"]);
    let all = || {
        ids.iter()
            .zip(&before)
            .all(|(id, count)| taken(id) > *count)
    };
    assert!(
        wait_for(std::time::Duration::from_secs(20), all),
        "{ids:?} {}",
        instance.log()
    );
}

/// The names of all files below a queue.
pub fn put_aside(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            if entry.path().is_dir() {
                put_aside(&entry.path())
            } else {
                vec![entry.file_name().to_string_lossy().into_owned()]
            }
        })
        .collect()
}

/// Whether no message is on its way.
pub fn is_quiet(instance: &Instance) -> bool {
    // In the order in which mail passes through them, twice: a notification may have come from behind.
    ["maildrop", "incoming", "active"]
        .repeat(2)
        .iter()
        .all(|queue| {
            std::fs::read_dir(instance.seen("spool").join(queue))
                .is_ok_and(|mut files| files.next().is_none())
        })
}

/// Sends one message with an option of sendmail, and tells what the log has when it is done.
pub fn send_with(instance: &Instance, option: &str, recipient: &str, content: &[u8]) -> String {
    send_all(instance, option, &[recipient], content)
}

/// As [`send_with`], to several recipients at once.
pub fn send_all(instance: &Instance, option: &str, recipients: &[&str], content: &[u8]) -> String {
    let before = instance.log().len();
    let words = [&[option, "-i", "-f", "bob@test.example"], recipients].concat();
    let sent = instance.run_with("sendmail", &words, content);
    let recipient = recipients.join(" ");
    assert_eq!(sent.status, 0, "{sent:?}");
    // Bounces and forwarded mail are messages of their own.
    let quiet = || {
        let log = instance.log();
        let new = log.get(before..).unwrap_or_default();
        let taken = new.matches(": uid=").count() + new.matches(": message-id=").count();
        let active = new.matches("(queue active)").count();
        let ended = new.matches(": removed").count() + new.matches("status=deferred").count();
        taken > 1
            && active > 0
            && ended >= active
            && new.matches(": message-id=").count()
                == active + new.matches(": removed (canceled)").count()
            && is_quiet(instance)
    };
    assert!(
        wait_for(std::time::Duration::from_secs(20), quiet),
        "{recipient}: {}",
        instance.log()
    );
    let all = log(instance, LOG);
    let new = instance.log().get(before..).unwrap_or_default().to_owned();
    let told = Regex::new(LOG).unwrap();
    let count = new.lines().filter(|line| told.is_match(line)).count();
    let lines: Vec<_> = all.lines().collect();
    let mut lines = lines
        .get(lines.len() - count..)
        .unwrap_or_default()
        .to_vec();
    // Messages that are on their way at the same time come in any order.
    let rest = lines.split_off(1);
    let tidy = [
        (r"^postfix/(\w+)\[PID\]: (?:[0-9A-F]{10,}: )?", "$1: "),
        (r"^postfix/(\w+)\[\d+\]: (?:[0-9A-F]{10,}: )?", "$1: "),
        (r"size=\d+", "size=N"),
        (r"\d+\.P\d+\.\w+", "TIME.PID.HOST"),
        (r"\b[0-9A-F]{10,}\b", "QID"),
        (r"delay=[\d.]+, delays=[\d./]+", "delay=D, delays=D"),
        (r"\bQID\.V[0-9a-f]+I[0-9a-f]+M\d+\.\w+", "TIME.PID.HOST"),
        (r"\d+\.V[0-9a-f]+I[0-9a-f]+M\d+\.\w+", "TIME.PID.HOST"),
    ]
    .map(|(pattern, with)| (Regex::new(pattern).unwrap(), with));
    let mut rest: Vec<_> = rest
        .into_iter()
        .map(|line| {
            tidy.iter().fold(line.to_owned(), |line, (pattern, with)| {
                pattern.replace_all(&line, *with).into_owned()
            })
        })
        .filter(|line| !line.contains("overriding earlier entry"))
        .collect();
    rest.sort();
    let option = if option == "-i" {
        String::new()
    } else {
        format!("{option} ")
    };
    format!("--- {option}{recipient}\n{}\n", rest.join("\n"))
}

/// The content of a file or of all files in a directory, with who owns them and their modes.
pub fn shown(instance: &Instance, below: &str) -> String {
    fn walk(path: &Path, name: &str, text: &mut String) {
        let Ok(status) = std::fs::symlink_metadata(path) else {
            text.push_str(&format!("=== {name}: not there\n"));
            return;
        };
        let about = format!(
            "{:o} {}",
            status.permissions().mode() & 0o7777,
            std::os::unix::fs::MetadataExt::uid(&status)
        );
        if status.is_dir() {
            text.push_str(&format!("=== {name}/: {about}\n"));
            let mut entries: Vec<_> = std::fs::read_dir(path).unwrap().flatten().collect();
            entries.sort_by_key(std::fs::DirEntry::file_name);
            let unique = Regex::new(r"^\d+\.V[0-9a-f]+I[0-9a-f]+M\d+\..*").unwrap();
            for entry in entries {
                let file = entry.file_name().to_string_lossy().into_owned();
                let file = unique.replace(&file, "TIME.VxIxMx.HOST").into_owned();
                walk(&entry.path(), &format!("{name}/{file}"), text);
            }
        } else if path.is_file() {
            let content = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            text.push_str(&format!("=== {name}: {about}\n{content}"));
        } else if let Ok(target) = std::fs::read_link(path) {
            text.push_str(&format!("=== {name} -> {}\n", target.display()));
        } else {
            text.push_str(&format!("=== {name}: {about} not a regular file\n"));
        }
    }
    let mut text = String::new();
    walk(&instance.path(below), below, &mut text);
    text
}
