//! A full disk and no descriptors left: a clear message, nothing lost.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use compliance::golden::{check, log};
use compliance::testkit::{Instance, Sink, wait_for};

/// Fills the queue's file system but for `left` KiB.
fn fill(instance: &Instance, left: u32) {
    let script = format!(
        "cd {} && dd if=/dev/zero of=filler bs=1k 2>/dev/null; truncate -s -{left}k filler; true",
        instance.path("spool").display()
    );
    let filled = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(filled.status, 0, "{filled:?}");
}

fn empty(instance: &Instance) {
    std::fs::remove_file(instance.seen("spool/filler")).unwrap();
}

const BODY: usize = 40;

/// A message of about 40 KiB.
fn content() -> String {
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(BODY * 16)
}

/// One message by SMTP: the replies up to the first that is not what a client hopes for.
fn submit(instance: &Instance, mail: &str) -> String {
    let mut client = instance.smtp();
    let mut text = format!("C {mail}\n");
    client.expect("EHLO client.example", 250);
    for (line, hope) in [
        (mail, 250),
        ("RCPT TO:<alice@far.example>", 250),
        ("DATA", 354),
    ] {
        let reply = client.command(line);
        if reply.code != hope {
            let _ = writeln!(text, "{line}: {}", reply.text);
            return text;
        }
    }
    client.send(content());
    let reply = client.command(".");
    let text_of = regex::Regex::new(r"queued as \w+").unwrap();
    let _ = writeln!(text, ".: {}", text_of.replace(&reply.text, "queued as QID"));
    text
}

#[test]
fn a_full_disk() {
    let instance = Instance::builder()
        .spool_kib(2048)
        .main_cf("relayhost = [127.0.0.1]:2525\nsmtp_host_lookup = native\nmessage_size_limit = 100000\nmailbox_size_limit = 100000\nfast_flush_domains =")
        .start();
    let sink = Sink::start(&instance, "127.0.0.1:2525");
    let mut text = submit(&instance, "MAIL FROM:<bob@test.example>");
    sink.wait(1);
    instance.wait_queue_empty();

    text += "--- less free than queue_minfree and message_size_limit ask for\n";
    fill(&instance, 60);
    text += &submit(&instance, "MAIL FROM:<bob@test.example>");
    text += &submit(&instance, "MAIL FROM:<bob@test.example> SIZE=40000");

    // What tells postmaster of it must not be under way when the system is reloaded or stopped: it would come five minutes later.
    instance.wait_queue_empty();

    text += "--- no room in the midst of a message\n";
    let posted = instance.run(
        "postconf",
        &["-e", "message_size_limit=0", "mailbox_size_limit=0"],
    );
    assert_eq!(posted.status, 0, "{posted:?}");
    assert_eq!(instance.run("postfix", &["reload"]).status, 0);
    instance.wait_log("reload -- version");
    empty(&instance);
    fill(&instance, 12);
    text += &submit(&instance, "MAIL FROM:<bob@test.example>");
    text += &submit(&instance, "MAIL FROM:<bob@test.example> SIZE=40000");

    text += "--- the same by sendmail\n";
    let sent = instance.run_with(
        "sendmail",
        &["-i", "-f", "bob@test.example", "alice@far.example"],
        content().as_bytes(),
    );
    // What the peer's library says about closing a stream says nothing more.
    let stderr = sent
        .stderr
        .replace("sendmail: warning: mail_stream_cleanup: close error\n", "");
    let _ = writeln!(text, "{}\n{stderr}", sent.status);
    instance.wait_queue_empty();
    text += "--- what is left behind\n";
    for queue in ["maildrop", "incoming", "active", "deferred"] {
        let files = std::fs::read_dir(instance.seen(&format!("spool/{queue}"))).unwrap();
        let _ = writeln!(text, "{queue}: {}", files.count());
    }

    text += "--- a queue on a full disk is worked off all the same\n";
    empty(&instance);
    assert_eq!(instance.run("postfix", &["stop"]).status, 0);
    let sent = instance.run_with(
        "sendmail",
        &["-i", "-f", "bob@test.example", "alice@far.example"],
        b"Subject: waits\n\nin maildrop\n",
    );
    let _ = writeln!(text, "{} {}", sent.status, sent.stderr);
    fill(&instance, 0);
    instance.start();
    instance.wait_log(r"pickup\[\d+\]: warning: maildrop/.*: error writing ");
    let here = std::fs::read_dir(instance.seen("spool/maildrop")).unwrap();
    let _ = writeln!(text, "maildrop: {}", here.count());
    empty(&instance);
    instance.run("postkick", &["public", "pickup", "W"]);
    sink.wait(2);
    instance.wait_queue_empty();
    let mut lines = log(
        &instance,
        r"reject: |No space left|error writing|canceled|queue file (size|write)|not enough free space",
    );
    // Ids are short here, and the free space is not the same to the block.
    for (pattern, with) in [
        (r"\b[0-9A-F]{6,9}\b", "QID"),
        (r"queue: \d+ bytes", "queue: N bytes"),
    ] {
        let pattern = regex::Regex::new(pattern).unwrap();
        lines = pattern.replace_all(&lines, with).into_owned();
    }
    text += &lines;
    instance.assert_no_panic();
    check(&instance, "resources/full-disk", &text);
}

