//! The SMTP client against servers that do as they are told, and with all kinds of names.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compliance::golden;
use compliance::outbound::{Script, on, send};
use compliance::testkit::{Dns, Instance, Sink};

const SERVERS: &[(&str, Script)] = &[
    ("fine", |_| None),
    ("greets-with-5xx", |e| {
        on(e, "greeting", "554 5.7.1 go away")
    }),
    ("greets-with-4xx", |e| on(e, "greeting", "421 4.3.2 busy")),
    ("hangs-up", |e| on(e, "greeting", "close")),
    ("only-helo", |e| {
        on(e, "EHLO", "502 5.5.1 what").or_else(|| on(e, "greeting", "220 old.example"))
    }),
    ("no-ehlo-421", |e| on(e, "EHLO", "421 4.7.0 not now")),
    ("no-hello", |e| {
        on(e, "EHLO", "550-first\n550 5.7.1 second").or_else(|| on(e, "HELO", "550-one\n550 two"))
    }),
    ("bad-sender", |e| on(e, "MAIL", "550 5.1.8 bad sender")),
    ("bad-sender-for-now", |e| on(e, "MAIL", "451 later")),
    ("bad-recipient", |e| {
        on(e, "RCPT", "550-5.1.1 nobody\n550 5.1.1 of that name")
    }),
    ("one-bad-recipient", |e| {
        on(e, "RCPT TO:<bad", "550 no such user")
            .or_else(|| on(e, "RCPT TO:<later", "450 4.2.0 full"))
    }),
    ("odd-recipient", |e| on(e, "RCPT", "354 odd")),
    ("bad-data", |e| {
        on(e, "DATA", "554 5.5.1 no valid recipients")
    }),
    ("odd-data", |e| on(e, "DATA", "250 2.0.0 odd")),
    ("closes-at-rcpt", |e| on(e, "RCPT", "close")),
    ("closes-at-end", |e| on(e, ".", "close")),
    ("refuses-content", |e| on(e, ".", "554 5.6.0 spam")),
    ("refuses-content-for-now", |e| {
        on(e, ".", "452 4.3.1 no room")
    }),
    ("odd-end", |e| on(e, ".", "354 5.0.0 odd")),
    ("long-thanks", |e| {
        on(e, ".", "250-2.6.0 first\n250 2.6.0 second")
    }),
    ("tiny", |e| on(e, "EHLO", "250-tiny.example\n250 SIZE 10")),
    ("plain", |e| on(e, "EHLO", "250 plain.example")),
    ("one-at-a-time", |e| {
        on(
            e,
            "EHLO",
            "250-one.example\n250-8BITMIME\n250-SIZE x\n250 DSN",
        )
    }),
    ("one-at-a-time-refusing", |e| {
        on(e, "EHLO", "250 one.example").or_else(|| on(e, "RCPT", "550 5.1.1 no"))
    }),
    ("class-of-another", |e| on(e, "RCPT", "450 5.1.1 mixed")),
    ("says-503", |e| on(e, "RCPT", "503 5.5.1 sequence")),
];

fn builder() -> compliance::testkit::Builder {
    Instance::builder().main_cf(
        "inet_interfaces = 127.0.0.1\nappend_dot_mydomain = no\nsmtp_tcp_port = 2525\nsmtp_randomize_addresses = no\nsmtp_skip_quit_response = no",
    )
}

#[test]
fn servers_that_do_as_they_are_told() {
    let map: String = (0..SERVERS.len())
        .map(|n| format!(" {{{}.example=smtp:[127.0.0.{}]}}", SERVERS[n].0, n + 10))
        .collect();
    let instance = builder()
        .main_cf(&format!("transport_maps = inline:{{{map} }}"))
        .start();
    let mut out = String::new();
    for (n, (name, script)) in SERVERS.iter().enumerate() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ears, script) = (heard.clone(), *script);
        let sink = Sink::with(
            &instance,
            &format!("127.0.0.{}:2525", n + 10),
            move |event| {
                ears.lock().unwrap().push(event.to_owned());
                script(event).map(str::to_owned)
            },
        );
        let local: &[&str] = if name.contains("one-bad") {
            &["good", "bad", "later"]
        } else {
            &["good", "more"]
        };
        let recipients: Vec<String> = local
            .iter()
            .map(|user| format!("{user}@{name}.example"))
            .collect();
        writeln!(out, "== {name}").unwrap();
        out += &send(&instance, &recipients, b"Subject: x\n\n.dot\nlast\n", &[]);
        // The session may go on for a moment.
        std::thread::sleep(Duration::from_millis(100));
        for event in heard.lock().unwrap().iter() {
            writeln!(out, "C: {event}").unwrap();
        }
        for message in sink.received() {
            let body = message
                .content
                .split_once("\r\n\r\n")
                .map_or("", |(_, body)| body);
            writeln!(out, "{body:?}").unwrap();
        }
    }
    golden::check(&instance, "smtp/servers", &out);
    instance.assert_no_panic();
}

