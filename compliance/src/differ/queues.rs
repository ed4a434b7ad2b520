//! Queues with all that may be in one: `postsuper`, `postqueue`, `qshape`.

use super::case::{Case, Made, command};
use super::queue_files::{message, odd, queued};
use crate::random::Random;

const QUEUES: &[&str] = &[
    "incoming",
    "active",
    "deferred",
    "deferred",
    "deferred/0",
    "deferred/A",
    "deferred/1/2",
    "hold",
    "hold",
    "maildrop",
    "defer",
    "defer/0",
    "bounce",
    "trace",
    "flush",
    "corrupt",
    "saved",
    "incoming/0",
    "active/A/B",
    "hold/0",
    "deferred/x",
];

const AGES: &[i64] = &[
    90_000,
    90_000,
    86_400 * 8,
    5,
    100_000,
    -100_000,
    86_400 * 2,
    3_700,
];

fn age(random: &mut Random) -> i64 {
    AGES[random.below(AGES.len())]
}

fn settings(random: &mut Random) -> Vec<u8> {
    match random.below(9) {
        0 => b"hash_queue_names = incoming,active,deferred,defer,hold\n".to_vec(),
        1 => b"hash_queue_depth = 2\n".to_vec(),
        2 => b"hash_queue_names =\n".to_vec(),
        3 | 4 => b"enable_long_queue_ids = yes\n".to_vec(),
        5 => {
            b"enable_long_queue_ids = yes\nhash_queue_names = deferred,hold\nhash_queue_depth = 3\n"
                .to_vec()
        }
        _ => Vec::new(),
    }
}

/// `postsuper`.
pub fn postsuper(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(settings(random)),
        any_order: true,
        ..Case::default()
    };
    let mut ids: Vec<String> = vec![
        "ALL".into(),
        "ALL".into(),
        "ALL".into(),
        "nosuch".into(),
        "0123456789".into(),
        "".into(),
        "../x".into(),
        "ABCDEF@I".into(),
    ];
    for label in "abcdefgh".chars().take(random.below(9)) {
        let name = match random.below(12) {
            0..4 => "0F00@I@".to_owned(),
            4 | 5 => "01E24@I@".to_owned(),
            6 | 7 => "4ZXbKR1234z@L@".to_owned(),
            8 => "01E24ABC".to_owned(),
            9 => "4ZXbKR1234z9".to_owned(),
            10 => random
                // The original takes any file with a name of one letter for a directory of a hashed queue, and gives up.
                .pick(&[
                    "core",
                    "A.tmp",
                    "01E24ABC.5",
                    ".hidden",
                    "01e24abc",
                    "01E24\u{e9}",
                    "0123456789ABCDEF0123456789",
                    "4ZXbKR1234z",
                ])
                .to_owned(),
            _ => "01E24@I@".to_owned(),
        };
        let id = name
            .replace("@I@", &format!("@I{label}@"))
            .replace("@L@", &format!("@L{label}@"));
        let mut file = queued(
            &format!("spool/{}/{name}", random.pick(QUEUES)),
            format!("file {label}").into_bytes(),
        );
        if case.files.iter().any(|other| other.path == file.path) {
            continue;
        }
        file.mode = [0o700, 0o700, 0o700, 0o600, 0o644, 0o400, 0][random.below(7)];
        file.age = age(random);
        file.label = Some(label);
        if random.once_in(5)
            && ["bounce", "defer", "trace"]
                .iter()
                .all(|log| !file.path.contains(log))
        {
            // Its logs.
            for log in ["bounce", "defer", "trace"] {
                if random.once_in(2) {
                    let mut log = queued(&format!("spool/{log}/{id}"), b"log".to_vec());
                    log.age = age(random);
                    if case.files.iter().all(|other| other.path != log.path) {
                        case.files.push(file.clone());
                        file = Made { label: None, ..log };
                        break;
                    }
                }
            }
        }
        case.files.push(file);
        ids.push(id.clone());
        ids.push(id);
    }
    let mut script = Vec::new();
    for _ in 0..=random.below(2) {
        let mut words: Vec<Vec<u8>> = vec![b"postsuper".to_vec()];
        let mut list = false;
        for _ in 0..random.below(4) {
            match random.below(8) {
                0 => words.push(b"-s".to_vec()),
                1 => words.push(b"-p".to_vec()),
                2 => words.push(b"-S".to_vec()),
                _ => {
                    words.push(
                        format!("-{}", random.pick(&["d", "d", "h", "H", "r", "e", "f"]))
                            .into_bytes(),
                    );
                    let id = if random.once_in(5) {
                        list = true;
                        "-".to_owned()
                    } else {
                        ids[random.below(ids.len())].clone()
                    };
                    words.push(id.into_bytes());
                }
            }
        }
        for _ in 0..random.below(3) {
            words.push(
                random
                    .pick(&[
                        "deferred",
                        "hold",
                        "incoming",
                        "active",
                        "maildrop",
                        "corrupt",
                        "defer",
                        "bounce",
                        "nosuch",
                        "HOLD",
                        "flush",
                        "trace",
                        "saved",
                        "",
                        "deferred/0",
                        ".",
                    ])
                    .as_bytes()
                    .to_vec(),
            );
        }
        if random.once_in(30) {
            words.push(
                random
                    .pick(&["-Z", "-d", "-c/nonexistent", "-vq"])
                    .as_bytes()
                    .to_vec(),
            );
        }
        if list {
            let mut text = String::new();
            for _ in 0..random.below(6) {
                text += &ids[random.below(ids.len())];
                text += random.pick(&["\n", "\n", "\n", "\r\n", " \n", " x\n", "\n\n"]);
            }
            if random.once_in(3) {
                text.pop();
            }
            script.extend(b"printf '%s' ");
            script.extend(super::case::quoted(text));
            script.extend(b" | ");
        }
        script.extend(command(&words));
        script.extend(b"; echo \"= $?\"\n");
    }
    case.script = script;
    case
}

