//! Garbage: on every local socket, in the queue, and in the configuration.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use compliance::golden::{check, log, normalise};
use compliance::random::Random;
use compliance::testkit::{Client, Instance, wait_for};

/// What a confused or hostile program might say.
fn garbage(random: &mut Random) -> Vec<Vec<u8>> {
    let attribute = |name: &str, value: &str| format!("{name}\0{value}\0").into_bytes();
    let mut all = vec![
        Vec::new(),
        b"\0".to_vec(),
        b"\0\0\0\0".to_vec(),
        b"GET / HTTP/1.0\r\n\r\n".to_vec(),
        b"W".to_vec(),
        b"protocol\0".to_vec(),
        vec![b'a'; 200_000],
        [attribute("request", "nonsense"), b"\0".to_vec()].concat(),
        [
            attribute("request", "lookup"),
            attribute("table", "fail:x"),
            attribute("flags", "99999999999999999999"),
            b"\0".to_vec(),
        ]
        .concat(),
        [
            attribute("flags", "-1"),
            attribute("queue_id", "../../etc/passwd"),
            b"\0".to_vec(),
        ]
        .concat(),
        [
            attribute("nrequest", "0"),
            attribute("flags", "0"),
            attribute("queue_id", "A"),
            b"\0".to_vec(),
        ]
        .concat(),
        attribute("flags", "4"),
        [
            attribute("flags", "4"),
            attribute("queue_name", "active"),
            attribute("queue_id", "0123456789AB"),
            attribute("offset", "99999999"),
            attribute("size", "x"),
        ]
        .concat(),
    ];
    for _ in 0..10 {
        let count = 1 + random.below(400);
        all.push(random.bytes(count));
    }
    all
}

/// The sockets of the instance's queue.
fn sockets(instance: &Instance) -> Vec<PathBuf> {
    ["spool/public", "spool/private"]
        .iter()
        .flat_map(|dir| std::fs::read_dir(instance.path(dir)).unwrap().flatten())
        .filter(|entry| entry.file_type().unwrap().is_socket())
        .map(|entry| entry.path())
        .collect()
}

#[test]
fn garbage_on_every_socket() {
    let instance = Instance::builder()
        .main_cf("service_throttle_time = 1s\nipc_timeout = 5s\ndaemon_timeout = 20s")
        .start();
    let mut random = Random(7);
    let said = garbage(&mut random);
    for socket in sockets(&instance) {
        for words in &said {
            let Ok(mut stream) = UnixStream::connect(&socket) else {
                let datagrams = UnixDatagram::unbound().unwrap();
                datagrams.connect(&socket).unwrap();
                let _ = datagrams.send(words);
                continue;
            };
            stream
                .set_write_timeout(Some(Duration::from_secs(2)))
                .unwrap();
            let _ = stream.write_all(words);
            let _ = stream.shutdown(std::net::Shutdown::Write);
            // What is said to it before it reads is what makes a daemon answer.
            let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
            let _ = stream.read(&mut [0; 512]);
        }
    }
    let sent = instance.run_with(
        "sendmail",
        &["-i", "-f", "bob@test.example", "alice"],
        b"Subject: x\n\nafterwards\n",
    );
    assert_eq!(sent.status, 0, "{sent:?}");
    assert!(instance.wait_mailbox("alice").contains("afterwards"));
    instance.wait_queue_empty();
    instance.assert_no_panic();
    let killed = log(&instance, "killed by signal");
    assert_eq!(killed, "", "daemons died of it");
}

/// A queue file as the system under test writes it, from the hold queue.
fn sample(instance: &Instance) -> Vec<u8> {
    let sent = instance.run_with(
        "sendmail",
        &["-i", "-f", "bob@test.example", "alice", "root"],
        b"Subject: original\n\nline one\nline two\n",
    );
    assert_eq!(sent.status, 0, "{sent:?}");
    let hold = instance.path("spool/hold");
    let mut found = None;
    wait_for(Duration::from_secs(10), || {
        found = std::fs::read_dir(&hold)
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.metadata().unwrap().permissions().mode() & 0o700 == 0o700);
        found.is_some()
    });
    std::fs::read(found.unwrap()).unwrap()
}

