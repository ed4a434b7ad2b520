//! What users submit with `sendmail`: what goes into the `maildrop` directory, what is refused, and how; and what comes back.

use compliance::golden::{check, shown};
use compliance::queue_file::dropped;
use compliance::shell::at_once;
use compliance::testkit::Instance;

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
    check(
        &instance,
        "submission/refused",
        &at_once(&instance, "", &cases),
    );
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
    let mut text = at_once(&instance, "", &cases);
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
    text += &at_once(&instance, "", &few);
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
