//! The SMTP client's options, each on a transport of its own.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compliance::golden;
use compliance::outbound::{Script, on, send};
use compliance::testkit::{Instance, Sink, wait_for};

const MAIL: &str = "Subject: x\nDate: Tue, 24 Nov 2026 00:00:00 +0000\nMessage-Id: <1@x.example>\nX-Odd: odd\nFrom: Bob <bob@test.example>\nTo: \"us er\"@x.example,\n other@test.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nX-Part: odd\nContent-Type: message/rfc822\n\nSubject: nested\nX-Nested: odd\n\nodd inside\n--b--\n.dot\n";

fn fine(event: &str) -> Option<&'static str> {
    on(
        event,
        "EHLO",
        "250-x.example\n250-PIPELINING\n250-8BITMIME\n250-DSN\n250-SIZE 100000\n250-ETRN\n250 ENHANCEDSTATUSCODES",
    )
}

/// A transport, its options, what its server says, and to whom a message goes.
const CASES: &[(&str, &str, Script, &str)] = &[
    ("never", "smtp_never_send_ehlo=yes", fine, "a"),
    (
        "maybe",
        "smtp_always_send_ehlo=no",
        |e| on(e, "greeting", "220 old.example").or_else(|| fine(e)),
        "a",
    ),
    (
        "announced",
        "smtp_always_send_ehlo=no",
        |e| on(e, "greeting", "220 new.example esmtp here").or_else(|| fine(e)),
        "a",
    ),
    ("name", "smtp_helo_name=other.example", fine, "a"),
    (
        "words",
        "{ smtp_discard_ehlo_keywords = size, dsn, pipelining, nonsense }",
        fine,
        "a",
    ),
    (
        "silent",
        "smtp_discard_ehlo_keywords=size,silent-discard",
        fine,
        "a",
    ),
    (
        "mapped",
        "smtp_discard_ehlo_keyword_address_maps=inline:{{127.0.0.16=8bitmime}}",
        fine,
        "a",
    ),
    (
        "brokenmap",
        "smtp_discard_ehlo_keyword_address_maps=fail:x",
        fine,
        "a",
    ),
    (
        "unquoted",
        "smtp_quote_rfc821_envelope=no",
        fine,
        "\"us er\"",
    ),
    (
        "quoted",
        "smtp_quote_rfc821_envelope=yes",
        fine,
        "\"us er\"",
    ),
    (
        "stars",
        "smtp_pix_workarounds=disable_esmtp,delay_dotcrlf",
        |e| on(e, "greeting", "220 **** ** 2**0").or_else(|| fine(e)),
        "a",
    ),
    (
        "starsmap",
        "smtp_pix_workaround_maps=inline:{{127.0.0.21=delay_dotcrlf}}\n -o smtp_pix_workaround_threshold_time=0\n -o smtp_pix_workaround_delay_time=1s",
        |e| on(e, "greeting", "220 ****").or_else(|| fine(e)),
        "a",
    ),
    (
        "nostars",
        "smtp_pix_workarounds=",
        |e| on(e, "greeting", "220 ****").or_else(|| fine(e)),
        "a",
    ),
    (
        "starsbad",
        "{ smtp_pix_workarounds = disable_esmtp, nonsense }",
        |e| on(e, "greeting", "220 ****").or_else(|| fine(e)),
        "a",
    ),
    ("narrow", "smtp_line_length_limit=20", fine, "a"),
    (
        "generic",
        "{ smtp_generic_maps = inline:{{bob@test.example=robert@out.example} {other@test.example=\"o o\"@out.example} {a@generic.example=b@generic.example}} }",
        fine,
        "a",
    ),
    (
        "genericdomain",
        "smtp_generic_maps=inline:{{@test.example=@out.example}}",
        fine,
        "a",
    ),
    (
        "headers",
        "{ smtp_header_checks = pcre:{{/^X-Odd/ PREPEND X-New: y} {/^Subject/ WARN looks odd} {/^From/ INFO a from} {/^To/ REPLACE To: z@z.example}} }\n -o { smtp_mime_header_checks = pcre:{{/^X-Part/ STRIP a part}} }\n -o { smtp_nested_header_checks = pcre:{{/^X-Nested/ IGNORE}} }\n -o { smtp_body_checks = pcre:{{/odd/ PREPEND even}} }",
        fine,
        "a",
    ),
    (
        "forbidden",
        "{ smtp_header_checks = pcre:{{/^X-Odd/ REJECT no} {/^Subject/ FILTER x:y} {/^From/ DUNNO} {/^To/ nonsense}} }",
        fine,
        "a",
    ),
    ("checkbroken", "smtp_header_checks=fail:x", fine, "a"),
    ("bodybroken", "smtp_body_checks=fail:x", fine, "a"),
    (
        "statusfilter",
        "{ smtp_delivery_status_filter = pcre:{{/^2\\.[0-9.]+ (.*)/ 4.9.9 filtered} {/^5/ 4.8.8 softer}} }",
        fine,
        "a",
    ),
    (
        "statushard",
        "{ smtp_delivery_status_filter = pcre:{{/^4/ 5.7.7 harder}} }",
        |e| on(e, "RCPT", "450 4.2.1 later"),
        "a",
    ),
    (
        "replyfilter",
        "{ smtp_reply_filter = pcre:{{/^250 2.1.5/ 450 4.1.1 not quite}} }",
        |_| None,
        "a",
    ),
    ("replybroken", "smtp_reply_filter=fail:x", |_| None, "a"),
    (
        "greeting5",
        "smtp_skip_5xx_greeting=no",
        |e| on(e, "greeting", "554 5.3.2 no"),
        "a",
    ),
    ("bound", "smtp_bind_address=127.0.0.77", fine, "a"),
    ("boundwrong", "smtp_bind_address=192.0.2.7", fine, "a"),
    (
        "boundstrictly",
        "smtp_bind_address=192.0.2.7\n -o smtp_bind_address_enforce=yes",
        fine,
        "a",
    ),
    ("port465", "syslog_name=postfix", fine, "a"),
    ("slowehlo", "smtp_helo_timeout=1s", |e| slow(e, "EHLO"), "a"),
    ("slowmail", "smtp_mail_timeout=1s", |e| slow(e, "MAIL"), "a"),
    (
        "slowdata",
        "smtp_data_init_timeout=1s",
        |e| slow(e, "DATA"),
        "a",
    ),
    (
        "slowdot",
        "smtp_data_done_timeout=1s",
        |e| slow(e, "."),
        "a",
    ),
    (
        "tooslow",
        "smtp_helo_timeout=1s",
        |e| slow(e, "greeting"),
        "a",
    ),
];