#[test]
fn damaged_queue_files() {
    let instance = Instance::builder()
        .main_cf("smtpd_client_restrictions =\nheader_checks = regexp:{{/^Subject: original/ HOLD}}\nqueue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s\nservice_throttle_time = 1s")
        .start();
    let whole = sample(&instance);
    instance.stop();
    let owner = std::os::unix::fs::MetadataExt::uid(&instance.path("data").metadata().unwrap());
    let mut random = Random(99);
    let mut placed = Vec::new();
    let mut place = |queue: &str, bytes: &[u8]| {
        let temporary = instance.path(&format!("spool/{queue}/new"));
        std::fs::write(&temporary, bytes).unwrap();
        let inode = std::os::unix::fs::MetadataExt::ino(&temporary.metadata().unwrap());
        let id = format!("{:05X}{inode:X}", placed.len() + 0x10000);
        chown(&temporary, Some(owner), Some(owner)).unwrap();
        std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::rename(&temporary, instance.path(&format!("spool/{queue}/{id}"))).unwrap();
        placed.push(id);
    };
    for queue in ["incoming", "active", "maildrop"] {
        // Empty files are cleaned up without a word.
        for cut in (1..whole.len()).step_by(whole.len() / 6) {
            place(queue, &whole[..cut]);
        }
        for _ in 0..10 {
            let mut bytes = whole.clone();
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
            place(queue, &bytes);
        }
        let count = random.below(3000);
        place(queue, &random.bytes(count));
    }
    // The listing and postcat meet them before anybody else does.
    let listed = instance.run("postqueue", &["-p"]);
    assert!(listed.status == 0 || listed.status == 69, "{listed:?}");
    for id in &placed {
        let shown = instance.run("postcat", &["-q", id]);
        assert!(shown.status == 0 || shown.status == 1, "{id}: {shown:?}");
        assert!(!shown.stderr.contains("panic"), "{id}: {shown:?}");
    }
    instance.start();
    let worked = wait_for(Duration::from_secs(40), || {
        let log = instance.log();
        placed.iter().all(|id| log.contains(id.as_str()))
            || ["incoming", "active"].iter().all(|queue| {
                std::fs::read_dir(instance.path(&format!("spool/{queue}")))
                    .unwrap()
                    .next()
                    .is_none()
            })
    });
    // The peer starts a queue manager anew for each file that is fatal to it, and may not be through.
    let peer = instance.target().is_peer();
    assert!(worked || peer, "files are left in the active queue");
    instance.assert_no_panic();
    // Whole mail passes by them, and nothing that was damaged has vanished without a word.
    let log = instance.log();
    // (What pickup takes has a new name.)
    let taken = placed.len() / 3 * 2;
    for id in &placed[..taken] {
        let kept = [
            "incoming", "active", "deferred", "hold", "corrupt", "maildrop", "saved",
        ]
        .iter()
        .any(|queue| instance.path(&format!("spool/{queue}/{id}")).exists());
        assert!(
            peer || kept
                || log.contains(&format!("{id}: "))
                || log.contains(&format!("/{id}"))
                || log.contains(&format!(" {id} ")),
            "{id} vanished"
        );
    }
    let sent = instance.run_with("sendmail", &["-i", "bob"], b"Subject: good\n\nwhole\n");
    assert_eq!(sent.status, 0, "{sent:?}");
    let delivered = wait_for(Duration::from_secs(20), || {
        instance.read("mail/bob").contains("Subject: good")
    });
    assert!(delivered || peer, "whole mail is not delivered");
}

