//! What `postcat` makes of queue files: whole, odd, damaged and hostile ones, and those of real messages.

use std::fmt::Write as _;

use compliance::golden::{check, shown};
use compliance::queue_file::{message, record, records};
use compliance::testkit::{Instance, Output};

/// Names and contents of files that no cleanup would write.
fn odd_files() -> Vec<(&'static str, Vec<u8>)> {
    let envelope = records(&[
        (b'T', "1700000000 12345"),
        (b'A', "create_time=1700000000"),
        (b'A', "rewrite_context=local"),
        (b'A', "bad attr"),
        (b'A', "=x"),
        (b'A', " sp = v "),
        (b'W', "     1700000099"),
        (b'F', "Joe\0x"),
        (b'S', "a@b"),
        (b'L', "smtp:x"),
        (b'>', "red@x"),
        (b'f', "5"),
        (b'd', "7"),
        (1, "odd"),
        (0, "nul"),
        (b'o', "rfc822;x"),
        (b'n', "4"),
        (b'O', "x"),
        (b'R', "r@x"),
        (b'D', "d@x"),
        (b'/', "c@x"),
        (b'i', "env"),
        (b'<', "1"),
        (b'V', "+="),
        (b'I', "insp"),
        (b'c', "1700000001"),
        (b'K', "kill"),
        (b'm', "3"),
    ]);
    let content = records(&[
        (b'N', "Subject: x"),
        (b'L', "To: cont"),
        (b'L', "inued"),
        (b'N', "end"),
        (b'N', " fold"),
        (b'w', "0000"),
        (b'N', ""),
        (b'N', "body l1"),
        (b'L', "part"),
        (b'L', "part2"),
        (b'N', ""),
        (b'N', "nul\0in"),
        (b'L', "open"),
    ]);
    let extracted = records(&[
        (b'r', "rr@x"),
        (b'e', "et@x"),
        (b'P', "urgent"),
        (b'A', "encoding=8bit"),
        (b'p', "              0"),
        (b'R', "late@x"),
    ]);
    let whole = message(&envelope, &content, &extracted, 1);
    let bare = [
        envelope.clone(),
        record(b'M', b""),
        content.clone(),
        record(b'X', b""),
        extracted.clone(),
        record(b'E', b""),
    ]
    .concat();
    let sized = |size: &str| [record(b'C', size.as_bytes()), bare.clone()].concat();
    let time = record(b'T', b"1 1");
    let after_time = |bytes: &[u8]| [time.as_slice(), bytes].concat();
    let pointer = |target: usize| record(b'p', format!("{target:>15}").as_bytes());
    let skipped = record(b'R', b"skipped");
    let target = time.len() + 17 + skipped.len();
    vec![
        ("whole", whole.clone()),
        ("behind", [whole.clone(), record(b'R', b"after")].concat()),
        ("cut", whole[..300].to_vec()),
        ("cut2", whole[..whole.len() - 40].to_vec()),
        ("empty", Vec::new()),
        ("text", b"hello world".to_vec()),
        ("nul", b"\0\x01x".to_vec()),
        (
            "sizes",
            message(
                &[record(b'C', b"1 2"), envelope].concat(),
                &content,
                &extracted,
                1,
            ),
        ),
        ("nosize", bare.clone()),
        ("badsize", sized("foo bar")),
        ("badsize2", sized("5")),
        ("farsize", sized("99999 99999")),
        ("len5", after_time(b"S\x81\x80\x80\x80\x00x")),
        ("len4", after_time(b"S\x81\x80\x80\x00xR\x01q")),
        ("huge", after_time(b"S\xff\xff\x03x")),
        ("inlength", after_time(b"S\xff")),
        (
            "order",
            after_time(&records(&[
                (b'X', ""),
                (b'M', ""),
                (b'N', "a: b"),
                (b'M', ""),
                (b'E', ""),
            ])),
        ),
        (
            "nox",
            after_time(&records(&[(b'M', ""), (b'N', "a: b"), (b'E', "")])),
        ),
        (
            "blank",
            after_time(&records(&[
                (b'M', ""),
                (b'N', " leading"),
                (b'N', "a: b"),
                (b'L', "x"),
                (b'X', ""),
                (b'E', ""),
            ])),
        ),
        (
            "body",
            after_time(&records(&[
                (b'M', ""),
                (b'L', "not a header"),
                (b'N', "a: b"),
                (b'X', ""),
                (b'E', ""),
            ])),
        ),
        (
            "pointer",
            after_time(
                &[
                    pointer(target),
                    skipped,
                    records(&[(b'R', "target"), (b'M', ""), (b'X', ""), (b'E', "")]),
                ]
                .concat(),
            ),
        ),
        (
            "badpointer",
            after_time(&records(&[(b'p', "abc"), (b'R', "x")])),
        ),
        ("minus", after_time(&records(&[(b'p', "-5"), (b'R', "x")]))),
        (
            "farpointer",
            after_time(&records(&[(b'p', "99999"), (b'R', "x")])),
        ),
        ("loop", after_time(&pointer(time.len()))),
    ]
}

