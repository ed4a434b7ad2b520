//! The SMTP server's side of a session, word by word.

use compliance::dialogue::play;
use compliance::golden::{check, log};
use compliance::testkit::{Dns, Instance};

/// Plays a script and compares transcript and smtpd's log lines with the peer's.
fn compare(name: &str, instance: &Instance, source: &str, script: &str) {
    let before = instance.log().len();
    let transcript = play(instance, source, script);
    compliance::testkit::wait_for(std::time::Duration::from_secs(5), || {
        instance
            .log()
            .get(before..)
            .is_some_and(|log| log.contains("disconnect from"))
    });
    let lines = log(
        instance,
        r"postfix/smtpd\[\d+\]: (NOQUEUE|[0-9A-F]{6,}:|disconnect|improper|lost|timeout|too many|warning)",
    );
    check(
        instance,
        &format!("smtpd/{name}"),
        &format!("{transcript}\n{lines}"),
    );
    instance.assert_no_panic();
}

#[test]
fn commands_in_and_out_of_order() {
    let instance = Instance::builder().main_cf("smtpd_hard_error_limit = 1000\nsmtpd_soft_error_limit = 1000\nsmtpd_junk_command_limit = 1000").start();
    compare(
        "order",
        &instance,
        "127.0.0.1",
        r"
        RCPT TO:<alice@test.example>
        DATA
        MAIL FROM:<a@test.example>
        RCPT TO:<alice@test.example>
        RSET
        HELO
        EHLO
        HELO client.example
        MAIL
        MAIL FROM:
        MAIL TO:<a@test.example>
        MAIL FROM <a@test.example>
        MAIL FROM:<a@test.example
        MAIL FROM:<a@test.example> BODY=NONSENSE
        MAIL FROM:<a@test.example> SIZE=abc
        MAIL FROM:<a@test.example> FOO=bar
        MAIL FROM:<a@test.example> SIZE=100
        MAIL FROM:<a@test.example>
        RCPT
        RCPT TO:
        RCPT FROM:<alice@test.example>
        RCPT TO:<>
        RCPT TO:<alice@test.example> FOO
        RCPT TO:<alice@test.example>
        RCPT TO:<bob@test.example>
        NOOP
        NOOP with words
        HELP
        VRFY
        VRFY alice
        VRFY alice@test.example
        VRFY nobody@test.example
        EXPN list
        FOO
        RSET
        RSET x
        DATA
        XCLIENT NAME=x
        XFORWARD NAME=x
        STARTTLS
        AUTH PLAIN x
        QUIT x
        QUIT",
    );
}

#[test]
fn esmtp_features_and_parameters() {
    let instance = Instance::builder()
        .main_cf("smtpd_hard_error_limit = 1000\nsmtpd_soft_error_limit = 1000")
        .start();
    compare(
        "esmtp",
        &instance,
        "127.0.0.1",
        r"
        EHLO client.example
        MAIL FROM:<a@test.example> SIZE=99999999999
        MAIL FROM:<a@test.example> BODY=8BITMIME RET=HDRS ENVID=abc+2Bdef SIZE=10
        RCPT TO:<alice@test.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;alice+2Bx@test.example
        RCPT TO:<alice@test.example> NOTIFY=NEVER,SUCCESS
        RCPT TO:<alice@test.example> NOTIFY=SOMETIMES
        RCPT TO:<alice@test.example> ORCPT=nonsense
        RCPT TO:<alice@test.example> NOTIFY=NEVER NOTIFY=NEVER
        RSET
        MAIL FROM:<a@test.example> RET=NONE
        MAIL FROM:<a@test.example> SMTPUTF8
        RCPT TO:<alice@test.example>
        DATA
        ~Subject: hello
        ~
        ~.. dots
        ~. 
        ~.
        (reply)
        EHLO client.example
        MAIL FROM:<>
        RCPT TO:<postmaster>
        RCPT TO:<@relay.example:alice@test.example>
        RCPT TO:alice@test.example
        QUIT",
    );
}

#[test]
fn pipelined_and_chunked_mail() {
    let instance = Instance::builder().start();
    compare(
        "bdat",
        &instance,
        "127.0.0.1",
        r"
        EHLO client.example
        +MAIL FROM:<a@test.example>
        +RCPT TO:<alice@test.example>
        RCPT TO:<bob@test.example>
        ~BDAT 16
        ~Subject: chunk
        (reply)
        BDAT 0 LAST
        MAIL FROM:<a@test.example>
        ~BDAT 2 LAST
        ~
        (reply)
        BDAT
        BDAT x
        BDAT 1 2 3
        RCPT TO:<alice@test.example>
        ~BDAT 7
        ~hello
        (reply)
        DATA
        RSET
        QUIT",
    );
}

