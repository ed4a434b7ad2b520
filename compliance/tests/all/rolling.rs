//! From Postfix to ours and back on a live queue, under load. Both systems' programs take the same places one after the other, with
//! the same configuration, tables and queue; the system under test is the one that begins.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compliance::load::{Load, maildir, transaction, whole};
use compliance::testkit::{Instance, Sink, Target, wait_for};

/// How often ours follows Postfix.
const ROUNDS: usize = 3;

/// How long each system works.
const SHIFT: Duration = Duration::from_millis(1200);

/// Mail that is delivered here and elsewhere, comes back, waits, and is held.
fn recipient(token: usize) -> &'static str {
    match token % 8 {
        0 => "alice@test.example",
        1 => "nickname@test.example",
        2 => "later@far.example",
        3 => "never@far.example",
        4 => "held@far.example",
        _ => "someone@far.example",
    }
}

const MAIN_CF: &str = "relayhost = [127.0.0.1]:2525
home_mailbox = Maildir/
header_checks = regexp:{{/^To: <held@/ HOLD}}
smtpd_peername_lookup = no
smtp_host_lookup = native
queue_run_delay = 1h
minimal_backoff_time = 1h
maximal_backoff_time = 2h
service_throttle_time = 1s
in_flow_delay = 0
default_process_limit = 20
maximal_queue_lifetime = 5d";

/// A mail system whose programs are the peer's, stopped.
fn system() -> Instance {
    let instance = Instance::builder_for(Target::Peer(Target::peer_root()))
        .main_cf(MAIN_CF)
        .build();
    for table in [
        "alias_maps=lmdb:etc/aliases",
        "virtual_alias_maps=lmdb:etc/virtual",
    ] {
        let top = instance.path("");
        let setting = table.replace(":", &format!(":{}", top.display()));
        let output = instance.run("postconf", &["-e", &setting]);
        assert_eq!(output.status, 0, "{output:?}");
    }
    instance.write("etc/aliases", "postmaster: root\nnickname: alice\n");
    instance
}

/// What waits, by its queue id: how the queue lists it, and when it is due.
fn waiting(instance: &Instance) -> BTreeMap<String, (String, (i64, i64))> {
    // A showq that is just being stopped cuts its list short.
    let mut listed = instance.run("postqueue", &["-j"]);
    wait_for(Duration::from_secs(5), || {
        listed.status == 0 || {
            listed = instance.run("postqueue", &["-j"]);
            false
        }
    });
    assert_eq!(listed.status, 0, "{listed:?}");
    let field = |line: &str, name: &str| {
        let value = line.split_once(&format!("\"{name}\": \""))?.1;
        Some(value.split_once('"')?.0.to_owned())
    };
    listed
        .stdout
        .lines()
        .filter_map(|line| {
            let queue = field(line, "queue_name")
                .filter(|name| ["deferred", "hold"].contains(&name.as_str()))?;
            let id = field(line, "queue_id")?;
            let file = match queue.as_str() {
                // Hashed by the first character.
                "deferred" => format!("spool/deferred/{}/{id}", &id[..1]),
                _ => format!("spool/hold/{id}"),
            };
            let file = instance.seen(&file).metadata().ok()?;
            Some((id, (line.to_owned(), (file.mtime(), file.mtime_nsec()))))
        })
        .collect()
}

/// The other system's programs take over; what waited waits as before.
fn hand_over(instance: &Instance, round: usize, ours: bool) {
    instance.stop();
    let before = waiting(instance);
    if ours {
        instance.replace_programs();
    } else {
        instance.restore_programs();
    }
    // Each system goes on with the tables of the other, and makes them anew.
    let name = if ours { "ours" } else { "peer" };
    let mut table = instance.read("etc/virtual");
    table += &format!("{name}{round}@test.example alice\n");
    let table = instance.write("etc/virtual", table);
    let indexed = instance.run("postmap", &[&format!("lmdb:{}", table.display())]);
    assert_eq!(indexed.status, 0, "{indexed:?}");
    instance.start();
    let after = waiting(instance);
    for (id, was) in &before {
        assert_eq!(
            after.get(id),
            Some(was),
            "{name} {round}: {id}\n{}",
            instance.log()
        );
    }
}