#[test]
fn names_of_all_kinds() {
    let instance = builder()
        .main_cf("transport_maps = inline:{{self.example=smtp:self.example:25} {selfhost.example=smtp:[selfhost.example]:25} {backup.example=smtp:backup.example:25}}")
        .start();
    let _dns = Dns::new()
        .mx("mx.example", 10, "a.mx.example")
        .a("a.mx.example", "127.0.0.10")
        .a("bare.example", "127.0.0.10")
        .mx("two.example", 10, "down.example")
        .mx("two.example", 20, "a.mx.example")
        .a("down.example", "127.0.0.99")
        .mx("null.example", 0, ".")
        .mx("dangling.example", 10, "nowhere.example")
        .mx("broken.example", 10, "fails.example")
        .servfail("fails.example")
        .a("empty-name.example", "127.0.0.10")
        .txt("text.example", "hello")
        .cname("alias.example", "mx.example")
        .mx("self.example", 10, "me.example")
        .mx("self.example", 20, "a.mx.example")
        .a("me.example", "127.0.0.1")
        .a("selfhost.example", "127.0.0.1")
        .mx("backup.example", 10, "nowhere.example")
        .mx("backup.example", 20, "me.example")
        .start(&instance);
    let sink = Sink::start(&instance, "127.0.0.10:2525");
    let mut out = String::new();
    for name in [
        "mx.example",
        "bare.example",
        "two.example",
        "null.example",
        "dangling.example",
        "broken.example",
        "fails.example",
        "text.example",
        "absent.example",
        "alias.example",
        "down.example",
        "[127.0.0.10]",
        "[127.0.0.98]",
        "self.example",
        "selfhost.example",
        "backup.example",
        "under_score.example",
    ] {
        writeln!(out, "== {name}").unwrap();
        out += &send(
            &instance,
            &[format!("user@{name}")],
            b"Subject: x\n\nx\n",
            &[],
        );
    }
    writeln!(out, "{} messages", sink.received().len()).unwrap();
    golden::check(&instance, "smtp/names", &out);
    instance.assert_no_panic();
}

#[test]
fn content_and_envelopes() {
    let instance = builder()
        .main_cf("transport_maps = inline:{{eight.example=smtp:[127.0.0.10]} {seven.example=smtp:[127.0.0.11]} {generic.example=gen:[127.0.0.10]} {lmtp.example=lmtp:inet:[127.0.0.12]:2525}}")
        .master_cf("gen unix - - n - - smtp\n -o smtp_generic_maps=inline:{{bob@test.example=robert@out.example}}\n -o { smtp_header_checks = pcre:{{/^X-Strip:/ IGNORE} {/^X-Swap:/ REPLACE X-New: y}} }\n -o { smtp_body_checks = pcre:{{/secret/ IGNORE}} }\n -o smtp_line_length_limit=90\n -o smtp_send_xforward_command=yes\n")
        .start();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listen = |address: &str, script: Script| {
        let ears = heard.clone();
        Sink::with(&instance, address, move |event| {
            ears.lock().unwrap().push(event.to_owned());
            script(event).map(str::to_owned)
        })
    };
    let eight = listen("127.0.0.10:2525", |e| {
        on(e, "XFORWARD", "250 2.0.0 Ok").or_else(|| {
            on(
                e,
                "EHLO",
                "250-x\n250-PIPELINING\n250-8BITMIME\n250-DSN\n250-SIZE\n250 XFORWARD NAME ADDR PROTO HELO IDENT SOURCE",
            )
        })
    });
    let seven = listen("127.0.0.11:2525", |e| {
        on(e, "EHLO", "250-x\n250 PIPELINING")
    });
    let lmtp = listen("127.0.0.12:2525", |e| {
        on(e, ". RCPT TO:<bad", "550 5.2.2 full")
    });
    let mut out = String::new();
    let long = format!(
        "Subject: x\nX-Strip: 1\nX-Swap: 2\nFrom: Bob <bob@test.example>\n\n{}\nthe secret\n.{}\n",
        "w".repeat(200),
        "v".repeat(89)
    );
    let umlaut = "Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGr\u{fc}\u{df}e = x\n.\n";
    for (to, content, options) in [
        (
            "user@eight.example",
            umlaut,
            &["-N", "success,failure", "-R", "hdrs", "-V", "a+b=c"][..],
        ),
        ("user@seven.example", umlaut, &[]),
        ("user@seven.example", "Subject: x\n\nplain", &[]),
        ("us er@eight.example", "Subject: x\n\nplain\n", &[]),
        ("user@generic.example", &long, &[]),
        ("user@lmtp.example", "Subject: x\n\nplain\n", &[]),
    ] {
        writeln!(out, "== {to}").unwrap();
        let to = if to.contains(' ') {
            "\"us er\"@eight.example".to_owned()
        } else {
            to.to_owned()
        };
        out += &send(&instance, &[to], content.as_bytes(), options);
        std::thread::sleep(Duration::from_millis(100));
        for event in std::mem::take(&mut *heard.lock().unwrap()) {
            writeln!(out, "C: {event}").unwrap();
        }
    }
    let two = [
        "good@lmtp.example".to_owned(),
        "bad@lmtp.example".to_owned(),
    ];
    out += &send(&instance, &two, b"Subject: x\n\nplain\n", &[]);
    for message in [&eight, &seven, &lmtp]
        .iter()
        .flat_map(|sink| sink.received())
    {
        writeln!(out, "{:?}", message.content).unwrap();
    }
    golden::check(&instance, "smtp/content", &out);
    instance.assert_no_panic();
}

