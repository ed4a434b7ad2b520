//! What users submit with `sendmail` and `postdrop`: what goes into the `maildrop` directory, what is refused, and how; and what
//! `pickup` makes of it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test ends at its first surprise"
)]

use compliance::golden::{check, shown};
use compliance::testkit::Instance;

/// What there is in `maildrop`, record by record; it is removed.
fn dropped(instance: &Instance) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(instance.path("spool/maildrop")).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
        let name = path.to_str().unwrap();
        let output = instance.run("postcat", &["-vd", name]);
        for line in output.stdout.lines().filter(|line| !line.contains(" *** ")) {
            if !line.starts_with(" 84 ") {
                text += &format!("  {}\n", line.replace('\r', "\\r").replace('\0', "\\0"));
            }
        }
        text += &format!("  mode {mode:o}\n");
        std::fs::remove_file(path).unwrap();
    }
    text
}

/// Runs commands that fail, all at the same time, since the original takes a second for each.
fn failing(instance: &Instance, cases: &[&str]) -> String {
    let mut script = format!(
        "cd {}\nPATH={}:/usr/bin:/bin\n",
        instance.path("").display(),
        instance.target().command_directory().display()
    );
    for (at, case) in cases.iter().enumerate() {
        script += &format!("({case}; echo $? >s.{at}) >o.{at} 2>e.{at} </dev/null &\n");
    }
    script += "wait\n";
    let output = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(output.status, 0, "{output:?}");
    let mut text = String::new();
    for (at, case) in cases.iter().enumerate() {
        let case = if case.len() > 200 { "(long)" } else { case };
        text += &format!("$ {case}\n{}", instance.read(&format!("o.{at}")));
        for line in instance.read(&format!("e.{at}")).lines() {
            text += &format!("! {line}\n");
        }
        text += &format!("= {}", instance.read(&format!("s.{at}")));
    }
    text.replace('\0', "\\0")
}

fn system(main_cf: &str) -> Instance {
    let instance = Instance::builder().main_cf(main_cf).build();
    // The directories are made; pickup must not take what is to be looked at.
    instance.start();
    instance.stop();
    instance
}

#[test]
fn command_lines_that_are_refused() {
    let instance = system("");
    let long = format!(
        "printf 'To: x@x\\nSubject: %0120000d\\n\\nx\\n' 1 | sendmail -t {}",
        ""
    );
    let cases = [
        "sendmail -Z x",
        "sendmail -f",
        "sendmail -iZfy",
        "sendmail --help",
        "sendmail -n x",
        "sendmail -bz x",
        "sendmail -b",
        "sendmail -Xq x",
        "sendmail -XV= x",
        "sendmail -XVab x",
        "sendmail -B9BIT x",
        "sendmail -B8bitmime x",
        "sendmail -oA x",
        "sendmail -qx",
        "sendmail -qR",
        "sendmail -qI",
        "sendmail -q x",
        "sendmail -qRsite x",
        "sendmail -qIABC x",
        "sendmail -bp x",
        "sendmail -bi x",
        "sendmail -bd x",
        "sendmail -bs x",
        "sendmail -t -bp",
        "sendmail -bs -qRx",
        "sendmail -bp -qIx",
        "sendmail -bv -t",
        "sendmail -bv -N never x",
        "sendmail -bv -R full x",
        "sendmail -bv -v x",
        "sendmail",
        "sendmail -i </dev/null",
        "echo 'Subject: x' | sendmail -t",
        "sendmail -f '' -XV x",
        "sendmail -C /nonexistent x",
        "sendmail -C /nonexistent/main.cf x",
        "sendmail -qRsite",
        "sendmail -qIABC",
        "sendmail -qI../x",
        "sendmail -q",
        "mailq -Z",
        "mailq x",
        "newaliases x",
        "sendmail -bh",
        "sendmail -bH x",
        "sendmail -q15m x",
        "newaliases",
        "sendmail -bi -oAnosuch:x",
        "head -c 300 /dev/zero | sendmail -oi -t",
        "setpriv --reuid 12345 --clear-groups sendmail x",
        "setpriv --reuid alice --clear-groups sendmail -C /tmp x",
        &long,
    ];
    check(&instance, "submission/refused", &failing(&instance, &cases));
    assert_eq!(dropped(&instance), "");
}

