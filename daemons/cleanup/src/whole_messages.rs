//! Whole messages from a client's first byte to the queue file, against what Postfix makes of the same input.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use pf_attr::{Encoder, Message as List, aio, announcement};
use pf_config::Config;
use pf_proto::bounce::{Command, Request};
use pf_proto::cleanup::{Flags, Status, Verdict, decode_greeting, options};
use pf_proto::rewrite::{PROTOCOL, Rewrite, Rewritten};
use pf_record::{Decoder, RecordType, encode};
use pf_service::Flow;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};

use crate::Service;

const LIMIT: Duration = Duration::from_secs(10);

/// An address rewriting service that only knows how to add a domain.
async fn rewrite(listener: UnixListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::task::spawn_local(async move {
            let mut stream = aio::Stream::new(stream, LIMIT);
            stream.send(&announcement(PROTOCOL)).await.unwrap();
            while let Ok(request) = stream.recv_unbounded().await {
                let mut list = request.decoder();
                list.str("request").unwrap();
                let request = Rewrite::decode(&mut list).unwrap();
                let mut address = request.address.to_vec();
                if request.rule == b"local" && !address.contains(&b'@') && address != b"\"\"" {
                    address.extend_from_slice(b"@here.test");
                }
                let reply = Rewritten {
                    server_flags: 0,
                    address,
                };
                stream
                    .send(&reply.encode(Encoder::new()).end())
                    .await
                    .unwrap();
            }
        });
    }
}

/// A bounce service that writes down what it is asked.
async fn bounce(listener: UnixListener, asked: Rc<RefCell<Vec<Request>>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let mut stream = aio::Stream::new(stream, LIMIT);
        stream
            .send(&announcement(pf_proto::bounce::PROTOCOL))
            .await
            .unwrap();
        while let Ok(request) = stream.recv_unbounded().await {
            let request = Request::decode(&mut request.decoder()).unwrap();
            asked.borrow_mut().push(request);
            stream.send(&Request::reply(0)).await.unwrap();
        }
    }
}

/// What became of a message, and the records of its file without the fields that change with time.
struct Outcome {
    verdict: Verdict,
    queue: &'static str,
    records: Vec<(char, String)>,
    bounced: Vec<Request>,
}

impl Outcome {
    fn of(&self, kind: char) -> Vec<&str> {
        self.records
            .iter()
            .filter(|(found, _)| *found == kind)
            .map(|(_, data)| data.as_str())
            .collect()
    }
}

fn submit(settings: &[(&str, &str)], flags: Flags, records: &[(char, &str)]) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    for name in [
        "incoming", "hold", "defer", "bounce", "trace", "private", "public",
    ] {
        std::fs::create_dir(root.join(name)).unwrap();
    }
    let mut all = vec![
        ("myhostname", "mail.here.test"),
        ("mydomain", "here.test"),
        ("myorigin", "here.test"),
        ("mydestination", "here.test"),
        ("inet_interfaces", "127.0.0.1"),
        ("virtual_alias_maps", ""),
    ];
    all.extend_from_slice(settings);
    let config = Config::for_tests(&all);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bounced = Rc::new(RefCell::new(Vec::new()));
    let work = async {
        let listener = UnixListener::bind(root.join("private/rewrite")).unwrap();
        tokio::task::spawn_local(rewrite(listener));
        let listener = UnixListener::bind(root.join("private/bounce")).unwrap();
        tokio::task::spawn_local(bounce(listener, Rc::clone(&bounced)));
        let service = Rc::new(Service::new(&config, Flow::none(), root).unwrap());
        let (ours, theirs) = UnixStream::pair().unwrap();
        let server = {
            let service = Rc::clone(&service);
            tokio::task::spawn_local(async move { service.message(theirs).await })
        };
        let mut client = aio::Stream::new(ours, LIMIT);
        let greeting: List = client.recv().await.unwrap();
        let id = String::from_utf8(decode_greeting(&mut greeting.decoder()).unwrap()).unwrap();
        client.send(&options(flags)).await.unwrap();
        let mut bytes = Vec::new();
        for (kind, data) in records {
            encode(
                &mut bytes,
                RecordType(u8::try_from(*kind).unwrap()),
                data.as_bytes(),
            );
        }
        if records.last().is_none_or(|(kind, _)| *kind != 'E') {
            encode(&mut bytes, RecordType::END, b"");
        }
        // In two pieces, cut anywhere.
        let (head, tail) = bytes.split_at(bytes.len() / 2);
        client.get_mut().write_all(head).await.unwrap();
        tokio::task::yield_now().await;
        client.get_mut().write_all(tail).await.unwrap();
        let verdict = Verdict::decode(&mut client.recv().await.unwrap().decoder()).unwrap();
        server.await.unwrap();
        (id, verdict)
    };
    let (id, verdict) = tokio::task::LocalSet::new().block_on(&runtime, work);
    let (queue, records) = read_back(root, &id);
    Outcome {
        verdict,
        queue,
        records,
        bounced: bounced.take(),
    }
}

