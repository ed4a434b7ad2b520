//! Queue files, whole and damaged; `postcat`.

use super::case::{Case, Made, OLD, command};
use crate::queue_file::{record, records};
use crate::random::Random;

/// Records that a message may have.
const ODD: &[(u8, &str)] = &[
    (b'A', "create_time=1700000000"),
    (b'A', "rewrite_context=local"),
    (b'A', "bad attr"),
    (b'A', "=x"),
    (b'A', " sp = v "),
    (b'A', "notify_flags=1"),
    (b'A', "envelope_id=zz"),
    (b'A', "dsn_orig_rcpt=rfc822;x"),
    (b'A', "encoding=8bit"),
    (b'A', "log_ident=ABC"),
    (b'A', ""),
    (b'F', "Joe\0x"),
    (b'F', ""),
    (b'S', "a@b"),
    (b'S', ""),
    (b'S', "u\u{e9}@b"),
    (b'L', "smtp:x"),
    (b'>', "red@x"),
    (b'f', "5"),
    (b'd', "done@x"),
    (1, "odd"),
    (0, "nul"),
    (0xff, "y"),
    (b'o', "rfc822;x"),
    (b'n', "4"),
    (b'n', "x"),
    (b'O', "x"),
    (b'R', "r@x"),
    (b'R', "\"a b\"@x"),
    (b'R', ""),
    (b'R', "r@x\ny"),
    (b'D', "d@x"),
    (b'/', "c@x"),
    (b'i', "env"),
    (b'<', "1"),
    (b'V', "+="),
    (b'V', "\t"),
    (b'I', "insp"),
    (b'c', "1700000001"),
    (b'c', "1 2 x"),
    (b'K', "kill"),
    (b'm', "3"),
    (b'T', "1600000000 5"),
    (b'T', "x"),
    (b'T', ""),
    (b'W', "0"),
    (b'r', "rr@x"),
    (b'p', "0"),
    (b'p', "x"),
    (b'p', "97"),
    (b'p', "100000"),
    (b'w', "99"),
    (b'w', "x"),
    (b't', "tt"),
    (b'P', "1"),
    (b'Z', "z"),
    (b'E', ""),
    (b'M', ""),
    (b'X', ""),
    (b'C', "1 2 3"),
    (b'C', ""),
    (b'-', "x"),
    (b'e', "f"),
    (b'v', "x"),
    (b'q', "f"),
    (b'N', "text"),
];
const LINES: &[(u8, &str)] = &[
    (b'N', "Subject: x"),
    (b'L', "To: cont"),
    (b'L', "inued"),
    (b'N', "end"),
    (b'N', " fold"),
    (b'w', "0000"),
    (b'N', ""),
    (b'N', "body l1"),
    (b'L', "part"),
    (b'N', "nul\0in"),
    (b'L', "open"),
    (b'N', "From: a@b (c)"),
    (b'N', "Content-Type: multipart/mixed; boundary=b"),
    (b'N', "--b"),
    (b'N', "caf\u{e9}"),
    (b'N', "\rx"),
    (b'N', "no header"),
    (b'p', "0"),
    (b'p', "97"),
    (b'N', "From x"),
    (b'N', ": x"),
    (b'N', "Received: by x; Mon, 1 Jan 2024 00:00:00 +0000"),
    (b'N', "a b: c"),
    (b'N', "."),
];

/// A whole message with a correct size record.
pub fn message(
    random: &mut Random,
    from: &str,
    to: &[&str],
    time: i64,
    content_length: usize,
) -> Vec<u8> {
    let mut envelope = vec![
        (b'T', format!("{time} 123456").into_bytes()),
        (b'A', format!("create_time={time}").into_bytes()),
        (b'A', b"rewrite_context=local".to_vec()),
        (b'S', from.as_bytes().to_vec()),
    ];
    for recipient in to {
        if random.once_in(6) {
            envelope.push((b'A', b"dsn_orig_rcpt=rfc822;orig@x".to_vec()));
        }
        if random.once_in(4) {
            envelope.push((b'O', b"orig@x".to_vec()));
        }
        envelope.push((
            if random.once_in(8) { b'D' } else { b'R' },
            recipient.as_bytes().to_vec(),
        ));
    }
    let content = record(b'N', &vec![b'c'; content_length]);
    crate::queue_file::message(&records(&envelope), &content, &[], to.len())
}

fn any(random: &mut Random, list: &[(u8, &str)]) -> (u8, Vec<u8>) {
    let (kind, data) = list[random.below(list.len())];
    (kind, data.as_bytes().to_vec())
}

