//! `qshape`: how the queue is spread over domains and ages. The original is a Perl script; the machine's Perl runs it.

use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use compliance::golden::check;
use compliance::queue_file::{record, records};
use compliance::testkit::{Instance, Target};

/// A queue file whose recipients are before the content, or behind it. `D` before a recipient: it is done.
fn file(minutes: u64, sender: &str, to: &[&str], behind: bool) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // Half a minute away from where one age ends and the next begins.
    let arrival = format!("{} 5000", now.as_secs() - minutes * 60 - 30);
    let recipients: Vec<u8> = to
        .iter()
        .flat_map(|address| match address.strip_prefix("D ") {
            Some(done) => record(b'D', done.as_bytes()),
            None => record(b'R', address.as_bytes()),
        })
        .collect();
    let content = records(&[(b'N', "Subject: R"), (b'N', ""), (b'N', "body")]);
    let (before, after) = if behind {
        (Vec::new(), recipients)
    } else {
        (recipients, Vec::new())
    };
    let envelope = [
        records(&[(b'T', arrival.as_str()), (b'A', "a=b"), (b'S', sender)]),
        before,
    ]
    .concat();
    let size = format!(
        "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
        content.len(),
        97 + envelope.len() + 2,
        to.len(),
        0,
        content.len(),
        0
    );
    [
        record(b'C', size.as_bytes()),
        envelope,
        record(b'M', b""),
        content,
        record(b'X', b""),
        after,
        record(b'E', b""),
    ]
    .concat()
}

fn qshape(instance: &Instance, args: &str) -> String {
    let mut command = match instance.target().is_peer() {
        true => {
            let mut command = Command::new("perl");
            command.arg(Target::peer_root().join("usr/sbin/qshape"));
            command
        }
        false => instance.command("qshape"),
    };
    for word in args.split(' ').filter(|word| !word.is_empty()) {
        match word.strip_prefix('@') {
            Some(queue) => command.arg(instance.path("spool").join(queue)),
            None => command.arg(word),
        };
    }
    let output = command.output().unwrap();
    let mut text = format!(
        "$ qshape {args}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    // The rest of the usage is each system's own.
    if let Some(line) = String::from_utf8_lossy(&output.stderr).lines().next() {
        let line = line.rsplit("qshape: ").next().unwrap();
        let line = if line.starts_with("Usage: ") {
            "Usage"
        } else {
            line
        };
        let _ = writeln!(text, "! {line}");
    }
    let _ = writeln!(text, "= {}", output.status.code().unwrap());
    text
}

#[test]
fn domains_and_ages() {
    let instance = Instance::builder().build();
    let long = format!("u@{}.example.org", "long-name.".repeat(9));
    let mut files = vec![
        (
            "deferred/4A000000001",
            file(0, "a@one.example", &["u@host.example.com"], false),
        ),
        (
            "deferred/4A000000002",
            file(
                7,
                "a@one.example",
                &["u@Host.Example.Com", "v@b.example.com"],
                true,
            ),
        ),
        (
            "deferred/4/4A000000003",
            file(12, "", &["D u@gone.example", "x@c.example.com"], false),
        ),
        (
            "deferred/4/4A000000004",
            file(90, "root", &["x@c.example.com", "x@c.example.com"], false),
        ),
        (
            "deferred/4/4A000000005",
            file(3000, "b@two.example", &[&long, "x@d.e.example.com"], false),
        ),
        (
            "deferred/4aBcDf1234zJbq",
            file(21, "b@two.example", &["D u@gone.example"], false),
        ),
        (
            "hold/4A000000007",
            file(
                1,
                "a@one.example",
                &["q@c..example.com.", "q@.c.example.com"],
                true,
            ),
        ),
        (
            "hold/short",
            file(1, "a@one.example", &["u@short.example"], false),
        ),
        (
            "hold/4A000000008.tmp",
            file(1, "a@one.example", &["u@other.example"], false),
        ),
        (
            "hold/4A000000009",
            file(1, "a@one.example", &["u@unfinished.example"], false),
        ),
        (
            "hold/4A00000000A",
            file(1, "a@one.example", &["u@expires.example"], false),
        ),
        (
            "hold/4A00000000B",
            file(1, "a@one.example", &["u@cut.example"], false),
        ),
    ];
    let whole = files.last().unwrap().1.len();
    files.last_mut().unwrap().1.truncate(whole - 2);
    for directory in ["deferred/4", "hold"] {
        std::fs::create_dir_all(instance.path("spool").join(directory)).unwrap();
    }
    for (name, bytes) in &files {
        let path = instance.write(&format!("spool/{name}"), bytes);
        let mode = match *name {
            "hold/4A000000009" => 0o600,
            "hold/4A00000000A" => 0o710,
            _ => 0o700,
        };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut text = String::new();
    for args in [
        "@deferred @hold",
        "-s @deferred @hold",
        "-p -m 2 @deferred",
        "-p @deferred @hold",
        "-l -b 4 -t 30 @deferred",
        "-b 1 @deferred",
        "-b3 -t 2.5 @deferred",
        "-w 110 @deferred",
        "-w 40 -b 14 @deferred",
        "-n 2 -N 1 @deferred",
        "@nosuch",
        "-x",
        "-h",
        "@hold/4A000000007",
    ] {
        text += &qshape(&instance, args);
    }
    check(&instance, "qshape/table", &text);
}
