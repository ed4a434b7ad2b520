//! A message from submission to its end, through the whole system.

use compliance::testkit::{Instance, Sink};

const MESSAGE: &str = "From: alice@test.example\r\nSubject: hello\r\n\r\nBody line\r\n";

#[test]
fn sendmail_to_a_local_mailbox() {
    let instance = Instance::builder().start();
    let sent = instance.run_with(
        "sendmail",
        &["-f", "bob@test.example", "alice@test.example"],
        b"Subject: by sendmail\n\nHello alice\n.\n",
    );
    assert_eq!(
        (sent.status, sent.stdout.as_str(), sent.stderr.as_str()),
        (0, "", "")
    );
    let mailbox = instance.wait_mailbox("alice");
    assert!(mailbox.starts_with("From bob@test.example  "), "{mailbox}");
    for line in [
        "Return-Path: <bob@test.example>",
        "X-Original-To: alice@test.example",
        "Delivered-To: alice@test.example",
        "Received: by mx.test.example (Postfix, from userid 0)",
        "Subject: by sendmail",
        "Hello alice",
    ] {
        assert!(
            mailbox.lines().any(|l| l == line),
            "no {line:?} in {mailbox}"
        );
    }
    instance.wait_log(r"postfix/pickup\[\d+\]: [0-9A-F]{10,}: uid=0 from=<bob@test.example>$");
    instance.wait_log(
        r"postfix/cleanup\[\d+\]: [0-9A-F]{10,}: message-id=<\d+\.[0-9A-F]+@mx.test.example>$",
    );
    instance.wait_log(r"postfix/qmgr\[\d+\]: [0-9A-F]{10,}: from=<bob@test.example>, size=\d+, nrcpt=1 \(queue active\)$");
    instance.wait_log(r"postfix/local\[\d+\]: [0-9A-F]{10,}: to=<alice@test.example>, relay=local, delay=[\d.]+, delays=[\d.]+/[\d.]+/[\d.]+/[\d.]+, dsn=2.0.0, status=sent \(delivered to mailbox\)$");
    instance.wait_log(r"postfix/qmgr\[\d+\]: [0-9A-F]{10,}: removed$");
    instance.wait_queue_empty();
    instance.assert_no_panic();
    instance.stop();
}

#[test]
fn smtp_in_and_smtp_out_through_a_relay() {
    let instance = Instance::builder()
        .main_cf("relayhost = [127.0.0.1]:2525\nmyorigin = test.example")
        .start();
    let sink = Sink::start(&instance, "127.0.0.1:2525");
    let mut client = instance.smtp();
    assert_eq!(client.greeting.text, "220 mx.test.example ESMTP Postfix");
    client.expect("EHLO client.example", 250);
    let reply = client.mail("alice@test.example", "someone@far.example", MESSAGE);
    assert!(
        reply.text.starts_with("250 2.0.0 Ok: queued as "),
        "{}",
        reply.text
    );
    assert_eq!(client.command("QUIT").text, "221 2.0.0 Bye");
    let received = sink.wait(1).remove(0);
    assert_eq!(received.hello, "EHLO mx.test.example");
    assert!(
        received
            .mail
            .starts_with("MAIL FROM:<alice@test.example> SIZE="),
        "{}",
        received.mail
    );
    assert_eq!(
        received.rcpt,
        ["RCPT TO:<someone@far.example> ORCPT=rfc822;someone@far.example"]
    );
    assert!(
        received.content.contains("\r\nSubject: hello\r\n"),
        "{}",
        received.content
    );
    assert!(
        received.content.ends_with("\r\n\r\nBody line\r\n"),
        "{}",
        received.content
    );
    assert!(
        received.content.starts_with("Received: from client.example (localhost [127.0.0.1])\r\n\tby mx.test.example (Postfix) with ESMTP id "),
        "{}",
        received.content
    );
    instance.wait_log(r"postfix/smtpd\[\d+\]: connect from localhost\[127\.0\.0\.1\]$");
    instance.wait_log(r"postfix/smtpd\[\d+\]: [0-9A-F]{10,}: client=localhost\[127\.0\.0\.1\]$");
    instance.wait_log(r"postfix/smtp\[\d+\]: [0-9A-F]{10,}: to=<someone@far.example>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:2525, delay=[\d.]+, delays=[\d./]+, tls=none, dsn=2\.0\.0, status=sent \(250 2\.0\.0 Ok: queued as SINK\)$");
    instance.wait_log(r"postfix/smtpd\[\d+\]: disconnect from localhost\[127\.0\.0\.1\] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5$");
    instance.assert_no_panic();
}

