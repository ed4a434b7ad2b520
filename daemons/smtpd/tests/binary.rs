//! The program from outside: run by hand for `sendmail -bs`, and as master runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at its first surprise"
)]

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A configuration directory with a queue, and these settings.
fn configure(dir: &Path, settings: &str) {
    std::fs::create_dir_all(dir.join("queue/public")).unwrap();
    std::fs::create_dir_all(dir.join("queue/private")).unwrap();
    std::fs::write(dir.join("master.cf"), "").unwrap();
    let main = format!(
        "compatibility_level = 3.11\nmyhostname = mail.example.com\nmydestination = example.com\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmynetworks = 127.0.0.0/8\nalias_maps =\nlocal_recipient_maps =\nqueue_directory = {0}/queue\ndata_directory = {0}\ncommand_directory = {0}/bin\nmaillog_file = {0}/log\nmaillog_file_prefixes = /\n{settings}\n",
        dir.display()
    );
    std::fs::write(dir.join("main.cf"), main).unwrap();
}

fn run(dir: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new("timeout")
        .arg("20")
        .arg(env!("CARGO_BIN_EXE_smtpd"))
        .args(arguments)
        .env("MAIL_CONFIG", dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that ends early does not read everything.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn local_programs_submit_through_postdrop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path();
    configure(path, "");
    std::fs::create_dir(path.join("bin")).unwrap();
    let script = format!(
        "#!/bin/sh\nprintf 'protocol\\0postdrop_protocol\\0queue_id\\0ID123\\0\\0'\ndd bs=65536 count=1 of={}/got 2>/dev/null\nprintf 'status\\0000\\0reason\\0\\0\\0'\n",
        path.display()
    );
    let postdrop = path.join("bin/postdrop");
    std::fs::write(&postdrop, script).unwrap();
    std::fs::set_permissions(&postdrop, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = run(
        path,
        &["-S"],
        "HELO here\r\nMAIL FROM:<a@x.org>\r\nRCPT TO:<b@anywhere.org>\r\nDATA\r\nSubject: x\r\n\r\ny\r\n.\r\nETRN x.org\r\nQUIT\r\n",
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "220 mail.example.com ESMTP Postfix\r\n250 mail.example.com\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as ID123\r\n458 Unable to queue messages\r\n221 2.0.0 Bye\r\n",
        "{output:?}"
    );
    let got = std::fs::read(path.join("got")).unwrap();
    let got = String::from_utf8_lossy(&got);
    assert!(got.starts_with("S\u{7}a@x.orgA"), "{got:?}");
    assert!(got.contains("Adsn_orig_rcpt".get(1..).unwrap()) && got.contains("b@anywhere.orgM\0"));
    assert!(got.ends_with("N\nSubject: xN\0N\u{1}yX\0E\0"), "{got:?}");
    assert!(!got.contains("log_client"));
}

#[test]
fn an_open_relay_does_not_start() {
    let dir = tempfile::tempdir().unwrap();
    configure(dir.path(), "smtpd_relay_restrictions = permit_mynetworks");
    let output = run(dir.path(), &["-S"], "QUIT\r\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(output.stdout, b"");
}
