//! What `postdrop` takes from users, record by record, and what `pickup` makes of the files that it finds.

use compliance::golden::check;
use compliance::queue_file::{dropped, records};
use compliance::shell::at_once;
use compliance::testkit::Instance;

#[test]
fn hostile_records() {
    let instance = Instance::builder().build();
    // The directories are made; pickup must not take what is to be looked at.
    instance.start();
    instance.stop();
    let envelope = [
        (b'A', "rewrite_context=local"),
        (b'F', "Joe"),
        (b'S', "s@x"),
        (b'R', "r@x"),
    ];
    let rest = [
        (b'M', ""),
        (b'N', "Subject: x"),
        (b'N', ""),
        (b'L', "part"),
        (b'N', "end"),
        (b'X', ""),
        (b'E', ""),
    ];
    let whole = |extra: &[(u8, &str)]| records(&[&envelope, extra, &rest].concat());
    let content =
        |extra: &[(u8, &str)]| records(&[&envelope, &rest[..1], extra, &rest[1..]].concat());
    let last = |extra: &[(u8, &str)]| records(&[&envelope, &rest[..6], extra, &rest[6..]].concat());
    let size = format!(
        "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
        -1, -1, -1, -1, -1, 1
    );
    let huge = "x".repeat(3000);
    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("whole", whole(&[])),
        ("nothing", Vec::new()),
        ("ends in the envelope", records(&envelope)),
        ("ends in a record", whole(&[])[..30].to_vec()),
        (
            "no sender",
            records(&[&envelope[..2], &envelope[3..], &rest[..]].concat()),
        ),
        (
            "no recipient",
            records(&[&envelope[..3], &rest[..]].concat()),
        ),
        ("two senders", whole(&[(b'S', "t@x")])),
        (
            "after the end",
            [whole(&[]), records(&[(b'R', "late@x")])].concat(),
        ),
        ("time", whole(&[(b'T', "1 2")])),
        ("size", whole(&[(b'C', &size)])),
        ("done", whole(&[(b'D', "d@x")])),
        ("original", whole(&[(b'O', "o@x")])),
        ("filter", whole(&[(b'L', "discard:x")])),
        ("redirect", whole(&[(b'>', "x@x")])),
        ("pointer", whole(&[(b'p', "              0")])),
        ("verp", whole(&[(b'V', "+=")])),
        ("dsn letters", whole(&[(b'i', "id"), (b'n', "1")])),
        ("orcpt", whole(&[(b'o', "rfc822;x")])),
        ("type 0", whole(&[(b'\0', "x")])),
        ("type 255", whole(&[(0xff, "x")])),
        ("line break in sender", whole(&[(b'R', "a\nFrom b")])),
        ("return in name", whole(&[(b'F', "a\rb")])),
        ("nul in recipient", whole(&[(b'R', "a\0b")])),
        ("break in attribute", whole(&[(b'A', "encoding=8bit\nx")])),
        ("breaks in content", content(&[(b'N', "a\nb\r\0c")])),
        ("envelope record in content", content(&[(b'R', "a@x")])),
        ("content record in envelope", whole(&[(b'N', "x")])),
        (
            "recipient at the end",
            last(&[(b'R', "late@x"), (b'A', "notify_flags=1"), (b'R', "x@x")]),
        ),
        ("sender at the end", last(&[(b'S', "late@x")])),
        ("long record", whole(&[(b'R', &huge)])),
        ("long line", content(&[(b'N', &huge)])),
        (
            "length of five bytes",
            [records(&envelope), b"R\xff\xff\xff\xff\x07x".to_vec()].concat(),
        ),
        (
            "length of four bytes",
            [records(&envelope), b"R\xff\xff\xff\x7fx".to_vec()].concat(),
        ),
        ("text", b"Subject: x\n\nhello\n".to_vec()),
    ];
    for (name, value) in [
        ("trace", "trace_flags=1024"),
        ("trace probe", "trace_flags=256"),
        ("trace both", "trace_flags=1536"),
        ("trace junk", "trace_flags=x"),
        ("trace sign", "trace_flags=+512"),
        ("encoding", "encoding=8bit"),
        ("encoding junk", "encoding=9bit"),
        ("encoding empty", "encoding="),
        ("context", "rewrite_context=remote"),
        ("context junk", "rewrite_context=x"),
        ("login", "sasl_username=root"),
        ("origin", "log_message_origin=evil"),
        ("notify", "notify_flags=2"),
        ("notify junk", "notify_flags=99"),
        ("ret", "ret_flags=1"),
        ("ret junk", "ret_flags=z"),
        ("envid", "envelope_id=abc"),
        ("orcpt attribute", "dsn_orig_rcpt=rfc822;x"),
        ("create time", "create_time=5"),
        ("expire", "forced_expire=1"),
        ("no equals", "junk"),
        ("no name", "=junk"),
    ] {
        cases.push((name, whole(&[(b'A', value)])));
    }
    let words = ["postdrop", "-r"];
    let mut text = String::new();
    let mut script = Vec::new();
    for (at, (name, input)) in cases.iter().enumerate() {
        instance.write(&format!("in.{at}"), input);
        script.push(format!(": {name}; postdrop -r <in.{at}"));
    }
    let lines: Vec<&str> = script.iter().map(String::as_str).collect();
    text += &at_once(&instance, "", &lines);
    std::fs::read_dir(instance.path("spool/maildrop"))
        .unwrap()
        .for_each(|entry| std::fs::remove_file(entry.unwrap().path()).unwrap());
    // Of those that are taken: what is in the queue.
    for (name, input) in &cases {
        if text.contains(&format!(": {name}; ")) && !refused(&text, name) {
            let output = instance.run_with(words[0], &words[1..], input);
            assert_eq!(output.status, 0, "{name}: {output:?}");
            text += &format!("--- {name}\n{}", dropped(&instance));
        }
    }
    text += &at_once(
        &instance,
        "",
        &[
            "postdrop -Z",
            "postdrop -c /tmp </dev/null",
            "postdrop x </dev/null",
            "setpriv --reuid alice --regid alice --clear-groups postdrop -c /tmp </dev/null",
        ],
    );
    check(&instance, "maildrop/postdrop", &text);
}

