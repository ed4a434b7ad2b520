//! `postlock`, `postkick`, `postlog` and `postlogd`: command lines, exit statuses, what they print and log.

use compliance::golden::{check, log};
use compliance::shell::at_once;
use compliance::testkit::{Instance, wait_for};

fn build(main_cf: &str) -> Instance {
    let instance = Instance::builder().main_cf(main_cf).build();
    std::fs::create_dir(instance.path("work")).unwrap();
    instance
}

#[test]
fn postlock() {
    let instance = build(
        "deliver_lock_attempts = 2\ndeliver_lock_delay = 1s\nstale_lock_time = 100s\nimport_environment = TZ, { LANG = x y }",
    );
    instance.write("work/held", "");
    instance.write("work/held.lock", "");
    instance.write("work/box", "");
    let cases = [
        "postlock",
        "postlock box",
        "postlock -Z",
        "postlock -l",
        "/bin/sh -c 'exec -a x postlock' || true",
        "postlock -l nosuch box true",
        "postlock -l '' box true",
        "postlock -l 'dotlock, nosuch' box true",
        "postlock -c /nonexistent box true",
        "postlock new1 echo made; ls new1 new1.lock",
        "postlock -l dotlock new2 ls new2 new2.lock",
        "postlock -l 'fcntl dotlock' new3 sh -c 'exit 7'",
        "postlock -l fcntl new4 sh -c 'kill -9 $$'",
        "postlock -l flock new5 /nonexistent/program",
        "postlock -l flock new6 ../",
        "postlock new7 sh -c 'echo $LANG$TZ; pwd >/dev/null' x -v -l y",
        "postlock held echo never",
        "postlock -l dotlock held echo never",
        "postlock -l flock held echo got it",
        "postlock nodir/box echo never",
        "postlock . echo never",
        "postlock /dev/null echo null",
        "postlock new9 -- echo dashes",
        "postlock -- new10 echo after",
        "postlock new11 cat ../etc/nosuch",
        "flock box sleep 1 & sleep 0.2; postlock -l flock box echo waited",
        "flock box2 sleep 4 & sleep 0.2; postlock -l flock box2 echo never",
    ];
    let text = at_once(&instance, "work", &cases);
    check(&instance, "small/postlock", &text);
}

#[test]
fn postkick() {
    let instance = build("");
    instance.start();
    let cases = [
        "postkick",
        "postkick public",
        "postkick public qmgr",
        "postkick public qmgr I extra",
        "postkick -Z",
        "postkick other qmgr I",
        "postkick public nosuch I",
        "postkick public ../pid/master.pid I",
        "postkick private ../public/qmgr I; true",
        "postkick public '' I",
        "postkick -c /nonexistent public qmgr I",
        // The original may meet a service that hangs up before it has read all.
        "postkick public qmgr ''; true",
        "postkick public qmgr I; true",
        "postkick private bounce x; true",
    ];
    let mut text = at_once(&instance, "work", &cases);
    instance.stop();
    text += "--- stopped\n";
    text += &at_once(
        &instance,
        "work",
        &["postkick public qmgr I", "postkick public nosuch I"],
    );
    check(&instance, "small/postkick", &text);
}

#[test]
fn postlog() {
    let instance = build("");
    let cases = [
        "postlog one two",
        "postlog -p error text",
        "postlog -p warning text",
        "postlog -p warn text",
        "postlog -p fatal text",
        "postlog -p panic text",
        "postlog -p INFO text",
        "postlog -p nosuch text",
        "postlog -p ''",
        "postlog -t tag text",
        "postlog -i text",
        "postlog -t '' text",
        "postlog -Z",
        "postlog -p",
        "postlog -c /nonexistent text",
        "printf 'a\\nb\\n\\nc' | postlog -p error",
        "printf 'tab\\there\\001\\377\\0nul\\n' | postlog",
        "postlog </dev/null",
        "postlog '%s %d'",
        "postlog ''",
        "postlog -v text 2>/dev/null",
        "postlog -- -p",
        "postlog \"$(printf 'x%.0s' 1 2 3; head -c 3000 /dev/zero | tr '\\0' y)\"",
        "setpriv --reuid alice --clear-groups postlog user",
    ];
    let text = at_once(&instance, "work", &cases);
    let pid = regex::Regex::new(r"\[\d+\]").unwrap();
    let mut lines: Vec<String> = log(&instance, "postlog|tag")
        .lines()
        .map(|line| pid.replace(line, "").into_owned())
        .collect();
    lines.sort_unstable();
    check(
        &instance,
        "small/postlog",
        &format!("{text}--- log\n{}\n", lines.join("\n")),
    );
}

#[test]
fn postlogd() {
    let instance = build("maillog_file_permissions = 0644\n");
    instance.start();
    let socket = std::os::unix::net::UnixDatagram::unbound().unwrap();
    let path = instance.path("spool/public/postlog");
    for text in [
        &b"first line"[..],
        b"",
        b"\n",
        b"two\nlines",
        b"ends\n",
        b"nul\0inside",
        b"\x01\xff control",
        b"<13>priority",
    ] {
        socket.send_to(text, &path).unwrap();
    }
    let long = vec![b'z'; 5000];
    socket.send_to(&long, &path).unwrap();
    socket.send_to(b"the last one", &path).unwrap();
    assert!(
        wait_for(std::time::Duration::from_secs(10), || instance
            .log()
            .contains("the last one")),
        "{}",
        instance.log()
    );
    let text = instance.log();
    let from = text.find("first line").unwrap();
    let rest = &text[from..text.find("the last one").unwrap()];
    let lines: String = rest
        .lines()
        .filter(|line| !line.contains("postfix/"))
        .map(|line| {
            let shown: String = line.chars().take(60).collect();
            format!("{} {shown:?}\n", line.len())
        })
        .collect();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(instance.path("log/maillog"))
            .unwrap()
            .permissions(),
    );
    let mut text = format!("{lines}mode {mode:o}\n");
    // Rotation by the command.
    let rotated = instance.run("postfix", &["logrotate"]);
    text += &format!("logrotate {} {}\n", rotated.status, rotated.stderr);
    instance.run("postlog", &["after the rotation"]);
    instance.wait_log("after the rotation");
    let files = std::fs::read_dir(instance.path("log")).unwrap().count();
    text += &format!("{files} files\n");
    check(&instance, "small/postlogd", &text);
}
