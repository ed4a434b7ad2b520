//! Whatever one program of a mail system says to another, told by what comes of it. Nothing here depends on the version of Postfix;
//! so these tests show whether programs of different versions understand each other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compliance::testkit::{Instance, Sink, wait_for};

const MAIN_CF: &str = "relayhost = [127.0.0.1]:2525
smtpd_peername_lookup = no
smtp_host_lookup = native
transport_retry_time = 1s
minimal_backoff_time = 1h
queue_run_delay = 1h
fast_flush_domains = far.example
smtp_connection_cache_destinations = 127.0.0.1
address_verify_poll_delay = 1s
myorigin = test.example";

const SCACHE: &str = "scache unix - - n - 1 scache";

/// A server that refuses `never@`, and has `later@` wait until it is told.
fn sink(instance: &Instance) -> (Sink, Arc<AtomicBool>) {
    let opened = Arc::new(AtomicBool::new(false));
    let open = opened.clone();
    let sink = Sink::with(instance, "127.0.0.1:2525", move |line| match line {
        _ if !line.starts_with("RCPT TO:") => None,
        _ if line.contains("<never@") => Some("550 5.1.1 no such user".to_owned()),
        _ if line.contains("<later@") && !open.load(Ordering::Relaxed) => {
            Some("450 4.2.0 come again".to_owned())
        }
        _ => None,
    });
    (sink, opened)
}

/// Sends a message with these parameters of MAIL and RCPT; asserts that it is taken.
fn send(instance: &Instance, mail: &str, rcpt: &str, subject: &str) {
    let mut client = instance.smtp();
    client.expect("EHLO client.example", 250);
    client.expect(&format!("MAIL FROM:{mail}"), 250);
    client.expect(&format!("RCPT TO:{rcpt}"), 250);
    let reply = client.data(&format!("Subject: {subject}\r\n\r\nbody\r\n"));
    assert_eq!(reply.code, 250, "{}", reply.text);
}

/// Waits until a mailbox has this text.
fn wait_mail(instance: &Instance, user: &str, text: &str) {
    let below = format!("mail/{user}");
    let there = wait_for(Duration::from_secs(20), || {
        instance.read(&below).contains(text)
    });
    assert!(there, "no {text:?} for {user}: {}", instance.read(&below));
}

#[test]
fn mail_is_delivered_here_and_elsewhere() {
    let instance = Instance::builder()
        .main_cf(MAIN_CF)
        .main_cf("transport_maps = inline:{{thrown@far.example = discard:}, {piped@far.example = piped:}}\nvirtual_mailbox_domains = virtual.example\nvirtual_mailbox_base = /\nvirtual_uid_maps = static:61003\nvirtual_gid_maps = static:61003")
        .master_cf(SCACHE)
        .master_cf("piped unix - n n - - pipe user=alice argv=/bin/cat")
        .build();
    let mailbox = instance.path("home/vmail/box");
    let setting = format!(
        "virtual_mailbox_maps=inline:{{{{v@virtual.example = {}}}}}",
        mailbox.display()
    );
    let output = instance.run("postconf", &["-e", &setting]);
    assert_eq!(output.status, 0, "{output:?}");
    instance.start();
    let (sink, _) = sink(&instance);
    for (to, subject) in [
        ("<alice@test.example>", "here"),
        ("<thrown@far.example>", "away"),
        ("<piped@far.example>", "piped"),
        ("<v@virtual.example>", "virtual"),
        ("<one@far.example>", "there"),
        ("<two@far.example>", "there again"),
    ] {
        send(&instance, "<bob@test.example>", to, subject);
    }
    let sent = instance.run_as(
        "bob",
        "sendmail",
        &["alice", "three@far.example"],
        b"Subject: posted\n\nbody\n",
    );
    assert_eq!(sent.status, 0, "{sent:?}");
    sink.wait(3);
    wait_mail(&instance, "alice", "Subject: here\n");
    wait_mail(&instance, "alice", "Subject: posted\n");
    instance.wait_queue_empty();
    assert!(instance.read("home/vmail/box").contains("Subject: virtual"));
    instance.wait_log("relay=piped, .*status=sent");
    instance.wait_log("relay=none, .*status=sent");
    instance.assert_no_panic();
}

#[test]
fn utf8_is_asked_for_and_given() {
    let instance = Instance::builder()
        .main_cf(MAIN_CF)
        .main_cf("smtputf8_enable = yes")
        .start();
    let (sink, _) = sink(&instance);
    let from = "<b\u{f6}b@test.example> SMTPUTF8 BODY=8BITMIME";
    send(&instance, from, "<\u{e4}lice@far.example>", "gr\u{fc}n");
    let message = sink.wait(1).remove(0);
    assert!(message.mail.contains(" SMTPUTF8"), "{}", message.mail);
    assert!(message.rcpt[0].contains("\u{e4}lice@far.example"));
    // The report that it could not be delivered may have to be UTF-8 as well.
    send(
        &instance,
        "<bob@test.example> SMTPUTF8",
        "<never@far.example>",
        "gr\u{fc}n zur\u{fc}ck",
    );
    wait_mail(&instance, "bob", "Subject: gr\u{fc}n zur\u{fc}ck");
    instance.wait_queue_empty();
    instance.assert_no_panic();
}

