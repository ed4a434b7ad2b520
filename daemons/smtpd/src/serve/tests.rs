//! Whole sessions: a client on one side, a cleanup service on the other, the world from memory.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use pf_proto::cleanup::{Status, Verdict, greeting};
use pf_proto::{Address, Class};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::net::UnixListener;
use tokio::task::LocalSet;

use super::{Shared, Talk};
use crate::access::ask::{Counts, HostList};
use crate::conn::scratch;
use crate::fake::Fake;
use crate::params::tests::params;
use crate::session::state::Session;
use crate::session::state::tests::peer;

/// What the cleanup service got: the records of each message, as text.
type Got = Rc<RefCell<Vec<Vec<String>>>>;

/// A cleanup service that takes everything and says `verdict`.
async fn cleanup(path: &Path, verdict: Verdict, got: Got) {
    let listener = UnixListener::bind(path).unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (verdict, got) = (verdict.clone(), got.clone());
        tokio::task::spawn_local(async move {
            stream.write_all(&greeting(b"4QUEUEID")).await.unwrap();
            let mut bytes = Vec::new();
            let mut parsed = 0;
            let mut records = Vec::new();
            loop {
                if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                    records.push("(aborted)".to_owned());
                    got.borrow_mut().push(records);
                    return;
                }
                if parsed == 0 {
                    let Some(end) = bytes.windows(2).position(|pair| pair == b"\0\0") else {
                        continue;
                    };
                    records.push(String::from_utf8_lossy(&bytes[..end]).replace('\0', "="));
                    parsed = end + 2;
                }
                while let Some((record, used)) = record(&bytes[parsed..]) {
                    parsed += used;
                    let done = record == "E";
                    records.push(record);
                    if done {
                        stream.write_all(&verdict.encode()).await.unwrap();
                        got.borrow_mut().push(records);
                        return;
                    }
                }
            }
        });
    }
}

fn record(bytes: &[u8]) -> Option<(String, usize)> {
    let kind = *bytes.first()?;
    let (mut len, mut at, mut shift) = (0usize, 1, 0);
    loop {
        let byte = *bytes.get(at)?;
        len |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let data = bytes.get(at..at + len)?;
    Some((
        format!("{}{}", char::from(kind), String::from_utf8_lossy(data)),
        at + len,
    ))
}

/// What came of a session.
struct Heard {
    /// Everything the server said.
    replies: String,
    lines: Vec<String>,
    messages: Vec<Vec<String>>,
}

impl Heard {
    fn last_line(&self) -> &str {
        self.lines.last().map_or("", String::as_str)
    }

    /// The codes of the replies, without the greeting.
    fn codes(&self) -> Vec<&str> {
        self.replies
            .lines()
            .skip(1)
            .filter(|line| line.as_bytes().get(3) != Some(&b'-'))
            .map(|line| &line[..3])
            .collect()
    }
}

async fn talk_with(settings: &[(&str, &str)], fake: Fake, verdict: Verdict, input: &str) -> Heard {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("public")).unwrap();
    let got = Got::default();
    let socket = dir.path().join("public/cleanup");
    let mut all = vec![
        ("local_recipient_maps", ""),
        ("smtpd_forbid_unauth_pipelining", "no"),
        ("smtpd_error_sleep_time", "0"),
    ];
    all.extend_from_slice(settings);
    let params = params(&all);
    let shared = Shared {
        cleanup: Address::new(dir.path(), Class::Public, "cleanup"),
        params,
        ask: fake,
        scratch: scratch(),
    };
    let local = LocalSet::new();
    let replies = local
        .run_until(async {
            tokio::task::spawn_local({
                let got = got.clone();
                async move { cleanup(&socket, verdict, got).await }
            });
            tokio::task::yield_now().await;
            let (mut client, server) = duplex(1 << 20);
            client.write_all(input.as_bytes()).await.unwrap();
            client.shutdown().await.unwrap();
            let session = Session::new(peer(), false);
            Talk::new(&shared, session, server).run().await;
            let mut replies = String::new();
            client.read_to_string(&mut replies).await.unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            replies
        })
        .await;
    Heard {
        replies,
        // The whole script is there from the start.
        lines: shared.ask.log_lines(),
        messages: got.take(),
    }
}