/// One shell that runs `postcat` many times: the output, the complaints and the status of each.
fn each(instance: &Instance, lines: &str) -> String {
    let script = format!(
        "cd {dir}/files || exit 9
run() {{
    n=$((n+1)); echo \"$*\" >../c.$n; exec 3<&0
    ({postcat} \"$@\" <&3 >../o.$n 2>../e.$n; echo $? >../s.$n) &
    exec 3<&-
}}
piped() {{
    n=$((n+1)); file=$1; shift; echo \"$* | $file\" >../c.$n
    (cat $file | {{ {postcat} \"$@\" >../o.$n 2>../e.$n; echo $? >../s.$n; }}) &
}}
n=0
{lines}
wait
i=0
while [ $i -lt $n ]; do
    i=$((i+1)); echo \"$ $(cat ../c.$i)\"; cat ../o.$i
    grep -v -e name_mask: -e inet_addr_local: ../e.$i | sed 's/^/! /'
    read s <../s.$i; [ $s = 0 ] || echo \"= $s\"
done",
        dir = instance.path("").display(),
        postcat = instance.target().command("postcat").display(),
    );
    let output = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(
        (output.status, output.stderr.as_str()),
        (0, ""),
        "{output:?}"
    );
    output.stdout
}

#[test]
fn odd_and_damaged_files() {
    let instance = Instance::builder().build();
    std::fs::create_dir(instance.path("files")).unwrap();
    std::fs::create_dir(instance.path("files/directory")).unwrap();
    // What ends the command is shown alone.
    let ends = |name: &str| {
        [
            "cut",
            "cut2",
            "badsize",
            "badsize2",
            "len5",
            "huge",
            "inlength",
            "badpointer",
            "minus",
            "loop",
        ]
        .contains(&name)
    };
    let mut lines = String::new();
    let mut together = String::new();
    for (name, bytes) in odd_files() {
        instance.write(&format!("files/{name}"), bytes);
        if ends(name) {
            for options in ["-o", "-h", "-vr"] {
                writeln!(lines, "run {options} {name}").unwrap();
            }
        } else {
            together += &format!(" {name}");
        }
    }
    for options in [
        "", "-o", "-ofd", "-e", "-h", "-b", "-hb", "-eb", "-eh", "-r", "-v", "-vr", "-ov", "-s5 -o",
    ] {
        writeln!(lines, "run {options}{together}").unwrap();
    }
    lines += "
run directory text pointer
run pointer missing pointer
run missing
run -s x pointer
run -s -1 pointer
run -s '' pointer
run -s 999999 pointer
run -x
run -c
run -c /nonexistent pointer
run -q x/y
run -q ''
run -q 123456
for f in whole pointer; do for o in '' -o -h -v -s5; do
run $o <$f; piped $f $o
done; done
run < text; run < empty; run -s9 < empty
";
    let text = each(&instance, &lines);
    check(&instance, "postcat/odd", &text.replace('\0', "\\0"));
}

/// Shows the messages on hold and their logs.
fn postcat(instance: &Instance, options: &str, id: &str) -> String {
    let words = ["postcat", options, id];
    shown(&words, &instance.run(words[0], &words[1..]))
}

fn ids(instance: &Instance, queue: &str) -> Vec<String> {
    let mut ids: Vec<_> = std::fs::read_dir(instance.path("spool").join(queue))
        .unwrap()
        .flatten()
        .map(|entry| {
            (
                entry.metadata().unwrap().modified().unwrap(),
                entry.file_name(),
            )
        })
        .collect();
    ids.sort();
    ids.into_iter()
        .map(|(_, name)| name.into_string().unwrap())
        .collect()
}

#[test]
fn files_of_real_messages() {
    let instance = Instance::builder()
        .main_cf("smtpd_authorized_xforward_hosts = 127.0.0.1\nsmtpd_recipient_restrictions = check_recipient_access inline:{ {filter@x.test=FILTER discard:me} {to@x.test=REDIRECT other@x.test} }, check_sender_access static:hold\nheader_checks = regexp:{ {/^Subject: new/ PREPEND X-New: yes} {/^Subject: gone/ IGNORE} }\ncontent_filter =\ndefault_transport = error:nobody\nvirtual_alias_maps = inline:{ {list@x.test=a@x.test, b@x.test} }\nrelay_domains = x.test\nrelay_transport = discard\nalways_bcc = copy@x.test\ndelay_warning_time = 4h\n")
        .start();
    let mut client = instance.smtp();
    let dialogue = |client: &mut compliance::testkit::Client, lines: &[&str]| {
        for line in lines {
            let reply = client.command(line);
            assert!(reply.code < 400, "{line}: {reply:?}");
        }
    };
    dialogue(
        &mut client,
        &[
            "EHLO client.test",
            "XFORWARD NAME=real.test ADDR=192.0.2.1 PORT=99 PROTO=ESMTP HELO=hi IDENT=Q1 SOURCE=REMOTE",
        ],
    );
    for (mail, recipients, text) in [
        (
            "MAIL FROM:<> SIZE=100",
            "<filter@x.test>",
            "Subject: new\r\nFrom: x\r\n\r\nbody\r\n.leading dot\r\n.",
        ),
        (
            "MAIL FROM:<s@x.test> RET=HDRS ENVID=env+2Bid",
            "<to@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2Br@x.test",
            "Subject: gone\r\nBcc: x\r\n\r\n.",
        ),
        (
            "MAIL FROM:<s@x.test> BODY=8BITMIME SMTPUTF8",
            "<list@x.test>",
            "Subject: \u{fc}\r\nno header line\r\n\r\nmore\r\n.",
        ),
    ] {
        dialogue(
            &mut client,
            &[mail, &format!("RCPT TO:{recipients}"), "DATA"],
        );
        dialogue(&mut client, &[text]);
    }
    let mut text = String::new();
    for id in ids(&instance, "hold") {
        for options in ["-q", "-hq", "-bq", "-eq", "-vrq"] {
            text += &postcat(&instance, options, &id);
        }
        // The same through standard input and by its path.
        let whole = instance.run(
            "postcat",
            &[&format!("{}/spool/hold/{id}", instance.path("").display())],
        );
        text += &shown(&["postcat", "PATH"], &whole);
    }
    let user: Output =
        instance.run_as("alice", "postcat", &["-q", &ids(&instance, "hold")[0]], b"");
    text += &shown(&["postcat", "by", "a", "user"], &user);
    let tidy = [
        (
            r"(message_size:|warning_message_time:|pointer_record:|client_port=).*",
            "$1 ...",
        ),
        (r".*(?:name_mask|inet_addr_local):.*\n", ""),
    ];
    let text = tidy.iter().fold(text, |text, (pattern, with)| {
        regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, *with)
            .into_owned()
    });
    check(&instance, "postcat/real", &text);
}