/// Whether postdrop failed on a case.
fn refused(text: &str, name: &str) -> bool {
    let from = text.find(&format!(": {name}; ")).unwrap();
    let status = text[from..].find("\n= ").unwrap();
    !text[from + status..].starts_with("\n= 0") || text[from..from + status].ends_with("-r <in.1")
}

/// Puts a file into `maildrop` as a user's, under a name that has its own inode number, and gives the name.
fn plant(instance: &Instance, bytes: &[u8], mode: u32, owner: u32) -> String {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let path = instance.write("planted", bytes);
    let name = format!("1234A{:X}", path.metadata().unwrap().ino());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    chown(&path, Some(owner), None).unwrap();
    std::fs::rename(path, instance.path("spool/maildrop").join(&name)).unwrap();
    name
}

#[test]
fn what_pickup_makes_of_it() {
    let instance = Instance::builder()
        .main_cf("in_flow_delay = 0\ncontent_filter = discard:filtered\nmessage_size_limit = 20000\nheader_checks = static:hold\nenable_original_recipient = yes\nsmtputf8_enable = yes\n")
        .start();
    let owner =
        std::os::unix::fs::MetadataExt::uid(&instance.path("spool/incoming").metadata().unwrap());
    let envelope = [
        (b'T', "1700000000 5"),
        (b'A', "rewrite_context=local"),
        (b'F', "Joe"),
        (b'S', "s@x"),
        (b'R', "r@x"),
    ];
    let rest = [
        (b'M', ""),
        (b'N', "Subject: x"),
        (b'N', ""),
        (b'N', "end"),
        (b'X', ""),
        (b'E', ""),
    ];
    let whole = |extra: &[(u8, &str)]| records(&[&envelope, extra, &rest].concat());
    let content =
        |extra: &[(u8, &str)]| records(&[&envelope, &rest[..1], extra, &rest[1..]].concat());
    let last = |extra: &[(u8, &str)]| records(&[&envelope, &rest[..5], extra, &rest[5..]].concat());
    let size = format!(
        "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
        -1, -1, -1, -1, -1, 1
    );
    let long = "y".repeat(30000);
    let lines: Vec<(u8, &str)> = long
        .as_bytes()
        .chunks(1000)
        .map(|line| (b'N', std::str::from_utf8(line).unwrap()))
        .collect();
    let user = 61001;
    let cases: Vec<(&str, Vec<u8>, u32, u32)> = vec![
        ("whole", whole(&[]), 0o744, user),
        (
            "no content",
            records(&[&envelope[..], &[(b'M', ""), (b'X', ""), (b'E', "")]].concat()),
            0o744,
            user,
        ),
        (
            "leading blank",
            content(&[(b'N', " blank first")]),
            0o744,
            user,
        ),
        (
            "filter and redirect",
            whole(&[(b'L', "smtp:x"), (b'>', "red@x")]),
            0o744,
            user,
        ),
        (
            "done and original",
            whole(&[(b'D', "d@x"), (b'O', "o@x"), (b'R', "p@x"), (b'/', "c@x")]),
            0o744,
            user,
        ),
        ("pointer", whole(&[(b'p', "              0")]), 0o744, user),
        ("killed", whole(&[(b'K', "x"), (b'w', "000")]), 0o744, user),
        (
            "size",
            records(&[&[(b'C', size.as_str())][..], &envelope, &rest].concat()),
            0o744,
            user,
        ),
        (
            "warn and verp",
            whole(&[(b'W', "     1700000000"), (b'V', "+=")]),
            0o744,
            user,
        ),
        ("unknown type", whole(&[(b'Z', "x")]), 0o744, user),
        (
            "no sender",
            records(&[&envelope[..3], &envelope[4..], &rest].concat()),
            0o744,
            user,
        ),
        (
            "no recipient",
            records(&[&envelope[..4], &rest[..]].concat()),
            0o744,
            user,
        ),
        ("two senders", whole(&[(b'S', "t@x")]), 0o744, user),
        (
            "no time",
            records(&[&envelope[1..], &rest].concat()),
            0o744,
            user,
        ),
        (
            "attributes",
            whole(&[
                (b'A', "sasl_username=root"),
                (b'A', "trace_flags=256"),
                (b'A', "log_message_origin=evil"),
                (b'A', "encoding=8bit"),
                (b'A', "client_name=evil"),
            ]),
            0o744,
            user,
        ),
        (
            "the mail system's attributes",
            whole(&[
                (b'A', "sasl_username=root"),
                (b'A', "trace_flags=256"),
                (b'A', "log_message_origin=good"),
                (b'A', "client_name=good"),
            ]),
            0o700,
            owner,
        ),
        (
            "late records",
            last(&[
                (b'R', "late@x"),
                (b'A', "notify_flags=1"),
                (b'e', "err@x"),
                (b'r', "ret@x"),
                (b'P', "urgent"),
            ]),
            0o744,
            user,
        ),
        ("late sender", last(&[(b'S', "late@x")]), 0o744, user),
        ("cut", whole(&[])[..60].to_vec(), 0o744, user),
        ("long record", whole(&[(b'R', &long)]), 0o744, user),
        ("too large", content(&lines), 0o744, user),
        (
            "too many bytes of length",
            [records(&envelope), b"R\xff\xff\xff\xff\x07x".to_vec()].concat(),
            0o744,
            user,
        ),
        ("empty", Vec::new(), 0o744, user),
        ("text", b"Subject: x\n\nhello\n".to_vec(), 0o744, user),
        ("requeued", whole(&[]), 0o700, owner),
        ("root's", whole(&[]), 0o744, 0),
        (
            "breaks",
            whole(&[(b'R', "a\nb@x"), (b'R', "c\rd@x")]),
            0o744,
            user,
        ),
    ];
    let mut text = String::new();
    for (name, bytes, mode, owner) in cases {
        let before = instance.log().len();
        let held = || -> Vec<std::path::PathBuf> {
            std::fs::read_dir(instance.path("spool/hold"))
                .unwrap()
                .flatten()
                .map(|entry| entry.path())
                .collect()
        };
        let file = plant(&instance, &bytes, mode, owner);
        // pickup does not read what it is told.
        let mut pickup =
            std::os::unix::net::UnixStream::connect(instance.path("spool/public/pickup")).unwrap();
        let _hung_up = std::io::Write::write_all(&mut pickup, b"W\0");
        let gone = || !instance.path("spool/maildrop").join(&file).exists();
        let kept = || instance.log()[before..].contains("warning: maildrop/");
        assert!(
            compliance::testkit::wait_for(std::time::Duration::from_secs(10), || gone() || kept()),
            "{name}: {}",
            instance.log()
        );
        text += &format!("--- {name}\n");
        for line in instance.whole_log()[before..]
            .lines()
            .filter(|line| line.contains("/pickup[") || line.contains("/cleanup["))
        {
            let line = line
                .split_once("postfix/")
                .unwrap()
                .1
                .replace(&file, "FILE");
            text += &format!("{:.300}\n", line);
        }
        for path in held() {
            let output = instance.run("postcat", &["-v", path.to_str().unwrap()]);
            for line in output.stdout.lines().filter(|line| !line.contains(" *** ")) {
                if ![
                    "message_size",
                    "pointer",
                    "regular_text: \tid ",
                    "message_arrival",
                    "padding",
                ]
                .iter()
                .any(|skip| line.starts_with(skip))
                {
                    text += &format!("  {:.300}\n", line);
                }
            }
            std::fs::remove_file(path).unwrap();
        }
        if !gone() {
            text += "  (kept)\n";
            std::fs::remove_file(instance.path("spool/maildrop").join(&file)).unwrap();
        }
    }
    // What the original's cleanup says of its own unfinished file.
    let text: String = text
        .lines()
        .filter(|line| !line.contains("warning: incoming/"))
        .map(|line| format!("{line}\n"))
        .collect();
    let text = regex::Regex::new(&format!(r"\b{owner}\b"))
        .unwrap()
        .replace_all(&text, "OWNER")
        .into_owned();
    check(&instance, "maildrop/pickup", &text);
}