#[test]
fn no_descriptors_left() {
    let instance = Instance::builder()
        .main_cf("relayhost = [127.0.0.1]:2525\nsmtp_host_lookup = native\nsmtpd_peername_lookup = no\nqueue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s\nservice_throttle_time = 1s")
        .build();
    let sink = Sink::start(&instance, "127.0.0.1:2525");
    // The peer's event-driven daemons do not start with fewer than 128. With 80, master has hardly one left for a child.
    let limits: &[u32] = if instance.target().is_peer() {
        &[200, 150]
    } else {
        &[200, 120, 80]
    };
    let mut taken = 0;
    for limit in limits {
        let postfix = instance.target().command("postfix");
        let script = format!("ulimit -n {limit}; exec {} start", postfix.display());
        instance.run("/bin/sh", &["-c", &script]);
        taken += hammer(&instance);
        instance.run("postfix", &["abort"]);
        let gone = wait_for(Duration::from_secs(10), || instance.processes().is_empty());
        assert!(gone, "{:?}", instance.processes());
    }
    instance.start();
    instance.run("postqueue", &["-f"]);
    sink.wait(taken);
    instance.wait_queue_empty();
    instance.assert_no_panic();
    assert!(taken > 0, "nothing was ever accepted");
}

/// Clients that come all at once, to a system that may not answer; how many messages were accepted.
fn hammer(instance: &Instance) -> usize {
    let mut streams: Vec<_> = (0..60)
        .filter_map(|_| instance.try_connect("127.0.0.1", "127.0.0.1:25").ok())
        .collect();
    let mut accepted = 0;
    for stream in &mut streams {
        stream
            .set_read_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let whole = "EHLO client.example\r\nMAIL FROM:<bob@test.example>\r\nRCPT TO:<alice@far.example>\r\nDATA\r\n";
        if converse(stream, "", b'2').is_none() {
            continue;
        }
        let got = whole.split_inclusive('\n').all(|line| {
            converse(stream, line, if line == "DATA\r\n" { b'3' } else { b'2' }).is_some()
        });
        if got && converse(stream, "Subject: x\r\n\r\nx\r\n.\r\n", b'2').is_some() {
            accepted += 1;
        }
    }
    accepted
}

/// Sends text and reads a reply of this class.
fn converse(stream: &mut TcpStream, text: &str, class: u8) -> Option<()> {
    stream.write_all(text.as_bytes()).ok()?;
    let mut reply = [0; 1024];
    let count = stream.read(&mut reply).ok()?;
    (count > 0 && reply[0] == class).then_some(())
}