/// Settings that are wrong, each in a system of its own.
const WRONG: [&str; 16] = [
    "virtual_alias_maps = nosuch:/x",
    "virtual_alias_maps = lmdb:/nonexistent/x",
    "canonical_maps = regexp:/nonexistent/x",
    "transport_maps = cdb:/nonexistent/x",
    "local_recipient_maps = lmdb:/nonexistent/x",
    "smtpd_recipient_restrictions = check_recipient_access lmdb:/nonexistent/x, permit",
    "smtpd_recipient_restrictions = check_recipient_access nosuch:/x, permit",
    "smtpd_recipient_restrictions = check_recipient_access",
    "smtpd_recipient_restrictions = nonsense, permit",
    "smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit",
    "header_checks = regexp:{{/(/ REJECT}}",
    "message_size_limit = many",
    "mydestination = lmdb:/nonexistent/x",
    "mynetworks = 127.0.0.1/33",
    "relay_domains = $relay_domains",
    "sender_bcc_maps = inline:{broken",
];

/// How a system with this setting answers a client, and what it logs about it.
fn with_setting(setting: &str) -> String {
    let instance = Instance::builder().main_cf(setting).build();
    let mut text = format!("### {setting}\n");
    let started = instance.run("postfix", &["start"]);
    if started.status == 0 {
        text += &dialogue(&instance);
        let _ = instance.run("postqueue", &["-f"]);
        wait_for(Duration::from_millis(1500), || false);
    } else {
        text += &format!("start: {} {}\n", started.status, started.stderr);
    }
    instance.assert_no_panic();
    let lines = log(&instance, r"warning|fatal|error|reject");
    // The peer looks for the wildcard of a transport table when it starts, and has programs open lists that they do not use; whether postfix(1)
    // itself writes to the log before the mail system runs depends on more than the setting.
    let aside = regex::Regex::new(
        r#"lookup error for "\*"|^postfix/postfix\[|^postfix/(pickup|postlogd|proxymap|qmgr).* error: open"#,
    )
    .unwrap();
    let mut lines: Vec<_> = lines
        .lines()
        .filter(|line| !aside.is_match(line))
        .map(|line| {
            regex::Regex::new(r"\[\d+\]|pid \d+")
                .unwrap()
                .replace_all(line, "PID")
                .into_owned()
        })
        .collect();
    lines.sort();
    lines.dedup();
    text += &lines.join("\n");
    normalise(&instance, &text) + "\n"
}

/// One message, as far as it gets.
fn dialogue(instance: &Instance) -> String {
    // A server that does not even start leaves its clients in the queue of the socket.
    let stream = instance.connect("127.0.0.1", "127.0.0.1:25");
    let mut dead = false;
    wait_for(Duration::from_secs(10), || {
        dead = instance.log().contains("throttling");
        dead || instance.log().contains(": connect from")
    });
    if dead {
        return "no server\n".to_owned();
    }
    let mut client = Client::new(stream);
    let mut text = format!("{}\n", client.greeting.text);
    for line in [
        "EHLO client.example",
        "MAIL FROM:<bob@test.example>",
        "RCPT TO:<alice@test.example>",
        "DATA",
        "Subject: x\r\n\r\n.",
    ] {
        let reply = client.command(line);
        text += &format!(
            "{line}: {}\n",
            reply.text.lines().last().unwrap_or_default()
        );
        if reply.code >= 400 || reply.code == 0 {
            break;
        }
    }
    text
}

#[test]
fn settings_that_are_wrong() {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let texts = std::sync::Mutex::new(vec![String::new(); WRONG.len()]);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(setting) = WRONG.get(at) else {
                        break;
                    };
                    let text = with_setting(setting);
                    texts.lock().unwrap()[at] = text;
                }
            });
        }
    });
    let instance = Instance::builder().build();
    check(
        &instance,
        "hostile/settings",
        &texts.into_inner().unwrap().concat(),
    );
}
