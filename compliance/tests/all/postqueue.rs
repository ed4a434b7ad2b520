//! Listings of queues with messages of every kind, hostile ones too, and who may have mail listed or delivered.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::time::{Duration, Instant};

use compliance::golden::{check, log, shown};
use compliance::queue_file::records;
use compliance::testkit::{Instance, wait_for};

/// Puts a file into a queue.
fn put(instance: &Instance, below: &str, bytes: &[u8], mode: u32) {
    let path = instance.path("spool").join(below);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    let owner = instance.path("spool/incoming").metadata().unwrap().uid();
    chown(&path, Some(owner), None).unwrap();
    chown(path.parent().unwrap(), Some(owner), None).unwrap();
    let then = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    std::fs::File::open(path)
        .unwrap()
        .set_modified(then)
        .unwrap();
}

fn size(message: i64) -> Vec<u8> {
    format!(
        "{message:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
        200, 1, 0, message, 0
    )
    .into_bytes()
}

const TIME: (u8, &[u8]) = (b'T', b"1700000001 5");
const END: [(u8, &[u8]); 4] = [(b'M', b""), (b'N', b"x"), (b'X', b""), (b'E', b"")];

fn fill(instance: &Instance) {
    let message = |list: &[(u8, &[u8])]| records(&[&[TIME], list, &END].concat());
    let plain = |sender: &[u8], recipient: &[u8]| message(&[(b'S', sender), (b'R', recipient)]);
    put(
        instance,
        "maildrop/A000012345",
        &plain(b"drop@x", b"r@x"),
        0o744,
    );
    put(instance, "incoming/B000012345", &plain(b"", b"r@x"), 0o700);
    put(instance, "active/C000012345", &plain(b"act@x", b""), 0o700);
    put(
        instance,
        "deferred/D/D000012345",
        &plain(b"odd \"name\"@x", b"a b@x"),
        0o710,
    );
    put(
        instance,
        "hold/E000012345",
        &plain("f\u{fc}r@x".as_bytes(), b"bad\xffutf8@x"),
        0o710,
    );
    put(
        instance,
        "incoming/B0000unfin",
        &plain(b"unfinished@x", b"r@x"),
        0o600,
    );
    put(
        instance,
        "active/C0000longlonglonglong",
        &plain(b"long@x", b"r@x"),
        0o700,
    );
    // Damaged and hostile.
    for (at, bytes) in [
        records(&[TIME, (b'R', b"nosender@x")]),
        message(&[
            (b'S', b"one@x"),
            (b'R', b"r@x"),
            (b'S', b"two@x"),
            (b'R', b"s@x"),
        ]),
        message(&[(b'O', b"o@x"), (b'S', b"late@x"), (b'R', b"r@x")]),
        message(&[(b'C', &size(5000)), (b'S', b"big@x"), (b'R', b"r@x")]),
        message(&[(b'C', b"junk"), (b'S', b"junksize@x"), (b'R', b"r@x")]),
        message(&[(b'C', b"-5 1"), (b'S', b"minus@x"), (b'R', b"r@x")]),
        message(&[
            (b'S', b"ctl\x01\n@x"),
            (b'R', b"tab\t\"q\"\\@x"),
            (b'O', b"orig\x7f@x"),
            (b'R', b"r@x"),
        ]),
        message(&[(b'S', b"nul\0@x"), (b'R', b"n\0l@x")]),
        message(&[
            (b'S', b"done@x"),
            (b'D', b"d@x"),
            (b'O', b"o@x"),
            (b'D', b"e@x"),
            (b'R', b"r@x"),
        ]),
        message(&[
            (b'S', b"pointer@x"),
            (b'p', b"              0"),
            (b'R', b"r@x"),
            (b'p', b"zzz"),
            (b'R', b"s@x"),
        ]),
        message(&[(b'S', b"norcpt@x")]),
        records(&[TIME]),
        Vec::new(),
        b"garbage that is no queue file\n".to_vec(),
        records(&[TIME, (b'S', b"cut@x"), (b'R', b"r@x")])[..26].to_vec(),
        records(&[(b'S', "notime@x"), (b'R', "r@x")]),
        records(&[(b'S', "end@x"), (b'E', ""), (b'R', "behind@x")]),
        records(&[(0, "x"), (b'S', "type0@x"), (b'R', "r@x")]),
        message(&[
            (b'S', b"exp@x"),
            (b'O', b"Orig@x"),
            (b'o', b"rfc822;z"),
            (b'R', b"r@x"),
            (b'R', b"r@x"),
        ]),
    ]
    .iter()
    .enumerate()
    {
        put(instance, &format!("hold/F{at:04}12345"), bytes, 0o700);
        put(instance, &format!("maildrop/F{at:04}12346"), bytes, 0o744);
    }
    put(instance, "hold/not-an-id", &plain(b"x@x", b"r@x"), 0o700);
    std::os::unix::fs::symlink("/etc/passwd", instance.path("spool/hold/F12345678")).unwrap();
    // Why they wait.
    let many = message(&[
        (b'S', b"many@x"),
        (b'R', b"one@x"),
        (b'R', b"two@x"),
        (b'R', b"three@x"),
        (b'R', b"four@x"),
        (b'R', b"five@x"),
    ]);
    put(instance, "deferred/D/D000112345", &many, 0o700);
    let reasons = "<one@x>: old style reason\n\nrecipient=two@x\noriginal_recipient=Two@x\noffset=5\nstatus=4.4.1\naction=delayed\nreason=connect to x: refused \"quoted\" \\ back\t\u{fc}\n\nrecipient=three@x\nreason=connect to x: refused \"quoted\" \\ back\t\u{fc}\n\nrecipient=gone@x\nreason=other\n\njunk\n\nrecipient=\nreason=x\n\nreason=lonely\n\nrecipient=last@x";
    put(instance, "defer/D/D000112345", reasons.as_bytes(), 0o600);
    put(
        instance,
        "bounce/D000112345",
        b"recipient=five@x\nstatus=5.1.1\nreason=no such user\n\n",
        0o600,
    );
    put(instance, "defer/E/E000012345", b"recipient=x@x\nreason=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\n", 0o600);
    put(
        instance,
        "defer/C/C000012345",
        b"\0\xff\xfe garbage\n===\n=\n\n\n",
        0o600,
    );
}