async fn talk(settings: &[(&str, &str)], input: &str) -> Heard {
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    talk_with(settings, Fake::new(), accepted, input).await
}

const MAIL: &str = "EHLO client.example\r\nMAIL FROM:<s@x.example>\r\nRCPT TO:<a@example.com>\r\n";

#[tokio::test]
async fn a_message_and_its_records() {
    let heard = talk(
        &[],
        "EHLO client.example\r\nMAIL FROM:<s@x.example> BODY=8BITMIME RET=HDRS ENVID=e1\r\nRCPT TO:<\"a b\"@example.com> NOTIFY=DELAY\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\n.\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(
        heard.replies,
        "220 mail.example.com ESMTP Postfix\r\n250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-VRFY\r\n250-ETRN\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250 CHUNKING\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as 4QUEUEID\r\n221 2.0.0 Bye\r\n"
    );
    let records = &heard.messages[0];
    // Filter, map, bcc, SMTP replies, UTF-8 only where asked for.
    assert_eq!(records[0], "flags=178");
    assert!(records[1].starts_with('T'));
    let rest: Vec<&str> = records[2..].iter().map(String::as_str).collect();
    assert_eq!(
        rest[..25],
        [
            "Alog_ident=4QUEUEID",
            "Arewrite_context=remote",
            "Aenvelope_id=e1",
            "Aret_flags=2",
            "Ss@x.example",
            "Aencoding=8bit",
            "Alog_client_name=host.example",
            "Alog_client_address=192.0.2.1",
            "Alog_client_port=1025",
            "Alog_message_origin=host.example[192.0.2.1]",
            "Alog_helo_name=client.example",
            "Alog_protocol_name=ESMTP",
            "Aclient_name=host.example",
            "Areverse_client_name=host.example",
            "Aclient_address=192.0.2.1",
            "Aclient_port=1025",
            "Aserver_address=192.0.2.2",
            "Aserver_port=25",
            "Ahelo_name=client.example",
            "Aprotocol_name=ESMTP",
            "Aclient_address_type=2",
            "Anotify_flags=8",
            "Adsn_orig_rcpt=rfc822;\"a b\"@example.com",
            "Ra b@example.com",
            "M",
        ]
    );
    assert_eq!(
        rest[25],
        "NReceived: from client.example (host.example [192.0.2.1])"
    );
    assert_eq!(
        rest[26],
        "N\tby mail.example.com (Postfix) with ESMTP id 4QUEUEID"
    );
    assert!(rest[27].starts_with("N\tfor <\"a b\"@example.com>; "));
    assert_eq!(rest[28..], ["NSubject: x", "N", "N.dot", "X", "E"]);
    let lines: Vec<&String> = heard
        .lines
        .iter()
        .filter(|line| !line.contains("pipelining"))
        .collect();
    assert_eq!(
        lines,
        [
            "connect from host.example[192.0.2.1]",
            "4QUEUEID: client=host.example[192.0.2.1]",
            "disconnect from host.example[192.0.2.1] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
        ]
    );
}