#[test]
fn one_server_after_the_other() {
    let instance = builder()
        .main_cf("best_mx_transport = error:best\nnotify_classes = protocol\ntransport_maps = inline:{{fallback.example=fb:absent.example} {fbloop.example=fb2:absent.example} {relayed.example=rh:absent.example} {me.example=smtp:me.example:25} {filtered.example=rf:[127.0.0.21]} {slow.example=quick:[127.0.0.24]} {path.example=lmtp:unix:nowhere} {garbage.example=smtp:[127.0.0.25]} {data.example=vd:[127.0.0.22]}}")
        .master_cf("fb unix - - n - - smtp\n -o smtp_fallback_relay=[127.0.0.22]\nfb2 unix - - n - - smtp\n -o smtp_fallback_relay=nowhere.example\nrh unix - - n - - smtp\n -o relayhost=absent.example\nrf unix - - n - - smtp\n -o { smtp_reply_filter = pcre:{{/^250 2.1.5/ 550 5.7.9 filtered}} }\nquick unix - - n - - smtp\n -o smtp_rcpt_timeout=1s\nvd unix - - n - - smtp\n -o smtp_address_verify_target=data\n")
        .start();
    let _dns = Dns::new()
        .mx("later.example", 10, "a.example")
        .mx("later.example", 20, "b.example")
        .a("a.example", "127.0.0.20")
        .a("b.example", "127.0.0.21")
        .mx("busy.example", 10, "c.example")
        .mx("busy.example", 20, "a.example")
        .mx("busy.example", 30, "c.example")
        .mx("busy.example", 40, "b.example")
        .a("c.example", "127.0.0.23")
        .mx("utf.example", 10, "c2.example")
        .mx("utf.example", 20, "b.example")
        .a("c2.example", "127.0.0.26")
        .a("me.example", "127.0.0.1")
        .start(&instance);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listen = |address: &'static str, script: Script| {
        let ears = heard.clone();
        Sink::with(&instance, address, move |event| {
            // What was sent with the command that took too long is read when nobody waits for it any more, or never.
            if !(address.starts_with("127.0.0.24:") && event == "DATA") {
                ears.lock().unwrap().push(format!("{address} {event}"));
            }
            if event.contains("slow.example") {
                std::thread::sleep(Duration::from_secs(3));
            }
            script(event).map(str::to_owned)
        })
    };
    let _later = listen("127.0.0.20:2525", |e| on(e, "RCPT", "450 4.2.1 later"));
    let _good = listen("127.0.0.21:2525", |_| None);
    let _other = listen("127.0.0.22:2525", |_| None);
    let _busy = listen("127.0.0.23:2525", |e| on(e, "greeting", "421 busy"));
    let _slow = listen("127.0.0.24:2525", |_| None);
    let _odd = listen("127.0.0.25:2525", |e| {
        on(e, "RCPT", "503 5.5.1 what")
            .or_else(|| on(e, "MAIL", "hello\n250-still\n250 2.1.0 fine"))
    });
    let _old = listen("127.0.0.26:2525", |e| {
        on(e, "EHLO", "250-old\n250 8BITMIME")
    });
    let mut out = String::new();
    for (to, options) in [
        ("user@later.example", &[][..]),
        ("user@busy.example", &[]),
        ("user@fallback.example", &[]),
        ("user@fbloop.example", &[]),
        ("user@relayed.example", &[]),
        ("user@me.example", &[]),
        ("user@filtered.example", &[]),
        ("user@path.example", &[]),
        ("user@slow.example", &[]),
        ("user@garbage.example", &[]),
        ("user@b.example", &["-bv"]),
        ("user@data.example", &["-bv"]),
        ("j\u{f6}@utf.example", &["-O", "SMTPUTF8"]),
    ] {
        writeln!(out, "== {to}").unwrap();
        let options: Vec<&str> = options
            .iter()
            .copied()
            .filter(|o| o.starts_with("-b"))
            .collect();
        out += &send(&instance, &[to.to_owned()], b"Subject: x\n\nx\n", &options);
        std::thread::sleep(Duration::from_millis(200));
        for event in std::mem::take(&mut *heard.lock().unwrap()) {
            writeln!(out, "C: {event}").unwrap();
        }
    }
    instance.wait_log("orig_to=<postmaster>.*status=(sent|bounced|deferred)");
    let notices: Vec<String> = ["mail/root", "mail/postmaster"]
        .iter()
        .map(|below| instance.read(below))
        .collect();
    let notice = notices.concat();
    let start = notice.find("Transcript of session").unwrap_or(0);
    out += &notice[start..];
    golden::check(&instance, "smtp/routes", &out);
    instance.assert_no_panic();
}
