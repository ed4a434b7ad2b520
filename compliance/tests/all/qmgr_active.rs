//! What is done to queue files while they are being delivered, and what comes of it.

use std::fs::FileTimes;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use compliance::agent::{self, Act, reply};
use compliance::delivery::{is_quiet, system_with};
use compliance::golden::{self, check, log};
use compliance::testkit::{Instance, wait_for};

/// The files in the queue, with their modes; those of the past are removed.
fn files(instance: &Instance) -> String {
    let mut text = String::new();
    for queue in [
        "maildrop", "incoming", "active", "deferred", "hold", "corrupt", "defer", "bounce", "trace",
    ] {
        for path in below(&instance.seen("spool").join(queue)) {
            let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
            text += &format!("  {queue} {mode:o}\n");
            std::fs::remove_file(path).unwrap();
        }
    }
    text
}

fn below(directory: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// A message to an agent that answers when it is told to.
struct Bench {
    instance: Instance,
    gate: Arc<Mutex<(Arc<AtomicBool>, Vec<u8>)>>,
    requests: agent::Requests,
    seen: usize,
    text: String,
}

impl Bench {
    fn new(main: &str) -> Self {
        let instance = system_with(
            &format!(
                "transport_maps = inline:{{{{lab.example=lab:}}}}\nqueue_run_delay = 1000s\nlab_destination_concurrency_failed_cohort_limit = 0\n{main}"
            ),
            "",
            "",
            |_| {},
        );
        let gate: Arc<Mutex<(Arc<AtomicBool>, Vec<u8>)>> = Arc::default();
        let now = gate.clone();
        let requests = agent::play(&instance, "lab", move |_| {
            let (flag, words) = &*now.lock().unwrap();
            Act::Later(flag.clone(), words.clone())
        });
        Self {
            instance,
            gate,
            requests,
            seen: 0,
            text: String::new(),
        }
    }

    /// Sends a message, does something while an agent has it, lets the agent answer, and tells what came of it.
    fn case(
        &mut self,
        name: &str,
        answer: Vec<u8>,
        options: &[&str],
        act: impl FnOnce(&Instance, &str),
    ) {
        let flag = Arc::new(AtomicBool::new(false));
        let sent_all = answer == reply("", "", "0");
        *self.gate.lock().unwrap() = (flag.clone(), answer);
        let instance = &self.instance;
        let words = [options, &["-i", "a@lab.example", "b@lab.example"]].concat();
        let sent = instance.run_with("sendmail", &words, b"Subject: x\n\nbody\n");
        assert_eq!(sent.status, 0, "{sent:?}");
        let mut id = String::new();
        wait_for(Duration::from_secs(10), || {
            let requests = std::mem::take(&mut *self.requests.lock().unwrap());
            for request in requests {
                let found = request.iter().find(|(name, _)| name == "queue_id");
                id = found.unwrap().1.clone();
            }
            !id.is_empty()
        });
        act(instance, &id);
        // What is said of a file comes when it has gone from the queue.
        let active = instance.seen("spool/active").join(&id);
        let marked = active
            .metadata()
            .is_ok_and(|status| status.permissions().mode() & 0o700 == 0);
        let last = match (sent_all, active.exists()) {
            (true, true) => Some(format!("{id}: removed")),
            (true, false) => Some(format!("remove {id} from active")),
            (false, _) if marked => Some(format!("saving corrupt file \"{id}\"")),
            (false, _) => None,
        };
        flag.store(true, Ordering::Relaxed);
        if let Some(words) = last {
            instance.wait_log(&words);
        }
        assert!(
            wait_for(Duration::from_secs(10), || is_quiet(instance)),
            "{name}: {}",
            instance.log()
        );
        self.told(name);
    }

    fn told(&mut self, name: &str) {
        let lines = log(
            &self.instance,
            r"postfix/(qmgr|error|bounce|postsuper)\[\d+\]: ",
        );
        let new: Vec<_> = lines[self.seen..].lines().collect();
        self.seen = lines.len();
        self.text += &format!("--- {name}\n{}\n{}", new.join("\n"), files(&self.instance));
    }
}

#[test]
fn files_that_change_while_active() {
    let mut bench = Bench::new("");
    let active = |instance: &Instance, id: &str| instance.seen("spool/active").join(id);
    for (word, answer) in [
        ("sent", reply("", "", "0")),
        ("deferred", reply("", "", "1")),
    ] {
        for option in ["-d", "-h", "-e", "-f"] {
            let name = format!("{word} after postsuper {option}");
            bench.case(
                &name,
                answer.clone(),
                &["-f", "bob@test.example"],
                |instance, id| {
                    instance.run("postsuper", &[option, id]);
                },
            );
        }
        bench.case(
            &format!("{word}, marked as corrupt"),
            answer.clone(),
            &["-f", "bob@test.example"],
            |instance, id| {
                let mode = std::fs::Permissions::from_mode(0o0);
                std::fs::set_permissions(active(instance, id), mode).unwrap();
            },
        );
        bench.case(
            &format!("{word}, cut off"),
            answer.clone(),
            &["-f", "bob@test.example"],
            |instance, id| {
                let file = std::fs::File::options()
                    .write(true)
                    .open(active(instance, id))
                    .unwrap();
                file.set_len(300).unwrap();
            },
        );
        bench.case(
            &format!("{word}, with a link"),
            answer.clone(),
            &["-f", "bob@test.example"],
            |instance, id| {
                std::fs::hard_link(active(instance, id), instance.seen("spool/hold").join(id))
                    .unwrap();
            },
        );
        bench.case(
            &format!("{word}, with an empty bounce log"),
            answer.clone(),
            &["-f", "bob@test.example"],
            |instance, id| {
                std::fs::write(instance.seen("spool/bounce").join(id), "").unwrap();
            },
        );
    }
    check(&bench.instance, "qmgr/active", &bench.text);
    bench.instance.assert_no_panic();
}

/// Puts something into a queue that belongs to the mail system.
fn put(instance: &Instance, below: &str) {
    let path = instance.seen("spool").join(below);
    std::fs::write(&path, "x").unwrap();
    let owner = std::fs::metadata(instance.seen("spool/incoming"))
        .unwrap()
        .uid();
    std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn files_that_an_earlier_queue_manager_left() {
    let mut bench = Bench::new("");
    let instance = &bench.instance;
    instance.run_with(
        "sendmail",
        &["-i", "-f", "bob@test.example", "a@lab.example"],
        b"x\n",
    );
    assert!(wait_for(Duration::from_secs(10), || !bench
        .requests
        .lock()
        .unwrap()
        .is_empty()));
    instance.stop();
    let spool = instance.seen("spool");
    let file = std::fs::File::open(below(&spool.join("active")).remove(0)).unwrap();
    let soon = SystemTime::now() + Duration::from_secs(3000);
    file.set_times(FileTimes::new().set_modified(soon)).unwrap();
    for name in [
        "active/not-an-id",
        "active/ABCDEF0123",
        "incoming/not-an-id",
    ] {
        put(instance, name);
    }
    std::fs::create_dir(spool.join("incoming/ABCDEF9999")).unwrap();
    *bench.gate.lock().unwrap() = (Arc::new(AtomicBool::new(true)), reply("", "", "0"));
    instance.start();
    instance.wait_log("saving corrupt file");
    instance.wait_log(r"qmgr\[\d+\]: [0-9A-F]+: removed");
    bench.told("started");
    // In the order of the directory; and what is said while no postlogd runs is another matter.
    let mut lines: Vec<_> = bench.text.lines().collect();
    lines.retain(|line| !line.starts_with("postfix/postsuper"));
    lines.sort_by_cached_key(|line| golden::normalise(&bench.instance, line));
    bench.text = lines.join("\n");
    check(&bench.instance, "qmgr/left-active", &bench.text);
    bench.instance.assert_no_panic();
}

#[test]
fn a_file_that_an_agent_still_has() {
    let mut bench = Bench::new("");
    let instance = &bench.instance;
    instance.run_with(
        "sendmail",
        &["-i", "-f", "bob@test.example", "a@lab.example"],
        b"x\n",
    );
    assert!(wait_for(Duration::from_secs(10), || {
        !bench.requests.lock().unwrap().is_empty()
    }));
    let path = below(&instance.seen("spool/active")).remove(0);
    let file = std::fs::File::open(&path).unwrap();
    file.lock().unwrap();
    instance.run("postfix", &["reload"]);
    instance.wait_log("skipped, still being delivered");
    let later = instance
        .seen("spool/incoming")
        .join(path.file_name().unwrap());
    assert!(wait_for(Duration::from_secs(5), || later.exists()));
    let due = later.metadata().unwrap().modified().unwrap();
    let wait = due.duration_since(SystemTime::now()).unwrap().as_secs();
    assert!((50..=60).contains(&wait), "{wait}");
    bench.told("reloaded");
    check(&bench.instance, "qmgr/still-busy", &bench.text);
}
