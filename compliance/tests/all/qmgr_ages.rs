//! How long mail stays, who hears of it when, and how messages with many recipients are read.

use std::time::Duration;

use compliance::delivery::system_with;
use compliance::golden::{check, log};
use compliance::testkit::{Instance, wait_for};

const LINES: &str = r" to=<|postfix/qmgr|postfix/bounce|warning";

fn tidy(text: &str) -> String {
    let text = regex::Regex::new(r"(?m)^postfix/(\w+)\[\d+\]: (?:[0-9A-F]{10,}: )?|(?:size=\d+|delay=[\d.]+, delays=[\d./]+), ")
        .unwrap()
        .replace_all(text, "$1: ")
        .into_owned();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + "\n"
}

fn mail(instance: &Instance, args: &[&str]) {
    let sent = instance.run_with("sendmail", args, b"Subject: x\n\nbody\n");
    assert_eq!(sent.status, 0, "{sent:?}");
}

fn wait(instance: &Instance, count: usize, what: &str) {
    assert!(
        wait_for(Duration::from_secs(15), || instance
            .log()
            .matches(what)
            .count()
            >= count),
        "{}",
        instance.log()
    );
}

#[test]
fn nothing_stays() {
    let instance = system_with(
        "maximal_queue_lifetime = 0\nbounce_queue_lifetime = 0\ntransport_maps = inline:{ { wait.example = retry:4.7.1 later } }\nnotify_classes = bounce, 2bounce, delay",
        "",
        "",
        |_| {},
    );
    mail(&instance, &["-f", "bob@test.example", "a@wait.example"]);
    wait(&instance, 3, ": removed");
    mail(&instance, &["-f", "", "b@wait.example"]);
    wait(&instance, 5, ": removed");
    mail(
        &instance,
        &["-f", "nobody@nowhere.example", "b@wait.example"],
    );
    wait(&instance, 9, ": removed");
    check(
        &instance,
        "qmgr/nothing-stays",
        &tidy(&log(&instance, LINES)),
    );
}

#[test]
fn delays_are_told_once() {
    let instance = system_with(
        "delay_warning_time = 1s\nconfirm_delay_cleared = yes\nnotify_classes = delay\nqueue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s\ntransport_maps = texthash:TOP/etc/transport",
        "",
        "",
        |instance| {
            instance.write("etc/transport", "wait.example retry:4.7.1 later\n");
        },
    );
    mail(
        &instance,
        &[
            "-f",
            "bob@test.example",
            "-N",
            "delay,failure",
            "a@wait.example",
        ],
    );
    mail(
        &instance,
        &["-f", "bob@test.example", "-N", "failure", "b@wait.example"],
    );
    wait(&instance, 1, "sender delay notification");
    wait(&instance, 10, "status=deferred");
    instance.write("etc/transport", "wait.example discard:gone\n");
    instance.run("postfix", &["reload"]);
    wait(&instance, 2, "status=sent (gone)");
    instance.wait_queue_empty();
    // How often it was tried in between is a matter of time.
    let mut text = tidy(&log(&instance, LINES));
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    lines.dedup();
    text = lines.join("\n") + "\n";
    text += &instance.read("mail/bob");
    let text = regex::Regex::new(r"[0-9A-F]{10,}[.\w/]*")
        .unwrap()
        .replace_all(&text, "QID")
        .into_owned();
    check(&instance, "qmgr/delays", &text);
}

#[test]
fn many_recipients_are_read_in_pieces() {
    let instance = system_with(
        "qmgr_message_recipient_limit = 12\nqmgr_message_recipient_minimum = 3\ndefault_recipient_limit = 5\ndefault_extra_recipient_limit = 0\ndefault_recipient_refill_limit = 4\ntransport_maps = inline:{ { all.example = all: } }\nall_destination_recipient_limit = 0\nqmgr_message_active_limit = 2\nheader_checks = regexp:{{/^Subject: filter/ FILTER all:filtered}}",
        "all unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show <${nexthop}> ${recipient}\n",
        "",
        |instance| {
            let top = instance.path("").display().to_string();
            instance.write(
                "etc/show",
                format!("cat >/dev/null; echo \"$*\" >> {top}out/shown\n"),
            );
        },
    );
    let to: Vec<_> = (0..40).map(|at| format!("u{at:02}@all.example")).collect();
    let args: Vec<&str> = ["-f", "bob@test.example"]
        .into_iter()
        .chain(to.iter().map(String::as_str))
        .collect();
    mail(&instance, &args);
    wait(&instance, 1, ": removed");
    let text = instance.read("out/shown");
    let _ = std::fs::remove_file(instance.seen("out/shown"));
    // What stands behind the content counts for the first recipient.
    instance.run_with("sendmail", &args, b"Subject: filter\n\nbody\n");
    wait(&instance, 2, ": removed");
    let text = text + &instance.read("out/shown");
    let _ = std::fs::remove_file(instance.seen("out/shown"));
    // Recipients of the message's own header stand behind the content.
    let header = format!("To: {}\nSubject: x\n\nbody\n", to.join(",\n "));
    instance.run_with(
        "sendmail",
        &["-t", "-f", "bob@test.example"],
        header.as_bytes(),
    );
    wait(&instance, 3, ": removed");
    let text = text + &instance.read("out/shown");
    check(&instance, "qmgr/pieces", &text);
    // A real list.
    let to: Vec<_> = (0..3000)
        .map(|at| format!("u{at}@d{}.example", at % 7))
        .collect();
    let args: Vec<&str> = ["-f", "bob@test.example"]
        .into_iter()
        .chain(to.iter().map(String::as_str))
        .collect();
    instance.run(
        "postconf",
        &[
            "-e",
            "default_transport = discard:",
            "qmgr_message_recipient_limit = 100",
        ],
    );
    instance.run("postfix", &["reload"]);
    mail(&instance, &args);
    wait(&instance, 4, ": removed");
    let log = instance.whole_log();
    for one in &to {
        assert_eq!(log.matches(&format!("to=<{one}>")).count(), 1, "{one}");
    }
}
