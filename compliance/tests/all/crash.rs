//! kill -9 under load: what was accepted is delivered, whole.

use std::collections::BTreeSet;
use std::time::Duration;

use compliance::load::{Load, maildir, whole};
use compliance::random::Random;
use compliance::testkit::{Instance, Sink, wait_for};

/// How often everything is killed, and how often one process alone.
const ROUNDS: usize = 20;

fn kill(pid: u32) {
    let _ = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .stderr(std::process::Stdio::null())
        .status();
}

/// The accepted messages that are nowhere whole.
fn missing(instance: &Instance, sink: &Sink, accepted: &BTreeSet<usize>) -> Vec<usize> {
    let taken = sink.received().into_iter().map(|message| message.content);
    let delivered = maildir(&instance.path("home/alice/Maildir"));
    let found: BTreeSet<usize> = taken
        .chain(delivered)
        .filter_map(|text| whole(&text))
        .collect();
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
    let recipient = |token: usize| match token % 4 {
        0 => "alice@test.example",
        _ => "alice@far.example",
    };
    let load = Load::new(recipient, Duration::ZERO);
    let rounds = if instance.target().is_peer() {
        5
    } else {
        ROUNDS
    };
    std::thread::scope(|scope| {
        let running = load.run(scope, &instance, 4);
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
            // And all, master first, or it would start others. One that it has just started is found in the next round.
            assert!(wait_for(Duration::from_secs(10), || {
                let mut all = instance.processes();
                all.sort_by_key(|process| process.name != "master");
                for process in &all {
                    kill(process.pid);
                }
                // A process that ends has no program any more, and its locks still.
                all.is_empty() && instance.run("postfix", &["status"]).status != 0
            }));
            instance.start();
        }
        drop(running);
    });
    let accepted = load.accepted();
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
