//! Queue files that somebody else wrote: old ones, odd ones and broken ones, and what becomes of them.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use compliance::delivery::system_with;
use compliance::golden::check;
use compliance::testkit::{Instance, wait_for};

const SERVICES: &str = "
show unix - n n - 1 pipe flags=q user=vmail argv=/bin/sh TOP/etc/show <${nexthop}> <${sender}> <${client_address}> <${client_hostname}> <${client_helo}> <${client_protocol}> <${sasl_method}> <${sasl_username}> <${sasl_sender}> ${size} ${envid} ${original_recipient} / ${recipient}
";

/// Records by letter and data; `SIZE` and `MESG` take care of offsets.
fn file(
    envelope: &[(u8, &str)],
    content: &[(u8, &str)],
    extracted: &[(u8, &str)],
    size: Option<&str>,
) -> Vec<u8> {
    let records = |list: &[(u8, &str)]| {
        let mut out = Vec::new();
        for (letter, data) in list {
            out.push(*letter);
            let mut length = data.len();
            while length > 127 {
                out.push(u8::try_from(length & 127).unwrap() | 128);
                length >>= 7;
            }
            out.push(u8::try_from(length).unwrap());
            out.extend_from_slice(data.as_bytes());
        }
        out
    };
    let count = |list: &[(u8, &str)]| {
        list.iter()
            .filter(|(letter, _)| *letter == b'R' || *letter == b'D')
            .count()
    };
    let (envelope_bytes, content_bytes) = (records(envelope), records(content));
    // The size record itself takes 97 bytes, the MESG record two.
    let data_offset = 97 + envelope_bytes.len() + 2;
    let numbers = format!(
        "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
        content_bytes.len(),
        data_offset,
        count(envelope) + count(extracted),
        0,
        content_bytes.len(),
        0
    );
    let mut out = records(&[(b'C', size.unwrap_or(&numbers))]);
    out.extend(envelope_bytes);
    out.extend(records(&[(b'M', "")]));
    out.extend(content_bytes);
    out.extend(records(extracted));
    out
}

