//! Queue files damaged by chance, the same in each run: what the queue manager says of them, and where they end.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::Duration;

use compliance::delivery::{is_quiet, system_with};
use compliance::golden::check;
use compliance::queue_file::{record, records};
use compliance::random::Random;
use compliance::testkit::{Instance, wait_for};
use regex::Regex;

/// Records that are added anywhere.
const ODD: &[(u8, &str)] = &[
    (b'F', "discard:f"),
    (b'F', ""),
    (b'D', "c@good.example"),
    (b'R', "c@good.example"),
    (b'R', ""),
    (b'R', "@"),
    (b'R', "a b@good.example"),
    (b'R', "u\u{e9}@good.example"),
    (b'S', "x@test.example"),
    (b'S', ""),
    (b'T', "1"),
    (b'T', "x"),
    (b'c', "123 4"),
    (b'V', "+="),
    (b'V', "+"),
    (b'V', ""),
    (b'W', "0"),
    (b'A', "dsn_notify_flags=1"),
    (b'A', "notify_flags=4"),
    (b'A', "notify_flags=0"),
    (b'n', "2"),
    (b'n', "31"),
    (b'n', "x"),
    (b'o', "rfc822;q@r"),
    (b'i', "envid"),
    (b'r', "1"),
    (b'r', "3"),
    (b'r', "x"),
    (b'A', "ret_flags=1"),
    (b'A', "envelope_id=zz"),
    (b'A', "encoding=8bit"),
    (b'A', "sasl_method=a"),
    (b'A', "rewrite_context=remote"),
    (b'A', "dsn_orig_rcpt="),
    (b'A', "original_recipient=o@p"),
    (b'A', ""),
    (b'A', "x"),
    (b'A', " = "),
    (b'>', "c@good.example"),
    (b'>', ""),
    (b'K', "x"),
    (b'p', "0"),
    (b'p', "x"),
    (b'P', "1"),
    (b'M', ""),
    (b'L', "x"),
    (b'Z', "z"),
    (b'E', ""),
    (b'X', ""),
    (b'd', "c@good.example"),
    (b'w', "9"),
    (b't', "x"),
    (0, "x"),
    (0xff, "y"),
];

fn any<'a, T>(random: &mut Random, list: &'a [T]) -> &'a T {
    &list[random.below(list.len())]
}

/// A queue file with something wrong, or not.
fn file(random: &mut Random, now: &str) -> Vec<u8> {
    let mut envelope = vec![
        (b'T', now),
        (b'A', "rewrite_context=local"),
        (b'S', "bob@test.example"),
        (b'A', "dsn_orig_rcpt=rfc822;a@good.example"),
        (b'O', "a@good.example"),
        (b'R', "a@good.example"),
        (b'A', "dsn_orig_rcpt=rfc822;b@wait.example"),
        (b'O', "b@wait.example"),
        (b'R', "b@wait.example"),
    ];
    let mut extracted = vec![(b'X', ""), (b'E', "")];
    for _ in 0..random.below(3) {
        let part = if random.below(3) == 0 {
            &mut extracted
        } else {
            &mut envelope
        };
        part.insert(1 + random.below(part.len()), *any(random, ODD));
    }
    if random.below(8) == 0 {
        envelope.remove(1 + random.below(envelope.len() - 1));
    }
    let content = records(&[(b'N', "Subject: x"), (b'N', ""), (b'N', "body")]);
    let count = envelope
        .iter()
        .chain(&extracted)
        .filter(|(kind, _)| matches!(kind, b'R' | b'D'))
        .count();
    let (envelope, extracted) = (records(&envelope), records(&extracted));
    // The size record takes 97 bytes, the one before the content two.
    let mut numbers = [
        content.len(),
        99 + envelope.len(),
        count,
        0,
        content.len(),
        0,
    ]
    .map(|number| i64::try_from(number).unwrap());
    if random.below(4) == 0 {
        let at = random.below(numbers.len());
        numbers[at] += any(random, &[-1, 1, -3, 17, 100, -100, 1000, 31, 2, 8]);
    }
    let size = numbers.map(|number| format!("{number:>15}")).join(" ");
    let mut bytes = [
        record(b'C', size.as_bytes()),
        envelope,
        record(b'M', b""),
        content,
        extracted,
    ]
    .concat();
    // From a size record that is damaged itself, the original dies; and what becomes of a damaged time depends on the day.
    let safe = 97 + record(b'T', now.as_bytes()).len();
    let at = safe + random.below(bytes.len() - safe);
    let byte = u8::try_from(random.below(256)).unwrap();
    match random.below(8) {
        0 => bytes.truncate(at),
        1 | 2 => bytes[at] = byte,
        3 => drop(bytes.remove(at)),
        4 => bytes.insert(at, byte),
        _ => {}
    }
    bytes
}

/// Where a file is, and how many of its recipients are done with.
fn place(instance: &Instance, id: &str) -> String {
    let spool = instance.seen("spool");
    let done = regex::bytes::Regex::new("(?-u)D.[a-c]@").unwrap();
    ["incoming", "active", "deferred/A", "corrupt"]
        .iter()
        .filter_map(|queue| {
            let bytes = std::fs::read(spool.join(queue).join(id)).ok()?;
            Some(format!(" {queue}, {} done", done.find_iter(&bytes).count()))
        })
        .collect()
}

#[test]
fn damaged_files() {
    let instance = system_with(
        "transport_maps = inline:{{good.example=discard:ok} {wait.example=retry:4.7.1 later}}\nqueue_run_delay = 1000s\nminimal_backoff_time = 1000s\nenable_long_queue_ids = no\nlocal_recipient_maps =",
        "",
        "",
        |_| {},
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let now = format!("{now} 5");
    let owner = std::fs::metadata(instance.seen("spool/incoming"))
        .unwrap()
        .uid();
    let mut random = Random(20);
    let ids: Vec<_> = (0..150).map(|number| format!("ABC{number:07X}")).collect();
    for id in &ids {
        let path = instance.seen("spool/incoming").join(id);
        std::fs::write(&path, file(&mut random, &now)).unwrap();
        std::os::unix::fs::chown(&path, Some(owner), None).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    instance.run("postkick", &["public", "qmgr", "I"]);
    assert!(
        wait_for(Duration::from_secs(30), || is_quiet(&instance)),
        "{}",
        instance.log()
    );
    let tidy =
        Regex::new(r"^.*?postfix/|\[\d+\]|delay=[\d.]+, delays=[\d./]+, |size=\d+, ").unwrap();
    let other = Regex::new(r"\b(?:[0-9A-BD-F]|C[0-9A-F])[0-9A-F]{8,10}\b").unwrap();
    let mine = Regex::new(r"\bABC([0-9A-F]{7})\b").unwrap();
    let told = Regex::new(r"postfix/(qmgr|error|discard|bounce)\[").unwrap();
    let mut lines: Vec<_> = instance
        .whole_log()
        .lines()
        .filter(|line| told.is_match(line) && !line.contains(": from=<>"))
        .map(|line| {
            let line = tidy.replace_all(line, "");
            let line = mine.replace_all(&line, "file $1");
            other.replace_all(&line, "QID").into_owned()
        })
        // The notification's own end.
        .filter(|line| line != "qmgr: QID: removed")
        .collect();
    lines.sort();
    let mut text = lines.join("\n") + "\n";
    for (number, id) in ids.iter().enumerate() {
        text += &format!("file {number:07X}:{}\n", place(&instance, id));
    }
    check(&instance, "qmgr/files-by-chance", &text);
    instance.assert_no_panic();
}