#[test]
fn senders_of_logins() {
    let instance = Instance::builder()
        .main_cf("local_login_sender_maps = inline:{ { root = * } { alice = alice, alice@x.example, @y.example } { bob = <>, \"b b\"@x.example } }, texthash:TOP/etc/senders\nrecipient_delimiter = +\nauthorized_submit_users = !inline:{ {daemon = x} }, static:all")
        .build();
    let top = instance.path("");
    let main_cf = instance
        .read("etc/main.cf")
        .replace("TOP", top.to_str().unwrap().trim_end_matches('/'));
    instance.write("etc/main.cf", main_cf);
    instance.write(
        "etc/senders",
        "vmail v@x.example,\n  w@x.example\nnobody <>\n",
    );
    instance.start();
    instance.stop();
    let as_user = |user: &str, sender: &str| {
        format!("echo x | setpriv --reuid {user} --clear-groups sendmail -f '{sender}' a@x")
    };
    let mut cases = vec![
        "echo x | sendmail -f any@x a@x".to_owned(),
        "echo x | sendmail -f '' a@x".to_owned(),
    ];
    for (user, senders) in [
        (
            "alice",
            &[
                "alice",
                "ALICE+ext",
                "alice@x.example",
                "other@y.EXAMPLE",
                "bob@x.example",
                "",
            ][..],
        ),
        ("bob", &["", "\"b b\"@x.example", "bob"]),
        ("vmail", &["v@x.example", "w+x@x.example", "x@x.example"]),
        ("nobody", &["", "nobody"]),
        ("daemon", &["daemon"]),
        ("12345", &["x@x"]),
    ] {
        cases.extend(senders.iter().map(|sender| as_user(user, sender)));
    }
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let mut text = at_once(&instance, "", &cases);
    let main_cf = instance.read("etc/main.cf").replace(
        "local_login_sender_maps = inline",
        "local_login_sender_maps = texthash:/nonexistent, inline",
    );
    instance.write("etc/main.cf", main_cf);
    text += &at_once(
        &instance,
        "",
        &["echo x | sendmail -f any@x a@x 2>&1 | grep sendmail"],
    );
    check(&instance, "maildrop/senders", &text);
}

