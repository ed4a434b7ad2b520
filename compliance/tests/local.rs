//! Local delivery: what becomes of a recipient, in the log and in the files.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at its first surprise"
)]

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use compliance::golden::{check, log};
use compliance::testkit::{Instance, wait_for};

const LOG: &str = r"postfix/(local|virtual|pipe|smtp|error)\[\d+\]: |postfix/qmgr\[\d+\]: [0-9A-F]+: from=|: uid=";

/// A system with `main_cf`, these aliases, and whatever `prepare` does before the start.
fn system(main_cf: &str, aliases: &str, prepare: impl FnOnce(&Instance)) -> Instance {
    let instance = Instance::builder()
        .main_cf("append_dot_mydomain = no\nrecipient_delimiter = +\ndefault_transport = error:no outside world")
        .main_cf(main_cf)
        .build();
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/').to_owned();
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
fn own(instance: &Instance, below: &str, user: &str, text: &str) {
    let path = instance.write(below, text);
    let home = std::fs::metadata(instance.path(&format!("home/{user}"))).unwrap();
    let (uid, gid) = (
        std::os::unix::fs::MetadataExt::uid(&home),
        std::os::unix::fs::MetadataExt::gid(&home),
    );
    chown(path, Some(uid), Some(gid)).unwrap();
}

/// Sends a message to one recipient after the other, each when the one before is done, and tells what the log has.
fn send(instance: &Instance, recipients: &[&str]) -> String {
    let mut text = String::new();
    for recipient in recipients {
        let before = instance.log().len();
        let sent = instance.run_with(
            "sendmail",
            &["-i", "-f", "bob@test.example", recipient],
            b"Subject: test\n\nFrom the first line\n.dot\nlast\n",
        );
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
                && new.matches(": message-id=").count() == active
        };
        assert!(
            wait_for(std::time::Duration::from_secs(20), quiet),
            "{recipient}: {}",
            instance.log()
        );
        std::thread::sleep(std::time::Duration::from_millis(60));
        let all = log(instance, LOG);
        let new = instance.log().get(before..).unwrap_or_default().to_owned();
        let count = new
            .lines()
            .filter(|line| regex::Regex::new(LOG).unwrap().is_match(line))
            .count();
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
        ];
        let mut rest: Vec<_> = rest
            .into_iter()
            .map(|line| {
                tidy.iter().fold(line.to_owned(), |line, (pattern, with)| {
                    regex::Regex::new(pattern)
                        .unwrap()
                        .replace_all(&line, *with)
                        .into_owned()
                })
            })
            .filter(|line| !line.contains("overriding earlier entry"))
            .collect();
        rest.sort();
        text += &format!("--- {recipient}\n{}\n", rest.join("\n"));
    }
    text
}

/// The content of a file or of all files in a directory, with who owns them and their modes.
fn shown(instance: &Instance, below: &str) -> String {
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
            for entry in entries {
                let file = entry.file_name().to_string_lossy().into_owned();
                let file = regex::Regex::new(r"^\d+\.V[0-9a-f]+I[0-9a-f]+M\d+\.")
                    .unwrap()
                    .replace(&file, "TIME.VxIxMx.")
                    .into_owned();
                let host = regex::Regex::new(r"(VxIxMx\.).*").unwrap();
                let file = host.replace(&file, "${1}HOST").into_owned();
                walk(&entry.path(), &format!("{name}/{file}"), text);
            }
        } else {
            let content = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
            text.push_str(&format!("=== {name}: {about}\n{content}"));
        }
    }
    let mut text = String::new();
    walk(&instance.path(below), below, &mut text);
    text
}