/// A listing with its messages in order; queues are read in any order.
fn sorted(text: &str) -> String {
    if text.starts_with('{') {
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        return lines.join("\n") + "\n";
    }
    let Some((head, rest)) = text.split_once('\n') else {
        return text.to_owned();
    };
    let mut messages: Vec<&str> = rest.split("\n\n").map(str::trim_end).collect();
    messages.sort_unstable();
    format!("{head}\n{}\n", messages.join("\n\n"))
}

fn listed(instance: &Instance, words: &[&str]) -> String {
    let mut output = instance.run(words[0], &words[1..]);
    output.stdout = sorted(&output.stdout);
    let mut lines: Vec<&str> = output.stderr.lines().collect();
    lines.sort_unstable();
    output.stderr = lines.join("\n");
    shown(words, &output)
}

#[test]
fn listings() {
    let instance = Instance::builder().build();
    instance.start();
    instance.stop();
    let mut text = listed(&instance, &["mailq"]);
    text += &listed(&instance, &["postqueue", "-j"]);
    fill(&instance);
    text += &listed(&instance, &["postqueue", "-p"]);
    text += &listed(&instance, &["postqueue", "-j"]);
    text += &listed(&instance, &["sendmail", "-bp"]);
    let user = |words: &[&str]| shown(words, &instance.run_as("alice", words[0], &words[1..], b""));
    text += &user(&["postqueue", "-p"]);
    text += &user(&["mailq"]);
    let other = "enable_long_queue_ids = yes\nsmtputf8_enable = no\n";
    let main_cf = instance.read("etc/main.cf");
    instance.write("etc/main.cf", main_cf + other);
    text += &listed(&instance, &["postqueue", "-p"]);
    text += &listed(&instance, &["postqueue", "-j"]);
    let mut lines: Vec<String> = log(&instance, r"postfix/showq\[")
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort_unstable();
    text += &lines.join("\n");
    check(&instance, "postqueue/listings", &text);
}

#[test]
fn requests() {
    let instance = Instance::builder()
        .main_cf("authorized_mailq_users = !bob, static:all\nauthorized_flush_users = root, alice\nauthorized_submit_users = !bob, static:all\nfast_flush_domains = fast.example, .below.example\ndefault_transport = smtp:[127.0.0.1]:20025\nin_flow_delay = 0\n")
        .build();
    let mut text = String::new();
    let lines: &[&[&str]] = &[
        &["postqueue"],
        &["postqueue", "-Z"],
        &["postqueue", "-p", "-j"],
        &["postqueue", "-p", "x"],
        &["postqueue", "-f", "-f"],
        &["postqueue", "-s"],
        &["postqueue", "-s", ""],
        &["postqueue", "-s", "bad..name"],
        &["postqueue", "-s", "[1.2.3]"],
        &["postqueue", "-s", "[name]"],
        &["postqueue", "-s", "-dash"],
        &["postqueue", "-i", "bad id"],
        &["postqueue", "-i", "../../etc/passwd"],
        &["postqueue", "-c", "/nonexistent", "-p"],
    ];
    for words in lines {
        text += &shown(words, &instance.run(words[0], &words[1..]));
    }
    instance.start();
    text += "--- running\n";
    for words in [
        &["postqueue", "-f"][..],
        &["postqueue", "-p"],
        &["postqueue", "-i", "ABCDEF0123"],
        &["postqueue", "-s", "fast.example"],
        &["postqueue", "-s", "a.below.example"],
        &["postqueue", "-s", "[192.0.2.1]"],
        &["sendmail", "-qRfast.example"],
        &["sendmail", "-q"],
    ] {
        let begin = Instant::now();
        text += &shown(words, &instance.run(words[0], &words[1..]));
        assert!(begin.elapsed() < Duration::from_secs(5), "{words:?}");
    }
    for user in ["alice", "bob", "vmail"] {
        for words in [
            &["postqueue", "-p"][..],
            &["postqueue", "-f"],
            &["postqueue", "-i", "ABCDEF0123"],
            &["postqueue", "-s", "fast.example"],
            &["postqueue", "-j"],
        ] {
            let words: Vec<&str> = words.to_vec();
            text += &format!(
                "{user}: {}",
                shown(&words, &instance.run_as(user, words[0], &words[1..], b""))
            );
        }
        let output = instance.run_as(
            user,
            "sendmail",
            &["-f", "x@x.example", "alice@fast.example"],
            b"x\n",
        );
        text += &format!("{user}: {}", shown(&["sendmail"], &output));
    }
    let output = instance.run_as("bob", "postdrop", &["-r"], b"x");
    text += &shown(&["bob:", "postdrop"], &output);
    // What waits for a site is tried when the site asks.
    let deferred = || instance.log().matches("status=deferred").count();
    assert!(
        wait_for(Duration::from_secs(20), || deferred() >= 2),
        "{}",
        instance.log()
    );
    text += &log(&instance, r"postfix/(postqueue|sendmail|postdrop|flush)\[");
    check(&instance, "postqueue/requests", &text);
}
