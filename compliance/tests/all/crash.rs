//! kill -9 under load: what was accepted is delivered, whole.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use compliance::random::Random;
use compliance::testkit::{Client, Instance, Sink, wait_for};

/// How often everything is killed, and how often one process alone.
const ROUNDS: usize = 20;

/// The lines of message number `token`, of a length that depends on the number.
fn body(token: usize) -> String {
    (0..20 + token % 300)
        .map(|line| format!("message {token} line {line} .\r\n"))
        .collect::<String>()
        + &format!("end of message {token}\r\n")
}

fn kill(pid: u32) {
    let _ = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status();
}

/// Submits messages by SMTP until told to stop; what got its 250 is noted.
fn submit(
    instance: &Instance,
    stop: &AtomicBool,
    next: &AtomicUsize,
    accepted: &Mutex<BTreeSet<usize>>,
) {
    while !stop.load(Ordering::Relaxed) {
        let mut client = instance.smtp();
        if client.greeting.code != 220 {
            std::thread::sleep(Duration::from_millis(20));
            continue;
        }
        for _ in 0..5 {
            let token = next.fetch_add(1, Ordering::Relaxed);
            let domain = if token.is_multiple_of(4) {
                "test.example"
            } else {
                "far.example"
            };
            if !transaction(&mut client, token, domain) {
                break;
            }
            accepted.lock().unwrap().insert(token);
        }
    }
}

fn transaction(client: &mut Client, token: usize, domain: &str) -> bool {
    let said = client.command("EHLO load.example").code == 250
        && client.command("MAIL FROM:<bob@test.example>").code == 250
        && client.command(&format!("RCPT TO:<alice@{domain}>")).code == 250
        && client.command("DATA").code == 354;
    if !said {
        return false;
    }
    client.send(format!("Subject: {token}\r\n\r\n{}", body(token)));
    client.command(".").code == 250
}

/// The same by the sendmail command.
fn post(
    instance: &Instance,
    stop: &AtomicBool,
    next: &AtomicUsize,
    accepted: &Mutex<BTreeSet<usize>>,
) {
    while !stop.load(Ordering::Relaxed) {
        let token = next.fetch_add(1, Ordering::Relaxed);
        let text = format!("Subject: {token}\n\n{}", body(token).replace('\r', ""));
        let sent = instance.run_with(
            "sendmail",
            &["-i", "-f", "bob@test.example", "alice@far.example"],
            text.as_bytes(),
        );
        if sent.status == 0 {
            accepted.lock().unwrap().insert(token);
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

/// The accepted messages that are nowhere whole.
fn missing(instance: &Instance, sink: &Sink, accepted: &BTreeSet<usize>) -> Vec<usize> {
    let mut found: BTreeSet<usize> = BTreeSet::new();
    let mut take = |text: &str| {
        let token = text
            .lines()
            .find_map(|line| line.strip_prefix("Subject: ")?.parse().ok());
        if let Some(token) = token
            && text
                .replace('\r', "")
                .ends_with(&format!("\n\n{}", body(token).replace('\r', "")))
        {
            found.insert(token);
        }
    };
    for message in sink.received() {
        take(&message.content);
    }
    let mailbox = instance.path("home/alice/Maildir/new");
    for entry in std::fs::read_dir(mailbox).into_iter().flatten().flatten() {
        take(&String::from_utf8_lossy(
            &std::fs::read(entry.path()).unwrap(),
        ));
    }
    accepted.difference(&found).copied().collect()
}

#[test]
fn what_was_accepted_survives_kill_9() {
    let instance = Instance::builder()
        .main_cf(
            "relayhost = [127.0.0.1]:2525\nhome_mailbox = Maildir/\nsmtpd_peername_lookup = no\nsmtp_host_lookup = native\nqueue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 2s\nfast_flush_domains =\nservice_throttle_time = 1s\nmaximal_queue_lifetime = 1d\nin_flow_delay = 0",
        )
        .start();
    let sink = Sink::start(&instance, "127.0.0.1:2525");
    let (stop, next) = (AtomicBool::new(false), AtomicUsize::new(0));
    let accepted = Mutex::new(BTreeSet::new());
    let rounds = if instance.target().is_peer() {
        5
    } else {
        ROUNDS
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| submit(&instance, &stop, &next, &accepted));
        }
        scope.spawn(|| post(&instance, &stop, &next, &accepted));
        let mut random = Random(42);
        for _ in 0..rounds {
            std::thread::sleep(Duration::from_millis(50 + random.below(250) as u64));
            let all = instance.processes();
            // One alone: those that talked to it must cope.
            let one = random.below(all.len());
            if all[one].name != "master" {
                kill(all[one].pid);
            }
            std::thread::sleep(Duration::from_millis(50 + random.below(250) as u64));
            // And all, master first, or it would start others.
            let mut all = instance.processes();
            all.sort_by_key(|process| process.name != "master");
            for process in all {
                kill(process.pid);
            }
            assert!(wait_for(Duration::from_secs(5), || instance
                .processes()
                .is_empty()));
            instance.start();
        }
        stop.store(true, Ordering::Relaxed);
    });
    let accepted = accepted.into_inner().unwrap();
    assert!(
        accepted.len() > rounds,
        "hardly any load: {}",
        accepted.len()
    );
    // Mail whose agent outlived the queue manager is tried five minutes later, and a transport that died waits for a minute: a
    // fresh start finds all of it due.
    instance.stop();
    let queues =
        ["incoming", "active", "deferred"].map(|queue| instance.path(&format!("spool/{queue}")));
    let touched = std::process::Command::new("find")
        .args(queues)
        .args(["-type", "f", "-exec", "touch", "{}", "+"])
        .status()
        .unwrap();
    assert!(touched.success());
    instance.start();
    let mut lost = Vec::new();
    wait_for(Duration::from_secs(30), || {
        lost = missing(&instance, &sink, &accepted);
        lost.is_empty()
    });
    assert!(
        lost.is_empty(),
        "of {} accepted these are lost: {lost:?}",
        accepted.len()
    );
    instance.wait_queue_empty();
    instance.assert_no_panic();
    assert!(
        !instance
            .path("spool/corrupt")
            .read_dir()
            .unwrap()
            .any(|_| true)
    );
}