#[tokio::test]
async fn commands_out_of_order() {
    let heard = talk(
        &[],
        "FOO\r\nRCPT TO:<a@b>\r\nDATA\r\nMAIL\r\nMAIL FROM:<a@x> FOO=BAR\r\nMAIL FROM:<a@x\r\nHELO\r\n\r\nMAIL FROM:<a@x>\r\nMAIL FROM:<a@x>\r\nDATA\r\nRCPT TO:<>\r\nVRFY a@example.com\r\nETRN x\r\nRSET x\r\nRSET\r\nETRN example.org\r\nHELP\r\nAUTH PLAIN\r\nSTARTTLS\r\nQUIT\r\n",
    )
    .await;
    let replies: Vec<&str> = heard.replies.lines().skip(1).collect();
    assert_eq!(
        replies,
        [
            "500 5.5.2 Error: command not recognized",
            "503 5.5.1 Error: need MAIL command",
            "503 5.5.1 Error: need RCPT command",
            "501 5.5.4 Syntax: MAIL FROM:<address>",
            "555 5.5.4 Unsupported option: FOO=BAR",
            "501 5.1.7 Bad sender address syntax",
            "501 Syntax: HELO hostname",
            "500 5.5.2 Error: bad syntax",
            "250 2.1.0 Ok",
            "503 5.5.1 Error: nested MAIL command",
            "554 5.5.1 Error: no valid recipients",
            "501 5.1.3 Bad recipient address syntax",
            "252 2.0.0 a@example.com",
            "503 Error: MAIL transaction in progress",
            "501 5.5.4 Syntax: RSET",
            "250 2.0.0 Ok",
            "250 Queuing started",
            "214 2.0.0 Commands: AUTH BDAT DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET STARTTLS VRFY XCLIENT XFORWARD",
            "503 5.5.1 Error: authentication not enabled",
            "502 5.5.1 Error: command not implemented",
            "221 2.0.0 Bye",
        ]
    );
}

#[tokio::test]
async fn bug_20250816_malformed_commands_are_counted() {
    let heard = talk(&[], "\r\nNOOP \u{fe}\r\nQUIT\r\n").await;
    assert_eq!(heard.codes(), ["500", "250", "221"]);
    assert_eq!(
        heard.last_line(),
        "disconnect from host.example[192.0.2.1] noop=1 quit=1 unknown=0/1 commands=2/3"
    );
}

#[tokio::test]
async fn chunks() {
    let input = format!("{MAIL}BDAT 9\r\nSubject: BDAT 6 LAST\r\nx\r\n\r\nyBDAT 1\r\nxQUIT\r\n");
    let heard = talk(&[], &input).await;
    assert!(heard.replies.contains(
        "250 2.0.0 Ok: 9 bytes\r\n250 2.0.0 Ok: 17 bytes queued as 4QUEUEID\r\n503 5.5.1"
    ));
    let content: Vec<&str> = heard.messages[0]
        .iter()
        .skip_while(|record| *record != "M")
        .skip(4)
        .map(String::as_str)
        .collect();
    assert_eq!(content, ["NSubject: x", "N", "Ny", "X", "E"]);
}

#[tokio::test]
async fn bug_20260724_a_final_bdat_error_ends_the_transaction() {
    for (first, second) in [("BDAT 1 LAST\r\nx", "554"), ("BDAT 0\r\n", "551")] {
        let settings = [("smtpd_data_restrictions", "reject")];
        let heard = talk(&settings, &format!("{MAIL}{first}DATA\r\nQUIT\r\n")).await;
        assert_eq!(heard.codes()[3..], [second, "503", "221"], "{first}");
    }
    // An error in the middle: chunks are thrown away until the last one.
    let settings = [("message_size_limit", "10")];
    let heard = talk(&settings, &format!("{MAIL}BDAT 11\r\n12345678901BDAT 2\r\nxyDATA\r\nMAIL FROM:<b@x>\r\nBDAT 1 LAST\r\nxDATA\r\nQUIT\r\n")).await;
    assert_eq!(
        heard.codes()[3..],
        ["552", "551", "503", "503", "551", "503", "221"]
    );
    assert!(heard.replies.contains("503 5.5.1 Error: DATA after BDAT"));
    assert!(
        heard
            .replies
            .ends_with("503 5.5.1 Error: need RCPT command\r\n221 2.0.0 Bye\r\n")
    );
    assert_eq!(
        heard.messages[0].last().map(String::as_str),
        Some("(aborted)")
    );
}

#[tokio::test]
async fn bug_20260803_an_end_of_data_reject_resets_everything() {
    let settings = [("smtpd_end_of_data_restrictions", "reject")];
    let heard = talk(
        &settings,
        &format!("{MAIL}DATA\r\nx\r\n.\r\nRCPT TO:<b@example.com>\r\nDATA\r\nQUIT\r\n"),
    )
    .await;
    assert_eq!(heard.codes()[3..], ["354", "554", "503", "503", "221"]);
    assert!(heard.lines.iter().any(|line| line.starts_with("4QUEUEID: reject: END-OF-MESSAGE from host.example[192.0.2.1]: 554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: Access denied; from=<s@x.example> to=<a@example.com>")));
    let heard = talk(
        &settings,
        &format!("{MAIL}BDAT 1 LAST\r\nxRCPT TO:<b@example.com>\r\nQUIT\r\n"),
    )
    .await;
    assert_eq!(heard.codes()[3..], ["554", "503", "221"]);
}

