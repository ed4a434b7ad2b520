//! What master, its small daemons and its commands do, seen from outside.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use compliance::testkit::{Instance, wait_for};

fn read_all(mut stream: impl std::io::Read) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn spawn_runs_a_command_as_somebody_else() {
    let instance = Instance::builder()
        .master_cf("10025 inet n n n - 2 spawn user=alice argv=/bin/sh -c {id -un; read line; echo got $line; exit 3}")
        .start();
    let mut stream = instance.connect("127.0.0.1", "127.0.0.1:10025");
    stream.write_all(b"hello\n").unwrap();
    assert_eq!(read_all(stream), "alice\ngot hello\n");
    instance.wait_log(r"postfix/spawn\[\d+\]: warning: command /bin/sh exit status 3$");
    instance.assert_no_panic();
}

#[test]
fn a_command_has_a_time_limit() {
    let instance = Instance::builder()
        .main_cf("10025_time_limit = 1")
        .master_cf("10025 inet n n n - 2 spawn user=alice argv=/bin/sleep 50")
        .start();
    let before = Instant::now();
    let stream = instance.connect("127.0.0.1", "127.0.0.1:10025");
    assert_eq!(read_all(stream), "");
    assert!(before.elapsed() < Duration::from_secs(10));
    instance.wait_log(
        r"postfix/spawn\[\d+\]: warning: /bin/sleep: process id \d+: command time limit exceeded$",
    );
    instance.wait_log(r"postfix/spawn\[\d+\]: warning: command /bin/sleep killed by signal 9$");
}