/// A queue file with anything in it.
pub fn odd(random: &mut Random) -> Vec<u8> {
    let mut envelope = vec![
        (b'T', b"1700000000 12345".to_vec()),
        (b'S', b"s@test.example".to_vec()),
    ];
    for _ in 0..random.below(8) {
        envelope.push(any(random, ODD));
    }
    let mut content = Vec::new();
    for _ in 0..random.below(10) {
        content.push(any(random, LINES));
    }
    let mut extracted = Vec::new();
    for _ in 0..random.below(4) {
        extracted.push(any(random, ODD));
    }
    let count = random.below(3);
    let mut bytes = crate::queue_file::message(
        &records(&envelope),
        &records(&content),
        &records(&extracted),
        count,
    );
    match random.below(8) {
        0 => bytes.truncate(random.below(bytes.len())),
        1 => {
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.below(256)).unwrap();
            }
        }
        2 => {
            let at = random.below(bytes.len());
            let count = random.below(12);
            bytes.splice(at..at, random.bytes(count));
        }
        3 => {
            // A pointer record to somewhere.
            let at = random.below(bytes.len());
            let pointer = record(
                b'p',
                format!("{:15}", random.below(bytes.len() + 40)).as_bytes(),
            );
            bytes.splice(at..at, pointer);
        }
        4 if random.once_in(2) => {
            let count = random.below(300);
            bytes = random.bytes(count);
        }
        _ => {}
    }
    bytes
}

/// A file of the queue.
pub fn queued(path: &str, bytes: Vec<u8>) -> Made {
    Made {
        path: path.to_owned(),
        bytes,
        mode: 0o700,
        age: OLD,
        mail_owner: true,
        label: None,
    }
}

/// `postcat`.
pub fn postcat(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(match random.below(8) {
            0 => b"hash_queue_names = incoming,active,deferred\nhash_queue_depth = 2\n".to_vec(),
            1 => b"enable_long_queue_ids = yes\n".to_vec(),
            _ => Vec::new(),
        }),
        ..Case::default()
    };
    let ids = [
        "0123456789",
        "ABCDEF0123",
        "4XyzWv2b3Tz1abc",
        "00000",
        "A/B",
        "",
        "x",
        "0123456789.5",
        "4Zdh0X1LCFz2kZ",
    ];
    let (mut named, mut queued_ids) = (Vec::new(), Vec::new());
    for _ in 0..=random.below(2) {
        let bytes = odd(random);
        if random.once_in(2) {
            let path = random.pick(&["f1", "f2", "dir/f3"]);
            if case.files.iter().all(|file| !file.path.ends_with(path)) {
                case.file(&format!("w/{path}"), bytes);
            }
            named.push(path.as_bytes().to_vec());
        } else {
            let id = random.pick(&ids[..3]);
            let queue = random.pick(&[
                "incoming",
                "active",
                "deferred",
                "hold",
                "maildrop",
                "deferred/0",
                "deferred/A",
                "deferred/4",
                "active/0/1",
                "corrupt",
                "incoming/A/B",
            ]);
            let path = format!("spool/{queue}/{id}");
            if case.files.iter().all(|file| file.path != path) {
                let mut file = queued(&path, bytes);
                file.mode = [0o700, 0o600, 0o400, 0o644][random.below(4)];
                case.files.push(file);
            }
            queued_ids.push(id.as_bytes().to_vec());
        }
    }
    let mut words: Vec<Vec<u8>> = vec![b"postcat".to_vec()];
    let letters = b"bbdeehhnoqqrf";
    for _ in 0..random.below(4) {
        words.push(vec![b'-', letters[random.below(letters.len())]]);
    }
    if random.once_in(8) {
        words.push(b"-v".to_vec());
    }
    if random.once_in(6) {
        words.push(b"-s".to_vec());
        words.push(
            random
                .pick(&[
                    "0",
                    "97",
                    "100",
                    "x",
                    "-1",
                    "99999",
                    "99999999999999999999",
                    "1k",
                    "120",
                    "+5",
                    " 3",
                ])
                .as_bytes()
                .to_vec(),
        );
    }
    if random.once_in(30) {
        words.push(
            random
                .pick(&["-Z", "-c", "-c/nonexistent", "-s"])
                .as_bytes()
                .to_vec(),
        );
    }
    let by_id = words.iter().any(|word| word == b"-q");
    let files = if by_id != random.once_in(10) {
        &queued_ids
    } else {
        &named
    };
    for file in files {
        words.push(file.clone());
    }
    if random.once_in(8) {
        words.push(random.pick(&ids).as_bytes().to_vec());
    }
    case.script = command(&words);
    if files.is_empty() && random.once_in(2) && !case.files.is_empty() {
        case.script
            .extend(b" <../".iter().chain(case.files[0].path.as_bytes()));
    }
    if random.once_in(6) {
        case.script.extend(b"; echo \"= $?\"\n");
        case.script.extend(command(&words));
        case.script.extend(b" | od -c | tail -40");
    }
    case
}