#[tokio::test]
async fn bug_20260812_vrfy_never_touches_the_transaction() {
    let settings = [("strict_smtputf8", "yes")];
    let input = format!("{MAIL}VRFY d\u{f6}rte@example.com\r\nDATA\r\nx\r\n.\r\nQUIT\r\n");
    let heard = talk(&settings, &input).await;
    assert_eq!(heard.codes()[3..], ["553", "354", "250", "221"]);
}

#[tokio::test]
async fn bug_20260805_many_small_chunks_stay_small() {
    let mut input = MAIL.to_owned();
    for _ in 0..3000 {
        input.push_str("BDAT 1\r\nx");
    }
    input.push_str("BDAT 0 LAST\r\nQUIT\r\n");
    let heard = talk(&[("notify_classes", "protocol")], &input).await;
    assert!(
        heard
            .replies
            .ends_with("250 2.0.0 Ok: 3004 bytes queued as 4QUEUEID\r\n221 2.0.0 Bye\r\n")
    );
}

#[tokio::test]
async fn bug_20260529_endless_commands_are_cut_off() {
    let heard = talk(&[], &format!("NOOP {}\r\nQUIT\r\n", "x".repeat(5000))).await;
    assert_eq!(
        heard.replies.lines().nth(1),
        Some("500 5.5.2 mail.example.com Error: command too long")
    );
    assert!(!heard.replies.contains("221"));
    // One that is only too long is cut, and carried out.
    let heard = talk(&[], &format!("NOOP {}\r\nQUIT\r\n", "x".repeat(2500))).await;
    assert_eq!(heard.codes(), ["250", "221"]);
}

#[tokio::test]
async fn bug_20260529_discarded_chunks_are_bounded() {
    let settings = [("message_size_limit", "1000")];
    let input = format!(
        "{MAIL}BDAT 1400\r\n{}BDAT 1400\r\n{}QUIT\r\n",
        "x".repeat(1400),
        "x".repeat(1400)
    );
    let heard = talk(&settings, &input).await;
    assert!(heard.replies.ends_with("552 5.3.4 Chunk exceeds message size limit\r\n551 5.0.0 Discarded 1400 bytes after earlier error\r\n"));
    assert!(heard.lines.iter().any(|line| line.contains(
        "too much BDAT content -- disabling further input from host.example[192.0.2.1]"
    )));
}

#[tokio::test]
async fn smuggled_messages_stay_content() {
    let input = format!("{MAIL}DATA\r\na\n.\nMAIL FROM:<evil@x>\r\n.\r\nQUIT\r\n");
    let heard = talk(&[], &input).await;
    assert_eq!(heard.messages.len(), 1);
    assert!(heard.messages[0].contains(&"NMAIL FROM:<evil@x>".to_owned()));
    let heard = talk(&[("smtpd_forbid_bare_newline", "reject")], &input).await;
    assert!(
        heard
            .replies
            .contains("550 5.5.2 mail.example.com Error: bare <LF> received\r\n221")
    );
    assert_eq!(
        heard.messages[0].last().map(String::as_str),
        Some("(aborted)")
    );
    let heard = talk(&[("smtpd_forbid_bare_newline", "note")], &input).await;
    assert!(heard.last_line().ends_with(" notes=bare_lf"));
    let heard = talk(&[("smtpd_forbid_bare_newline", "reject")], "NOOP\nQUIT\r\n").await;
    assert_eq!(
        heard.replies.lines().nth(1),
        Some("550 5.5.2 mail.example.com Error: bare <LF> received")
    );
    assert!(!heard.replies.contains("221"));
}

