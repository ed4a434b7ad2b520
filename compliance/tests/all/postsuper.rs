//! What `postsuper` does to queues in every state of disorder, and to mail while the system runs.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::time::Duration;

use compliance::golden::{check, log, shown};
use compliance::queue_file::long_inode;
use compliance::testkit::{Instance, wait_for};

/// A queue with files whose names tell their inode numbers, as they should or not.
struct Disorder {
    instance: Instance,
    /// What files are called here, by inode number.
    labels: BTreeMap<u64, &'static str>,
    ids: BTreeMap<&'static str, String>,
    text: String,
}

impl Disorder {
    fn new(main_cf: &str) -> Self {
        let instance = Instance::builder().main_cf(main_cf).build();
        // The directories are made.
        instance.start();
        instance.stop();
        Self {
            instance,
            labels: BTreeMap::new(),
            ids: BTreeMap::new(),
            text: String::new(),
        }
    }

    /// Makes a file; in `name`, `{s}` and `{l}` stand for its inode number in a short and in a long id, `{w}` for a wrong one.
    fn file(&mut self, label: &'static str, below: &str, name: &str, mode: u32) -> String {
        let spool = self.instance.path("spool");
        let path = spool.join(below).join("new file");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, label).unwrap();
        let inode = path.metadata().unwrap().ino();
        let name = name
            .replace("{s}", &format!("{inode:X}"))
            .replace("{l}", &long_inode(inode))
            .replace("{w}", "ABC");
        let renamed = spool.join(below).join(&name);
        std::fs::rename(&path, &renamed).unwrap();
        std::fs::set_permissions(&renamed, std::fs::Permissions::from_mode(mode)).unwrap();
        let owner = spool.join("incoming").metadata().unwrap();
        let mut at = renamed.as_path();
        while at != spool {
            chown(at, Some(owner.uid()), None).unwrap();
            at = at.parent().unwrap();
        }
        self.labels.insert(inode, label);
        self.ids.insert(label, name.clone());
        name
    }

    fn age(&self, below: &str, label: &str, days: u64) {
        let path = format!("spool/{below}/{}", self.ids[label]);
        let age = Duration::from_secs(days * 86_400 + 60);
        self.instance.set_age(&path, age);
    }

    fn id(&self, label: &str) -> String {
        self.ids[label].clone()
    }

    /// With labels for inode numbers.
    fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (inode, label) in &self.labels {
            text = text
                .replace(&format!("{inode:X}"), &format!("<{label}>"))
                .replace(&format!("z{}", long_inode(*inode)), &format!("z<{label}>"));
        }
        text
    }

    fn list(&self, directory: &Path, shown: &str, text: &mut String) {
        let Ok(entries) = std::fs::read_dir(directory) else {
            return;
        };
        let mut lines = Vec::new();
        for entry in entries.flatten() {
            let status = entry.metadata().unwrap();
            let name = format!(
                "{shown}/{}",
                self.named(entry.file_name().to_str().unwrap())
            );
            let mut below = String::new();
            if status.is_dir() {
                self.list(&entry.path(), &name, &mut below);
                if below.is_empty() {
                    below = format!("  {name}/\n");
                }
            } else {
                let content = std::fs::read(entry.path()).unwrap_or_default();
                let content = String::from_utf8_lossy(&content).into_owned();
                below = format!("  {name} {:o} {content}\n", status.mode() & 0o7777);
            }
            lines.push(below);
        }
        lines.sort();
        text.push_str(&lines.concat());
    }

    /// Runs a command with this standard input, and shows it with all files that are there afterwards.
    fn run(&mut self, args: &[&str], input: &str) {
        let output = self.instance.run_with("postsuper", args, input.as_bytes());
        let words = [&["postsuper"], args].concat();
        let mut text = shown(&words, &output);
        if !input.is_empty() {
            text = text.replacen('\n', &format!(" < {input:?}\n"), 1);
        }
        text = in_order(&self.named(&text));
        for queue in [
            "maildrop", "incoming", "active", "deferred", "hold", "corrupt", "bounce", "defer",
            "trace", "flush", "saved",
        ] {
            let below = self.instance.path("spool").join(queue);
            self.list(&below, queue, &mut text);
        }
        self.text.push_str(&text);
    }

    fn finish(self, name: &str) {
        let log = log(&self.instance, r"postfix/postsuper\[");
        let log: String = self
            .named(&log)
            .lines()
            .filter(|line| !line.contains("bogus"))
            .map(|line| format!("{line}\n"))
            .collect();
        let text = format!("{}--- log\n{log}", self.text);
        check(&self.instance, name, &text);
    }
}