#[test]
fn systems_take_turns_on_a_live_queue() {
    let instance = system();
    let first_is_ours = !Target::from_env().is_peer();
    if first_is_ours {
        instance.replace_programs();
    }
    instance.write("etc/virtual", "begin@test.example alice\n");
    for table in ["postmap lmdb:etc/virtual", "postalias lmdb:etc/aliases"] {
        let (program, table) = table.split_once(' ').unwrap();
        let table = table.replace(':', &format!(":{}", instance.path("").display()));
        let output = instance.run(program, &[&table]);
        assert_eq!(output.status, 0, "{output:?}");
    }
    let opened = Arc::new(AtomicBool::new(false));
    instance.start();
    let sink = Sink::with(&instance, "127.0.0.1:2525", {
        let opened = opened.clone();
        move |line| match line {
            _ if !line.starts_with("RCPT TO:") => None,
            _ if line.contains("<never@") => Some("550 5.1.1 no such user".to_owned()),
            _ if line.contains("<later@") && !opened.load(Ordering::Relaxed) => {
                Some("450 4.2.0 come again".to_owned())
            }
            _ => None,
        }
    });
    let load = Load::new(recipient, Duration::from_millis(15));
    let mut extra = BTreeSet::new();
    std::thread::scope(|scope| {
        let running = load.run(scope, &instance, 2);
        std::thread::sleep(SHIFT);
        for round in 0..ROUNDS {
            for ours in [!first_is_ours, first_is_ours] {
                hand_over(&instance, round, ours);
                let name = if ours { "ours" } else { "peer" };
                let token = 1_000_000 + extra.len();
                let to = format!("{name}{round}@test.example");
                assert!(transaction(&mut instance.smtp(), token, &to), "{to}");
                extra.insert(token);
                std::thread::sleep(SHIFT);
            }
        }
        drop(running);
    });
    let mut accepted = load.accepted();
    let held = accepted.iter().filter(|token| *token % 8 == 4).count();
    accepted.append(&mut extra);
    // All that may go out goes out; what waits and what is held is still there.
    let enough = |wanted: &dyn Fn(&BTreeSet<usize>) -> bool| {
        let mut found = BTreeSet::new();
        let done = wait_for(Duration::from_secs(20), || {
            found = delivered(&instance, &sink);
            wanted(&found)
        });
        let missing: Vec<_> = accepted.difference(&found).collect();
        assert!(
            done,
            "of {} accepted these are missing: {missing:?}",
            accepted.len()
        );
        found
    };
    let waits = |token: &usize| matches!(token % 8, 2 | 4) && *token < 1_000_000;
    let found = enough(&|found| {
        accepted
            .iter()
            .all(|token| waits(token) || found.contains(token))
    });
    assert!(!found.iter().any(waits), "something has not waited");
    // What a submitter heard no answer to, as its server was stopped, may be there as well.
    let queued = waiting(&instance);
    let hold = |line: &str| line.contains("\"queue_name\": \"hold\"");
    let on_hold = queued.values().filter(|(line, _)| hold(line)).count();
    let wait = accepted.iter().filter(|token| waits(token)).count();
    assert!(
        on_hold >= held && queued.len() >= wait,
        "{on_hold} of {held} on hold, {} of {wait} in all",
        queued.len()
    );
    assert!(
        accepted.len() > 100 && held > 10,
        "hardly any load: {}",
        accepted.len()
    );
    opened.store(true, Ordering::Relaxed);
    for words in [["postsuper", "-H", "ALL"].as_slice(), &["postqueue", "-f"]] {
        let output = instance.run(words[0], &words[1..]);
        assert_eq!(output.status, 0, "{output:?}");
    }
    enough(&|found| accepted.is_subset(found));
    instance.wait_queue_empty();
    instance.assert_no_panic();
    let corrupt = std::fs::read_dir(instance.path("spool/corrupt"))
        .unwrap()
        .count();
    assert_eq!(corrupt, 0, "damaged files");
}

/// The numbers of the messages that have come out whole: at the sink, in alice's maildir, or returned to bob.
fn delivered(instance: &Instance, sink: &Sink) -> BTreeSet<usize> {
    let taken = sink.received().into_iter().map(|message| message.content);
    taken
        .chain(maildir(&instance.path("home/alice/Maildir")))
        .chain(maildir(&instance.path("home/bob/Maildir")))
        .filter_map(|text| whole(&text))
        .collect()
}
