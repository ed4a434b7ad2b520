//! Notifications: who gets which, and what they hold.

use std::time::Duration;

use compliance::delivery::system_with;
use compliance::golden::{check, log};
use compliance::testkit::{Instance, wait_for};
use regex::Regex;

const SERVICES: &str = "
talk unix - n n - - pipe user=vmail argv=/bin/sh -c {cat >/dev/null; printf \"$nexthop\"; exit 69}
late unix - n n - - pipe user=vmail argv=/bin/sh -c {cat >/dev/null; printf \"$nexthop\"; exit 75}
";

const TRANSPORTS: &str = "transport_maps = inline:{ { fail.example = error:5.7.1 go away } { code.example = error:3.3.3 } { plain.example = error:no code here } { lines.example = talk:5.2.2 first line\\\\nsecond  line\\\\n\\\\tthird <x@y> line } { dsn.example = talk:5.1.7 said so } { bytes.example = talk:caf\\\\303\\\\251 \\\\001 \\\\377 } { wait.example = late:4.2.2 full } { good.example = discard:fine } }\n";

fn start(main: &str, prepare: impl FnOnce(&Instance)) -> Instance {
    system_with(
        &format!("{TRANSPORTS}maximal_queue_lifetime = 0\nbounce_queue_lifetime = 0\n{main}"),
        SERVICES,
        "",
        prepare,
    )
}

/// Sends one message with `sendmail` and shows the log and all mail that came of it.
fn send(instance: &Instance, args: &[&str], content: &[u8]) -> String {
    let before = instance.log().len();
    for user in ["bob", "root", "alice"] {
        let _ = std::fs::remove_file(instance.seen("mail").join(user));
    }
    let sent = instance.run_with("sendmail", args, content);
    settled(instance, before, sent.status != 0);
    format!(
        "--- {}\n{}{}{}",
        args.join(" "),
        sent.stdout,
        sent.stderr,
        told(instance, before)
    )
}

/// Waits until every message that was taken since then has ended.
fn settled(instance: &Instance, before: usize, failed: bool) {
    let done = || {
        let log = instance.log();
        let new = log.get(before..).unwrap_or_default();
        let taken = new.matches(": message-id=").count();
        let ended = new.matches(": removed").count();
        failed || new.contains(": fatal: ") || (taken > 0 && taken == ended)
    };
    let done = wait_for(Duration::from_secs(10), done);
    assert!(done, "{}", instance.log().get(before..).unwrap_or_default());
}

fn told(instance: &Instance, before: usize) -> String {
    let text = log(instance, r" to=<|postfix/bounce|warning|status=|fatal");
    let count = instance.whole_log()[before..]
        .lines()
        .filter(|line| {
            Regex::new(r" to=<|postfix/bounce|warning|status=|fatal")
                .unwrap()
                .is_match(line)
        })
        .count();
    let lines: Vec<_> = text.lines().collect();
    let mut lines: Vec<_> = lines[lines.len() - count..]
        .iter()
        .map(|line| {
            Regex::new(
                r"^postfix/(\w+)\[(?:\d+|PID)\]: (?:[0-9A-F]{10,}: )?|delay=[\d.]+, delays=[\d./]+, ",
            )
            .unwrap()
            .replace_all(line, "$1: ")
            .into_owned()
        })
        .collect();
    lines.sort();
    lines.retain(|line| !line.starts_with("master"));
    lines.dedup();
    let mut text = lines.join("\n") + "\n";
    let id = Regex::new(r"[0-9A-F]{10,}[.\w/]*").unwrap();
    for user in ["bob", "alice", "root"] {
        let mail = instance.read(&format!("mail/{user}"));
        let mail = id.replace_all(&mail, "QID").into_owned();
        if !mail.is_empty() {
            text += &format!("=== {user}\n{mail}");
        }
    }
    text
}

const MAIL: &[u8] = b"Subject: test\nX-Long: a\n\tb\n\nFrom me\n.dot\nlast\n";

#[test]
fn what_notifications_hold() {
    let instance = start("bounce_size_limit = 2000\nnotify_classes =", |_| {});
    let bob = ["-f", "bob@test.example"];
    let big = [
        MAIL,
        "0123456789012345678901234567890123456789012345678\n"
            .repeat(60)
            .as_bytes(),
    ]
    .concat();
    let mut text = String::new();
    for (args, content) in [
        (&["a@fail.example", "d@good.example"][..], MAIL),
        (&["b@code.example"], MAIL),
        (&["c@plain.example"], MAIL),
        (&["a@lines.example"], MAIL),
        (&["a@dsn.example"], MAIL),
        (&["a@bytes.example"], MAIL),
        (&["-R", "hdrs", "-V", "env+id", "a@fail.example"], MAIL),
        (&["-R", "full", "-N", "failure", "a@fail.example"], &big),
        (&["-N", "never", "a@fail.example"], MAIL),
        (&["-N", "success,failure,delay", "a@fail.example", "b@good.example"], MAIL),
        (&["-N", "success,failure,delay", "c@wait.example"], MAIL),
        (&["-N", "success", "a@fail.example", "b@good.example"], MAIL),
        (&["a@wait.example"], MAIL),
        (&["-bv", "a@fail.example"], b""),
        (&["-bv", "b@good.example"], b""),
        (&["-bv", "c@dsn.example"], b""),
        (&["-bv", "alice"], b""),
        (&["-v", "a@fail.example"], MAIL),
        (&["a@fail.example"], b""),
        (&["a@fail.example"], b"Subject: only a header\n"),
        (&["a@fail.example"], b"Mime-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\ncaf\xc3\xa9\n"),
        (&["a@fail.example"], b"Content-Transfer-Encoding: 7bit\nSubject: caf\xe9\n\nbad \xe9 bytes\n"),
        (&["-B8BITMIME", "a@fail.example"], b"\nplain\n"),
    ] {
        let args: Vec<&str> = bob.iter().chain(args).copied().collect();
        text += &send(&instance, &args, content);
    }
    text += &send(&instance, &["-f", "", "a@fail.example"], MAIL);
    text += &send(&instance, &["-f", "nobody", "a@fail.example"], MAIL);
    text += &send(
        &instance,
        &["-f", "someone@fail.example", "a@fail.example"],
        MAIL,
    );
    text += &send(&instance, &["-f", "double-bounce", "a@fail.example"], MAIL);
    check(&instance, "bounce/notifications", &text);
    instance.assert_no_panic();
}

#[test]
fn copies_for_the_postmaster() {
    let instance = start(
        "notify_classes = bounce, 2bounce, delay, resource, software, data\nbounce_notice_recipient = alice\n2bounce_notice_recipient = root\ndelay_notice_recipient = alice\nenable_threaded_bounces = yes\nenable_original_recipient = no\nsmtputf8_autodetect_classes = all",
        |_| {},
    );
    let mut text = String::new();
    for (args, content) in [
        (
            &["-f", "bob@test.example", "a@fail.example"][..],
            &b"Subject: test\nMessage-ID: <x@y>\nReferences: <1@y>\n <2@y>\n\nbody\n"[..],
        ),
        (
            &["-f", "bob@test.example", "-N", "never", "a@fail.example"],
            MAIL,
        ),
        (&["-f", "", "a@fail.example"], MAIL),
        (&["-f", "someone@fail.example", "a@fail.example"], MAIL),
        (&["-f", "bob@test.example", "a@wait.example"], MAIL),
        (&["-f", "b\u{f6}b@test.example", "a@fail.example"], MAIL),
        (
            &["-f", "bob@test.example", "\u{e4}@fail.example"],
            "Subject: gr\u{fc}n\n\nbody\n".as_bytes(),
        ),
        (&["-f", "bob@test.example", "<\"a b\"@fail.example>"], MAIL),
    ] {
        text += &send(&instance, args, content);
    }
    check(&instance, "bounce/postmaster", &text);
    instance.assert_no_panic();
}

#[test]
fn templates() {
    let mut text = String::new();
    let good = "failure_template = <<EOF\nCharset: us-ascii\nFrom: $mail_name at $myhostname <MAILER-DAEMON>\nSubject: Not sent\nPostmaster-Subject: Copy of what was not sent\n\nHello from ${myhostname}.\n$$1 after $maximal_queue_lifetime_days days,\n  $delay_warning_time_hours hours.\n\nEOF\n# a comment\nsuccess_template = <<END\nSubject: Sent\n\nSent.\nEND\n";
    for (what, template) in [
        ("good", good),
        ("no end", "failure_template = <<EOF\nSubject: x\n\nbody\n"),
        (
            "no charset, 8 bit",
            "failure_template = <<EOF\nCharset: us-ascii\nSubject: x\n\nb\u{f6}dy\nEOF\n",
        ),
        (
            "unknown header",
            "failure_template = <<EOF\nNo-Such: header\nSubject: x\n\nbody\nEOF\n",
        ),
        (
            "unknown name",
            "other_template = <<EOF\nSubject: x\n\nbody\nEOF\nfailure_template = <<EOF\nSubject: second\n\nbody\nEOF\n",
        ),
        ("no body", "failure_template = <<EOF\nSubject: x\nEOF\n"),
        (
            "no equals",
            "failure_template <<EOF\nSubject: x\n\nbody\nEOF\n",
        ),
        (
            "no document",
            "failure_template = text\nsuccess_template = <<END\nSubject: Sent\n\nSent.\nEND\n",
        ),
        ("empty", ""),
        ("missing", "MISSING"),
    ] {
        let instance = start(
            "bounce_template_file = TOP/etc/bounce.cf\nnotify_classes = bounce",
            |instance| {
                if template != "MISSING" {
                    instance.write("etc/bounce.cf", template);
                }
            },
        );
        let to = if what == "no document" {
            "a@good.example"
        } else {
            "a@fail.example"
        };
        let top = instance.path("").display().to_string();
        text += &format!("##### {what}\n");
        text += &send(
            &instance,
            &["-f", "bob@test.example", "-N", "success,failure", to],
            b"Subject: x\n\nx\n",
        )
        .lines()
        .filter(|line| !line.starts_with("Received: ") && !line.starts_with('\t'))
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        .replace(&top, "/TOP/");
    }
    let instance = start("", |_| {});
    check(&instance, "bounce/templates", &text);
}

/// A header line that is longer than `header_size_limit` of its case.
const LONG: &[u8] = b"Subject: word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word\nX-Y: z\n\nbody\n";

/// Each setting keeps the log or writes the notification in another way.
#[test]
fn other_settings() {
    let mut text = String::new();
    for (what, settings, args, content) in [
        (
            "a log without the old line, the name in brackets, no original",
            "backwards_bounce_logfile_compatibility = no\nheader_from_format = obsolete\nbounce_size_limit = 1\nnotify_classes =",
            &["a@lines.example"][..],
            MAIL,
        ),
        (
            "other names",
            "mail_name = Mailer\nmyhostname = other.example\ndouble_bounce_sender = twice\nempty_address_recipient = NOBODY\nnotify_classes = 2bounce",
            &["-f", "", "a@fail.example"],
            MAIL,
        ),
        (
            "variable paths by default",
            "verp_delimiter_filter = -=+#\ndefault_verp_delimiters = #=",
            &["-XV", "a@fail.example"],
            MAIL,
        ),
        (
            "utf8",
            "notify_classes = bounce\nbounce_notice_recipient = alice\nsmtputf8_autodetect_classes = sendmail, bounce",
            &["\u{fc}ser@fail.example"],
            "Subject: \u{fc}\n\n\u{fc}\n".as_bytes(),
        ),
        (
            "longest",
            "bounce_size_limit = 500\nheader_size_limit = 150\nline_length_limit = 512\nnotify_classes =",
            &["a@fail.example"],
            LONG,
        ),
    ] {
        let instance = start(settings, |_| {});
        text += &format!("##### {what}\n");
        let args: Vec<&str> = if args.contains(&"") {
            args.to_vec()
        } else {
            [&["-f", "bob@test.example"], args].concat()
        };
        text +=
            &send(&instance, &args, content).replace(instance.path("").to_str().unwrap(), "/TOP/");
    }
    let instance = start("", |_| {});
    check(&instance, "bounce/settings", &text);
}
