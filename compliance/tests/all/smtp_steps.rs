//! The SMTP client when something goes wrong at one step of a session: servers that leave, refuse, babble, or say nothing.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compliance::golden;
use compliance::outbound::{on, send};
use compliance::testkit::{Builder, Instance, Sink, wait_for};

fn builder() -> Builder {
    Instance::builder().main_cf(
        "inet_interfaces = 127.0.0.1\nappend_dot_mydomain = no\nsmtp_tcp_port = 2525\nsmtp_skip_quit_response = no",
    )
}

/// Servers of which each says something odd to one event: its name, the event, what it says.
const ODD: &[(&str, &str, &str)] = &[
    ("closes-at-ehlo", "EHLO", "close"),
    ("closes-at-mail", "MAIL", "close"),
    ("closes-at-data", "DATA", "close"),
    ("closes-at-quit", "QUIT", "close"),
    ("421-at-mail", "MAIL", "421 4.3.2 shutting down"),
    ("421-at-rcpt", "RCPT", "421 4.3.2 shutting down"),
    ("421-at-data", "DATA", "421 4.3.2 shutting down"),
    ("421-at-end", ".", "421 4.3.2 shutting down"),
    ("4xx-at-ehlo", "EHLO", "450 4.7.1 slowly"),
    ("4xx-at-data", "DATA", "451 4.3.0 not now"),
    ("5xx-at-data", "DATA", "554 5.7.1 never"),
    ("555-at-mail", "MAIL", "555 5.5.4 what"),
    ("500-at-rcpt", "RCPT", "500 5.5.2 what"),
    ("252-at-rcpt", "RCPT", "252 2.0.0 cannot verify"),
    (
        "garbage-greeting",
        "greeting",
        "hello there\n220 late.example ESMTP",
    ),
    ("bare-greeting", "greeting", "220"),
    (
        "greeting-of-many",
        "greeting",
        "220-first\n220-second ESMTP\n220 third",
    ),
    ("greeting-354", "greeting", "354 go on"),
    ("greeting-999", "greeting", "999 odd"),
    ("greeting-450", "greeting", "450 4.7.0 grey"),
    ("greeting-521", "greeting", "521 no mail here"),
    ("my-greeting", "greeting", "220 mx.test.example ESMTP"),
    ("my-ehlo", "EHLO", "250-mx.test.example\n250 SIZE"),
    (
        "mixed-codes",
        "EHLO",
        "250-x.example\n220-PIPELINING\n250 SIZE 100000",
    ),
    (
        "no-space",
        "EHLO",
        "250-x.example\n250-PIPELINING\n250SIZE\n250 DSN",
    ),
    ("ehlo-of-nothing", "EHLO", "250"),
    ("garbage-in-data", "DATA", "what?\n354 go on"),
    ("empty-line", "RCPT", "\n250 2.1.5 fine"),
    ("two-answers", "MAIL", "250 2.1.0 fine\n250 2.1.0 once more"),
    ("wrong-class", ".", "250 5.6.0 odd but fine"),
    ("long-code", ".", "250 2.6.0000 fine"),
    ("tab-code", ".", "250\t2.6.0 fine"),
    ("eight-bit", "RCPT", "550 5.1.1 gr\u{fc}\u{df}e\u{7}"),
    ("bare-code", "RCPT", "550 5.7.2"),
    ("code-alone", "RCPT", "550"),
    ("two-digits", "RCPT", "55 no\n550 5.1.1 no"),
    (
        "size-big",
        "EHLO",
        "250-x.example\n250 SIZE 99999999999999999999",
    ),
    ("size-minus", "EHLO", "250-x.example\n250 SIZE -1"),
    (
        "auth-equals",
        "EHLO",
        "250-x.example\n250-AUTH=LOGIN\n250-8BITMIME x\n250 PIPELINING",
    ),
];