#[test]
fn strangers_may_not_relay() {
    let instance = Instance::builder().start();
    let mut client = instance.smtp_from("127.0.0.2", "127.0.0.1:25");
    client.expect("EHLO stranger.example", 250);
    client.expect("MAIL FROM:<x@stranger.example>", 250);
    let reply = client.command("RCPT TO:<someone@far.example>");
    assert_eq!(
        reply.text,
        "454 4.7.1 <someone@far.example>: Relay access denied"
    );
    let reply = client.command("RCPT TO:<nobody-here@test.example>");
    assert_eq!(
        reply.text,
        "550 5.1.1 <nobody-here@test.example>: Recipient address rejected: User unknown in local recipient table"
    );
    instance.wait_log(r"postfix/smtpd\[\d+\]: NOQUEUE: reject: RCPT from unknown\[127\.0\.0\.2\]: 454 4\.7\.1 <someone@far\.example>: Relay access denied; from=<x@stranger\.example> to=<someone@far\.example> proto=ESMTP helo=<stranger\.example>$");
}

#[test]
fn a_refused_recipient_comes_back_as_a_bounce() {
    let instance = Instance::builder()
        .main_cf("relayhost = [127.0.0.1]:2525")
        .start();
    let _sink = Sink::with(&instance, "127.0.0.1:2525", |line| {
        line.starts_with("RCPT")
            .then(|| "550 5.1.1 no such user".to_owned())
    });
    let mut client = instance.smtp();
    client.expect("EHLO client.example", 250);
    assert_eq!(
        client
            .mail("alice@test.example", "nobody@far.example", MESSAGE)
            .code,
        250
    );
    instance.wait_log(r"postfix/smtp\[\d+\]: [0-9A-F]{10,}: to=<nobody@far.example>, relay=127\.0\.0\.1\[127\.0\.0\.1\]:2525, delay=[\d.]+, delays=[\d./]+, tls=none, dsn=5\.1\.1, status=bounced \(host 127\.0\.0\.1\[127\.0\.0\.1\] said: 550 5\.1\.1 no such user \(in reply to RCPT TO command\)\)$");
    instance.wait_log(
        r"postfix/bounce\[\d+\]: [0-9A-F]{10,}: sender non-delivery notification: [0-9A-F]{10,}$",
    );
    let mailbox = instance.wait_mailbox("alice");
    assert!(mailbox.starts_with("From MAILER-DAEMON  "), "{mailbox}");
    for line in [
        "From: Mail Delivery System <MAILER-DAEMON@mx.test.example>",
        "Subject: Undelivered Mail Returned to Sender",
        "To: alice@test.example",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        "Content-Description: Notification",
        "Content-Description: Delivery report",
        "Content-Type: message/delivery-status",
        "Reporting-MTA: dns; mx.test.example",
        "X-Postfix-Sender: rfc822; alice@test.example",
        "Final-Recipient: rfc822; nobody@far.example",
        "Original-Recipient: rfc822;nobody@far.example",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; 127.0.0.1",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user",
        "Content-Description: Undelivered Message",
        "Content-Type: message/rfc822",
    ] {
        assert!(
            mailbox.lines().any(|l| l == line),
            "no {line:?} in {mailbox}"
        );
    }
    instance.wait_queue_empty();
    instance.assert_no_panic();
}

#[test]
fn an_unreachable_server_defers_and_a_flush_delivers() {
    let instance = Instance::builder()
        .main_cf("relayhost = [127.0.0.1]:2525\nminimal_backoff_time = 300s")
        .start();
    let sent = instance.run_with(
        "sendmail",
        &["-f", "alice@test.example", "x@far.example"],
        b"Subject: later\n\nx\n",
    );
    assert_eq!(sent.status, 0, "{sent:?}");
    instance.wait_log(
        r"status=deferred \(connect to 127\.0\.0\.1\[127\.0\.0\.1\]:2525: Connection refused\)$",
    );
    let list = instance.run("mailq", &[]);
    assert_eq!(list.status, 0);
    assert!(
        list.stdout
            .starts_with("-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------\n"),
        "{}",
        list.stdout
    );
    assert!(list.stdout.contains("  alice@test.example\n                    (connect to 127.0.0.1[127.0.0.1]:2525: Connection refused)\n                                         x@far.example\n\n-- 0 Kbytes in 1 Request.\n"), "{}", list.stdout);
    assert!(
        list.stdout.ends_with("Kbytes in 1 Request.\n"),
        "{}",
        list.stdout
    );
    let sink = Sink::start(&instance, "127.0.0.1:2525");
    assert_eq!(instance.run("postqueue", &["-f"]).status, 0);
    let content = &sink.wait(1)[0].content;
    assert!(content.contains("\r\nSubject: later\r\n"), "{content}");
    instance.wait_queue_empty();
}
