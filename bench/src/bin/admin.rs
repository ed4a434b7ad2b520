//! The administrator's commands on big tables and big queues, by the peer and by ours in turn in one run.
//! `admin [keys] [messages] [rounds]`; prints the best time of each, and the ratio. With `POSTFIX_RS_TARGET` one system alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement ends at its first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use pf_testkit::{Instance, Target, wait_for};

/// Seconds of each piece of work, in the order of the report.
type Times = BTreeMap<(usize, &'static str), f64>;

/// What is measured of tables: its name, and the command line.
const TABLES: &[(&str, &str)] = &[
    ("postmap lmdb:", "postmap lmdb:keys"),
    ("postmap cdb:", "postmap cdb:keys"),
    ("postmap -q - lmdb:", "postmap -q - lmdb:keys <asked"),
    ("postmap -q - cdb:", "postmap -q - cdb:keys <asked"),
    (
        "postmap -q - cidr:",
        "postmap -q - cidr:networks <addresses",
    ),
    (
        "postmap -q - cidr:, in blocks",
        "postmap -q - cidr:blocks <addresses",
    ),
    ("postmap -q - pcre:", "postmap -q - pcre:rules <asked"),
    (
        "postmap -q - regexp:",
        "head -2000 asked | postmap -q - regexp:rules",
    ),
    (
        "postconf -d, 20 times",
        "for i in 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0; do postconf -d; done",
    ),
    (
        "postconf -n, 20 times",
        "for i in 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0; do postconf -n; done",
    ),
];

/// The listing that has to come from the disk.
const COLD_LISTING: &str = "postqueue -p, cold cache";

/// What is measured of queues.
const QUEUES: &[(&str, &str)] = &[
    (COLD_LISTING, "postqueue -p"),
    ("postqueue -p", "postqueue -p"),
    ("postqueue -j", "postqueue -j"),
    ("postsuper -h ALL", "postsuper -h ALL"),
    ("postsuper -H ALL", "postsuper -H ALL"),
    ("postsuper -r ALL", "postsuper -r ALL"),
    ("postsuper -d -, a fifth", "postsuper -d - <some"),
    ("postsuper -d ALL, the rest", "postsuper -d ALL"),
    (
        "sendmail, 100 in turn",
        "for i in $(seq 100); do sendmail root <letter; done",
    ),
    (
        "sendmail, 400 by 8",
        "for j in 1 2 3 4 5 6 7 8; do (for i in $(seq 50); do sendmail root <letter; done) & done; wait",
    ),
];

fn main() {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .map(|arg| arg.parse().expect("a number"))
        .collect();
    let number = |at: usize, usual: usize| args.get(at).copied().unwrap_or(usual);
    let (keys, messages, rounds) = (
        number(0, 1_000_000),
        number(1, 100_000),
        number(2, 2).max(1),
    );
    println!("{keys} keys, {messages} messages, the best of {rounds}");
    if std::env::var_os("POSTFIX_RS_TARGET").is_some() {
        for (name, seconds) in measure(&Target::from_env(), keys, messages) {
            println!("{:30} {seconds:8.3} s", name.1);
        }
        return;
    }
    let (mut peer, mut ours) = (Times::new(), Times::new());
    for _ in 0..rounds {
        keep_best(
            &mut peer,
            measure(&Target::Peer(Target::peer_root()), keys, messages),
        );
        keep_best(
            &mut ours,
            measure(&Target::Ours(Target::our_prefix()), keys, messages),
        );
    }
    for (name, seconds) in &peer {
        let own = ours[name];
        println!(
            "{:30} peer {seconds:8.3} s, ours {own:8.3} s, ours/peer {:.2}",
            name.1,
            own / seconds
        );
    }
}

fn keep_best(best: &mut Times, times: Times) {
    for (name, seconds) in times {
        let entry = best.entry(name).or_insert(seconds);
        *entry = entry.min(seconds);
    }
}

fn measure(target: &Target, keys: usize, messages: usize) -> Times {
    let mut times = Times::new();
    let instance = Instance::builder_for(target.clone())
        .main_cf("defer_transports = local")
        .start();
    if keys > 0 {
        write_tables(&instance, keys);
        for (at, (name, line)) in TABLES.iter().enumerate() {
            times.insert((at, *name), timed(&instance, line));
        }
    }
    if messages > 0 {
        fill_queue(&instance, messages);
        for (at, (name, line)) in QUEUES.iter().enumerate() {
            // A queue that has been there for a while is on the disk.
            nix::unistd::sync();
            if *name == COLD_LISTING {
                fs::write("/proc/sys/vm/drop_caches", "3").expect("only root can measure this");
            }
            times.insert((100 + at, *name), timed(&instance, line));
        }
    }
    times
}

/// Runs a line of shell in the instance's own directory.
fn timed(instance: &Instance, line: &str) -> f64 {
    let script = format!(
        "cd {} && PATH={}:/usr/bin:/bin && export PATH && {{ {line}; }} >/dev/null 2>errors",
        instance.path("").display(),
        instance.target().command_directory().display()
    );
    let began = Instant::now();
    let status = instance.run("/bin/sh", &["-c", &script]).status;
    let seconds = began.elapsed().as_secs_f64();
    assert_eq!(status, 0, "{line}: {}", instance.read("errors"));
    seconds
}

fn write_tables(instance: &Instance, keys: usize) {
    let (mut table, mut asked) = (String::new(), String::new());
    for n in (0..keys).map(|n| n * 7919 % keys) {
        let _ = writeln!(table, "user{n}@domain{}.example value-of-{n}", n % 997);
    }
    for n in (0..200_000).map(|n| n * 7919 % keys) {
        let _ = writeln!(asked, "user{n}@domain{}.example", n % 997);
    }
    instance.write("keys", table);
    instance.write("asked", asked);
    let (mut networks, mut addresses) = (String::new(), String::new());
    for n in 0..10_000 {
        let _ = writeln!(
            networks,
            "10.{}.{}.0/{} net{n}",
            n / 100,
            n % 100,
            24 + n % 2
        );
    }
    for n in 0..200_000 {
        let _ = writeln!(addresses, "10.{}.{}.{}", n % 113, n % 107, n % 251);
    }
    let blocks = format!("if 10.0.0.0/8\n{networks}endif\n!10.0.0.0/8 other\n");
    instance.write("networks", networks);
    instance.write("blocks", blocks);
    instance.write("addresses", addresses);
    let rules: String = (0..1000)
        .map(|n| format!("/^user[0-9]+@(domain{n})\\.example$/ rule {n} $1\n"))
        .collect();
    instance.write("rules", rules);
}

/// Half of the messages in hold, half deferred, each a copy of one that sendmail made.
fn fill_queue(instance: &Instance, messages: usize) {
    instance.write(
        "letter",
        "Subject: x\n\n".to_owned() + &"x".repeat(1000) + "\n",
    );
    let status = instance
        .run_with(
            "sendmail",
            &["-f", "sender@test.example", "root"],
            &fs::read(instance.path("letter")).unwrap(),
        )
        .status;
    assert_eq!(status, 0);
    let deferred = instance.path("spool/deferred");
    let first = || files(&deferred).into_iter().next();
    assert!(wait_for(Duration::from_secs(20), || first().is_some()));
    let original = first().unwrap();
    let content = fs::read(&original).unwrap();
    let status = fs::metadata(&original).unwrap();
    let later = FileTimes::new().set_modified(SystemTime::now() + Duration::from_secs(86_400));
    let mut some = String::new();
    for n in 0..messages {
        let directory = if n % 2 == 0 { "hold" } else { "deferred" };
        let top = instance.path(&format!("spool/{directory}"));
        let new = top.join("new");
        fs::write(&new, &content).unwrap();
        let file = File::open(&new).unwrap();
        file.set_times(later).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&new, Some(status.uid()), Some(status.gid())).unwrap();
        let micros = n * 7919 % 1_000_000;
        let id = format!("{micros:05X}{:X}", file.metadata().unwrap().ino());
        let place = if directory == "hold" {
            top
        } else {
            let hashed = top.join(&id[..1]);
            if !hashed.exists() {
                fs::create_dir(&hashed).unwrap();
                chown(&hashed, Some(status.uid()), Some(status.gid())).unwrap();
            }
            hashed
        };
        fs::rename(&new, place.join(&id)).unwrap();
        if n % 5 == 0 {
            let _ = writeln!(some, "{id}");
        }
    }
    instance.write("some", some);
}

fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    fs::read_dir(directory)
        .unwrap()
        .flat_map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