#[tokio::test]
async fn impatient_clients_are_turned_away() {
    let settings = [("smtpd_forbid_unauth_pipelining", "yes")];
    let heard = talk(&settings, "EHLO x\r\nNOOP\r\nQUIT\r\n").await;
    assert_eq!(
        heard.replies.lines().nth(1),
        Some("554 5.5.0 Error: SMTP protocol synchronization")
    );
    assert_eq!(
        heard.lines[1],
        "improper command pipelining after EHLO from host.example[192.0.2.1]: NOOP\\r\\nQUIT\\r\\n"
    );
    let heard = talk(
        &[("smtpd_data_restrictions", "reject_unauth_pipelining")],
        &format!("{MAIL}DATA\r\nx\r\n.\r\n"),
    )
    .await;
    assert!(heard.replies.contains(
        "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining"
    ));
}

#[tokio::test]
async fn too_many_errors() {
    let settings = [("smtpd_hard_error_limit", "3")];
    let heard = talk(&settings, "X\r\nX\r\nX\r\nX\r\n").await;
    assert_eq!(heard.codes(), ["500", "500", "500", "421"]);
    assert_eq!(
        heard.lines[1..],
        [
            "NOQUEUE: too many errors after UNKNOWN from host.example[192.0.2.1]",
            "disconnect from host.example[192.0.2.1] unknown=0/3 commands=0/3"
        ]
    );
    let settings = [
        ("smtpd_soft_error_limit", "1"),
        ("smtpd_error_sleep_time", "3"),
    ];
    let fake = Fake::new();
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    let heard = talk_with(&settings, fake, accepted, "X\r\nX\r\n").await;
    assert_eq!(heard.codes(), ["500", "500"]);
    let settings = [
        ("smtpd_junk_command_limit", "1"),
        ("smtpd_hard_error_limit", "2"),
    ];
    let heard = talk(&settings, "NOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\nNOOP\r\n").await;
    assert_eq!(heard.codes(), ["250", "250", "250", "250", "421"]);
}

#[tokio::test]
async fn recipients_have_a_limit() {
    let settings = [
        ("smtpd_recipient_limit", "1"),
        ("smtpd_recipient_overshoot_limit", "1"),
    ];
    let heard = talk(
        &settings,
        &format!("{MAIL}RCPT TO:<b@example.com>\r\nRCPT TO:<c@example.com>\r\nQUIT\r\n"),
    )
    .await;
    assert_eq!(heard.codes()[3..], ["452", "452", "221"]);
    assert!(heard.last_line().contains("rcpt=2/3"));
}

#[tokio::test]
async fn verdicts_of_cleanup() {
    for (status, reason, reply) in [
        (Status::SIZE, "", "552 5.3.4 Error: message file too big"),
        (Status::HOPS, "", "554 5.4.0 Error: too many hops"),
        (Status::CONT, "5.7.1 no way", "550 5.7.1 no way"),
        (
            Status::CONT,
            "",
            "550 5.7.1 Error: message content rejected",
        ),
        (Status::DEFER, "4.7.1 later", "451 4.7.1 later"),
        (Status::WRITE, "", "451 4.3.0 Error: queue file write error"),
        (Status::CONT, "571 5.7.1 custom", "571 5.7.1 custom"),
        (Status::BAD, "", "451 4.3.0 Error: internal error 1"),
    ] {
        let verdict = Verdict {
            status,
            reason: reason.as_bytes().to_vec(),
        };
        let heard = talk_with(
            &[],
            Fake::new(),
            verdict,
            &format!("{MAIL}DATA\r\nx\r\n.\r\nQUIT\r\n"),
        )
        .await;
        let lines: Vec<&str> = heard.replies.lines().collect();
        assert_eq!(lines[lines.len() - 2], reply);
    }
}