#[test]
fn what_sendmail_drops() {
    let instance = system("verp_delimiter_filter = -=+\n");
    let message = "Subject: x\n\nbody\n";
    let cases: &[(&[&str], &str)] = &[
        (&["a@x"], message),
        (
            &["-i", "-f", "f@x", "-F", "Full & Name", "a@x", "b@x"],
            "no header\n.\nafter\n",
        ),
        (&["-f", "f@x", "a@x"], "no header\n.\nafter\n"),
        (&["-f", "", "a@x"], message),
        (&["-f", "<>", "a@x"], message),
        (
            &[
                "-f",
                "Some One <f@x> (comment)",
                "Name <a@x>, b@x, group: c@x, d@x;",
            ],
            message,
        ),
        (&["-f", "f@x, g@x", "a@x"], message),
        (
            &["-rsender@x", "a@x"],
            "From joe Mon\n>From jim\n>>From me\nSubject: x\n\n>From kept\n",
        ),
        (&["a@x"], "Subject: x\r\n\r\nbody\r\nlast\n"),
        (&["a@x"], "Subject: x\n\nbody\r\nlast\r"),
        (&["a@x"], ""),
        (&["a@x"], "\n"),
        (&["a@x"], "one line without end"),
        (&["a@x"], ".\nx\n"),
        (&["", "a@x", " ", "(c)"], message),
        (
            &["-t"],
            "To: a@x, \"B\" <b@x>\nCc: c@x,\n d@x\nBcc: e@x\nSubject: s\n\nTo: no@x\n",
        ),
        (
            &["-t", "first@x"],
            "To: a@x\nResent-To: r@x\nCc: c@x\nResent-Bcc: rb@x\n\nx\n",
        ),
        (&["-t"], "To: undisclosed:;\nBcc: <>, a@x\n\nx\n"),
        (
            &["-t", "-N", "success,delay"],
            "Apparently-To: a@x\nTo : b@x\n\nx\n",
        ),
        (&["-t"], "not a header\nTo: a@x\n\nx\n"),
        (&["-t", "x@x"], "To: a@x"),
        (
            &["-N", "never", "-R", "hdrs", "-V", "env-id", "a@x", "b@x"],
            message,
        ),
        (&["-N", "never,delay", "a@x"], message),
        (&["-N", "junk", "a@x"], message),
        (&["-N", "SUCCESS FAILURE", "-R", "FULL", "a@x"], message),
        (&["-R", "junk", "-V", "a\tb c", "a@x"], message),
        (&["-V", "a\u{e9}", "a@x"], message),
        (&["-V", "+=", "a@x"], message),
        (&["-V+=", "a@x"], message),
        (&["-XV", "a@x"], message),
        (&["-XV-=", "-f", "f@x", "a@x"], message),
        (&["-B8BITMIME", "-G", "a@x"], message),
        (
            &[
                "-B", "7BIT", "-om", "-oem", "-odi", "-oo", "-o7", "-o8", "-e", "a@x",
            ],
            message,
        ),
        (
            &[
                "-A", "x", "-L", "tag", "-h", "5", "-p", "x", "-U", "-m", "-c", "-x", "-oi", "a@x",
            ],
            ".\n",
        ),
        (
            &["-O", "DeliveryMode=b", "-O", "SMTPUTF8=yes", "a@x"],
            message,
        ),
        (
            &["-O", "REQUIRETLS=yes", "-OSMTPUTF8=maybe", "-Ojunk", "a@x"],
            message,
        ),
        (&["-OSMTPUTF8=yes", "-OSMTPUTF8=no", "a@x"], message),
        (&["-v", "a@x"], message),
        (&["-bv", "a@x", "B <b@x>"], ""),
        (&["-bv", "-f", "", "a@x"], ""),
        (&["--", "-a@x"], message),
        (&["-bp", "-bm", "a@x"], message),
        (&["-q15m", "-bm", "a@x"], message),
        (
            &["a\u{fc}@x", "\"quo ted\"@x", "bang!path", "a%b@c"],
            message,
        ),
        (
            &["-F", "L\u{fc} \"x\"", "-f", "\"odd name\"@x", "a@x"],
            message,
        ),
    ];
    let mut text = String::new();
    for (words, input) in cases {
        let output = instance.run_with("sendmail", words, input.as_bytes());
        let words: Vec<_> = [&["sendmail"], *words].concat();
        text += &shown(&words, &output);
        text += &dropped(&instance);
    }
    // A line of more than line_length_limit bytes, and a user without rights.
    let long = format!("Subject: {}\n\n{}\n", "h".repeat(5000), "b".repeat(5000));
    for (who, words) in [
        ("root", &["a@x"][..]),
        ("alice", &["-t", "a@x"]),
        ("alice", &["-f", "bob@x", "a@x"]),
    ] {
        let output = match who {
            "root" => instance.run_with("sendmail", words, long.as_bytes()),
            user => instance.run_as(user, "sendmail", words, long.as_bytes()),
        };
        text += &shown(&[who, "long"], &output);
        text += &dropped(&instance);
    }
    check(&instance, "submission/dropped", &text);
}

