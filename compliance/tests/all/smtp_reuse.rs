//! Sessions of the SMTP client that are used for more than one message.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compliance::golden;
use compliance::outbound::{Script, on, send};
use compliance::testkit::{Builder, Instance, Sink, wait_for};

/// The same network for all: `kept.example` and `other.example` lead to one server.
fn builder(more: &str) -> Builder {
    Instance::builder()
        .main_cf(&format!("inet_interfaces = 127.0.0.1\nsmtp_tcp_port = 2525\nlmtp_tcp_port = 2525\nsmtp_connection_cache_destinations = 127.0.0.30\nlmtp_connection_cache_destinations = static:all\nsmtp_connection_cache_time_limit = 60s\nlmtp_connection_cache_time_limit = 60s\nconnection_cache_ttl_limit = 60s\ntransport_maps = inline:{{{{kept.example=smtp:[127.0.0.30]}} {{other.example=smtp:[127.0.0.30]:2525}} {{twin.example=twin:[127.0.0.30]}} {{local.example=lmtp:unix:TOP/lmtp}}}}\n{more}"))
        .master_cf("scache unix - - n - 1 scache\ntwin unix - - n - - smtp")
}

/// Sends one message to each of these, with a subject; what is logged, and what the server hears.
fn run(more: &str, script: Script, mail: &[(&str, &str)]) -> (Instance, String) {
    let instance = builder(more).build();
    let top = instance.path("");
    let text = instance
        .read("etc/main.cf")
        .replace("TOP/", top.to_str().unwrap());
    instance.write("etc/main.cf", text);
    instance.start();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let answer = |ears: Arc<Mutex<Vec<String>>>| {
        move |event: &str| {
            ears.lock().unwrap().push(event.to_owned());
            script(event).map(str::to_owned)
        }
    };
    let _sink = Sink::with(&instance, "127.0.0.30:2525", answer(heard.clone()));
    let _local = Sink::local(&instance.path("lmtp"), answer(heard.clone()));
    let mut out = String::new();
    for (to, subject) in mail {
        writeln!(out, "== {to} {subject}").unwrap();
        let content = format!("Subject: {subject}\n\nx\n");
        out += &send(&instance, &[(*to).to_owned()], content.as_bytes(), &[]);
        for event in std::mem::take(&mut *heard.lock().unwrap()) {
            // The last word may come after the log.
            if event != "QUIT" {
                writeln!(out, "C: {event}").unwrap();
            }
        }
    }
    instance.assert_no_panic();
    (instance, out)
}

#[test]
fn one_session_for_several_messages() {
    let (instance, out) = run(
        "",
        |event| {
            on(event, "RCPT TO:<refused", "550 5.1.1 no")
                .or_else(|| on(event, "RCPT TO:<odd", "503 5.5.1 what"))
        },
        &[
            ("one@kept.example", "x"),
            ("two@kept.example", "x"),
            ("three@other.example", "x"),
            ("refused@kept.example", "x"),
            ("four@kept.example", "x"),
            ("odd@kept.example", "x"),
            ("five@kept.example", "x"),
            ("six@local.example", "x"),
            ("seven@local.example", "x"),
        ],
    );
    golden::check(&instance, "smtp/reuse", &out);
}

#[test]
fn sessions_that_have_ended_meanwhile() {
    for (name, script) in [
        ("closed", (|event| on(event, "RSET", "close")) as Script),
        ("refused", |event| on(event, "RSET", "502 5.5.1 what")),
        ("leaving", |event| on(event, "RSET", "421 4.3.2 bye")),
    ] {
        let mail = [("one@kept.example", "x"), ("two@kept.example", "x")];
        let (instance, out) = run("", script, &mail);
        golden::check(&instance, &format!("smtp/reuse-{name}"), &out);
    }
}

#[test]
fn sessions_are_not_used_too_often() {
    let mail: Vec<_> = [
        "one@kept.example",
        "two@kept.example",
        "three@kept.example",
        "four@kept.example",
    ]
    .map(|to| (to, "x"))
    .to_vec();
    let (instance, out) = run("smtp_connection_reuse_count_limit = 2", |_| None, &mail);
    golden::check(&instance, "smtp/reuse-count", &out);
}

/// What one message needs of a session, a session for another one may not have.
#[test]
fn bug_20250911_sessions_for_other_needs() {
    let (instance, out) = run(
        "",
        |_| None,
        &[
            ("plain@kept.example", "x"),
            ("utf8@kept.example", "gr\u{fc}n"),
            ("plain@kept.example", "x"),
            ("utf8@kept.example", "gr\u{fc}n"),
            ("service@twin.example", "x"),
        ],
    );
    golden::check(&instance, "smtp/reuse-needs", &out);
}

/// Sessions are kept without being asked for by name while much mail goes to one destination.
#[test]
fn a_burst_of_mail_shares_sessions() {
    let instance = Instance::builder()
        .main_cf("inet_interfaces = 127.0.0.1\nsmtp_tcp_port = 2525\ntransport_maps = inline:{{burst.example=burst:[127.0.0.31]}}\nburst_destination_concurrency_limit = 1\nburst_initial_destination_concurrency = 1")
        .master_cf("scache unix - - n - 1 scache\nburst unix - - n - - smtp")
        .start();
    // The first session begins when all mail is there.
    let gate = Arc::new(Mutex::new(()));
    let closed = gate.lock().unwrap();
    let door = gate.clone();
    let sink = Sink::with(&instance, "127.0.0.31:2525", move |event| {
        if event == "greeting" {
            drop(door.lock().unwrap());
        }
        None
    });
    for n in 0..20 {
        let to = format!("user{n}@burst.example");
        let args = ["-f", "bob@test.example", &to];
        let sent = instance.run_with("sendmail", &args, b"Subject: x\n\nx\n");
        assert_eq!(sent.status, 0);
    }
    let active = || instance.log().matches("(queue active)").count() == 20;
    assert!(wait_for(Duration::from_secs(20), active));
    drop(closed);
    assert_eq!(sink.wait(20).len(), 20);
    assert!(sink.sessions() < 20, "{}", instance.log());
    instance.wait_log("@burst.example>.*, conn_use=[2-9]");
    instance.assert_no_panic();
}
