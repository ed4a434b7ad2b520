//! Mail to servers that do as they are told.

use std::fmt::Write as _;
use std::time::Duration;

use pf_testkit::{Instance, wait_for};

/// What a server says to a command line, if not the usual.
pub type Script = fn(&str) -> Option<&'static str>;

/// `reply` for an event that begins with `verb`, such as `RCPT` or `greeting`.
pub fn on(event: &str, verb: &str, reply: &'static str) -> Option<&'static str> {
    event
        .get(..verb.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(verb))
        .then_some(reply)
}

/// Sends one message and waits until each recipient was told of; what the SMTP client logged.
pub fn send(
    instance: &Instance,
    recipients: &[String],
    content: &[u8],
    options: &[&str],
) -> String {
    let before = instance.log().len();
    let mut args = vec!["-i", "-f", "bob@test.example"];
    args.extend(options);
    args.extend(recipients.iter().map(String::as_str));
    let sent = instance.run_with("sendmail", &args, content);
    assert_eq!(sent.status, 0, "{sent:?}");
    let told = |log: &str| {
        recipients.iter().all(|to| {
            log.contains(&format!("to=<{to}>, relay=")) || log.contains(&format!("orig_to=<{to}>"))
        })
    };
    let done = wait_for(Duration::from_secs(20), || told(&instance.log()[before..]));
    let log = instance.whole_log();
    assert!(done, "{recipients:?}:\n{}", &log[before..]);
    let mut out = String::new();
    for line in log[before..].lines() {
        if line.contains("overriding earlier entry") {
            continue;
        }
        if line.contains("postfix/smtp[") || line.contains("postfix/lmtp[") {
            let text = line.split_once("postfix/").unwrap().1;
            writeln!(out, "{text}").unwrap();
        }
    }
    out
}