/// A record of postdrop's input.
fn record(kind: char, data: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind as u8];
    let mut rest = data.len();
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        bytes.push(if rest > 0 { low | 0x80 } else { low });
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(data);
    bytes
}

fn records(list: &[(char, &str)]) -> Vec<u8> {
    list.iter()
        .flat_map(|(kind, data)| record(*kind, data.as_bytes()))
        .collect()
}

#[test]
fn hostile_records() {
    let instance = system("");
    let envelope = [
        ('A', "rewrite_context=local"),
        ('F', "Joe"),
        ('S', "s@x"),
        ('R', "r@x"),
    ];
    let rest = [
        ('M', ""),
        ('N', "Subject: x"),
        ('N', ""),
        ('L', "part"),
        ('N', "end"),
        ('X', ""),
        ('E', ""),
    ];
    let whole = |extra: &[(char, &str)]| records(&[&envelope, extra, &rest].concat());
    let content =
        |extra: &[(char, &str)]| records(&[&envelope, &rest[..1], extra, &rest[1..]].concat());
    let last =
        |extra: &[(char, &str)]| records(&[&envelope, &rest[..6], extra, &rest[6..]].concat());
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
        ("two senders", whole(&[('S', "t@x")])),
        (
            "after the end",
            [whole(&[]), records(&[('R', "late@x")])].concat(),
        ),
        ("time", whole(&[('T', "1 2")])),
        ("size", whole(&[('C', &size)])),
        ("done", whole(&[('D', "d@x")])),
        ("original", whole(&[('O', "o@x")])),
        ("filter", whole(&[('L', "discard:x")])),
        ("redirect", whole(&[('>', "x@x")])),
        ("pointer", whole(&[('p', "              0")])),
        ("verp", whole(&[('V', "+=")])),
        ("dsn letters", whole(&[('i', "id"), ('n', "1")])),
        ("orcpt", whole(&[('o', "rfc822;x")])),
        ("type 0", whole(&[('\0', "x")])),
        ("type 255", whole(&[('\u{ff}', "x")])),
        ("line break in sender", whole(&[('R', "a\nFrom b")])),
        ("return in name", whole(&[('F', "a\rb")])),
        ("nul in recipient", whole(&[('R', "a\0b")])),
        ("break in attribute", whole(&[('A', "encoding=8bit\nx")])),
        ("breaks in content", content(&[('N', "a\nb\r\0c")])),
        ("envelope record in content", content(&[('R', "a@x")])),
        ("content record in envelope", whole(&[('N', "x")])),
        (
            "recipient at the end",
            last(&[('R', "late@x"), ('A', "notify_flags=1"), ('R', "x@x")]),
        ),
        ("sender at the end", last(&[('S', "late@x")])),
        ("long record", whole(&[('R', &huge)])),
        ("long line", content(&[('N', &huge)])),
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
        cases.push((name, whole(&[('A', value)])));
    }
    let words = ["postdrop", "-r"];
    let mut text = String::new();
    let mut script = Vec::new();
    for (at, (name, input)) in cases.iter().enumerate() {
        instance.write(&format!("in.{at}"), input);
        script.push(format!(": {name}; postdrop -r <in.{at}"));
    }
    let lines: Vec<&str> = script.iter().map(String::as_str).collect();
    text += &failing(&instance, &lines);
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
    text += &failing(
        &instance,
        &[
            "postdrop -Z",
            "postdrop -c /tmp </dev/null",
            "postdrop x </dev/null",
            "setpriv --reuid alice --regid alice --clear-groups postdrop -c /tmp </dev/null",
        ],
    );
    check(&instance, "submission/postdrop", &text);
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
        ('T', "1700000000 5"),
        ('A', "rewrite_context=local"),
        ('F', "Joe"),
        ('S', "s@x"),
        ('R', "r@x"),
    ];
    let rest = [
        ('M', ""),
        ('N', "Subject: x"),
        ('N', ""),
        ('N', "end"),
        ('X', ""),
        ('E', ""),
    ];
    let whole = |extra: &[(char, &str)]| records(&[&envelope, extra, &rest].concat());
    let content =
        |extra: &[(char, &str)]| records(&[&envelope, &rest[..1], extra, &rest[1..]].concat());
    let last =
        |extra: &[(char, &str)]| records(&[&envelope, &rest[..5], extra, &rest[5..]].concat());
    let size = format!(
        "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
        -1, -1, -1, -1, -1, 1
    );
    let long = "y".repeat(30000);
    let lines: Vec<(char, &str)> = long
        .as_bytes()
        .chunks(1000)
        .map(|line| ('N', std::str::from_utf8(line).unwrap()))
        .collect();
    let user = 61001;
    let cases: Vec<(&str, Vec<u8>, u32, u32)> = vec![
        ("whole", whole(&[]), 0o744, user),
        (
            "no content",
            records(&[&envelope[..], &[('M', ""), ('X', ""), ('E', "")]].concat()),
            0o744,
            user,
        ),
        (
            "leading blank",
            content(&[('N', " blank first")]),
            0o744,
            user,
        ),
        (
            "filter and redirect",
            whole(&[('L', "smtp:x"), ('>', "red@x")]),
            0o744,
            user,
        ),
        (
            "done and original",
            whole(&[('D', "d@x"), ('O', "o@x"), ('R', "p@x"), ('/', "c@x")]),
            0o744,
            user,
        ),
        ("pointer", whole(&[('p', "              0")]), 0o744, user),
        ("killed", whole(&[('K', "x"), ('w', "000")]), 0o744, user),
        (
            "size",
            records(&[&[('C', size.as_str())][..], &envelope, &rest].concat()),
            0o744,
            user,
        ),
        (
            "warn and verp",
            whole(&[('W', "     1700000000"), ('V', "+=")]),
            0o744,
            user,
        ),
        ("unknown type", whole(&[('Z', "x")]), 0o744, user),
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
        ("two senders", whole(&[('S', "t@x")]), 0o744, user),
        (
            "no time",
            records(&[&envelope[1..], &rest].concat()),
            0o744,
            user,
        ),
        (
            "attributes",
            whole(&[
                ('A', "sasl_username=root"),
                ('A', "trace_flags=256"),
                ('A', "log_message_origin=evil"),
                ('A', "encoding=8bit"),
                ('A', "client_name=evil"),
            ]),
            0o744,
            user,
        ),
        (
            "the mail system's attributes",
            whole(&[
                ('A', "sasl_username=root"),
                ('A', "trace_flags=256"),
                ('A', "log_message_origin=good"),
                ('A', "client_name=good"),
            ]),
            0o700,
            owner,
        ),
        (
            "late records",
            last(&[
                ('R', "late@x"),
                ('A', "notify_flags=1"),
                ('e', "err@x"),
                ('r', "ret@x"),
                ('P', "urgent"),
            ]),
            0o744,
            user,
        ),
        ("late sender", last(&[('S', "late@x")]), 0o744, user),
        ("cut", whole(&[])[..60].to_vec(), 0o744, user),
        ("long record", whole(&[('R', &long)]), 0o744, user),
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
            whole(&[('R', "a\nb@x"), ('R', "c\rd@x")]),
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
        for line in instance.log()[before..]
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
    check(&instance, "submission/pickup", &text);
}