#[tokio::test]
async fn lost_clients() {
    let heard = talk(&[], &format!("{MAIL}DATA\r\nabc\r\nde")).await;
    assert_eq!(
        heard.messages[0].last().map(String::as_str),
        Some("(aborted)")
    );
    assert!(heard.lines.contains(
        &"4QUEUEID: lost connection after DATA (5 bytes) from host.example[192.0.2.1]".to_owned()
    ));
    let heard = talk(&[], "EHLO x\r\n").await;
    assert!(
        heard.lines.contains(
            &"NOQUEUE: lost connection after EHLO from host.example[192.0.2.1]".to_owned()
        )
    );
}

#[tokio::test]
async fn trusted_clients_play_others() {
    let mut fake = Fake::new();
    fake.hosts
        .push(format!("{:?} 192.0.2.1", HostList::Xclient));
    fake.hosts
        .push(format!("{:?} 192.0.2.1", HostList::Xforward));
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    let input = "EHLO x\r\nXFORWARD NAME=spike.example ADDR=192.0.2.7 IDENT=4ABC SOURCE=LOCAL\r\nMAIL FROM:<s@x>\r\nRCPT TO:<a@example.com>\r\nDATA\r\n.\r\nXCLIENT NAME=other.example ADDR=192.0.2.99 HELO=me\r\nXCLIENT NAME=x\r\nQUIT\r\n";
    let heard = talk_with(&[], fake, accepted, input).await;
    assert!(heard.replies.contains("250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT\r\n250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n"));
    assert_eq!(
        heard.codes()[1..],
        ["250", "250", "250", "354", "250", "220", "550", "221"]
    );
    assert!(heard.lines.contains(&"4QUEUEID: client=host.example[192.0.2.1], orig_queue_id=4ABC, orig_client=spike.example[192.0.2.7]".to_owned()));
    assert_eq!(
        heard.last_line(),
        "disconnect from other.example[192.0.2.99] ehlo=1 xclient=0/2 xforward=1 mail=1 rcpt=1 data=1 quit=1 commands=6/8"
    );
    let records = &heard.messages[0];
    for record in [
        "Alog_ident=4ABC",
        "Arewrite_context=local",
        "Alog_client_name=spike.example",
        "Aclient_name=host.example",
    ] {
        assert!(records.contains(&record.to_owned()), "{record}");
    }
}

#[tokio::test]
async fn restrictions_without_delay() {
    let settings = [
        ("smtpd_delay_reject", "no"),
        ("smtpd_client_restrictions", "reject"),
    ];
    let heard = talk(&settings, "EHLO x\r\nQUIT\r\n").await;
    assert_eq!(
        heard.replies,
        "554 5.7.1 <host.example[192.0.2.1]>: Client host rejected: Access denied\r\n503 5.7.0 Error: access denied for host.example[192.0.2.1]\r\n221 2.0.0 Bye\r\n"
    );
    let settings = [
        ("smtpd_delay_reject", "no"),
        ("smtpd_sender_restrictions", "reject_non_fqdn_sender"),
    ];
    let heard = talk(
        &settings,
        "EHLO x\r\nMAIL FROM:<a>\r\nRCPT TO:<a@example.com>\r\nQUIT\r\n",
    )
    .await;
    assert_eq!(heard.codes()[1..], ["504", "503", "221"]);
}

#[tokio::test]
async fn clients_are_counted() {
    let settings = [("smtpd_client_connection_count_limit", "2")];
    let mut fake = Fake::new();
    fake.counts = Some(Counts { count: 3, rate: 1 });
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    let heard = talk_with(&settings, fake, accepted, "QUIT\r\n").await;
    assert_eq!(
        heard.replies,
        "421 4.7.0 mail.example.com Error: too many connections from 192.0.2.1\r\n"
    );
    assert_eq!(
        heard.lines[1],
        "warning: Connection concurrency limit exceeded: 3 from host.example[192.0.2.1] for service smtp"
    );
}

#[tokio::test]
async fn strangers_who_speak_http() {
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    for line in ["GET / HTTP/1.0", "Subject: hello"] {
        let mut fake = Fake::new();
        fake.forbidden.push("GET".to_owned());
        let heard = talk_with(&[], fake, accepted.clone(), &format!("{line}\r\nQUIT\r\n")).await;
        assert_eq!(heard.codes(), ["221"]);
        assert_eq!(
            heard.lines[1],
            format!("warning: non-SMTP command from host.example[192.0.2.1]: {line}")
        );
    }
}