fn address(random: &mut Random) -> String {
    let user = random.pick(&[
        "alice",
        "bob",
        "\"a b\"",
        "u\u{e9}",
        "x+y",
        "very-long-user-name-that-is-longer-than-twenty",
        "",
        "MAILER-DAEMON",
        "a\\\"b",
        "tab\there",
    ]);
    match random.below(12) {
        0 => String::new(),
        1 => user.to_owned(),
        _ => format!(
            "{user}@{}",
            random.pick(&[
                "a.example",
                "b.example",
                "sub.a.example",
                "C.example",
                "[1.2.3.4]",
                "a.very.long.domain.name.that.does.not.fit.into.a.column.example",
                "x.org",
                "\u{e9}.example",
                "example"
            ])
        ),
    }
}

/// Messages under names that tell nothing of their inodes, with deferral logs for some.
fn mail(random: &mut Random, case: &mut Case, now: i64) {
    for number in 0..random.below(9) {
        let id = match random.below(6) {
            0 => format!("4ZXbKR{number}234zabc"),
            _ => format!("{:X}{number}1E24ABC", random.below(16)),
        };
        let queue = random.pick(&[
            "incoming", "active", "deferred", "deferred", "hold", "maildrop", "corrupt",
        ]);
        let hashed = if queue == "deferred" && !random.once_in(6) {
            format!("{queue}/{}", &id[..1])
        } else {
            queue.to_owned()
        };
        let bytes = if random.once_in(5) {
            odd(random)
        } else {
            let from = address(random);
            let to: Vec<String> = (0..=random.below(3)).map(|_| address(random)).collect();
            let to: Vec<&str> = to.iter().map(String::as_str).collect();
            let time = [
                now - 100,
                now - 4_000,
                1_700_000_000,
                1_000_000_000,
                now - 90_000,
                1_780_000_000,
            ][random.below(6)];
            let length = random.below(3000);
            message(random, &from, &to, time, length)
        };
        let mut file = queued(&format!("spool/{hashed}/{id}"), bytes);
        file.mode = if random.once_in(8) { 0o600 } else { 0o700 };
        file.age = age(random);
        if random.once_in(2) && queue == "deferred" {
            let log = random.pick(&[
                &b"<alice@a.example>: no route\nrecipient=alice@a.example\noffset=200\ndsn_orig_rcpt=\nstatus=4.4.1\naction=delayed\nreason=no route\n\n"[..],
                b"recipient=alice@a.example\nreason=connect to x[1.2.3.4]:25: Connection refused\nstatus=4.4.1\naction=delayed\n\nrecipient=bob@b.example\nreason=x \"quoted\" \\ \x01\nstatus=4.0.0\naction=delayed\n\n",
                b"recipient=\"a b\"@a.example\nreason=spaces\n\nrecipient=\noffset=1\nreason=\xff\xc3\xa9\n\n", b"", b"garbage\nno value=\n\n", b"recipient=alice@a.example\n",
                b"recipient=alice@a.example\noriginal_recipient=orig@x\nreason=r\nmta_host=h\ndiag_text=d\nstatus=5.1.1\naction=failed\n\n",
            ]);
            case.files.push(queued(
                &format!("spool/defer/{}/{id}", &id[..1]),
                log.to_vec(),
            ));
        }
        case.files.push(file);
    }
}