#[test]
fn trouble() {
    let instance =
        system("message_size_limit = 3000\nimport_environment = MAIL_CONFIG, NAME, TZ\n");
    let main_cf = instance.read("etc/main.cf");
    std::fs::create_dir(instance.path("other")).unwrap();
    for (name, more) in [
        ("limit", "message_size_limit = 100\n"),
        ("nodir", "queue_directory = /nonexistent\n"),
        ("nocmd", "command_directory = /nonexistent\n"),
        ("submit", "authorized_submit_users = !root, static:all\n"),
        ("endings", "sendmail_fix_line_endings = sometimes\n"),
        ("broken", "message_size_limit = many\n"),
    ] {
        std::fs::create_dir(instance.path(&format!("etc.{name}"))).unwrap();
        let parameter = more.split(' ').next().unwrap();
        let kept: String = main_cf
            .lines()
            .filter(|line| !line.starts_with(parameter))
            .map(|line| format!("{line}\n"))
            .collect();
        instance.write(&format!("etc.{name}/main.cf"), kept + more);
        instance.write(&format!("etc.{name}/master.cf"), "");
    }
    let cases = [
        "head -c 2500 /dev/zero | tr '\\0' x | sendmail small@x",
        "head -c 5000 /dev/zero | tr '\\0' x | sendmail large@x",
        "head -c 500000 /dev/zero | tr '\\0' '\\n' | sendmail larger@x",
        "(echo To: a@x; head -c 500000 /dev/zero | tr '\\0' '\\n') | setpriv --reuid alice --clear-groups sendmail -t",
        "printf 'To: a@x\\n\\nx\\n' | sendmail -t -C $PWD/etc.limit -f x@x",
        "echo x | sendmail -C $PWD/etc.nodir a@x",
        "echo x | sendmail -C $PWD/etc.nocmd a@x",
        "sendmail -C $PWD/etc.nocmd -bp",
        "sendmail -C $PWD/etc.nocmd -q",
        "echo x | sendmail -C $PWD/etc.submit a@x",
        "sendmail -C $PWD/etc.submit -bs",
        "echo x | sendmail -C $PWD/etc.endings a@x",
        "echo x | sendmail -C $PWD/etc.broken a@x",
        "echo x | MAIL_CONFIG=/nonexistent sendmail a@x",
        "echo x | MAIL_CONFIG=/nonexistent setpriv --reuid alice --clear-groups sendmail a@x",
        "echo x | setpriv --reuid alice --clear-groups sendmail -f 'b@x\nc' a@x",
        "echo x | sendmail \"$(printf 'new\\nline@x')\"",
        "echo x | sendmail -f \"$(printf 'car\\rriage@x')\" a@x",
        "echo x | sendmail -F \"$(printf 'two\\nlines')\" a@x",
        "echo x | sendmail -F \"$(head -c 3000 /dev/zero | tr '\\0' n)\" a@x",
        "echo x | sendmail \"$(head -c 3000 /dev/zero | tr '\\0' n)@x\"",
        "sendmail a@x <.",
    ];
    let mut text = failing(&instance, &cases);
    let mut count = 0;
    for entry in std::fs::read_dir(instance.path("spool/maildrop")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
        count += 1;
    }
    text += &format!("{count} messages\n");
    for (name, value) in [
        ("NAME", "Name of the environment"),
        ("MAIL_LOGTAG", "tagged"),
        ("LOGNAME", "alice"),
        ("NAME", ""),
    ] {
        let mut command = instance.command("sendmail");
        command.args(["-oi", "a@x"]).env(name, value);
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        text += &format!(
            "{name}={value} {}\n{}",
            output.status.code().unwrap(),
            dropped(&instance)
        );
    }
    // No space, no directory.
    let shell = |script: &str| {
        let output = instance.run("/bin/sh", &["-c", script]);
        assert_eq!(output.status, 0, "{output:?}");
    };
    let drop = instance.path("spool/maildrop");
    let at = drop.display();
    shell(&format!(
        "mount -t tmpfs -o size=64k,mode=1777 none {at} && head -c 1000000 /dev/zero >{at}/fill; test -s {at}/fill"
    ));
    text += "--- no space\n";
    let few = [
        "(head -c 2000 /dev/zero | tr '\\0' x; echo) | sendmail a@x",
        "echo x | setpriv --reuid alice --clear-groups sendmail a@x",
    ];
    text += &failing(&instance, &few);
    shell(&format!(
        "rm {at}/fill; ls {at} >{}/left; umount {at}",
        instance.path("").display()
    ));
    text += &format!("left: {}\n", instance.read("left"));
    text += "--- log\n";
    let mut lines: Vec<String> = compliance::golden::log(&instance, "sendmail|postdrop")
        .lines()
        .map(str::to_owned)
        .collect();
    let pid = regex::Regex::new(r"\[\d+\]").unwrap();
    for line in &mut lines {
        *line = pid.replace(line, "").into_owned();
    }
    lines.sort_unstable();
    text += &lines.join("\n");
    check(&instance, "submission/trouble", &text);
}