#[test]
fn what_waits_is_listed_held_and_flushed() {
    let instance = Instance::builder().main_cf(MAIN_CF).start();
    let (sink, opened) = sink(&instance);
    send(&instance, "<bob@test.example>", "<later@far.example>", "x");
    instance.wait_log("to=<later@far.example>.*status=deferred");
    let listed = |text: &str| {
        let mut last = String::new();
        let there = wait_for(Duration::from_secs(10), || {
            last = instance.run("postqueue", &["-p"]).stdout;
            last.contains(text)
        });
        assert!(there, "no {text:?}: {last}");
    };
    listed("later@far.example");
    listed("450 4.2.0 come again");
    let json = instance.run("postqueue", &["-j"]).stdout;
    assert!(
        json.contains("\"address\": \"later@far.example\""),
        "{json}"
    );
    assert!(json.contains("450 4.2.0 come again"), "{json}");
    for option in ["-h", "-H"] {
        let moved = instance.run("postsuper", &[option, "ALL"]);
        assert_eq!(moved.status, 0, "{moved:?}");
        listed("later@far.example");
    }
    opened.store(true, Ordering::Relaxed);
    // Who asks for a site's mail gets it, after the message is noted.
    let sent = wait_for(Duration::from_secs(15), || {
        let asked = instance.run("postqueue", &["-s", "far.example"]);
        std::thread::sleep(Duration::from_millis(300));
        asked.status == 0 && !sink.received().is_empty()
    });
    assert!(sent, "not flushed: {}", instance.log());
    instance.wait_queue_empty();
    instance.assert_no_panic();
}

#[test]
fn senders_are_told_what_became_of_their_mail() {
    let instance = Instance::builder()
        .main_cf(MAIN_CF)
        .main_cf("delay_warning_time = 1s\nsmtpd_recipient_restrictions = inline:{{never@far.example = reject_unverified_recipient}, {one@far.example = reject_unverified_recipient}}, permit\nunverified_recipient_reject_code = 550")
        .start();
    let (_sink, _) = sink(&instance);
    let posted = |to: &str, options: &[&str]| {
        let words = [options, &["-f", "bob@test.example", to]].concat();
        let sent = instance.run_with("sendmail", &words, b"Subject: posted\n\nbody\n");
        assert_eq!(sent.status, 0, "{sent:?}");
    };
    posted("never@far.example", &[]);
    wait_mail(&instance, "bob", "550 5.1.1 no such user");
    wait_mail(&instance, "bob", "Action: failed");
    posted("alice@test.example", &["-N", "success"]);
    wait_mail(&instance, "bob", "Action: delivered");
    posted("one@far.example", &["-bv"]);
    wait_mail(&instance, "bob", "Action: deliverable");
    // Addresses are asked about before mail is taken.
    let mut client = instance.smtp();
    client.expect("EHLO client.example", 250);
    client.expect("MAIL FROM:<bob@test.example>", 250);
    for (to, code) in [("one", 250), ("never", 550)] {
        let mut reply = client.command(&format!("RCPT TO:<{to}@far.example>"));
        wait_for(Duration::from_secs(10), || {
            reply.code != 450 || {
                reply = client.command(&format!("RCPT TO:<{to}@far.example>"));
                false
            }
        });
        assert_eq!(reply.code, code, "{}", reply.text);
    }
    instance.wait_queue_empty();
    instance.assert_no_panic();
}

#[test]
fn tables_are_asked_by_proxy() {
    let instance = Instance::builder().main_cf(MAIN_CF).build();
    let source = instance.write("etc/aliased", "nickname@test.example alice\nother bob\n");
    let table = format!("lmdb:{}", source.display());
    for words in [
        vec!["postmap", &table],
        vec![
            "postconf",
            "-e",
            &format!("virtual_alias_maps=proxy:{table}"),
            &format!("proxy_read_maps=$virtual_alias_maps proxy:{table} $local_recipient_maps"),
        ],
    ] {
        let output = instance.run(words[0], &words[1..]);
        assert_eq!(output.status, 0, "{output:?}");
    }
    instance.start();
    let output = instance.run("postmap", &["-q", "other", &format!("proxy:{table}")]);
    assert_eq!(output.stdout, "bob\n", "{output:?}");
    for subject in ["first", "second"] {
        let mail = "<bob@test.example>";
        send(&instance, mail, "<nickname@test.example>", subject);
        wait_mail(&instance, "alice", &format!("Subject: {subject}\n"));
    }
    instance.wait_queue_empty();
    instance.assert_no_panic();
}
