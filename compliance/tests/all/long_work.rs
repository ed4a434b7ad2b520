//! Work of postsuper on whole queues: how far it has come is told to a terminal, and to nobody else; and it can be interrupted without
//! harm.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use compliance::testkit::{Instance, Output};

/// So many files that the work is still under way when somebody has seen that it began.
const FILES: usize = 4000;

/// Where messages are.
const MESSAGES: [&str; 5] = ["maildrop", "incoming", "active", "deferred", "hold"];

/// Starts the work; when the first file is not what it was, stops it for longer than an unannounced work may take, and goes on with
/// the signal. The work is nice to the one who watches it, on the same processor, so that it does not get away.
const SCRIPT: &str = r#"
cd "$1" || exit 99
signal=$2
shift 2
taskset -cp "$(taskset -cp $$ | grep -o '[0-9]*$')" $$ >/dev/null
first=$(find deferred hold -type f -print -quit)
mode=$(stat -c %a "$first")
nice -n 9 "$@" & pid=$!
while [ -e "$first" ]; do
    case "$*" in *" -e "*) [ "$(stat -c %a "$first")" = "$mode" ] || break ;; esac
    kill -0 $pid 2>/dev/null || break
done
kill -STOP $pid || exit 98
sleep 0.6
[ "$signal" = none ] || kill -$signal $pid
kill -CONT $pid
# The shell may still tell that it was stopped.
status=147
while [ $status = 147 ]; do
    wait $pid
    status=$?
done
echo "= $status"
"#;

/// A queue without a mail system.
struct Queue {
    instance: Instance,
}

impl Queue {
    fn new() -> Self {
        let instance = Instance::builder().build();
        // The directories are made.
        instance.start();
        instance.stop();
        instance.write("etc/work.sh", SCRIPT);
        Self { instance }
    }

    /// Has so many messages in `deferred` and nowhere else, under names that tell their inode numbers, or wrong ones. Those that are
    /// there are used again: a file system takes its time with many new files after many were removed.
    fn fill(&self, count: usize, content: &[u8], wrong: bool) {
        let spool = self.instance.path("spool");
        let deferred = spool.join("deferred");
        let owner = deferred.metadata().unwrap().uid();
        for digit in 0..16 {
            let directory = deferred.join(format!("{digit:X}"));
            std::fs::create_dir_all(&directory).unwrap();
            chown(&directory, Some(owner), None).unwrap();
        }
        let mut there = BTreeMap::new();
        for queue in MESSAGES {
            collect(&spool.join(queue), &mut there);
        }
        let mut there = there.into_values();
        for n in 0..count {
            let file = there.next().unwrap_or_else(|| {
                let new = spool.join("new");
                std::fs::write(&new, content).unwrap();
                chown(&new, Some(owner), None).unwrap();
                new
            });
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
            let inode = file.metadata().unwrap().ino() + u64::from(wrong) * (1 << 24);
            let name = format!("{:05X}{inode:X}", n * 100);
            std::fs::rename(&file, deferred.join(&name[..1]).join(name)).unwrap();
        }
        for more in there {
            std::fs::remove_file(more).unwrap();
        }
    }

    /// All messages of a queue: their inode numbers and names.
    fn messages(&self, queue: &str) -> BTreeMap<u64, String> {
        let mut found = BTreeMap::new();
        collect(&self.instance.path("spool").join(queue), &mut found);
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        found
            .into_iter()
            .map(|(inode, path)| (inode, name(path)))
            .collect()
    }

    /// All messages of all queues.
    fn all(&self) -> BTreeMap<u64, String> {
        let mut all = BTreeMap::new();
        for queue in MESSAGES {
            for (inode, name) in self.messages(queue) {
                let twice = all.insert(inode, name);
                assert_eq!(twice, None, "a message is in two places");
            }
        }
        all
    }

    fn empty(&self) {
        self.postsuper(&["-d", "ALL"]);
        assert_eq!(self.all().len(), 0);
    }

    fn postsuper(&self, options: &[&str]) -> Output {
        let output = self.instance.run("postsuper", options);
        assert_eq!(output.status, 0, "{options:?}: {output:?}");
        output
    }

    /// Runs postsuper with this signal in the middle; what it said, and its exit status.
    fn disturbed(&self, signal: &str, terminal: bool, options: &[&str]) -> (String, String) {
        let directory = self.instance.target().command_directory();
        let postsuper = directory.join("postsuper").display().to_string();
        let spool = self.instance.path("spool").display().to_string();
        let script = self.instance.path("etc/work.sh").display().to_string();
        let mut words = vec!["/bin/bash", "-m", &script, &spool, signal, &postsuper];
        words.extend(options);
        let output = if terminal {
            let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
            self.instance
                .run("/usr/bin/script", &["-qec", &quoted.join(" "), "/dev/null"])
        } else {
            self.instance.run(words[0], &words[1..])
        };
        assert_eq!(output.status, 0, "{options:?}: {output:?}");
        let (said, status) = output.stdout.trim_end().rsplit_once("= ").unwrap();
        (said.to_owned() + &output.stderr, status.to_owned())
    }
}