fn read_back(root: &Path, id: &str) -> (&'static str, Vec<(char, String)>) {
    let found = ["incoming", "hold"]
        .into_iter()
        .find(|queue| root.join(queue).join(id).exists());
    let Some(queue) = found else {
        let left = std::fs::read_dir(root.join("incoming")).unwrap().count();
        assert_eq!(left, 0, "something was left behind");
        return ("", Vec::new());
    };
    let path = root.join(queue).join(id);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o700);
    let mut decoder = Decoder::new(1 << 20);
    decoder.feed(&std::fs::read(path).unwrap());
    let mut records = Vec::new();
    while let Some(record) = decoder.take().unwrap() {
        let text = String::from_utf8_lossy(&record.data).replace(id, "QID");
        records.push((char::from(record.kind.0), text));
    }
    assert!(decoder.is_empty());
    (queue, records)
}

fn message(
    sender: &'static str,
    recipient: &'static str,
    content: &[(char, &'static str)],
) -> Vec<(char, &'static str)> {
    let mut records = vec![
        ('T', "1700000000 5"),
        ('S', sender),
        ('R', recipient),
        ('M', ""),
        ('N', "Received: by x"),
    ];
    records.extend_from_slice(content);
    records.extend_from_slice(&[('X', ""), ('E', "")]);
    records
}

const OUTSIDE: Flags = Flags::MASK_EXTERNAL;

#[test]
fn a_message_gets_what_it_lacks() {
    let records = message(
        "joe",
        "jim@a.test",
        &[('N', "Subject: x"), ('N', ""), ('N', "body")],
    );
    let outcome = submit(&[("enable_long_queue_ids", "yes")], OUTSIDE, &records);
    assert_eq!(outcome.verdict.status, Status::NONE);
    assert_eq!(outcome.queue, "incoming");
    let mut found = outcome.records;
    let created = found.remove(2);
    assert!(created.0 == 'A' && created.1.starts_with("create_time="));
    let numbers: Vec<i64> = found
        .remove(0)
        .1
        .split_whitespace()
        .map(|n| n.parse().unwrap())
        .collect();
    let wanted = [
        ('T', "1700000000 5"),
        ('S', "joe@here.test"),
        ('A', "dsn_orig_rcpt=rfc822;jim@a.test"),
        ('O', "jim@a.test"),
        ('R', "jim@a.test"),
        ('M', ""),
        ('N', "Received: by x"),
        ('N', "Subject: x"),
        ('N', "Message-Id: <QID@mail.here.test>"),
        ('N', "Date: "),
        ('N', "From: joe@here.test"),
        ('N', ""),
        ('N', "body"),
        ('X', ""),
        ('A', "message_id=<QID@mail.here.test>"),
        ('E', ""),
    ];
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(wanted) {
        assert_eq!(found.0, wanted.0);
        assert!(
            found.1 == wanted.1 || wanted.1 == "Date: " && found.1.starts_with("Date: "),
            "{found:?}"
        );
    }
    assert_eq!(numbers[0], numbers[4]);
    assert_eq!(&numbers[2..4], &[1, 0]);
}

#[test]
fn addresses_in_headers_are_completed_and_folded() {
    let records = message(
        "a@b",
        "c@d",
        &[
            ('N', "From: Joe User <joe>"),
            ('N', "To: jim, \"A. B\" <c@d>,"),
            ('N', " (note) bob"),
            ('N', "Bcc: secret"),
            ('N', ""),
        ],
    );
    let outcome = submit(&[], OUTSIDE, &records);
    let headers = outcome.of('N');
    assert!(headers.contains(&"From: Joe User <joe@here.test>"));
    assert!(headers.contains(&"To: jim@here.test, \"A. B\" <c@d>, bob@here.test (note)"));
    assert!(!headers.iter().any(|header| header.starts_with("Bcc")));
}

#[test]
fn aliases_are_expanded_once_and_copies_added() {
    let settings = [
        (
            "virtual_alias_maps",
            "inline:{ {all@v.test=one@v.test, two@v.test} {two@v.test=one@v.test three@x.test} {loop@v.test=loop@v.test} }",
        ),
        ("always_bcc", "archive"),
        ("recipient_delimiter", "+"),
    ];
    let outcome = submit(
        &settings,
        OUTSIDE,
        &message("a@b", "all@v.test", &[('N', "")]),
    );
    assert_eq!(
        outcome.of('R'),
        ["one@v.test", "three@x.test", "archive@here.test"]
    );
    let outcome = submit(
        &settings,
        OUTSIDE,
        &message("a@b", "loop+x@v.test", &[('N', "")]),
    );
    assert_eq!(outcome.of('R'), ["loop+x@v.test", "archive@here.test"]);
    let outcome = submit(
        &settings,
        Flags::NONE,
        &message("a@b", "all@v.test", &[('N', "")]),
    );
    assert_eq!(outcome.of('R'), ["all@v.test"]);
}

#[test]
fn checks_decide() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checks");
    std::fs::write(&path, "/^Subject: bad/ REJECT no\n/^Subject: odd/ HOLD\n/^Subject: old/ REPLACE Subject: new\n/^Subject: drop/ DISCARD\n/^Subject: later/ REJECT 4.7.0 wait\n").unwrap();
    let checks = format!("regexp:{}", path.display());
    let settings = [("header_checks", checks.as_str())];
    let with = |subject| {
        submit(
            &settings,
            OUTSIDE,
            &message("a@b", "c@d", &[('N', subject), ('N', "")]),
        )
    };
    let outcome = with("Subject: bad");
    assert_eq!(
        (outcome.verdict.status, outcome.verdict.reason.as_slice()),
        (Status::CONT, &b"5.7.1 no"[..])
    );
    assert_eq!(outcome.queue, "");
    let outcome = with("Subject: later");
    assert_eq!(
        (outcome.verdict.status, outcome.verdict.reason.as_slice()),
        (Status::DEFER, &b"4.7.0 wait"[..])
    );
    assert_eq!(with("Subject: odd").queue, "hold");
    assert!(with("Subject: old").of('N').contains(&"Subject: new"));
    let outcome = with("Subject: drop");
    assert_eq!((outcome.verdict.status, outcome.queue), (Status::NONE, ""));
}

#[test]
fn limits_hold() {
    let hops: Vec<_> = std::iter::repeat_n(('N', "Received: by y"), 60).collect();
    assert_eq!(
        submit(&[], OUTSIDE, &message("a@b", "c@d", &hops))
            .verdict
            .status,
        Status::HOPS
    );
    let long: Vec<_> = std::iter::once(('N', ""))
        .chain(std::iter::repeat_n(('N', "0123456789"), 100))
        .collect();
    let outcome = submit(
        &[("message_size_limit", "1000")],
        OUTSIDE,
        &message("a@b", "c@d", &long),
    );
    assert_eq!((outcome.verdict.status, outcome.queue), (Status::SIZE, ""));
}

#[test]
fn a_broken_client_leaves_nothing() {
    for records in [
        vec![('R', "a@b"), ('E', "")],
        vec![
            ('T', "1 1"),
            ('S', "a"),
            ('R', "b"),
            ('M', ""),
            ('N', "Subject: no trace"),
            ('N', ""),
            ('X', ""),
            ('E', ""),
        ],
        vec![
            ('T', "1 1"),
            ('S', "a"),
            ('p', "              0"),
            ('E', ""),
        ],
        vec![('T', "1 1"), ('S', "a"), ('Z', ""), ('E', "")],
        vec![('A', "nonsense"), ('E', "")],
    ] {
        let outcome = submit(&[], OUTSIDE, &records);
        assert_eq!(
            (outcome.verdict.status, outcome.queue),
            (Status::BAD, ""),
            "{records:?}"
        );
    }
    let outcome = submit(
        &[],
        OUTSIDE,
        &[
            ('T', "1 1"),
            ('S', "a"),
            ('M', ""),
            ('N', "Received: x"),
            ('X', ""),
            ('E', ""),
        ],
    );
    assert_eq!((outcome.verdict.status, outcome.queue), (Status::RCPT, ""));
}

/// docs/cve.md, 20260817: line ends inside a record could smuggle a second message.
#[test]
fn stray_line_ends_become_spaces() {
    let records = message(
        "a@b",
        "c@d",
        &[('N', "Subject: x\r.y"), ('N', ""), ('N', "a\n.\rb")],
    );
    let outcome = submit(&[], OUTSIDE, &records);
    let lines = outcome.of('N');
    assert!(lines.contains(&"Subject: x .y") && lines.contains(&"a . b"));
}

#[test]
fn a_bad_message_returns_to_its_sender() {
    let mut records = message("a@b", "c@d", &[]);
    records.splice(2..2, [('A', "notify_flags=4"), ('O', "first@d")]);
    let hops = std::iter::repeat_n(('N', "Received: by y"), 60);
    records.splice(7..7, hops);
    let outcome = submit(&[], OUTSIDE | Flags::BOUNCE, &records);
    assert_eq!((outcome.verdict.status, outcome.queue), (Status::NONE, ""));
    let [append, flush] = outcome.bounced.as_slice() else {
        panic!("{:?}", outcome.bounced);
    };
    match &append.command {
        Command::Append {
            recipient, status, ..
        } => {
            assert_eq!(recipient.address, b"c@d");
            assert_eq!(recipient.original, b"first@d");
            assert_eq!(recipient.dsn_notify, 4);
            assert_eq!(status.status, b"5.4.0");
            assert_eq!(status.reason, b"too many hops");
        }
        other => panic!("{other:?}"),
    }
    assert!(
        matches!(&flush.command, Command::Flush(about) if about.sender == b"a@b" && about.queue == b"incoming")
    );
    // Pretending that nothing is ever bounced.
    let outcome = submit(&[("soft_bounce", "yes")], OUTSIDE | Flags::BOUNCE, &records);
    assert_eq!((outcome.verdict.status, outcome.queue), (Status::WRITE, ""));
}

#[test]
fn whatever_comes_is_answered_and_nothing_half_is_left() {
    const KINDS: &[u8] = b"CTcFILSDRO/WVA>K<ionMXLNwrePpfdmEZ\x01";
    const DATA: [&str; 12] = [
        "",
        "1 1",
        "a@b",
        "x=y",
        "notify_flags=2",
        "rewrite_context=remote",
        "trace_flags=x",
        "Received: z",
        "To: (((",
        "+=",
        "99999999999",
        "\u{e9}\u{7f} <",
    ];
    let mut seed = 1u64;
    let mut next = |most: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(seed >> 33).unwrap() % most
    };
    for _ in 0..150 {
        let mut records = vec![('T', "1 1"), ('S', "a@b")];
        for _ in 0..next(25) {
            records.push((char::from(KINDS[next(KINDS.len())]), DATA[next(DATA.len())]));
        }
        let end = records.iter().position(|(kind, _)| *kind == 'E');
        records.truncate(end.map_or(records.len(), |end| end + 1));
        let outcome = submit(
            &[],
            Flags::from_bits(u32::try_from(next(1024)).unwrap()),
            &records,
        );
        let queued = !outcome.queue.is_empty();
        assert!(
            !queued || outcome.verdict.status == Status::NONE,
            "{records:?}"
        );
    }
}
