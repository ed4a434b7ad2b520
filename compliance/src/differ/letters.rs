//! `sendmail`: options in any mixture, letters of any form; what ends up in `maildrop`.

use super::case::{Case, command};
use crate::random::Random;

const LINES: &[&[u8]] = &[
    b"From: a@test.example",
    b"From: \"A B\" <a@b>, c@d",
    b"To: x@test.example",
    b"To: undisclosed-recipients:;",
    b"Cc: y@test.example, z",
    b"Bcc: secret@test.example",
    b"Subject: x",
    b"Resent-To: r@test.example",
    b"Resent-From: rf@x",
    b"Resent-Bcc: rb@x",
    b"To: \"a b\"@x, <c@d>, (comment) e@f",
    b"To: a b c",
    b"To: <>",
    b"To:",
    b"To: @",
    b"to:lower@x",
    b"TO : spaced@x",
    b" continued@x,",
    b"\tfolded",
    b"",
    b"",
    b".",
    b"..",
    b".x",
    b"body",
    b"From x Mon Jan  1 00:00:00 2024",
    b">From y",
    b"no header line",
    b"To: u\xc3\xa9@x",
    b"Subject: \xff\xfe",
    b"nul\0byte",
    b"cr\rinside",
    b"crlf\r",
    b"Return-Path: <rp@x>",
    b"Errors-To: e@x",
    b"Message-ID: <1@x>",
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000",
    b"Content-Type: multipart/mixed; boundary=x",
    b"--x",
    b"Apparently-To: at@x",
    b"To: grp: a@x, b@x;",
    b"To: a@x b@x",
    b"To: \"unclosed",
    b"Cc: x@y (nested (c))",
    b"X-Y: z",
    b"Mail-From: q",
    b"Return-Receipt-To: rr@x",
    b"To: a%b@c, d!e",
    b"To: <a@b",
    b"To: a@[1.2.3.4], b@[x]",
    b"Disposition-Notification-To: x",
];

fn letter(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(9) {
        text.extend(random.pick(LINES));
        text.extend(random.pick(&[&b"\n"[..], b"\n", b"\n", b"\n", b"\n", b"\r\n"]));
    }
    match random.below(14) {
        0 => text.extend(vec![b'l'; random.below(9000)]),
        1 => text.extend(
            b"To: "
                .iter()
                .copied()
                .chain(b"many@x.example, ".repeat(random.below(400))),
        ),
        2 => {
            text.pop();
        }
        _ => {}
    }
    text
}

fn word(random: &mut Random) -> Vec<u8> {
    const WORDS: &[&[u8]] = &[
        b"root",
        b"alice@test.example",
        b"a,b",
        b"a b",
        b"<a@b>",
        b"\"q r\"@x",
        b"",
        b"a@",
        b"@b",
        b"-x",
        b"u\xc3\xa9@x",
        b"\xff",
        b"a\nb",
        b"a@b (c)",
        b"(c)",
        b"|cmd",
        b"/file",
        b":include:/x",
        b"x@[1.2.3.4]",
        b"a!b",
        b"a%b@c",
        b"a@b,c@d",
        b"grp: a@b;",
        b"a\rb",
        b"\\a",
        b"a..b@c",
        b".a@b",
        b"user+ext",
    ];
    random.pick(WORDS).to_vec()
}

/// Several options of this kind take a value, attached or not.
fn option(random: &mut Random) -> Vec<Vec<u8>> {
    const ALONE: &[&str] = &[
        "-i",
        "-oi",
        "-t",
        "-t",
        "-n",
        "-U",
        "-m",
        "-oem",
        "-oep",
        "-oeq",
        "-oee",
        "-om",
        "-oo",
        "-G",
        "-bm",
        "-bm",
        "-e",
        "-em",
        "-oxyz",
        "-oA",
        "-oG5",
        "-o7",
        "-o8",
        "-oo7",
        "-it",
        "-ti",
        "-Bx",
        "-B7BIT",
        "-B8BITMIME",
        "-b8BITMIME",
        "-N",
        "-Nfailure",
        "-Nsuccess,delay",
        "-Nnever",
        "-NFAILURE",
        "-Nx",
        "-N never,delay",
        "-R full",
        "-Rhdrs",
        "-Rx",
        "-RFULL",
        "-VID",
        "-V x y",
        "-V+",
        "-XV",
        "-XV+=",
        "-XVab",
        "-X/log",
        "-L tag",
        "-Ltag",
        "-h5",
        "-hx",
        "-ha",
        "-r a@b",
        "-ra@b",
        "-q",
        "-q15m",
        "-qx",
        "-p ESMTP",
        "-px",
        "-d",
        "-d0.4",
        "-D",
        "-A c",
        "-Ac",
        "-O a=b",
        "-OMaxRecips=1",
        "-Z",
        "-k",
        "-s",
        "-T",
        "-I",
        "-bi",
        "-bp",
        "-bz",
        "-bh",
        "-C /nonexistent",
        "-Cx",
        "--",
        "-",
        "-bs",
        "-o",
        "-b",
    ];
    match random.below(10) {
        0 | 1 => vec![b"-f".to_vec(), word(random)],
        2 => {
            let attached = [b"-f".to_vec(), word(random)].concat();
            vec![attached]
        }
        3 => vec![
            b"-F".to_vec(),
            random
                .pick(&[
                    &b"Full Name"[..],
                    b"",
                    b"a\nb",
                    b"\"q\"",
                    b"a (b)",
                    b"\xc3\xa9",
                    b"\xff",
                ])
                .to_vec(),
        ],
        _ => random
            .pick(ALONE)
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect(),
    }
}