/// All files below a directory, by inode number.
fn collect(directory: &Path, found: &mut BTreeMap<u64, PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let status = entry.metadata().unwrap();
        if status.is_dir() {
            collect(&entry.path(), found);
        } else {
            found.insert(status.ino(), entry.path());
        }
    }
}

/// Whether each name ends in the file's inode number.
fn named_after_inodes(messages: &BTreeMap<u64, String>) -> bool {
    messages
        .iter()
        .all(|(inode, name)| name.get(5..) == Some(&format!("{inode:X}")))
}

/// How many of the messages were worked on.
fn done(queue: &Queue, option: &str) -> usize {
    match option {
        "-d" => FILES - queue.all().len(),
        "-h" => queue.messages("hold").len(),
        "-H" => FILES - queue.messages("hold").len(),
        "-r" => queue.messages("maildrop").len(),
        "-s" => queue
            .all()
            .iter()
            .filter(|(inode, name)| **name == format!("{}{inode:X}", &name[..5]))
            .count(),
        "-e" => {
            let mut found = 0;
            for (_, name) in queue.messages("deferred") {
                let path = format!("spool/deferred/{}/{name}", &name[..1]);
                let mode = queue.instance.path(&path).metadata().unwrap().mode();
                found += usize::from(mode & 0o010 != 0);
            }
            found
        }
        _ => panic!("{option}"),
    }
}

#[test]
fn interrupted() {
    let queue = Queue::new();
    for option in ["-s", "-e", "-h", "-H", "-r", "-d"] {
        for signal in ["INT", "TERM"] {
            let case = format!("{option} {signal}");
            let options = [option, "ALL"];
            let options = &options[..if option == "-s" { 1 } else { 2 }];
            queue.fill(FILES, b"x", option == "-s");
            if option == "-H" {
                queue.postsuper(&["-h", "ALL"]);
            }
            let before = queue.all();
            assert_eq!(before.len(), FILES);
            let (said, status) = queue.disturbed(signal, false, options);
            let number = if signal == "INT" { "2" } else { "15" };
            assert_eq!(status, number, "{case}: {said}");
            assert!(!said.contains('\x1b'), "{case}: {said}");
            let after = queue.all();
            if option == "-d" {
                assert!(
                    after
                        .iter()
                        .all(|message| before.get_key_value(message.0) == Some(message))
                );
            } else {
                assert!(
                    after.keys().eq(before.keys()),
                    "{case}: messages are missing"
                );
            }
            let count = done(&queue, option);
            assert!(
                count < FILES && (count > 0 || option == "-s"),
                "{case}: {count} were done"
            );
            queue.postsuper(options);
            assert_eq!(done(&queue, option), FILES, "{case}");
            let last = queue.all();
            if option != "-d" {
                assert!(
                    last.keys().eq(before.keys()),
                    "{case}: messages are missing"
                );
                assert!(named_after_inodes(&last), "{case}");
            }
        }
    }
}

#[test]
fn told_to_a_terminal() {
    let queue = Queue::new();
    if queue.instance.target().is_peer() {
        return;
    }
    // What a message may be chosen by.
    let sent = queue.instance.run_with(
        "sendmail",
        &["-f", "bob@test.example", "x@a.example"],
        b"\nx\n",
    );
    assert_eq!(sent.status, 0, "{sent:?}");
    let (_, name) = queue.messages("maildrop").pop_first().unwrap();
    let message = std::fs::read(queue.instance.path("spool/maildrop").join(name)).unwrap();
    queue.empty();
    for (what, options) in [
        ("files", &["-s"] as &[&str]),
        ("files", &["-e", "ALL"]),
        ("files", &["-h", "ALL"]),
        ("files", &["-H", "ALL"]),
        ("messages", &["-h", "ALL", "--sender", "bob@*"]),
        ("messages", &["-H", "ALL", "--recipient", "x@*"]),
        ("files", &["-r", "ALL"]),
        ("files", &["-d", "ALL"]),
        ("messages", &["-d", "ALL", "--larger", "1"]),
    ] {
        if queue.messages("deferred").is_empty() && !options.contains(&"-H") {
            queue.fill(FILES, &message, options[0] == "-s");
        }
        let (told, status) = queue.disturbed("none", true, options);
        assert_eq!(status, "0", "{options:?}: {told:?}");
        let line = format!(" {what}\x1b[K\r");
        assert!(told.contains(&line), "{options:?}: {told:?}");
        // What else is said may stand between the last line and its end.
        let end = told.rfind(&line).unwrap() + line.len();
        assert!(told[end..].contains("\x1b[K"), "{options:?}: {told:?}");
    }
    // Interrupted, the line goes away, too.
    queue.fill(FILES, b"x", false);
    let (told, status) = queue.disturbed("INT", true, &["-h", "ALL"]);
    assert_eq!(status, "2", "{told:?}");
    let line = " files\x1b[K\r";
    let end = told.rfind(line).map_or(0, |at| at + line.len());
    assert!(end == 0 || told[end..].contains("\x1b[K"), "{told:?}");
}
