//! The service from outside: requests on a socket, logs in a queue, notifications handed to a cleanup service made for the
//! test. One test function, since a daemon works in its queue directory and a process has only one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends at its first surprise"
)]

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use pf_attr::{Encoder, aio, check_announcement};
use pf_bounce::Bounce;
use pf_config::Config;
use pf_proto::Request as _;
use pf_proto::bounce::{
    Command, FLAG_CLEAN, FLAG_DELETE_RECIPIENT, Message, PROTOCOL, Recipient, Request, Status,
};
use pf_proto::cleanup::{self, Verdict};
use pf_record::{RecordType, SizeRecord};
use pf_service::event::EventService as _;
use pf_service::{Client, Context, Flow, Options, Stream};
use tokio::io::AsyncReadExt as _;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::spawn_local;

const ID: &[u8] = b"4F2A1C0";
const SENDER: &str = "jörg@süd.example";

/// What the cleanup service got.
#[derive(Default)]
struct Seen {
    messages: Vec<Vec<(u8, Vec<u8>)>>,
    refuse: bool,
}

async fn cleanup_service(listener: UnixListener, seen: Rc<RefCell<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = aio::Stream::new(stream, Duration::from_secs(5));
        stream.send(&cleanup::greeting(b"NEWID")).await.unwrap();
        let options = stream.recv().await.unwrap();
        cleanup::decode_options(&mut options.decoder()).unwrap();
        let (mut io, pending) = stream.into_parts();
        let mut decoder = pf_record::Decoder::new(1 << 20);
        decoder.feed(&pending);
        let mut records = Vec::new();
        let ended = loop {
            if let Some(record) = decoder.take().unwrap() {
                let end = record.kind == RecordType::END;
                records.push((record.kind.0, record.data));
                if end {
                    break true;
                }
                continue;
            }
            let mut chunk = [0; 4096];
            match io.read(&mut chunk).await.unwrap() {
                0 => break false,
                count => decoder.feed(&chunk[..count]),
            }
        };
        if !ended {
            continue;
        }
        let mut verdict = Verdict::lost();
        if !seen.borrow().refuse {
            verdict.status = cleanup::Status::NONE;
            seen.borrow_mut().messages.push(records);
        }
        let mut stream = aio::Stream::new(io, Duration::from_secs(5));
        stream.send(&verdict.encode()).await.unwrap();
    }
}

/// A queue file with one recipient; the offset of its record.
fn write_message(queue: &Path) -> i64 {
    let mut file = Vec::new();
    let mut size = SizeRecord::default();
    let mut offset = 0;
    for pass in 0..2 {
        file.clear();
        let mut put = |kind: RecordType, data: &[u8]| {
            let at = file.len();
            pf_record::encode(&mut file, kind, data);
            at
        };
        put(RecordType::SIZE, &size.encode());
        put(RecordType::TIME, b"1000000000 5");
        put(RecordType::FROM, SENDER.as_bytes());
        offset = put(RecordType::RCPT, "nö@far.example".as_bytes());
        put(RecordType::MESG, b"");
        let start = put(RecordType::NORM, "Subject: ümlaut".as_bytes());
        put(RecordType::NORM, b"");
        put(RecordType::NORM, b"the text");
        let end = put(RecordType::XTRA, b"");
        put(RecordType::END, b"");
        if pass == 0 {
            size.data_offset = i64::try_from(start).unwrap();
            size.message_size = i64::try_from(end - start).unwrap();
        }
    }
    std::fs::write(queue.join("active/4F2A1C0"), &file).unwrap();
    i64::try_from(offset).unwrap()
}

async fn call(bounce: &Rc<Bounce>, request: &Request) -> i32 {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let serving = spawn_local(bounce.clone().serve(Client {
        stream: Stream::Unix(theirs),
        passed: None,
    }));
    let mut stream = aio::Stream::new(ours, Duration::from_secs(5));
    check_announcement(&stream.recv().await.unwrap(), PROTOCOL).unwrap();
    stream
        .send(&request.encode(Encoder::new()).end())
        .await
        .unwrap();
    let reply = stream.recv().await.unwrap();
    serving.await.unwrap();
    request.decode_reply(&mut reply.decoder()).unwrap()
}

fn message() -> Message {
    Message {
        queue: b"active".to_vec(),
        id: ID.to_vec(),
        sender: SENDER.as_bytes().to_vec(),
        sendopts: 0b101,
        ..Message::default()
    }
}

fn append(offset: i64, notify: i32) -> Request {
    Request {
        flags: FLAG_CLEAN,
        command: Command::Append {
            id: ID.to_vec(),
            recipient: Recipient {
                address: "nö@far.example".as_bytes().to_vec(),
                offset,
                dsn_notify: notify,
                ..Recipient::default()
            },
            status: Status {
                status: b"5.1.1".to_vec(),
                action: b"failed".to_vec(),
                reason: b"host far.example said:\r\nno".to_vec(),
                ..Status::default()
            },
        },
    }
}