#[test]
fn aliases_commands_files_and_includes() {
    let instance = system(
        "",
        "one alice\n\
         two alice, bob\n\
         file /TOP/out/box\n\
         dir TOP/out/dir/\n\
         cmd \"|cat > TOP/out/cmd; env | sort > TOP/out/env\"\n\
         fail67 \"|exit 67\"\n\
         fail75 \"|echo try later; exit 75\"\n\
         fail1 \"|sh -c 'echo oops; exit 1'\"\n\
         said \"|echo 5.2.2 is full; exit 1\"\n\
         noprog |/nonexistent/program\n\
         exec TOP/out/executable\n\
         list :include:TOP/etc/list\n\
         owner-list bob\n\
         noinc :include:TOP/etc/none\n\
         loop loop1\n\
         loop1 loop\n\
         away someone@far.example\n\
         self self\n\
         nest :include:TOP/etc/nest0\n"
            .replace("/TOP", "TOP")
            .as_str(),
        |instance| {
            let top = instance.path("");
            for n in 0..120 {
                let next = format!(":include:{}etc/nest{}\n", top.display(), n + 1);
                instance.write(&format!("etc/nest{n}"), next);
            }
            instance.write(
                "etc/list",
                "# members\nalice\nbob@test.example, \"|cat >/dev/null\"\n",
            );
            let executable = instance.write("out/executable", "");
            std::fs::set_permissions(executable, std::fs::Permissions::from_mode(0o777)).unwrap();
        },
    );
    let mut text = send(
        &instance,
        &[
            "one", "two", "file", "dir", "cmd", "fail67", "fail75", "fail1", "said", "noprog",
            "exec", "list", "noinc", "loop", "away", "self", "one+ext", "nest",
        ],
    );
    for file in ["out/box", "out/dir", "out/cmd", "out/env"] {
        text += &shown(&instance, file);
    }
    check(&instance, "local/aliases", &text);
    instance.assert_no_panic();
}

#[test]
fn forward_files_and_mailboxes() {
    let instance = system("mail_spool_directory = /nonexistent", "", |instance| {
        own(instance, "home/alice/.forward", "alice", "\\alice, bob\n");
        own(
            instance,
            "home/alice/.forward+ext",
            "alice",
            "~/ext-box\n\"|cat > ../cmd-out; pwd >> ../cmd-out\"\n",
        );
    });
    let text = send(&instance, &["alice", "alice+ext", "bob", "bob+x"]);
    check(&instance, "local/forward", &text);
    instance.stop();
    let home = system("home_mailbox = Maildir/", "", |instance| {
        own(
            instance,
            "home/alice/.forward",
            "alice",
            "alice\nbob@test.example\n",
        );
        std::fs::set_permissions(
            instance.path("home/bob"),
            std::fs::Permissions::from_mode(0o500),
        )
        .unwrap();
    });
    let mut text = send(&home, &["alice", "bob"]);
    text += &shown(&home, "home/alice/Maildir");
    check(&home, "local/maildir", &text);
    home.assert_no_panic();
}

#[test]
fn unknown_users() {
    let instance = system("", "", |_| {});
    let text = send(
        &instance,
        &[
            "nobody-here",
            "nobody+here",
            "mailer-daemon",
            "a/b+c/d",
            "+x",
        ],
    );
    check(&instance, "local/unknown", &text);
    instance.stop();
    let relay = system("luser_relay = alice+$local", "", |_| {});
    let mut text = send(&relay, &["nobody-here", "nobody+here"]);
    text += &shown(&relay, "mail");
    check(&relay, "local/luser-relay", &text);
    relay.stop();
    let pass = system("fallback_transport = error:5.1.6 gone", "", |_| {});
    let text = send(&pass, &["nobody-here", "alice"]);
    check(&pass, "local/fallback", &text);
    pass.assert_no_panic();
}

#[test]
fn mailbox_commands_and_policies() {
    let instance = system(
        "mailbox_command = cat > $HOME/got; echo $USER $EXTENSION $LOCAL $DOMAIN $SENDER $RECIPIENT $SHELL >> $HOME/got\nallow_mail_to_commands =\nallow_mail_to_files =",
        "file TOP/out/box\ncmd \"|cat\"\n",
        |_| {},
    );
    let mut text = send(&instance, &["alice+e$x", "file", "cmd"]);
    text += &shown(&instance, "home/alice");
    check(&instance, "local/mailbox-command", &text);
    instance.stop();
    let slow = system(
        "command_time_limit = 1s",
        "slow \"|sleep 30\"\nchatty \"|head -c 3000000 /dev/zero; exit 75\"\n",
        |_| {},
    );
    let text = send(&slow, &["slow", "chatty"]);
    check(&slow, "local/slow", &text);
    slow.assert_no_panic();
}
