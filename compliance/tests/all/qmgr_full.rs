//! A disk that is full when messages are put off, given back and reported: nothing is lost, nothing is done twice.

use std::io::Write as _;
use std::time::Duration;

use compliance::delivery::{flush, is_quiet};
use compliance::testkit::{Instance, wait_for};

fn settle(instance: &Instance) {
    assert!(
        wait_for(Duration::from_secs(20), || is_quiet(instance)),
        "{}",
        instance.log()
    );
}

/// With the original, this takes minutes: master leaves its bounce daemon alone after each failure.
#[test]
fn outcomes_on_a_full_disk() {
    let builder = Instance::builder();
    let instance = builder
        .spool_kib(2048)
        .main_cf("transport_maps = inline:{{wait.example=retry:4.7.1 later} {bad.example=error:5.7.1 no} {good.example=discard:ok} {later.example=slow:}}\ndefer_transports = slow\nheader_checks = regexp:{{/^Subject:/ HOLD}}\nmessage_size_limit = 0\nmailbox_size_limit = 0\nfast_flush_domains =\nqueue_run_delay = 1000s\nminimal_backoff_time = 1000s\nenable_long_queue_ids = no")
        .build();
    if instance.target().is_peer() {
        return;
    }
    instance.start();
    let hold = || {
        std::fs::read_dir(instance.seen("spool/hold"))
            .unwrap()
            .count()
    };
    let sent: &[&[&str]] = &[
        &["-f", "bob@test.example", "a@wait.example"],
        &["-f", "bob@test.example", "b@bad.example"],
        &["-f", "bob@test.example", "c@good.example", "d@bad.example"],
        &["-f", "bob@test.example", "-N", "success", "e@good.example"],
        &[
            "-f",
            "bob@test.example",
            "f@later.example",
            "g@wait.example",
        ],
        &["-f", "", "h@bad.example"],
    ];
    for words in sent {
        let sent = instance.run_with("sendmail", words, b"Subject: x\n\nbody\n");
        assert_eq!(sent.status, 0, "{sent:?}");
    }
    assert!(wait_for(Duration::from_secs(10), || hold() == sent.len()));
    let filler = instance.seen("spool/filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write(&[0; 4096]).is_ok_and(|count| count > 0) {}
    drop(file);
    instance.run("postsuper", &["-H", "ALL"]);
    flush(&instance);
    settle(&instance);
    let log = instance.whole_log();
    assert!(log.contains("No space left on device"), "{log}");
    assert_eq!(log.matches(": removed").count(), 0, "{log}");
    std::fs::remove_file(filler).unwrap();
    flush(&instance);
    settle(&instance);
    let log = instance.whole_log();
    let count = |what: &str| log.matches(what).count();
    assert_eq!(count("to=<c@good.example>"), 1, "{log}");
    assert_eq!(count("dsn=5.7.1, status=bounced (no)"), 3, "{log}");
    assert_eq!(count("sender non-delivery notification"), 2, "{log}");
    assert!(log.contains("sender delivery status notification"), "{log}");
    let left = instance.run("postqueue", &["-j"]).stdout;
    for (name, why) in [
        ("a@wait", "later"),
        ("g@wait", "later"),
        ("f@later", "mail transport unavailable"),
    ] {
        let told = format!("\"address\": \"{name}.example\", \"delay_reason\": \"{why}\"");
        assert!(left.contains(&told), "{told}: {left}");
    }
    assert_eq!(left.lines().count(), 2, "{left}");
    instance.assert_no_panic();
}