#[test]
fn logs_and_notifications() {
    let dir = tempfile::tempdir().unwrap();
    let queue = dir.path();
    for name in ["public", "active", "bounce", "defer", "trace"] {
        std::fs::create_dir(queue.join(name)).unwrap();
    }
    std::env::set_current_dir(queue).unwrap();
    let config = Config::for_tests(&[
        ("queue_directory", queue.to_str().unwrap()),
        ("myhostname", "h.example"),
        ("compatibility_level", "3.11"),
    ]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let seen = Rc::new(RefCell::new(Seen::default()));
        let listener = UnixListener::bind("public/cleanup").unwrap();
        spawn_local(cleanup_service(listener, seen.clone()));
        let context = Context {
            config,
            service: "bounce".to_owned(),
            argv: Vec::new(),
            process_name: "bounce".to_owned(),
            options: Options::default(),
            flow: Flow::none(),
        };
        let bounce = Rc::new(Bounce::start(&context).await.unwrap());
        scenario(&bounce, &seen, queue).await;
    });
}

async fn scenario(bounce: &Rc<Bounce>, seen: &Rc<RefCell<Seen>>, queue: &Path) {
    let offset = write_message(queue);
    let log = queue.join("bounce/4F2A1C0");

    // A line break in what a server said cannot forge a line of the log.
    assert_eq!(call(bounce, &append(offset, 0)).await, 0);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("reason=host far.example said:??no\n"),
        "{text}"
    );

    // Cleanup refuses: the log stays, and nothing is marked done.
    let flush = Request {
        flags: FLAG_DELETE_RECIPIENT,
        command: Command::Flush(message()),
    };
    seen.borrow_mut().refuse = true;
    assert_ne!(call(bounce, &flush).await, 0);
    assert!(log.exists());
    seen.borrow_mut().refuse = false;

    // A report: structure, UTF-8 addresses as they are (Postfix 20250115), the message attached, the log gone.
    assert_eq!(call(bounce, &flush).await, 0);
    assert!(!log.exists());
    let file = std::fs::read(queue.join("active/4F2A1C0")).unwrap();
    assert_eq!(file[usize::try_from(offset).unwrap()], b'D');
    let records = seen.borrow_mut().messages.pop().unwrap();
    let find = |kind: u8| records.iter().find(|(k, _)| *k == kind).unwrap().1.clone();
    assert_eq!(find(b'S'), b"");
    assert_eq!(find(b'R'), SENDER.as_bytes());
    let lines: Vec<&str> = records
        .iter()
        .filter(|(kind, _)| *kind == b'N')
        .map(|(_, data)| std::str::from_utf8(data).unwrap())
        .collect();
    for line in [
        "From: Mail Delivery System <MAILER-DAEMON>",
        "Subject: Undelivered Mail Returned to Sender",
        "To: jörg@süd.example",
        "Content-Type: message/global-delivery-status",
        "X-Postfix-Queue-ID: 4F2A1C0",
        "X-Postfix-Sender: utf-8; jörg@süd.example",
        "Final-Recipient: utf-8; nö@far.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: X-Postfix; host far.example said:??no",
        "Content-Type: message/global",
        "Return-Path: <jörg@süd.example>",
        "Subject: ümlaut",
        "the text",
    ] {
        assert!(lines.contains(&line), "{line} in {lines:#?}");
    }

    // Nobody asked to be told: no message, and the log is gone.
    assert_eq!(call(bounce, &append(0, 1)).await, 0);
    assert_eq!(call(bounce, &flush).await, 0);
    assert!(!log.exists() && seen.borrow().messages.is_empty());

    // Failure with "clean": the log goes too.
    assert_eq!(call(bounce, &append(0, 0)).await, 0);
    seen.borrow_mut().refuse = true;
    let clean = Request {
        flags: FLAG_CLEAN,
        ..flush.clone()
    };
    assert_ne!(call(bounce, &clean).await, 0);
    assert!(!log.exists());
    seen.borrow_mut().refuse = false;

    // Without a log and without the message there is still a report.
    std::fs::remove_file(queue.join("active/4F2A1C0")).unwrap();
    assert_eq!(call(bounce, &flush).await, 0);
    let records = seen.borrow_mut().messages.pop().unwrap();
    let text = records
        .iter()
        .map(|(_, data)| data.clone())
        .collect::<Vec<_>>()
        .join(&b'\n');
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\t--- Delivery report unavailable ---"));
    assert!(text.contains("\t--- Undelivered message unavailable ---"));

    // A double bounce ends here; a single bounce is nobody's by default.
    for sender in ["double-bounce@h.example", ""] {
        let mut message = message();
        message.sender = sender.into();
        let request = Request {
            flags: 0,
            command: Command::Flush(message),
        };
        assert_eq!(call(bounce, &request).await, 0);
        assert!(seen.borrow().messages.is_empty());
    }

    // Requests that make no sense.
    let mut bad = message();
    bad.id = b"../../etc/passwd".to_vec();
    let request = Request {
        flags: FLAG_CLEAN,
        command: Command::Warn(bad),
    };
    assert_eq!(call(bounce, &request).await, -1);
    let mut bad = message();
    bad.queue = b"../x".to_vec();
    let request = Request {
        flags: 0,
        command: Command::Trace(bad),
    };
    assert_eq!(call(bounce, &request).await, -1);
}