/// Complaints about files come in the order of the directory, which is any.
fn in_order(text: &str) -> String {
    let about_file =
        |line: &str| line.starts_with("! ") && line.contains("warning: ") && line.contains('/');
    let mut lines: Vec<&str> = text.lines().collect();
    lines
        .chunk_by_mut(|one, next| about_file(one) && about_file(next))
        .for_each(<[&str]>::sort_unstable);
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn named_messages() {
    let mut queue = Disorder::new("");
    for (label, name) in [
        ("drop", "maildrop"),
        ("inc", "incoming"),
        ("act", "active"),
        ("def", "deferred"),
        ("held", "hold"),
    ] {
        let subdir = if name == "deferred" {
            "deferred/A"
        } else {
            name
        };
        queue.file(label, subdir, "A0000{s}", 0o700);
    }
    let ids = ["drop", "inc", "act", "def", "held"].map(|label| queue.id(label));
    for (label, log) in [("log1", "defer/A"), ("log2", "bounce"), ("log3", "trace")] {
        let name = queue.id("def");
        queue.file(label, log, &name, 0o600);
    }
    queue.file("young", "incoming", "B0000{s}", 0o600);
    let young = queue.id("young");
    let all = |letter: &str| -> Vec<String> {
        ids.iter()
            .flat_map(|id| [format!("-{letter}"), id.clone()])
            .collect()
    };
    let as_args = |words: &[String]| -> Vec<String> { words.to_vec() };
    for letter in ["h", "H", "e", "e", "f", "h", "f"] {
        let words = as_args(&all(letter));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        queue.run(&words, "");
    }
    queue.run(
        &["-h", "-", "-H", "-"],
        &format!("{}\n{}\nbad id\n\n12345\n", ids[3], ids[1]),
    );
    queue.run(&["-H", &ids[3], "-e", &ids[4], "-h", &ids[2]], "");
    queue.run(&["-r", &ids[3], "incoming", "active"], "");
    queue.run(&["-r", &ids[3]], "");
    queue.run(
        &[
            "-r", &ids[0], "-r", &young, "-h", &young, "-e", &young, "-H", &young,
        ],
        "",
    );
    queue.run(&["-d", &young, "-d", &young], "");
    queue.run(&["-d", &ids[4], "deferred"], "");
    queue.run(
        &[
            "-d", &ids[4], "-d", "../x", "-d", "", "-d", "A", "-h", "a_b",
        ],
        "",
    );
    queue.run(
        &["-d", "-"],
        &format!("{}\r\n {}\n{}", ids[1], ids[1], ids[2]),
    );
    queue.finish("postsuper/named");
}

#[test]
fn whole_queues() {
    let mut queue = Disorder::new("");
    for (label, name, mode) in [
        ("drop", "maildrop", 0o700),
        ("inc", "incoming", 0o700),
        ("new", "incoming", 0o600),
        ("act", "active", 0o700),
        ("def", "deferred/C", 0o700),
        ("held", "hold", 0o700),
        ("log", "defer/C", 0o600),
    ] {
        queue.file(label, name, "C0000{s}", mode);
    }
    queue.run(&["-h", "ALL", "deferred"], "");
    queue.run(&["-H", "ALL"], "");
    queue.run(&["-e", "ALL"], "");
    queue.run(&["-h", "ALL"], "");
    queue.run(&["-f", "ALL"], "");
    queue.run(&["-h", "ALL", "incoming", "active"], "");
    queue.run(&["-f", "ALL", "-h", "ALL", "hold"], "");
    queue.run(&["-r", "ALL", "hold"], "");
    queue.run(&["-d", "ALL", "active"], "");
    queue.run(&["-d", "all"], "");
    queue.run(&["-r", "ALL"], "");
    queue.run(&["-d", "ALL", "maildrop", "maildrop"], "");
    queue.run(&["-d", "ALL"], "");
    queue.finish("postsuper/whole");
}

#[test]
fn structure() {
    let mut queue = Disorder::new("hash_queue_names = deferred, defer\nhash_queue_depth = 2\n");
    queue.file("good", "deferred/1/2", "12345{s}", 0o700);
    queue.file("flat", "deferred", "12346{s}", 0o700);
    queue.file("deep", "deferred/1/2/3", "12347{s}", 0o700);
    queue.file("sub", "hold/1", "12348{s}", 0o700);
    queue.file("log", "defer", "12349ABCD", 0o600);
    queue.file("wrong", "incoming", "1234A{w}", 0o700);
    queue.file("wronglog", "defer/1/2", "1234A{w}", 0o600);
    queue.file("wrongbounce", "bounce", "1234A{w}", 0o600);
    queue.file("long", "active", "4XyZbc0000z{l}", 0o700);
    queue.file("dash", "incoming", "bad-name", 0o700);
    queue.file("dots", "incoming", "a.b", 0o700);
    queue.file("brief", "incoming", "AB", 0o700);
    queue.file("brief5", "incoming", "ABCDE", 0o700);
    queue.file("nohex", "incoming", "12345XYZ", 0o700);
    queue.file("temp", "incoming", "1234.567", 0o600);
    queue.file("oldtemp", "incoming", "1235.567", 0o600);
    queue.age("incoming", "oldtemp", 8);
    queue.file("oldnew", "maildrop", "1234B{s}", 0o600);
    queue.age("maildrop", "oldnew", 8);
    queue.file("fix", "incoming", "1234C{s}#FIX", 0o700);
    queue.file("badfix", "incoming", "1234D{w}#FIX", 0o700);
    queue.file("site", "flush", "a_example", 0o600);
    queue.file("oddsite", "flush", "a.example", 0o600);
    queue.file("mode0", "hold", "1234E{s}", 0o000);
    queue.file("mode4", "hold", "1234F{s}", 0o400);
    std::fs::create_dir(queue.instance.path("spool/incoming/directory")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", queue.instance.path("spool/incoming/link")).unwrap();
    let other = "12345FFFFFF";
    queue.run(&["-p"], "");
    queue.run(&["-s", "-d", other], "");
    queue.run(&["-s"], "");
    queue.run(&["-S", "deferred", "hold"], "");
    queue.run(&[], "");
    queue.finish("postsuper/structure");
}

#[test]
fn long_ids() {
    let mut queue = Disorder::new("enable_long_queue_ids = yes\n");
    queue.file("long", "deferred/B", "4XyZbcB000z{l}", 0o700);
    queue.file("wrong", "incoming", "4XyZbcC000z{w}", 0o700);
    queue.file("vowel", "incoming", "4XyZbcD000zAEI", 0o700);
    queue.file("short", "hold", "12345{s}", 0o700);
    queue.file("badshort", "hold", "12346{w}", 0o700);
    queue.file("nohex", "hold", "example_zz", 0o700);
    queue.file("log", "defer/B", "4XyZbcC000zABC", 0o600);
    queue.run(&["-s"], "");
    queue.run(&["-S"], "");
    queue.run(&["-h", "ALL"], "");
    queue.run(&["-d", "ALL"], "");
    queue.finish("postsuper/long");
}

#[test]
fn command_lines() {
    let instance = Instance::builder().build();
    let run = |args: &[&str]| {
        shown(
            &[&["postsuper"], args].concat(),
            &instance.run("postsuper", args),
        )
    };
    let mut text = String::new();
    for args in [
        &["-Z"][..],
        &["-d"],
        &["-c", "relative"],
        &["-c", "/nonexistent"],
        &["nosuch"],
        &["-d", "ALL", "nosuch"],
        &["-d", "ALL", "corrupt"],
        &["-d", "-", "-d", "-"],
        &["-s", "-s"],
    ] {
        text += &run(args);
    }
    let user = instance.run_as("alice", "postsuper", &["-s"], b"");
    text += &shown(&["alice:", "postsuper", "-s"], &user);
    check(&instance, "postsuper/lines", &text);
}

#[test]
fn while_the_system_runs() {
    let instance = Instance::builder()
        .main_cf("default_transport = smtp:[127.0.0.1]:20025\nin_flow_delay = 0\nhash_queue_depth = 1\nhash_queue_names = none\nsmtputf8_autodetect_classes = bounce\nsmtputf8_enable = yes\nenable_original_recipient = yes")
        .start();
    let send = |options: &[&str], to: &str| {
        let args = [options, &["-f", "bob@test.example", to]].concat();
        let before = instance.log().matches("status=deferred").count();
        let output = instance.run_with("sendmail", &args, b"Subject: x\n\nx\n");
        assert_eq!(output.status, 0, "{output:?}");
        let deferred = || instance.log().matches("status=deferred").count() > before;
        assert!(
            wait_for(Duration::from_secs(20), deferred),
            "{}",
            instance.log()
        );
    };
    send(&["-OSMTPUTF8=yes"], "utf8@far.example");
    send(&[], "expire@far.example");
    send(&[], "release@far.example");
    let queue = || instance.run("postqueue", &["-j"]).stdout;
    let id_of = |address: &str| {
        queue()
            .lines()
            .find(|line| line.contains(&format!("\"{address}\"")))
            .and_then(|line| {
                Some(
                    line.split("\"queue_id\": \"")
                        .nth(1)?
                        .split('"')
                        .next()?
                        .to_owned(),
                )
            })
            .unwrap_or_default()
    };
    let settled = || queue().lines().all(|line| line.contains("\"deferred\""));
    assert!(wait_for(Duration::from_secs(20), settled), "{}", queue());
    let mut text = String::new();
    let run = |args: &[&str]| {
        shown(
            &[&["postsuper"], args].concat(),
            &instance.run("postsuper", args),
        )
    };
    // Expired: returned at the next attempt. From hold: listed so, and returned once it is released.
    text += &run(&["-h", &id_of("release@far.example")]);
    text += &run(&["-e", &id_of("expire@far.example")]);
    text += &run(&["-e", &id_of("release@far.example")]);
    let mut lines: Vec<String> = instance
        .run("postqueue", &["-p"])
        .stdout
        .lines()
        .filter(|line| line.contains("bob@test.example"))
        .map(|line| {
            line.split_whitespace()
                .next()
                .unwrap()
                .trim_start_matches(|c: char| c.is_ascii_hexdigit())
                .to_owned()
        })
        .collect();
    lines.sort();
    text += &format!("{lines:?}\n");
    text += &run(&["-f", &id_of("release@far.example")]);
    assert_eq!(instance.run("postqueue", &["-f"]).status, 0);
    let bounced = || instance.log().matches("status=force-expired").count() == 2;
    assert!(
        wait_for(Duration::from_secs(20), bounced),
        "{}",
        instance.log()
    );
    // Requeued: a new id, the same flags.
    text += &run(&["-r", &id_of("utf8@far.example")]);
    instance.run("postqueue", &["-f"]);
    instance.wait_log("orig_id=");
    let again = || !id_of("utf8@far.example").is_empty() && settled();
    assert!(wait_for(Duration::from_secs(20), again), "{}", queue());
    let id = id_of("utf8@far.example");
    let envelope = instance.run("postcat", &["-eq", &id]).stdout;
    for line in envelope.lines() {
        if let Some(sizes) = line.strip_prefix("message_size:") {
            text += &format!("flags {:?}\n", sizes.split_whitespace().last());
        } else {
            text += &format!("{line}\n");
        }
    }
    text += &log(&instance, r"postsuper|orig_id|force-expired");
    let owner = regex::Regex::new(r"uid=\d+").unwrap();
    check(
        &instance,
        "postsuper/live",
        &owner.replace_all(&text, "uid=OWNER"),
    );
}

#[test]
fn interrupted() {
    let instance = Instance::builder().build();
    instance.start();
    instance.stop();
    let mut text = String::new();
    for signal in ["INT", "QUIT", "TERM", "HUP"] {
        // It waits for more ids; that it has read the first one shows in its complaint.
        let script = format!(
            "cd {}; mkfifo fifo; exec 3<>fifo; {}/postsuper -d - <&3 2>err & pid=$!; echo 'bad id' >&3; \
             while [ ! -s err ]; do :; done; kill -{signal} $pid; wait $pid; s=$?; cat err; rm fifo err; echo = $s",
            instance.path("").display(),
            instance.target().command_directory().display()
        );
        let output = instance.run("/bin/bash", &["-mc", &script]);
        text += &format!("{signal}\n{}", output.stdout);
    }
    check(&instance, "postsuper/interrupted", &text);
}