/// `sendmail`.
pub fn sendmail(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(
            random
                .pick(&[
                    &b""[..],
                    b"",
                    b"",
                    b"",
                    b"message_size_limit = 300\n",
                    b"authorized_submit_users = root\n",
                    b"authorized_submit_users = !alice, static:all\n",
                    b"sendmail_fix_line_endings = never\n",
                    b"sendmail_fix_line_endings = strict\n",
                    b"line_length_limit = 50\n",
                    b"always_bcc = x@y\n",
                    b"smtputf8_autodetect_classes = all\n",
                    b"smtputf8_enable = no\n",
                    b"default_verp_delimiters = -+\n",
                    b"verp_delimiter_filter = -=+\n",
                    b"hopcount_limit = 2\n",
                    b"empty_address_recipient = x\n",
                    b"remote_header_rewrite_domain = x\n",
                    b"undisclosed_recipients_header =\n",
                    b"header_size_limit = 60\n",
                    b"local_login_sender_maps = inline:{alice=alice}\n",
                    b"myorigin = other.example\n",
                    b"queue_minfree = 999999999999\n",
                    b"message_size_limit = 0\n",
                ])
                .to_vec(),
        ),
        ..Case::default()
    };
    let mut words = vec![
        random
            .pick(&[
                "sendmail",
                "sendmail",
                "sendmail",
                "sendmail",
                "sendmail",
                "sendmail",
                "sendmail",
                "sendmail",
                "newaliases",
                "mailq",
            ])
            .as_bytes()
            .to_vec(),
    ];
    for _ in 0..random.below(4) {
        words.extend(option(random));
    }
    for _ in 0..random.below(4) {
        words.push(word(random));
    }
    let smtp = words.iter().any(|word| word == b"-bs");
    case.file(
        "w/letter",
        if smtp {
            session(random)
        } else {
            letter(random)
        },
    );
    let mut script = Vec::new();
    if random.once_in(3) {
        script.extend(b"setpriv --reuid alice --regid alice --init-groups ");
    } else if random.once_in(6) {
        script.extend(b"LOGNAME=bob USER=bob NAME='B O B' ");
    }
    script.extend(command(&words));
    script.extend(b" <letter");
    if random.once_in(12) {
        script = [&script[..], b"; echo \"= $?\"; sleep 0.1; ", &script].concat();
    }
    case.script = script;
    case
}

/// A dialogue for `sendmail -bs`.
fn session(random: &mut Random) -> Vec<u8> {
    const COMMANDS: &[&str] = &[
        "HELO x",
        "EHLO x",
        "MAIL FROM:<a@b>",
        "MAIL FROM:<>",
        "RCPT TO:<root>",
        "RCPT TO:<x@test.example>",
        "DATA",
        "Subject: x\r\n\r\nbody\r\n.",
        "RSET",
        "NOOP",
        "VRFY root",
        "HELP",
        "QUIT",
        "ETRN x",
        "MAIL FROM:<a@b> SIZE=9 BODY=8BITMIME",
        "RCPT TO:<x@y> NOTIFY=NEVER",
        "STARTTLS",
        "XCLIENT NAME=x",
        "BDAT 3 LAST\r\nabc",
        "foo",
        "",
    ];
    let mut text = String::new();
    for line in [
        "EHLO x",
        "MAIL FROM:<a@b>",
        "RCPT TO:<root>",
        "DATA",
        "Subject: x\r\n\r\nbody\r\n.",
    ] {
        if random.once_in(5) {
            text += random.pick(COMMANDS);
            text += "\r\n";
        }
        if !random.once_in(6) {
            text += line;
            text += random.pick(&["\r\n", "\n"]);
        }
    }
    if !random.once_in(4) {
        text += "QUIT\r\n";
    }
    text.into_bytes()
}
