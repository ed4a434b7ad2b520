//! The defaults, against those of the peer (Postfix 3.11.7 of Debian), recorded from its `postconf -d`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at its first surprise"
)]

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What depends on the machine, the process, or the day of the build.
const VARIES: [&str; 5] = [
    "process_id",
    "myhostname",
    "mydomain",
    "mynetworks",
    "mail_release_date",
];

/// Where our build differs on purpose: name, the peer's default, ours.
const OURS: [(&str, &str, &str); 4] = [
    (
        "alias_maps",
        "$default_database_type:/etc/aliases, nis:mail.aliases",
        // There are no NIS tables.
        "$default_database_type:/etc/aliases",
    ),
    ("default_cache_db_type", "lmdb", "sled"),
    ("default_database_type", "cdb", "lmdb"),
    ("mail_version", "3.11.7", "3.11.7-rs.0.1.0"),
];

fn parse(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .map(|line| {
            let (name, value) = line.split_once(" =").unwrap();
            (name.to_owned(), value.trim_start().to_owned())
        })
        .collect()
}

fn run(arguments: &[&str]) -> (String, String, i32) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("main.cf"), "").unwrap();
    std::fs::write(dir.path().join("master.cf"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_postconf"))
        .arg0("postconf")
        .arg("-c")
        .arg(dir.path())
        .args(arguments)
        .output()
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
        output.status.code().unwrap(),
    )
}

#[test]
fn every_parameter_of_the_peer_has_its_default() {
    let (stdout, stderr, status) = run(&["-d"]);
    assert_eq!((stderr.as_str(), status), ("", 0));
    let mut ours = parse(&stdout);
    let mut peer = parse(include_str!("golden/defaults.txt"));
    for name in VARIES {
        assert!(ours.remove(name).is_some(), "{name}");
    }
    for (name, theirs, own) in OURS {
        assert_eq!(peer.remove(name).unwrap(), theirs);
        assert_eq!(ours.remove(name).unwrap(), own);
    }
    assert_eq!(ours, peer);
}

#[test]
fn every_default_can_be_expanded() {
    let (stdout, stderr, status) = run(&["-x"]);
    assert_eq!((stderr.as_str(), status), ("", 0));
    let values = parse(&stdout);
    assert_eq!(values["smtputf8_enable"], "no");
    assert_eq!(values["smtpd_timeout"], "300s");
    assert_eq!(values["syslog_name"], "postfix");
}

#[test]
fn complaints_and_statuses() {
    let (stdout, stderr, status) = run(&["no_such_name", "mail_name"]);
    assert_eq!(stdout, "mail_name = Postfix\n");
    assert_eq!(
        (stderr.as_str(), status),
        ("postconf: warning: no_such_name: unknown parameter\n", 0)
    );
    let (_, stderr, status) = run(&["-dn"]);
    assert_eq!(
        (stderr.as_str(), status),
        ("postconf: fatal: specify one of -d, -n\n", 1)
    );
    let (_, stderr, status) = run(&["-Z"]);
    assert!(stderr.contains("invalid option -- 'Z'\npostconf: fatal: usage: "));
    assert_eq!(stderr.lines().count(), 2, "help is for terminals only");
    let (_, stderr, _) = run(&["-E"]);
    assert!(stderr.starts_with("postconf: fatal: usage: "), "{stderr}");
    assert_eq!(status, 1);
}

/// Runs postconf on a `main.cf` with this text.
fn with(main: &str, arguments: &[&str]) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("main.cf");
    std::fs::write(&path, main).unwrap();
    std::fs::write(dir.path().join("master.cf"), "").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_postconf"))
        .arg0("postconf")
        .arg("-c")
        .arg(dir.path())
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success());
    (
        String::from_utf8(output.stdout).unwrap(),
        std::fs::read_to_string(path).unwrap(),
    )
}

/// A last line without newline is not glued to a new one.
#[test]
fn bug_20250316() {
    let (_, file) = with("a = b", &["c = d"]);
    assert_eq!(file, "a = b\nc = d\n");
}

/// New entries come in the order of their names, whatever the order of the arguments.
#[test]
fn bug_20250919() {
    let (_, file) = with("", &["z=1", "b=2", "a=3", "y=4"]);
    assert_eq!(file, "a = 3\nb = 2\ny = 4\nz = 1\n");
}

/// The same name twice with -X or -#.
#[test]
fn bug_20251120() {
    let (_, file) = with("a = b\nc = d\n", &["-X", "a", "a"]);
    assert_eq!(file, "c = d\n");
    let (_, file) = with("a = b\nc = d\n", &["-#", "a", "a"]);
    assert_eq!(file, "#a = b\nc = d\n");
}

/// The value of a parameter that is never expanded stays as it is where another one refers to it.
#[test]
fn bug_20260126() {
    let (out, _) = with(
        "smtpd_banner = $default_rbl_reply\n",
        &["-xh", "smtpd_banner"],
    );
    assert!(out.starts_with("$rbl_code Service unavailable"), "{out}");
}

/// The default of alias_maps follows default_database_type.
#[test]
fn bug_20260309() {
    let (out, _) = with("default_database_type = cdb\n", &["-xh", "alias_maps"]);
    assert_eq!(out, "cdb:/etc/aliases\n");
}
