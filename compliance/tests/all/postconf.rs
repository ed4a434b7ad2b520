//! `postconf`: what it shows and how it edits, compared with the peer; the mail system is not started.

use std::fmt::Write as _;

use compliance::golden::check;
use compliance::testkit::Instance;

const MAIN: &str = "mail_owner = postfix\nsetgid_group = postdrop\n# about the queue\nqueue_directory = /q\n# in between\n  /r\n\nmyhostname = mx.test.example\n";
const MASTER: &str = "# a comment
smtp      inet  n       -       n       -       -       smtpd
  -o smtpd_sasl_auth_enable=yes
  -o { smtpd_x = a b  c }
#628       inet  n       -       n       -       -       qmqpd
pickup    unix  n       -       n       60      1       pickup
flush     unix  n       -       n       1000?   0       flush

# pipe
maildrop  unix  -       n       n       -       -       pipe
  flags=DRXhu user=vmail argv=/usr/bin/maildrop -d ${recipient}
  { quoted arg }
";

/// Runs each line in a shell of its own, in a new configuration directory, and compares all they print with the peer.
fn compare(name: &str, cases: &str) {
    let instance = Instance::builder().build();
    let cases: Vec<&str> = cases.lines().map(str::trim).collect();
    let top = instance.path("");
    // The original reads a file again and again, with its complaints, while that is as new as the clock.
    let mut script = format!(
        "PATH={}:/usr/bin:/bin; D={}; export PATH D\nold() {{ touch -c -d yesterday main.cf master.cf; command \"$@\"; }}\npostconf() {{ old postconf \"$@\"; }}\npostmap() {{ old postmap \"$@\"; }}\n",
        instance.target().command_directory().display(),
        instance.target().daemon_directory().display()
    );
    // At the same time: a fatal error of the original takes a second.
    for (at, case) in cases.iter().enumerate() {
        let place = format!("case{at}");
        std::fs::create_dir(instance.path(&place)).unwrap();
        instance.write(&format!("{place}/main.cf"), MAIN);
        instance.write(&format!("{place}/master.cf"), MASTER);
        let dir = top.join(&place);
        let dir = dir.display();
        let _ = writeln!(
            script,
            "(cd {dir}; MAIL_CONFIG={dir}; export MAIL_CONFIG; {case}; echo \"= $?\") >{top}/o.{at} 2>{top}/e.{at} </dev/null &",
            top = top.display()
        );
    }
    script += "wait\n";
    assert_eq!(instance.run("/bin/sh", &["-c", &script]).status, 0);
    let mut text = String::new();
    for (at, case) in cases.iter().enumerate() {
        let _ = write!(text, "$ {case}\n{}", instance.read(&format!("o.{at}")));
        for line in instance.read(&format!("e.{at}")).lines() {
            let _ = writeln!(text, "! {line}");
        }
        text = text.replace(&format!("/case{at}"), "/case");
    }
    check(&instance, &format!("postconf/{name}"), &text);
}

/// The modes and their edits.
#[test]
fn modes() {
    compare("modes", include_str!("../../cases/postconf/modes"));
}

/// Files with oddities, expressions, bad values.
#[test]
fn values() {
    compare("values", include_str!("../../cases/postconf/values"));
}

/// Files that are none, bytes that are no text, two editors at once, and what postconf itself depends on.
#[test]
fn edges() {
    compare("edges", include_str!("../../cases/postconf/edges"));
}