#[test]
fn interrupted() {
    let instance = Instance::builder().build();
    instance.start();
    instance.stop();
    let mut text = String::new();
    for (signal, ignored) in [
        ("INT", ""),
        ("QUIT", ""),
        ("TERM", ""),
        ("HUP", ""),
        ("HUP", "trap '' HUP;"),
    ] {
        // The input stays open, and the signal comes when the file is there.
        let script = format!(
            "{ignored} cd {}; mkfifo fifo; exec 3<>fifo; {}/postdrop -r <&3 >out & pid=$!; \
             while [ ! -s out ]; do :; done; kill -{signal} $pid; [ -z \"$1\" ] || {{ kill -0 $pid && kill -TERM $pid; }}; \
             wait $pid; s=$?; ls spool/maildrop; rm -f fifo out spool/maildrop/*; echo = $s",
            instance.path("").display(),
            instance.target().command_directory().display()
        );
        let round = || instance.run("/bin/bash", &["-mc", &script, "x", ignored]);
        let mut output = round();
        // The original now and then leaves its file.
        for _ in 0..4 {
            if instance.target().is_peer() && !output.stdout.starts_with('=') {
                output = round();
            }
        }
        text += &format!("{signal} {ignored}\n{}", output.stdout);
    }
    check(&instance, "maildrop/interrupted", &text);
}