#[test]
fn never_more_clients_than_the_process_limit() {
    let instance = Instance::builder()
        .master_cf(
            "0.0.0.0:10025 inet n n n - 2 spawn user=alice argv=/bin/sh -c {echo in; read line}",
        )
        .start();
    let mut first = instance.connect("127.0.0.1", "127.0.0.1:10025");
    let mut second = instance.connect("127.0.0.1", "127.0.0.1:10025");
    let mut buffer = [0; 3];
    first.read_exact(&mut buffer).unwrap();
    second.read_exact(&mut buffer).unwrap();
    let mut third = instance.connect("127.0.0.1", "127.0.0.1:10025");
    third
        .set_read_timeout(Some(Duration::from_millis(500)))
        .unwrap();
    assert!(third.read_exact(&mut buffer).is_err());
    instance.wait_log(r#"postfix/master\[\d+\]: warning: service "0\.0\.0\.0:10025" \(\S+\) has reached its process limit "2": new clients may experience noticeable delays$"#);
    first.write_all(b"\n").unwrap();
    third
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    third.read_exact(&mut buffer).unwrap();
}

fn anvil(stream: &mut UnixStream, request: &str, ident: &str) -> String {
    write!(stream, "request={request}\nident={ident}\n\n").unwrap();
    list(stream)
}

fn list(stream: &mut UnixStream) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\n\n") {
        stream.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn anvil_counts() {
    let instance = Instance::builder().start();
    let path = instance.path("spool/private/anvil");
    let mut one = UnixStream::connect(&path).unwrap();
    assert_eq!(list(&mut one), "protocol=anvil_protocol\n\n");
    let mut two = UnixStream::connect(&path).unwrap();
    list(&mut two);
    let who = "smtp:192.0.2.1";
    assert_eq!(
        anvil(&mut one, "connect", who),
        "status=0\ncount=1\nrate=1\n\n"
    );
    assert_eq!(
        anvil(&mut two, "connect", who),
        "status=0\ncount=2\nrate=2\n\n"
    );
    assert_eq!(anvil(&mut two, "message", who), "status=0\nrate=1\n\n");
    assert_eq!(anvil(&mut two, "recipient", who), "status=0\nrate=1\n\n");
    assert_eq!(anvil(&mut two, "recipient", who), "status=0\nrate=2\n\n");
    assert_eq!(anvil(&mut two, "newtls", who), "status=0\nrate=1\n\n");
    assert_eq!(anvil(&mut two, "auth", who), "status=0\nrate=1\n\n");
    assert_eq!(
        anvil(&mut one, "newtls_status", who),
        "status=0\nrate=1\n\n"
    );
    assert_eq!(
        anvil(&mut one, "lookup", who),
        "status=0\ncount=2\nrate=2\nmail=1\nrcpt=2\nnewtls=1\nauth=1\n\n"
    );
    assert_eq!(anvil(&mut two, "disconnect", who), "status=0\n\n");
    assert_eq!(
        anvil(&mut one, "lookup", "smtp:192.0.2.2"),
        "status=0\ncount=0\nrate=0\nmail=0\nrcpt=0\nnewtls=0\nauth=0\n\n"
    );
    // A server that goes away takes its client along.
    drop(one);
    let gone = wait_for(Duration::from_secs(5), || {
        anvil(&mut two, "lookup", who).contains("count=0\n")
    });
    assert!(gone);
    assert_eq!(anvil(&mut two, "bogus", who), "status=4294967295\n\n");
    instance.wait_log(r#"postfix/anvil\[\d+\]: warning: unrecognized request: "bogus", ignored$"#);
    two.write_all(b"garbage\n\n").unwrap();
    assert_eq!(two.read(&mut [0; 1]).unwrap(), 0);
    instance.run("postfix", &["reload"]);
    instance.wait_log(
        r"postfix/anvil\[\d+\]: statistics: max connection rate 2/60s for \(smtp:192\.0\.2\.1\) at \w{3} [ \d]\d \d\d:\d\d:\d\d$",
    );
    instance.wait_log(r"postfix/anvil\[\d+\]: statistics: max cache size 1 at ");
    instance.assert_no_panic();
}

#[test]
fn a_program_that_fails_is_throttled() {
    let instance = Instance::builder()
        .main_cf("service_throttle_time = 1s")
        .master_cf("10025 inet n n n - 2 smtpd -o no-value\n10026 inet n n n - 2 no-such-program")
        .start();
    drop(instance.connect("127.0.0.1", "127.0.0.1:10025"));
    instance.wait_log(r"postfix/master\[\d+\]: warning: process .*/smtpd pid \d+ exit status 1$");
    instance
        .wait_log(r"postfix/master\[\d+\]: warning: .*/smtpd: bad command startup -- throttling$");
    assert_eq!(instance.run("postfix", &["status"]).status, 0);
}

#[test]
fn reload_changes_services_and_status_tells() {
    let instance = Instance::builder()
        .master_cf("10025 inet n n n - 2 spawn user=alice argv=/bin/echo one")
        .start();
    // Before postlogd runs, only master itself writes to the log file.
    let started = instance.wait_log(r"postfix/master\[\d+\]: daemon started -- version ");
    assert_eq!(instance.log().lines().next(), Some(started.as_str()));
    assert_eq!(
        read_all(instance.connect("127.0.0.1", "127.0.0.1:10025")),
        "one\n"
    );
    let master_cf = instance
        .read("etc/master.cf")
        .replace("echo one", "echo two");
    instance.write(
        "etc/master.cf",
        master_cf + "10026 inet n n n - 2 spawn user=alice argv=/bin/echo three\n",
    );
    let reload = instance.run("postfix", &["reload"]);
    assert_eq!(reload.status, 0, "{reload:?}");
    assert_eq!(
        reload.stderr,
        "postfix/postlog: refreshing the Postfix mail system\n"
    );
    instance.wait_log(r"postfix/master\[\d+\]: reload -- version \S+, configuration /");
    assert_eq!(
        read_all(instance.connect("127.0.0.1", "127.0.0.1:10026")),
        "three\n"
    );
    assert_eq!(
        read_all(instance.connect("127.0.0.1", "127.0.0.1:10025")),
        "two\n"
    );
    let status = instance.run("postfix", &["status"]);
    assert_eq!(status.status, 0);
    assert!(
        status
            .stderr
            .starts_with("postfix/postlog: the Postfix mail system is running: PID: "),
        "{status:?}"
    );
    let again = instance.run("postfix", &["start"]);
    assert_eq!(again.status, 1);
    assert!(
        again
            .stderr
            .ends_with("postfix/postlog: fatal: the Postfix mail system is already running\n"),
        "{again:?}"
    );
    instance.stop();
    let status = instance.run("postfix", &["status"]);
    assert_eq!(status.status, 1);
    assert_eq!(
        status.stderr,
        "postfix/postlog: the Postfix mail system is not running\n"
    );
    instance.assert_no_panic();
}

#[test]
fn a_master_that_is_killed_leaves_nobody_behind() {
    let instance = Instance::builder().start();
    instance.smtp().expect("NOOP", 250);
    // The undocumented way to kill master, and only master, without warning.
    assert_eq!(instance.run("postfix", &["drain"]).status, 0);
    let gone = wait_for(Duration::from_secs(10), || {
        instance
            .processes()
            .iter()
            .all(|process| process.name != "pickup" && process.name != "qmgr")
    });
    assert!(gone, "{:?}", instance.processes());
    // And the next one starts.
    instance.start();
    instance.smtp().expect("NOOP", 250);
}

#[test]
fn postlog_and_the_rotation_of_its_file() {
    let instance = Instance::builder()
        .main_cf("maillog_file_compressor = /bin/true")
        .start();
    for (args, line) in [
        (
            &["-t", "foo", "hello", "world"][..],
            r"\w{3} \d\d \d\d:\d\d:\d\d \S+ foo\[\d+\]: hello world$",
        ),
        (
            &["-p", "warn", "careful"],
            r" postfix/postlog\[\d+\]: warning: careful$",
        ),
        (
            &["-p", "FATAL", "-i", "over"],
            r" postfix/postlog\[\d+\]: fatal: over$",
        ),
    ] {
        assert_eq!(instance.run("postlog", args).status, 0);
        instance.wait_log(line);
    }
    let bad = instance.run("postlog", &["-p", "bogus", "x"]);
    assert_eq!(
        (bad.status, bad.stderr.as_str()),
        (1, "postfix/postlog: fatal: bad severity: \"bogus\"\n")
    );
    instance.run_with("postlog", &["-t", "in"], b"line one\nline two");
    instance.wait_log(r" in\[\d+\]: line one$");
    instance.wait_log(r" in\[\d+\]: line two$");
    let rotated = instance.run("postfix", &["logrotate"]);
    assert_eq!(rotated.status, 0, "{rotated:?}");
    instance.run("postlog", &["after rotation"]);
    instance.wait_log(r" postfix/postlog\[\d+\]: after rotation$");
    assert!(!instance.log().contains("line one"));
}

#[test]
fn postkick_and_postlock() {
    let instance = Instance::builder().start();
    let kicked = instance.run("postkick", &["public", "pickup", "W"]);
    // The original writes its request in two pieces: a service that hangs up after the first kills it with SIGPIPE.
    assert_eq!(kicked.stderr, "");
    assert!(kicked.status == 0 || instance.target().is_peer());
    let nobody = instance.run("postkick", &["public", "nobody", "W"]);
    assert_eq!(
        (nobody.status, nobody.stderr.as_str()),
        (
            1,
            "postkick: warning: unable to look up public/nobody: No such file or directory\npostkick: warning: Cannot contact class public service nobody - perhaps the mail system is down\n"
        )
    );
    let folder = instance.path("mail/folder").display().to_string();
    let locked = instance.run(
        "postlock",
        &[
            &folder,
            "/bin/sh",
            "-c",
            &format!("ls {folder}.lock; exit 4"),
        ],
    );
    assert_eq!(
        (locked.status, locked.stdout, locked.stderr.as_str()),
        (4, format!("{folder}.lock\n"), "")
    );
    assert!(!instance.path("mail/folder.lock").exists());
    let unknown = instance.run("postlock", &["-l", "glue", &folder, "true"]);
    assert_eq!(unknown.status, 75);
}

#[test]
fn in_the_foreground_with_the_log_on_standard_output() {
    use std::io::BufRead as _;
    use std::process::Stdio;
    let instance = Instance::builder()
        .main_cf("maillog_file = /dev/stdout\nmaillog_file_prefixes = /dev/stdout")
        .build();
    let mut command = instance.command("postfix");
    command
        .arg("start-fg")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
    let started = lines
        .by_ref()
        .map(Result::unwrap)
        .find(|line| line.contains(": daemon started -- version "))
        .unwrap();
    assert!(started.contains(" postfix/master["), "{started}");
    instance.smtp().expect("NOOP", 250);
    assert!(
        lines
            .by_ref()
            .map(Result::unwrap)
            .any(|line| line.contains(": connect from localhost[127.0.0.1]"))
    );
    assert_eq!(instance.run("postfix", &["stop"]).status, 0);
    // Whatever ended master is not this command's success.
    assert!(!child.wait().unwrap().success());
}