#[test]
fn strangers_and_restrictions() {
    let instance = Instance::builder()
        .main_cf(
            "smtpd_helo_required = yes\n\
             smtpd_hard_error_limit = 1000\n\
             smtpd_soft_error_limit = 1000\n\
             smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname\n\
             smtpd_sender_restrictions = reject_non_fqdn_sender, reject_unknown_sender_domain, check_sender_access inline:{{bad@ok.example=REJECT go away}, {defer@ok.example=DEFER later}, {four@ok.example=450 4.2.2 custom}, {warn@ok.example=WARN watch}, {hold@ok.example=HOLD held}, {discard@ok.example=DISCARD gone}, {ok@ok.example=OK}}\n\
             smtpd_recipient_restrictions = reject_non_fqdn_recipient, reject_unauth_destination, reject_unlisted_recipient\n\
             smtpd_data_restrictions = reject_multi_recipient_bounce",
        )
        .start();
    let _dns = Dns::new()
        .a("ok.example", "127.0.0.9")
        .mx("ok.example", 10, "mx.ok.example")
        .a("mx.ok.example", "127.0.0.9")
        .mx("null.example", 0, ".")
        .servfail("broken.example")
        .ptr("127.0.0.3", "client.ok.example")
        .a("client.ok.example", "127.0.0.3")
        .ptr("127.0.0.4", "liar.ok.example")
        .start(&instance);
    compare(
        "restrictions",
        &instance,
        "127.0.0.3",
        r"
        MAIL FROM:<a@ok.example>
        EHLO [bad
        EHLO nodots
        EHLO client.ok.example
        MAIL FROM:<a@ok.example>
        RCPT TO:<nobody@test.example>
        RCPT TO:<alice@elsewhere.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<local>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<x@no.such.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<x@broken.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<x@null.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<bad@ok.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<defer@ok.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<four@ok.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<warn@ok.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<discard@ok.example>
        RCPT TO:<alice@test.example>
        RSET
        MAIL FROM:<>
        RCPT TO:<alice@test.example>
        RCPT TO:<bob@test.example>
        DATA
        QUIT",
    );
}

#[test]
fn error_limits_end_a_session() {
    let instance = Instance::builder()
        .main_cf(
            "smtpd_hard_error_limit = 4\nsmtpd_soft_error_limit = 2\nsmtpd_error_sleep_time = 0",
        )
        .start();
    compare(
        "errors",
        &instance,
        "127.0.0.2",
        r"
        EHLO client.example
        ONE
        TWO
        THREE
        FOUR
        FIVE
        SIX",
    );
}

#[test]
fn http_and_forbidden_commands() {
    let instance = Instance::builder().start();
    compare("forbidden", &instance, "127.0.0.2", "GET / HTTP/1.1");
}

#[test]
fn a_bare_newline_ends_the_session_of_a_stranger() {
    let instance = Instance::builder()
        .main_cf("smtpd_forbid_bare_newline = reject")
        .start();
    compare(
        "bare-newline",
        &instance,
        "127.0.0.2",
        r"EHLO a.example\nNOOP",
    );
}

#[test]
fn talking_too_early_is_refused() {
    let instance = Instance::builder()
        .main_cf("smtpd_forbid_unauth_pipelining = yes")
        .start();
    compare(
        "early-talker",
        &instance,
        "127.0.0.2",
        r"
        +EHLO a.example
        MAIL FROM:<a@test.example>",
    );
}

#[test]
fn xclient_and_etrn() {
    let instance = Instance::builder()
        .main_cf("smtpd_authorized_xclient_hosts = 127.0.0.1\nsmtpd_authorized_xforward_hosts = 127.0.0.1\nrelay_domains = flush.example\nfast_flush_domains = $relay_domains\nsmtpd_hard_error_limit=100")
        .start();
    compare(
        "xclient",
        &instance,
        "127.0.0.1",
        r"
        EHLO client.example
        XCLIENT NAME=spike.example ADDR=192.0.2.7
        EHLO spike.example
        XCLIENT
        XCLIENT FOO=bar
        XCLIENT ADDR=nonsense
        MAIL FROM:<a@ok.example>
        RCPT TO:<someone@far.example>
        RCPT TO:<alice@test.example>
        RSET
        ETRN
        ETRN flush.example
        ETRN other.example
        ETRN #local
        QUIT",
    );
}
