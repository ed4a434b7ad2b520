//! Delivery agents that break: what the queue manager says, whom it blames, and what waits for another day.

use std::time::Duration;

use compliance::agent::{self, Act, HELLO, reply};
use compliance::delivery::{flush, is_quiet, system_with};
use compliance::golden::{check, log, normalise};
use compliance::testkit::{Instance, wait_for};
use regex::Regex;

const LINES: &str = r"postfix/qmgr\[\d+\]: |postfix/error\[\d+\]: [0-9A-F]+: to=";

/// What each agent does; the domain of its mail is its name.
fn agents() -> Vec<(&'static str, Act)> {
    let said = |words: &[u8]| Act::Answer(HELLO, words.to_vec());
    let told = |status, reason, number| Act::Answer(HELLO, reply(status, reason, number));
    let mut surplus = reply("", "", "0");
    surplus.splice(surplus.len() - 1.., *b"extra\0one\0\0");
    vec![
        ("mute", Act::Say(b"")),
        ("garbage", Act::Say(b"\xff\0garbage\0\0")),
        ("noend", Act::Say(b"protocol\0deliv")),
        ("noname", Act::Say(b"proto")),
        ("other", Act::Say(b"protocol\0bounce_protocol\0\0")),
        (
            "misnamed",
            Act::Say(b"protokoll\0delivery_request_protocol\0\0"),
        ),
        (
            "more",
            Act::Say(b"protocol\0delivery_request_protocol\0more\0x\0\0"),
        ),
        ("empty", Act::Say(b"\0")),
        ("leaves", Act::Say(HELLO)),
        ("odd", Act::Answer(b"protokoll\0x\0\0", reply("", "", "0"))),
        ("silent", said(b"")),
        ("cut", said(b"status\0\0diag_type")),
        ("good", told("", "", "0")),
        ("ends", said(b"\0")),
        ("words", told("", "", "many")),
        ("numbers", told("", "", "7")),
        ("surplus", said(&surplus)),
        ("defers", told("", "", "-1")),
        ("throttles", told("4.4.1", "nobody is there", "1")),
        ("nowhy", told("4.4.1", "", "1")),
        ("badcode", told("four", "oh dear", "1")),
        ("hardcode", told("5.4.1", "it is final", "1")),
        ("fine", told("4.4.1", "but it went well", "0")),
    ]
}

