//! What `cleanup` makes of messages, `trivial-rewrite` of addresses, and `verify` of probes, asked through their sockets: queue
//! files and answers must be those of the peer.

use std::fmt::Write as _;
use std::time::Duration;

use compliance::cleaned::{message, submit};
use compliance::golden::check;
use compliance::ipc::Peer;
use compliance::testkit::{Instance, wait_for};

/// Checks, address mapping, automatic copies, milters, SMTP replies; and on hold, so that the file stays.
const FLAGS: &str = "118";

/// A name, the client's flags, and the records.
type Case<'a> = (&'a str, &'a str, Vec<(char, &'a str)>);

const MAIN_CF: &str = "\
in_flow_delay = 0
append_dot_mydomain = yes
recipient_delimiter = +
relay_domains = relay.test
virtual_alias_domains = valias.test
virtual_mailbox_domains = vbox.test
canonical_maps = inline:{ {c1@a.test=c2@b.test} {@dom.test=@newdom.test} }
masquerade_domains = masq.test
virtual_alias_maps = inline:{ {all@valias.test=one@valias.test, two@x.test} {one@valias.test=three@x.test} }
sender_bcc_maps = inline:{ {sbcc@a.test=copy@a.test} }
transport_maps = inline:{ {t1.test=smtp:[192.0.2.1]} {.t2.test=lmtp:} {t3.test=:[hop]} {t4.test=error:5.1.2 bad} {t5.test=error:} }
relocated_maps = inline:{ {moved@test.example=new@place.test} }
sender_dependent_relayhost_maps = inline:{ {s@r.test=[sdrh]} }
header_checks = regexp:{ {/^Subject: bad/ REJECT no} {/^Subject: old/ REPLACE Subject: new} {/^Subject: both/ PREPEND X-New: yes} }
body_checks = regexp:{ {/^secret/ IGNORE} }
message_size_limit = 20000
hopcount_limit = 10
default_transport = discard
";

fn system() -> Instance {
    Instance::builder().main_cf(MAIN_CF).start()
}