#[test]
fn other_modes() {
    let instance = Instance::builder()
        .main_cf("alias_database = texthash:TOP/etc/nosuch\n")
        .start();
    let mut text = String::new();
    let dialogue = "EHLO x\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<alice>\r\nDATA\r\nSubject: bs\r\n\r\nx\r\n.\r\nQUIT\r\n";
    for words in [&["sendmail", "-bs"][..], &["sendmail", "-bs", "-v"]] {
        let output = instance.run_with(words[0], &words[1..], dialogue.as_bytes());
        let kept: Vec<&str> = output
            .stdout
            .lines()
            .filter(|line| {
                !line.starts_with("250-")
                    && !line.starts_with("250 CHUNKING")
                    && !line.contains("SMTPUTF8")
            })
            .collect();
        text += &format!("$ {words:?} {}\n{}\n", output.status, kept.join("\n"));
    }
    let output = instance.run_as("bob", "sendmail", &["-bs"], dialogue.as_bytes());
    text += &format!(
        "bob: {} {}\n",
        output.status,
        output
            .stdout
            .lines()
            .filter(|line| line.contains("queued"))
            .count()
    );
    for words in [
        &["newaliases"][..],
        &["sendmail", "-bi"],
        &["sendmail", "-I", "-oAinline:{a=b}"],
        &["sendmail", "-bd"],
    ] {
        let output = instance.run(words[0], &words[1..]);
        text += &shown(words, &output);
    }
    instance.wait_mailbox("alice");
    check(&instance, "submission/modes", &text);
}