/// What is left in the queue, which is emptied.
fn left(instance: &Instance) -> String {
    let listed = instance.run("postqueue", &["-j"]).stdout;
    instance.run("postsuper", &["-d", "ALL"]);
    let varies = Regex::new(r#""(queue_id|arrival_time|message_size)": [^,]+, "#).unwrap();
    let listed = varies.replace_all(&listed, "");
    let recipient = Regex::new(r#"\{"orig_address": [^}]*\}"#).unwrap();
    let mut recipients: Vec<_> = recipient
        .find_iter(&listed)
        .map(|found| format!("  {}\n", found.as_str()))
        .collect();
    recipients.sort();
    recipients.concat()
}

#[test]
fn agents_that_break() {
    let instance = system_with(
        "transport_maps = texthash:TOP/etc/transport\ninitial_destination_concurrency = 1\ndefault_destination_recipient_limit = 2",
        "",
        "",
        |instance| {
            let routes: String = agents()
                .iter()
                .map(|(name, _)| format!("{name}.example {name}:\n"))
                .collect();
            instance.write("etc/transport", routes);
        },
    );
    for (name, act) in agents() {
        agent::play(&instance, name, move |_| act.clone());
    }
    let mut text = String::new();
    let mut seen = 0;
    for (name, _) in agents() {
        let to: Vec<_> = (1..4).map(|n| format!("u{n}@{name}.example")).collect();
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        let words = [&["-i", "-f", "bob@test.example"], &to[..]].concat();
        instance.run_with("sendmail", &words, b"Subject: x\n\nbody\n");
        let taken = || instance.log().matches("(queue active)").count();
        let before = text.matches("(queue active)").count();
        assert!(
            wait_for(Duration::from_secs(20), || taken() > before
                && is_quiet(&instance)),
            "{}",
            instance.log()
        );
        let lines = log(&instance, LINES);
        // The retry agents work side by side.
        let mut new: Vec<_> = lines[seen..].lines().collect();
        new.sort_by_key(|line| line.split_once(": to=").map_or("", |(_, to)| to));
        text += &format!("--- {name}\n{}\n", new.join("\n"));
        text += &left(&instance);
        seen = lines.len();
    }
    check(&instance, "qmgr/agents", &text);
    instance.assert_no_panic();
}

/// On the original, the queue manager itself ends; master starts it again after a minute.
#[test]
fn agents_that_hang() {
    let instance = system_with(
        "transport_maps = inline:{{early.example=early:} {late.example=late:}}\nqmgr_daemon_timeout = 1s\nminimal_backoff_time = 1s\nqueue_run_delay = 1s",
        "",
        "",
        |_| {},
    );
    if instance.target().is_peer() {
        return;
    }
    for (name, hello) in [("early", &b"protocol\0"[..]), ("late", HELLO)] {
        agent::play(&instance, name, move |number| match number {
            0 => Act::Wait(hello),
            _ => Act::Answer(HELLO, reply("", "", "0")),
        });
        let to = format!("u@{name}.example");
        instance.run_with("sendmail", &["-i", "-f", "bob@test.example", &to], b"x\n");
    }
    instance.wait_log(r"qmgr\[\d+\]: warning: timeout connecting to transport: early");
    instance.wait_log(r"[0-9A-F]: timeout receiving delivery status from transport: late");
    instance.wait_queue_empty();
    instance.assert_no_panic();
}

/// A system where mail for `lab` and `slow` goes to an agent that says that the destination is out of order.
fn lab(main: &str) -> (Instance, agent::Requests) {
    let instance = system_with(
        &format!(
            "transport_maps = inline:{{{{lab.example=lab:}} {{slow.example=slow:}} {{off.example=discard:}}}}\ninitial_destination_concurrency = 1\ndefer_transports = slow\nqueue_run_delay = 1000s\n{main}"
        ),
        "",
        "",
        |_| {},
    );
    let requests = agent::Requests::default();
    for name in ["lab", "slow"] {
        agent::play_for(&instance, name, &requests, |_| {
            Act::Answer(HELLO, reply("4.4.1", "broken", "1"))
        });
    }
    (instance, requests)
}

/// Sends a message and waits until it is where it stays.
fn send(instance: &Instance, to: &str) {
    let taken = || instance.log().matches("(queue active)").count();
    let before = taken();
    let sent = instance.run_with("sendmail", &["-i", "-f", "bob@test.example", to], b"x\n");
    assert_eq!(sent.status, 0, "{sent:?}");
    assert!(
        wait_for(Duration::from_secs(20), || taken() > before
            && is_quiet(instance)),
        "{}",
        instance.log()
    );
}

#[test]
fn what_triggers_ask_for() {
    let (instance, requests) = lab("");
    let mut text = String::new();
    let mut seen = 0;
    send(&instance, "a@lab.example");
    send(&instance, "b@slow.example");
    for trigger in [
        "", "D", "A", "D", "D", "F", "D", "DA", "I", "IA", "FD", "AFD", "W", "WA", "D", "DAFI",
        "x?Z ", "FI", "A", "D", "DD", "ADx",
    ] {
        if !trigger.is_empty() {
            instance.run("postkick", &["public", "qmgr", trigger]);
        }
        // When that has gone, what was asked for before has happened.
        send(&instance, "x@off.example");
        let lines = log(
            &instance,
            r"postfix/(error|qmgr)\[\d+\]: (warning|[0-9A-F]+: to=)",
        );
        let mut new: Vec<_> = lines[seen..].lines().map(str::to_owned).collect();
        seen = lines.len();
        new.extend(requests.lock().unwrap().drain(..).map(|request| {
            let get = |wanted| {
                let found = request.iter().find(|(name, _)| name == wanted);
                found.map_or("", |(_, value)| value)
            };
            format!("asked: {} flags {}", get("recipient"), get("flags"))
        }));
        new.sort_by_key(|line| {
            line.split_once(": to=")
                .map_or(line.clone(), |(_, to)| to.to_owned())
        });
        text += &format!("--- {trigger:?}\n{}\n", new.join("\n"));
    }
    check(&instance, "qmgr/triggers", &text);
    instance.assert_no_panic();
}

fn tidy(instance: &Instance, text: &str) -> String {
    let size = Regex::new(r"size=\d+").unwrap();
    normalise(instance, &size.replace_all(text, "size=N"))
}

#[test]
fn transports_that_are_not_there() {
    let (instance, requests) = lab(
        "transport_retry_time = 1000s\nminimal_backoff_time = 1000s\nmaximal_backoff_time = 1000s",
    );
    let main = instance.read("etc/main.cf");
    let main = main.replace(
        "{off.example",
        "{gone.example=gone:next.hop} {also.gone.example=gone:} {off.example",
    );
    instance.write("etc/main.cf", main);
    instance.run("postfix", &["reload"]);
    let mut text = String::new();
    let mut seen = 0;
    let mut tell = |what: &str| {
        let lines = log(
            &instance,
            r"postfix/(error|qmgr|discard)\[\d+\]: (warning|[0-9A-F]+: )",
        );
        let mut new: Vec<_> = lines[seen..].lines().collect();
        // Files come in the order of the directory, and notifications have a size of their own.
        new.sort_by_cached_key(|line| tidy(&instance, line));
        text += &tidy(&instance, &format!("--- {what}\n{}\n", new.join("\n")));
        seen = lines.len();
    };
    send(&instance, "a@gone.example");
    tell("the first");
    send(&instance, "b@gone.example");
    send(&instance, "c@also.gone.example");
    tell("others");
    agent::play_for(&instance, "gone", &requests, |_| {
        Act::Answer(HELLO, reply("", "", "0"))
    });
    send(&instance, "d@gone.example");
    tell("it is there again");
    flush(&instance);
    assert!(wait_for(Duration::from_secs(10), || is_quiet(&instance)));
    tell("flushed");
    std::fs::remove_file(instance.path("spool/private/gone")).unwrap();
    std::fs::remove_file(instance.path("spool/private/retry")).unwrap();
    send(&instance, "e@gone.example");
    send(&instance, "f@lab.example");
    send(&instance, "g@lab.example");
    send(&instance, "h@slow.example");
    tell("nobody to put mail off");
    instance.run("postsuper", &["-e", "ALL"]);
    flush(&instance);
    assert!(wait_for(Duration::from_secs(10), || is_quiet(&instance)));
    tell("given up");
    check(&instance, "qmgr/unavailable", &text);
    instance.assert_no_panic();
}

/// A destination that gets a pause after each delivery gets no other when it is out of order.
#[test]
fn paced_destinations_that_fail() {
    let (instance, requests) = lab("lab_destination_rate_delay = 1s");
    let mut text = String::new();
    for recipient in ["a@lab.example", "b@lab.example"] {
        send(&instance, recipient);
        let count = requests.lock().unwrap().drain(..).count();
        text += &format!("{recipient}: asked {count}\n");
    }
    text += &left(&instance);
    check(&instance, "qmgr/paced", &text);
    instance.assert_no_panic();
}