#[test]
fn queue_files() {
    let instance = system();
    let long = format!(
        "To: {}",
        (0..40)
            .map(|n| format!("user{n}"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    let wide = format!("X-Wide: {}", "y".repeat(5000));
    let hops = vec!["Received: by y"; 12];
    let big = vec!["0123456789012345678901234567890123456789"; 1000];
    let mime = [
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        "Subject: old",
        "",
        "secret",
        "kept",
        "--b",
        "Content-Transfer-Encoding: 8bit",
        "",
        "h\u{e9}",
        "--b--",
    ];
    let cases: Vec<Case<'_>> = vec![
        (
            "a message that lacks most headers",
            FLAGS,
            message("joe", &["jim", "r@b.test", ""], &["Subject: x", "", "body"]),
        ),
        (
            "headers with addresses",
            FLAGS,
            message(
                "a@b.test",
                &["c@d.test"],
                &[
                    "From: Joe User <joe>, bob",
                    "To : jim, \"A. B\" <c1@a.test>,",
                    " (note) group: a@h.masq.test, c;",
                    "Bcc: secret",
                    "Return-Path: <x>",
                    "Message-ID: <m@x> y",
                    "Date: now",
                    "",
                    "b",
                ],
            ),
        ),
        (
            "sent again",
            FLAGS,
            message("a@b.test", &["c@d.test"], &["From: x", "Resent-To: y", ""]),
        ),
        (
            "no empty line",
            FLAGS,
            message("a@b.test", &["c@d.test"], &["From: x", "not a header"]),
        ),
        (
            "aliases, copies, duplicates",
            FLAGS,
            message(
                "sbcc@a.test",
                &[
                    "all@valias.test",
                    "TWO@x.test",
                    "u+e@dom.test",
                    "u@h.masq.test",
                ],
                &[""],
            ),
        ),
        (
            "no mapping",
            "6",
            message("sbcc@a.test", &["all@valias.test", "u@dom.test"], &[""]),
        ),
        (
            "long headers",
            FLAGS,
            message("a@b.test", &["c@d.test"], &[&long, &wide, ""]),
        ),
        (
            "attachments",
            FLAGS,
            message("a@b.test", &["c@d.test"], &mime),
        ),
        (
            "stray line ends",
            FLAGS,
            message(
                "a@b.test",
                &["c@d.test"],
                &["Subject: a\rb", "", "x\r\n.\ny"],
            ),
        ),
        (
            "a rejected header",
            FLAGS,
            message("a@b.test", &["c@d.test"], &["Subject: bad", ""]),
        ),
        (
            "changed headers",
            FLAGS,
            message(
                "a@b.test",
                &["c@d.test"],
                &["Subject: old", "Subject: both", ""],
            ),
        ),
        (
            "too many hops",
            FLAGS,
            message("a@b.test", &["c@d.test"], &hops),
        ),
        ("too big", FLAGS, message("a@b.test", &["c@d.test"], &big)),
        ("no recipient", FLAGS, message("a@b.test", &[], &[""])),
        (
            "no sender",
            FLAGS,
            vec![('T', "1 1"), ('R', "a@b"), ('E', "")],
        ),
        (
            "an unknown record",
            FLAGS,
            vec![('T', "1 1"), ('S', "a@b"), ('Z', ""), ('E', "")],
        ),
        (
            "delivery status options",
            FLAGS,
            vec![
                ('T', "1700000000 5"),
                ('A', "envelope_id=abc"),
                ('A', "ret_flags=2"),
                ('A', "log_client_name=c"),
                ('S', "a@b.test"),
                ('A', "notify_flags=4"),
                ('A', "dsn_orig_rcpt=rfc822;first@x"),
                ('O', "first@x"),
                ('R', "c@d.test"),
                ('A', "notify_flags=99"),
                ('R', "e@f.test"),
                ('M', ""),
                ('N', "Received: x"),
                ('N', ""),
                ('X', ""),
                ('R', "late@g.test"),
                ('E', ""),
            ],
        ),
    ];
    let mut text = String::new();
    for (name, flags, records) in &cases {
        writeln!(
            text,
            "== {name}\n{}",
            submit(&instance, "public/cleanup", flags, records)
        )
        .unwrap();
    }
    instance.assert_no_panic();
    check(&instance, "queueing/cleanup", &text);
}

#[test]
fn addresses() {
    let instance = system();
    let mut peer = Peer::connect(&instance, "private/rewrite");
    assert_eq!(
        peer.receive(),
        [("protocol".to_owned(), "trivial_rewrite_protocol".to_owned())]
    );
    let mut text = String::new();
    for address in [
        "user",
        "user@",
        "@",
        "@x:",
        "@x,@y:user@z",
        "user@host",
        "user@a.b",
        "user@a.b.",
        "user@.",
        "a!b",
        "a!b!c",
        "a!b@c",
        "a%b",
        "a%b%c.d",
        "a%b@test.example",
        "\"a b\"@c.d",
        "\"a@b.c\"@localhost",
        "\"a%b\"@localhost",
        "user@[127.0.0.1]",
        "user@[192.0.2.9]",
        "user@[IPv6:::1]",
        "user@192.0.2.9",
        "user@-x.y",
        "a b@c.d",
        "(c) x",
        "x (c)",
        "u@x.test@test.example",
        "@test.example",
        "u+e@test.example",
        "u@relay.test",
        "u@sub.relay.test",
        "all@valias.test",
        "u@vbox.test",
        "x@t1.test",
        "x@a.t2.test",
        "x@t2.test",
        "x@t3.test",
        "x@t4.test",
        "x@t5.test",
        "moved@test.example",
        "-x@test.example",
        "\u{e9}@x.test",
        "u@\u{e9}.test",
        "user@test.example.",
        "MAILER-DAEMON",
        "!a b",
        "<a@b>",
        "a:b@c",
        ".a@b",
        "a..b@c",
    ] {
        for rule in ["local", "remote"] {
            peer.send(&[("request", "rewrite"), ("rule", rule), ("address", address)]);
            writeln!(text, "{rule} {address} -> {:?}", peer.receive()).unwrap();
        }
        for (kind, sender) in [("resolve", ""), ("resolve", "s@r.test"), ("verify", "")] {
            peer.send(&[("request", kind), ("sender", sender), ("address", address)]);
            writeln!(text, "{kind} {sender} {address} -> {:?}", peer.receive()).unwrap();
        }
    }
    instance.assert_no_panic();
    check(&instance, "queueing/addresses", &text);
}

#[test]
fn probes() {
    let instance = system();
    let mut peer = Peer::connect(&instance, "private/verify");
    let mut text = format!("{:?}\n", peer.receive());
    let mut ask = |list: &[(&str, &str)]| {
        peer.send(list);
        peer.receive()
    };
    let query = |address: &'static str| [("request", "query"), ("address", address)];
    writeln!(text, "{:?}", ask(&query("good@far.test"))).unwrap();
    // The probe is thrown away by the transport that the address resolves to.
    let known = wait_for(Duration::from_secs(20), || {
        ask(&query("good@far.test"))[1].1 == "0"
    });
    assert!(known, "no news of the probe:\n{}", instance.log());
    writeln!(text, "{:?}", ask(&query("good@far.test"))).unwrap();
    for (status, reason) in [("2", "bad\u{7}"), ("3", "x"), ("0", "fine")] {
        let update = [
            ("request", "update"),
            ("address", "a:b@x.test"),
            ("recipient_status", status),
            ("reason", reason),
        ];
        writeln!(text, "{:?}", ask(&update)).unwrap();
        writeln!(text, "{:?}", ask(&query("a:b@x.test"))).unwrap();
    }
    writeln!(text, "{:?}", ask(&[("request", "nonsense")])).unwrap();
    instance.assert_no_panic();
    check(&instance, "queueing/probes", &text);
}