/// `postqueue` and `mailq`, of a system that is down: what the list looks like.
pub fn postqueue(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(match random.below(8) {
            0 => b"authorized_mailq_users = root, !alice\nauthorized_flush_users = bob\n".to_vec(),
            1 => b"authorized_mailq_users = \n".to_vec(),
            2 => b"duplicate_filter_limit = 2\n".to_vec(),
            _ => settings(random),
        }),
        any_order: random.once_in(2),
        ..Case::default()
    };
    // A day that stays: lists show days.
    mail(random, &mut case, 1_790_000_000);
    for file in &mut case.files {
        file.age = 900_000;
    }
    let mut script: Vec<u8> = Vec::new();
    for _ in 0..=random.below(2) {
        if random.once_in(5) {
            script.extend(b"setpriv --reuid alice --regid alice --init-groups ");
        }
        let line: &[&str] = match random.below(20) {
            0..5 => &["postqueue", "-p"],
            5..9 => &["postqueue", "-j"],
            9 | 10 => &["mailq"],
            11 => &["sendmail", "-bp"],
            12 => &["postqueue", "-f"],
            13 => &["postqueue", "-i", "A01E24ABC"],
            14 => &["postqueue", "-s", "example.com"],
            15 => &["postqueue", "-s", "[1.2.3.4]"],
            16 => &["postqueue", "-i", "../x"],
            _ => {
                let mut words = vec![b"postqueue".to_vec()];
                for _ in 0..random.below(4) {
                    words.push(
                        random
                            .pick(&[
                                "-p",
                                "-j",
                                "-f",
                                "-i",
                                "-s",
                                "-c",
                                "-Z",
                                "x",
                                "-ia",
                                "-sx",
                                "-pj",
                                "-pf",
                                "-sx.y",
                                "-s.",
                                "-s[",
                                "-s[]",
                                "-i.",
                                "--",
                                "-c/nonexistent",
                                "-s-x",
                                "-sa..b",
                            ])
                            .as_bytes()
                            .to_vec(),
                    );
                }
                script.extend(command(&words));
                script.extend(b"; echo \"= $?\"\n");
                continue;
            }
        };
        script.extend(line.join(" ").bytes());
        script.extend(b"; echo \"= $?\"\n");
    }
    case.script = script;
    case
}

/// `qshape`.
pub fn qshape(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(settings(random)),
        own_words: true,
        any_order: true,
        ..Case::default()
    };
    mail(random, &mut case, 1_790_000_000);
    case.files.retain(|file| {
        !file.path.contains("/maildrop/")
            && !file.path.contains("/defer/")
            // The original counts a file as one of no sender when its first record is damaged.
            && file.bytes.starts_with(b"C")
            && file.bytes.len() > 100
    });
    let mut words = vec![b"qshape".to_vec()];
    for _ in 0..random.below(4) {
        words.push(
            random
                .pick(&[
                    "-s",
                    "-p",
                    "-l",
                    "-m1",
                    "-m2",
                    "-m",
                    "-b3",
                    "-b",
                    "-t1",
                    "-t",
                    "-n1",
                    "-n2",
                    "-N1",
                    "-w10",
                    "-w",
                    "-v",
                    "-c../etc",
                    "-h",
                    "-Z",
                    "-b0",
                    "-tx",
                    "-w3",
                    "-m-1",
                    "-N",
                    "-c/nonexistent",
                    "-b30",
                    "-t100",
                    "-sl",
                ])
                .as_bytes()
                .to_vec(),
        );
    }
    for _ in 0..random.below(3) {
        words.push(
            random
                .pick(&[
                    "active",
                    "deferred",
                    "hold",
                    "incoming",
                    "maildrop",
                    "nosuch",
                    "corrupt",
                    "",
                    "../spool/hold",
                    "@TOP@/spool/deferred",
                ])
                .as_bytes()
                .to_vec(),
        );
    }
    case.script = command(&words);
    case
}