#[tokio::test]
async fn negative_replies_can_be_changed() {
    let mut fake = Fake::new();
    fake.texts.insert(
        "RejectFilter 500 5.5.2 Error: command not recognized".to_owned(),
        "550 5.5.1 what?".to_owned(),
    );
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    let settings = [("smtpd_reject_footer", "\\c. Call $server_name")];
    let heard = talk_with(&settings, fake, accepted, "X\r\n").await;
    assert_eq!(
        heard.replies.lines().nth(1),
        Some("550 5.5.1 what?. Call mail.example.com")
    );
}

#[tokio::test]
async fn replies_to_full_disks_and_large_announcements() {
    let mut fake = Fake::new();
    fake.full = true;
    let accepted = Verdict {
        status: Status::NONE,
        reason: Vec::new(),
    };
    let heard = talk_with(
        &[],
        fake,
        accepted,
        "MAIL FROM:<a@x>\r\nMAIL FROM:<a@x> SIZE=99999999\r\n",
    )
    .await;
    let lines: Vec<&str> = heard.replies.lines().skip(1).collect();
    assert_eq!(
        lines,
        [
            "452 4.3.1 Insufficient system storage",
            "552 5.3.4 Message size exceeds fixed limit"
        ]
    );
}

/// A sequence of numbers that is the same in every run.
fn scramble(state: &mut u64) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

#[tokio::test]
async fn nothing_a_client_says_is_too_much() {
    const PIECES: [&str; 32] = [
        "EHLO x\r\n",
        "HELO [\r\n",
        "MAIL FROM:<a@b>\r\n",
        "MAIL FROM:<\r\n",
        "MAIL FROM:<\"a\\\r\n",
        "RCPT TO:<a@example.com>\r\n",
        "RCPT TO:<@:@>\r\n",
        "RCPT TO:<a@example.com> ORCPT=;+\r\n",
        "DATA\r\n",
        "\r\n.\r\n",
        ".\r\n",
        "From x\r\n",
        "BDAT 3\r\nabc",
        "BDAT 0 LAST\r\n",
        "BDAT 2 LAST\r\n\r",
        "BDAT 99999999999999999999 LAST\r\n",
        "RSET\r\n",
        "NOOP\r\n",
        "VRFY <a@b>\r\n",
        "VRFY \u{f6} SMTPUTF8\r\n",
        "ETRN #\r\n",
        "ETRN @x\r\n",
        "XCLIENT NAME=x ADDR=IPv6:::1\r\n",
        "XFORWARD ADDR=[UNAVAILABLE]\r\n",
        "HELP\r\n",
        "AUTH\r\n",
        "\0\r\n",
        "\r\r\n",
        "\n",
        "\u{10ffff}",
        "MAIL FROM:<\u{f6}@\u{f6}> SMTPUTF8 ENVID=+ RET=\r\n",
        "x",
    ];
    let mut state = 42;
    for _ in 0..60 {
        let input: String = (0..40)
            .map(|_| PIECES[scramble(&mut state) % PIECES.len()])
            .collect();
        let mut fake = Fake::new();
        fake.hosts
            .push(format!("{:?} 192.0.2.1", HostList::Xclient));
        fake.hosts
            .push(format!("{:?} 192.0.2.1", HostList::Xforward));
        let accepted = Verdict {
            status: Status::NONE,
            reason: Vec::new(),
        };
        let settings = [
            ("smtpd_hard_error_limit", "1000"),
            ("message_size_limit", "50"),
            ("notify_classes", "protocol"),
        ];
        let heard = talk_with(&settings, fake, accepted, &input).await;
        assert!(heard.replies.starts_with("220 "), "{input:?}");
        for line in heard.replies.lines() {
            let code = line.as_bytes();
            assert!(
                code.len() > 3 && code[..3].iter().all(u8::is_ascii_digit),
                "{input:?}: {line:?}"
            );
        }
        assert!(
            heard.last_line().starts_with("disconnect from "),
            "{input:?}"
        );
    }
}