fn put(instance: &Instance, id: &str, bytes: &[u8]) {
    let path = instance.seen("spool/incoming").join(id);
    std::fs::write(&path, bytes).unwrap();
    let owner = std::fs::metadata(instance.seen("spool/incoming")).unwrap();
    std::os::unix::fs::chown(
        &path,
        Some(std::os::unix::fs::MetadataExt::uid(&owner)),
        None,
    )
    .unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn odd_and_broken_files() {
    let instance = system_with(
        "transport_maps = inline:{ { show.example = show: } { two.example = show:two } }\nshow_destination_recipient_limit = 10\nenable_long_queue_ids = no",
        SERVICES,
        "",
        |instance| {
            let top = instance.path("").display().to_string();
            instance.write(
                "etc/show",
                format!("cat >/dev/null; echo \"$*\" >> {top}out/shown\n"),
            );
        },
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let time = format!("{now} 5");
    let time = time.as_str();
    let content = [(b'N', "Subject: x"), (b'N', ""), (b'N', "body")];
    let base = [
        (b'T', time),
        (b'S', "bob@test.example"),
        (b'R', "a@show.example"),
    ];
    let end = [(b'X', ""), (b'E', "")];
    let with = |extra: &[(u8, &'static str)]| -> Vec<(u8, &str)> {
        base.iter().copied().chain(extra.iter().copied()).collect()
    };
    let extract = |extra: &[(u8, &'static str)]| -> Vec<(u8, &str)> {
        [(b'X', "")]
            .iter()
            .chain(extra)
            .chain(&[(b'E', "")])
            .copied()
            .collect()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("plain", file(&base, &content, &end, None)),
        (
            "old client names",
            file(
                &with(&[
                    (b'A', "client_name=old.name"),
                    (b'A', "client_address=192.0.2.1"),
                    (b'A', "helo_name=old.helo"),
                    (b'A', "protocol_name=OLD"),
                ]),
                &content,
                &end,
                None,
            ),
        ),
        (
            "both client names",
            file(
                &with(&[
                    (b'A', "client_name=old.name"),
                    (b'A', "log_client_name=new.name"),
                    (b'A', "log_client_address=192.0.2.2"),
                    (b'A', "client_address=192.0.2.1"),
                    (b'A', "log_helo_name=again"),
                ]),
                &content,
                &end,
                None,
            ),
        ),
        (
            "attributes twice",
            file(
                &with(&[
                    (b'A', "sasl_method=one"),
                    (b'A', "sasl_method=two"),
                    (b'A', "sasl_username=u"),
                    (b'A', "rewrite_context=remote"),
                    (b'A', "rewrite_context=local"),
                    (b'A', "encoding=7bit"),
                    (b'A', "encoding=8bit"),
                    (b'A', "unknown=x"),
                ]),
                &content,
                &end,
                None,
            ),
        ),
        (
            "bad attribute",
            file(&with(&[(b'A', "nothing")]), &content, &end, None),
        ),
        (
            "attribute without name",
            file(&with(&[(b'A', "=x")]), &content, &end, None),
        ),
        (
            "unknown record",
            file(&with(&[(b'Z', "z")]), &content, &end, None),
        ),
        (
            "content record",
            file(&with(&[(b'N', "z")]), &content, &end, None),
        ),
        (
            "no sender",
            file(
                &[(b'T', time), (b'R', "a@show.example")],
                &content,
                &end,
                None,
            ),
        ),
        (
            "no time",
            file(
                &[(b'S', "bob@test.example"), (b'R', "a@show.example")],
                &content,
                &end,
                None,
            ),
        ),
        (
            "two senders",
            file(&with(&[(b'S', "other@test.example")]), &content, &end, None),
        ),
        ("no end", file(&base, &content, &[(b'X', "")], None)),
        (
            "no extracted segment",
            file(&base, &content, &[(b'E', "")], None),
        ),
        (
            "no recipients",
            file(
                &[(b'T', time), (b'S', "bob@test.example")],
                &content,
                &end,
                None,
            ),
        ),
        (
            "done recipients",
            file(
                &[
                    (b'T', time),
                    (b'S', "bob@test.example"),
                    (b'D', "a@show.example"),
                ],
                &content,
                &end,
                None,
            ),
        ),
        (
            "null recipient",
            file(&with(&[(b'R', "")]), &content, &end, None),
        ),
        (
            "size of two numbers",
            file(&base, &content, &end, Some("123 456")),
        ),
        ("size of words", file(&base, &content, &end, Some("much"))),
        (
            "negative size",
            file(&base, &content, &end, Some("-5 10 1")),
        ),
        ("zero offset", file(&base, &content, &end, Some("5 0 1"))),
        (
            "wrong flags",
            file(
                &base,
                &content,
                &end,
                Some(&format!(
                    "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
                    30, 170, 1, 64, 30, 0
                )),
            ),
        ),
        (
            "wrong offset",
            file(
                &base,
                &content,
                &end,
                Some(&format!(
                    "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
                    30, 130, 1, 0, 30, 0
                )),
            ),
        ),
        (
            "offset behind the end",
            file(
                &base,
                &content,
                &end,
                Some(&format!(
                    "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
                    30, 99999, 1, 0, 30, 0
                )),
            ),
        ),
        (
            "negative length",
            file(
                &base,
                &content,
                &end,
                Some(&format!(
                    "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
                    21, 149, 1, 0, -30, 0
                )),
            ),
        ),
        (
            "wrong count",
            file(
                &base,
                &content,
                &end,
                Some(&format!(
                    "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
                    20,
                    97 + 2 + time.len() + 2 + 18 + 16 + 2,
                    7,
                    0,
                    20,
                    0
                )),
            ),
        ),
        ("no size", {
            let whole = file(&base, &content, &end, None);
            whole[97..].to_vec()
        }),
        ("empty", Vec::new()),
        ("cut in a length", vec![b'C', 0xff]),
        ("cut in data", vec![b'C', 95, b' ']),
        (
            "long length",
            vec![b'C', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        ("garbage", b"Received: from here\nby there\n".to_vec()),
        (
            "null sender",
            file(
                &[(b'T', time), (b'S', ""), (b'R', "a@show.example")],
                &content,
                &end,
                None,
            ),
        ),
        (
            "original twice",
            file(
                &[
                    (b'T', time),
                    (b'S', "bob@test.example"),
                    (b'O', "one@x"),
                    (b'O', "two@x"),
                    (b'R', "a@show.example"),
                    (b'O', "three@x"),
                ],
                &content,
                &end,
                None,
            ),
        ),
        (
            "dsn",
            file(
                &[
                    (b'T', time),
                    (b'S', "bob@test.example"),
                    (b'A', "envelope_id=abc"),
                    (b'A', "ret_flags=7"),
                    (b'A', "notify_flags=99"),
                    (b'A', "dsn_orig_rcpt=rfc822;x@y"),
                    (b'R', "a@show.example"),
                ],
                &content,
                &end,
                None,
            ),
        ),
        (
            "filter behind the content",
            file(&base, &content, &extract(&[(b'L', "show:filtered")]), None),
        ),
        (
            "redirection behind the content",
            file(
                &with(&[(b'R', "b@two.example")]),
                &content,
                &extract(&[(b'>', "r@two.example")]),
                None,
            ),
        ),
        (
            "recipients behind the content",
            file(
                &base,
                &content,
                &extract(&[
                    (b'O', "orig@x"),
                    (b'R', "b@two.example"),
                    (b'R', "c@show.example"),
                ]),
                None,
            ),
        ),
        (
            "inspect",
            file(&with(&[(b'I', "show:inspected")]), &content, &end, None),
        ),
        ("verp", file(&with(&[(b'V', "+=")]), &content, &end, None)),
        (
            "bad verp",
            file(&with(&[(b'V', "+")]), &content, &end, None),
        ),
        (
            "verp without sender",
            file(
                &[
                    (b'T', time),
                    (b'S', ""),
                    (b'V', "+="),
                    (b'R', "a@show.example"),
                ],
                &content,
                &end,
                None,
            ),
        ),
        (
            "pointer to nowhere",
            file(&with(&[(b'p', "99999")]), &content, &end, None),
        ),
        ("pointer to itself", {
            let mut whole = file(&with(&[(b'p', "000")]), &content, &end, None);
            let at = 97 + 2 + time.len() + 2 + 16 + 2 + 14;
            whole[at + 2..at + 5].copy_from_slice(at.to_string().as_bytes());
            whole
        }),
        (
            "bad pointer",
            file(&with(&[(b'p', "x")]), &content, &end, None),
        ),
        (
            "old message",
            file(
                &[
                    (b'c', "1000000000"),
                    (b'T', "1000000000 0"),
                    (b'S', "bob@test.example"),
                    (b'R', "a@nowhere.invalid"),
                    (b'R', "a@show.example"),
                ],
                &content,
                &end,
                None,
            ),
        ),
    ];
    let mut text = String::new();
    let sender = regex::Regex::new(r"^(\w+)\[\d+\]: (?:(?:[0-9A-F]{10,}|ID): )?").unwrap();
    let varying =
        regex::Regex::new(r"[0-9A-F]{11}|delay=[\d.]+, delays=[\d./]+, |size=\d+").unwrap();
    for (at, (what, bytes)) in cases.iter().enumerate() {
        let id = format!("{:011X}", 0xABCDE00000u64 + u64::try_from(at).unwrap());
        let before = instance.log().len();
        let _ = std::fs::remove_file(instance.seen("out/shown"));
        put(&instance, &id, bytes);
        instance.run("postkick", &["public", "qmgr", "I"]);
        let there = |queue: &str| instance.seen("spool").join(queue).join(&id).exists();
        let deferred = || {
            instance
                .seen("spool/deferred")
                .join(&id[..1])
                .join(&id)
                .exists()
        };
        let done = || {
            !there("incoming") && !there("active") && {
                let log = instance.log();
                let new = &log[before..];
                (new.contains(&format!("{id}: removed")) || there("corrupt") || deferred())
                    && new.matches("(queue active)").filter(|_| true).count()
                        <= new.matches(": removed").count()
                            + usize::from(there("corrupt") || deferred())
            }
        };
        let ended = wait_for(Duration::from_secs(5), done);
        text += &format!("--- {what}{}\n", if ended { "" } else { ": NOT DONE" });
        text += &instance.read("out/shown");
        for (queue, is) in [
            ("corrupt", there("corrupt")),
            ("deferred", deferred()),
            ("incoming", there("incoming")),
            ("active", there("active")),
        ] {
            if is {
                text += &format!("in {queue}\n");
            }
        }
        let log = instance.whole_log();
        let mut lines: Vec<_> = log[before..]
            .lines()
            .filter(|line| {
                line.contains("/qmgr[") || line.contains(" to=<") || line.contains("exit status")
            })
            .filter_map(|line| {
                line.split_once("postfix/")
                    .map(|(_, line)| line.replace(&id, "ID"))
            })
            .map(|line| {
                let line = sender.replace(&line, "$1: ");
                varying.replace_all(&line, "").into_owned()
            })
            .collect();
        lines.sort();
        text += &(lines.join("\n") + "\n");
        // A message that waits or is never done with is in the way of nothing.
        let _ = std::fs::remove_file(instance.seen("spool/corrupt").join(&id));
    }
    check(&instance, "qmgr/files", &text);
    instance.assert_no_panic();
}