#[test]
fn servers_that_are_odd_at_one_step() {
    let long = |code: &str| format!("{code} {}", "x".repeat(3000));
    let many = |code: &str| {
        (0..300)
            .map(|n| format!("{code}-line {n} of many\n"))
            .collect::<String>()
            + code
            + " end"
    };
    let mut servers: Vec<(String, String, String)> = ODD
        .iter()
        .map(|(name, event, reply)| ((*name).to_owned(), (*event).to_owned(), (*reply).to_owned()))
        .collect();
    servers.push(("long-line".into(), "RCPT".into(), long("550 5.1.1")));
    servers.push(("many-lines".into(), "RCPT".into(), many("550")));
    servers.push(("many-features".into(), "EHLO".into(), many("250")));
    let map: String = (0..servers.len())
        .flat_map(|n| {
            let name = &servers[n].0;
            [
                format!(" {{{name}.example=smtp:[127.0.0.{}]}}", n + 10),
                format!(" {{plain-{name}.example=plain:[127.0.0.{}]}}", n + 10),
            ]
        })
        .collect();
    let instance = builder()
        .main_cf(&format!("transport_maps = inline:{{{map} }}"))
        .master_cf(
            "plain unix - - n - - smtp\n -o smtp_discard_ehlo_keywords=pipelining,silent-discard\n",
        )
        .start();
    let mut out = String::new();
    for (n, (name, event, reply)) in servers.iter().enumerate() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ears, event, reply) = (heard.clone(), event.clone(), reply.clone());
        let address = format!("127.0.0.{}:2525", n + 10);
        let _sink = Sink::with(&instance, &address, move |said| {
            ears.lock().unwrap().push(said.to_owned());
            said.get(..event.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(&event))
                .then(|| reply.clone())
        });
        for kind in ["", "plain-"] {
            if !kind.is_empty() && (n >= 13 || name.contains("ehlo")) {
                continue;
            }
            writeln!(out, "== {kind}{name}").unwrap();
            // A complaint about the second answer may come before the first one is reported.
            let complaint = ["two-digits", "long-line", "many-lines"].contains(&name.as_str());
            let users: &[&str] = if complaint { &["a"] } else { &["a", "b"] };
            let to: Vec<String> = users
                .iter()
                .map(|user| format!("{user}@{kind}{name}.example"))
                .collect();
            let log = send(&instance, &to, b"Subject: x\n\nx\n", &[]);
            for line in golden::normalise(&instance, &log).lines() {
                // Where a long line ends depends on the length of the process id.
                writeln!(out, "{line:.500}").unwrap();
            }
            // The last words come after the log.
            let leaves = !name.starts_with("closes") && !name.starts_with("greeting-of");
            let over = || {
                let heard = heard.lock().unwrap();
                heard.last().is_some_and(|last| last == "QUIT")
            };
            wait_for(Duration::from_millis(if leaves { 1000 } else { 100 }), over);
            for event in std::mem::take(&mut *heard.lock().unwrap()) {
                writeln!(out, "C: {event}").unwrap();
            }
        }
    }
    golden::check(&instance, "smtp/steps", &out);
    instance.assert_no_panic();
}

#[test]
fn local_mail_servers() {
    let instance = builder()
        .main_cf("transport_maps = inline:{{path.example=lmtp:unix:TOP/lmtp} {gone.example=lmtp:unix:TOP/gone} {refuses.example=lmtp:unix:TOP/refuses} {inet.example=lmtp:inet:127.0.0.1:24024} {fall.example=fall:unix:TOP/lmtp} {flags.example=flags:unix:TOP/lmtp} {dflag.example=dflag:unix:TOP/lmtp} {oflag.example=oflag:unix:TOP/lmtp}}\nflags_destination_recipient_limit = 1")
        .master_cf("fall unix - - n - - lmtp\n -o lmtp_fallback_relay=[127.0.0.1]\nflags unix - - n - - lmtp flags=DORX\ndflag unix - - n - - lmtp flags=D\noflag unix - - n - - lmtp flags=O\n")
        .build();
    let top = instance.path("");
    let text = instance
        .read("etc/main.cf")
        .replace("TOP/", top.to_str().unwrap());
    instance.write("etc/main.cf", text);
    instance.start();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let answer = |ears: Arc<Mutex<Vec<String>>>| {
        move |said: &str| {
            ears.lock().unwrap().push(said.to_owned());
            on(said, "LHLO refuse", "550 no")
                .or_else(|| on(said, ". RCPT TO:<full", "452 4.2.2 full"))
                .or_else(|| on(said, ". RCPT TO:<never", "550 5.2.1 never"))
                .or_else(|| on(said, ". RCPT TO:<odd", "354 what"))
                .or_else(|| on(said, ". RCPT TO:<leave", "close"))
                .or_else(|| on(said, "RCPT TO:<unknown", "550 5.1.1 unknown"))
                .map(str::to_owned)
        }
    };
    let sink = Sink::local(&instance.path("lmtp"), answer(heard.clone()));
    let _refuses = Sink::local(&instance.path("refuses"), |said| {
        on(said, "LHLO", "500 5.5.1 what is that").map(str::to_owned)
    });
    let _inet = Sink::with(&instance, "127.0.0.1:24024", answer(heard.clone()));
    let mut out = String::new();
    for (users, domain) in [
        (&["good"][..], "path"),
        (
            &["good", "full", "never", "unknown", "odd", "other"],
            "path",
        ),
        (&["unknown", "unknown2"], "path"),
        (&["good", "leave", "other"], "path"),
        (&["a", "b"], "gone"),
        (&["a"], "refuses"),
        (&["full", "good"], "inet"),
        (&["a"], "fall"),
        (&["a"], "flags"),
        (&["a", "b"], "dflag"),
        (&["a", "b"], "oflag"),
        (&["loop"], "dflag"),
        (&["once"], "dflag"),
    ] {
        writeln!(out, "== {users:?} {domain}").unwrap();
        let to: Vec<String> = users
            .iter()
            .map(|user| format!("{user}@{domain}.example"))
            .collect();
        out += &send(
            &instance,
            &to,
            b"Delivered-To: LOOP@dflag.example\nSubject: x\n\nx\n",
            &[],
        );
        wait_for(Duration::from_millis(300), || {
            heard
                .lock()
                .unwrap()
                .last()
                .is_some_and(|last| last == "QUIT")
        });
        for event in std::mem::take(&mut *heard.lock().unwrap()) {
            writeln!(out, "C: {event}").unwrap();
        }
    }
    let with_flags = sink.received();
    writeln!(out, "{:?}", with_flags.last().unwrap().content).unwrap();
    golden::check(&instance, "smtp/local", &out);
    instance.assert_no_panic();
}