/// Says nothing to one command, for longer than the client waits.
fn slow(event: &str, verb: &str) -> Option<&'static str> {
    if on(event, verb, "").is_some() {
        std::thread::sleep(Duration::from_millis(2500));
    }
    // A pipelined command would be timed for another one.
    on(event, "EHLO", "250 x.example")
}

#[test]
fn one_option_after_the_other() {
    let (mut map, mut services) = (String::new(), String::new());
    for (n, (name, options, ..)) in CASES.iter().enumerate() {
        let port = if *name == "port465" { ":465" } else { "" };
        write!(map, " {{{name}.example={name}:[127.0.0.{}]{port}}}", n + 10).unwrap();
        services += &format!("{name} unix - - n - - smtp\n -o {options}\n");
    }
    let instance = Instance::builder()
        .main_cf(&format!("inet_interfaces = 127.0.0.1\nappend_dot_mydomain = no\nsmtp_tcp_port = 2525\ntransport_maps = inline:{{{map} }}"))
        .master_cf(&services)
        .start();
    let mut out = String::new();
    for (n, (name, _, script, user)) in CASES.iter().enumerate() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ears, script) = (heard.clone(), *script);
        let port = if *name == "port465" { 465 } else { 2525 };
        let address = format!("127.0.0.{}:{port}", n + 10);
        let sink = Sink::with(&instance, &address, move |event| {
            ears.lock().unwrap().push(event.to_owned());
            script(event).map(str::to_owned)
        });
        writeln!(out, "== {name}").unwrap();
        out += &send(
            &instance,
            &[format!("{user}@{name}.example")],
            MAIL.as_bytes(),
            &[],
        );
        wait_for(Duration::from_millis(300), || {
            heard
                .lock()
                .unwrap()
                .last()
                .is_some_and(|last| last == "QUIT")
        });
        for event in heard.lock().unwrap().iter() {
            writeln!(out, "C: {event}").unwrap();
        }
        for message in sink.received() {
            let start = message.content.find("Subject").unwrap_or(0);
            writeln!(out, "{:?}", &message.content[start..]).unwrap();
        }
    }
    golden::check(&instance, "smtp/options", &out);
    instance.assert_no_panic();
}