#[test]
fn reports_to_the_sender() {
    let instance = Instance::builder()
        .main_cf("default_transport = error:no outside\nlocal_recipient_maps =\nin_flow_delay = 0\nalias_maps = inline:{ {list=alice, bob} }\nvirtual_alias_maps = inline:{ {v@test.example=alice@test.example, out@far.example} }")
        .start();
    let mut text = String::new();
    for (at, (options, recipients)) in [
        (&["-bv"][..], &["nosuchuser"][..]),
        (&["-bv"], &["list"]),
        (&["-v"], &["out@far.example"]),
        (&["-N", "success", "-V", "env-1", "-R", "hdrs"], &["alice"]),
        (&["-N", "never"], &["nosuchuser"]),
        (&["-R", "full", "-V", "env-2"], &["nosuchuser"]),
    ]
    .into_iter()
    .enumerate()
    {
        let words = [
            &["sendmail", "-i", "-f", "vmail@test.example"],
            options,
            recipients,
        ]
        .concat();
        let before = instance.log().len();
        let output = instance.run_with(
            "sendmail",
            &words[1..],
            b"Subject: s\nX-Number: 1\n\nbody\n",
        );
        text += &shown(&words, &output);
        let silent = words.contains(&"never");
        let done = || {
            let log = instance.log();
            let new = &log[before..];
            let ended = new.matches(": removed\n").count();
            ended >= if silent { 1 } else { 2 } && new.matches("(queue active)").count() == ended
        };
        assert!(
            compliance::testkit::wait_for(std::time::Duration::from_secs(20), done),
            "{at}: {}",
            instance.log()
        );
        let mail = instance.read("mail/vmail");
        text += &mail;
        instance.write("mail/vmail", "");
    }
    check(&instance, "submission/reports", &text);
}
