//! Restrictions against a world from memory; replies and log lines to the letter.

use std::net::Ipv4Addr;

use pf_proto::resolve::ResolveFlags;
use pf_proto::verify::AddressStatus;

use super::ask::{HostList, Record};
use super::*;
use crate::fake::Fake;
use crate::params::tests::params;
use crate::session::state::tests::peer;
use crate::session::state::{NameStatus, Protocol};

/// What a recipient gets to hear, and what is logged.
async fn rcpt(
    fake: &Fake,
    settings: &[(&str, &str)],
    sender: &str,
    recipient: &str,
) -> (Option<String>, Vec<String>) {
    let params = params(settings);
    let mut session = session(sender);
    let outcome = Check::new(&params, fake, &mut session)
        .recipient(recipient.as_bytes())
        .await
        .unwrap();
    (
        outcome.map(|reply| String::from_utf8(reply).unwrap()),
        fake.log_lines(),
    )
}

fn session(sender: &str) -> Session {
    let mut session = Session::new(peer(), false);
    session.protocol = Protocol::Esmtp;
    session.helo = Some(b"client.example".to_vec());
    session.mail.sender = Some(sender.as_bytes().to_vec());
    session.stage = "RCPT";
    session
}

fn known(mut fake: Fake, address: &str) -> Fake {
    fake.addresses
        .insert(format!("LocalRecipient {address}"), "x".to_owned());
    fake
}

#[tokio::test]
async fn strangers_do_not_relay() {
    let (reply, log) = rcpt(
        &Fake::new(),
        &[("smtpd_relay_restrictions", "reject_unauth_destination")],
        "",
        "a@b.example",
    )
    .await;
    assert_eq!(
        reply.as_deref(),
        Some("554 5.7.1 <a@b.example>: Relay access denied")
    );
    assert_eq!(
        log,
        [
            "NOQUEUE: reject: RCPT from host.example[192.0.2.1]: 554 5.7.1 <a@b.example>: Relay access denied; from=<> to=<a@b.example> proto=ESMTP helo=<client.example>"
        ]
    );
    let (reply, _) = rcpt(&Fake::new(), &[], "", "a@b.example").await;
    assert_eq!(
        reply.as_deref(),
        Some("454 4.7.1 <a@b.example>: Relay access denied")
    );
    let (reply, _) = rcpt(
        &Fake::new(),
        &[("relay_recipient_maps", "")],
        "",
        "a@relay.example",
    )
    .await;
    assert_eq!(reply, None);
}

#[tokio::test]
async fn our_networks_relay() {
    let mut fake = Fake::new();
    fake.hosts
        .push(format!("{:?} 192.0.2.1", HostList::Mynetworks));
    let (reply, log) = rcpt(
        &fake,
        &[("smtpd_log_access_permit_actions", "permit_mynetworks")],
        "s@x",
        "a@b.example",
    )
    .await;
    assert_eq!(reply, None);
    assert_eq!(
        log,
        [
            "NOQUEUE: permit: RCPT from host.example[192.0.2.1]: action=permit_mynetworks for Client host=host.example[192.0.2.1] ; from=<s@x> to=<a@b.example> proto=ESMTP helo=<client.example>"
        ]
    );
}

#[tokio::test]
async fn unknown_recipients() {
    let settings = [
        ("local_recipient_maps", "static:x"),
        ("show_user_unknown_table_name", "yes"),
    ];
    let (reply, _) = rcpt(&Fake::new(), &settings, "", "nobody@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "550 5.1.1 <nobody@example.com>: Recipient address rejected: User unknown in local recipient table"
        )
    );
    let fake = known(Fake::new(), "somebody@example.com");
    assert_eq!(
        rcpt(&fake, &settings, "", "Somebody@Example.com").await.0,
        None
    );
    assert_eq!(
        rcpt(&Fake::new(), &settings, "", "postmaster").await.0,
        None
    );
    assert_eq!(
        rcpt(&Fake::new(), &settings, "", "postmaster@example.com")
            .await
            .0,
        None
    );
    let settings = [
        ("local_recipient_maps", "static:x"),
        ("smtpd_reject_unlisted_sender", "yes"),
    ];
    let (reply, _) = rcpt(
        &Fake::new(),
        &settings,
        "nobody@example.com",
        "a@example.com",
    )
    .await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "550 5.1.0 <nobody@example.com>: Sender address rejected: User unknown in local recipient table"
        )
    );
    let mut fake = Fake::new();
    fake.domains
        .insert("example.com".to_owned(), ResolveFlags::LOCAL);
    let overridden = [("receive_override_options", "no_unknown_recipient_checks")];
    assert_eq!(
        rcpt(&fake, &overridden, "", "nobody@example.com").await.0,
        None
    );
}

fn with_table(key: &str, value: &str) -> Fake {
    let mut fake = known(Fake::new(), "a@example.com");
    fake.tables
        .insert(format!("hash:t {key}"), value.to_owned());
    fake
}

async fn client_access(value: &str) -> (Option<String>, Vec<String>) {
    let fake = with_table("192.0.2", value);
    let settings = [("smtpd_client_restrictions", "check_client_access hash:t")];
    rcpt(&fake, &settings, "s@x.example", "a@example.com").await
}

#[tokio::test]
async fn every_action_of_access_tables() {
    const CLIENT: &str = "<host.example[192.0.2.1]>: Client host";
    let context = "from=<s@x.example> to=<a@example.com> proto=ESMTP helo=<client.example>";
    for (value, reply, log) in [
        ("OK", None, None),
        ("1234", None, None),
        ("dunno", None, None),
        (
            "REJECT",
            Some("554 5.7.1 C rejected: Access denied"),
            Some("reject"),
        ),
        (
            "REJECT 5.7.2 go away",
            Some("554 5.7.2 C rejected: go away"),
            Some("reject"),
        ),
        ("REJECT 5.1.1 no", Some("554 5.0.0 C rejected: no"), None),
        (
            "DEFER later",
            Some("450 4.7.1 C rejected: later"),
            Some("reject"),
        ),
        ("571 x", Some("571 5.7.1 C rejected: x"), Some("reject")),
        (
            "421 4.7.0 x",
            Some("421 4.7.0 C rejected: x"),
            Some("reject"),
        ),
        (
            "DEFER_IF_PERMIT",
            Some("450 4.7.1 C rejected: Service unavailable"),
            Some("reject"),
        ),
        ("DEFER_IF_REJECT", None, None),
        (
            "reject_unknown_nonsense",
            Some("451 4.3.5 Server configuration error"),
            None,
        ),
        ("hash:x", Some("451 4.3.5 Server configuration error"), None),
        (
            "reject",
            Some("554 5.7.1 C rejected: Access denied"),
            Some("reject"),
        ),
        ("permit", None, None),
    ] {
        let (got, lines) = client_access(value).await;
        let wanted = reply.map(|reply| {
            reply
                .replace('C', CLIENT)
                .replace(&format!("{CLIENT}lient"), "Client")
        });
        let wanted = match reply {
            Some(text) if text.contains(" C rejected") => {
                Some(text.replacen(" C rejected", &format!(" {CLIENT} rejected"), 1))
            }
            Some(text) => Some(text.to_owned()),
            None => wanted,
        };
        assert_eq!(got, wanted, "{value}");
        if let (Some(what), Some(reply)) = (log, &wanted) {
            let line =
                format!("NOQUEUE: {what}: RCPT from host.example[192.0.2.1]: {reply}; {context}");
            assert_eq!(lines.last(), Some(&line), "{value}");
        }
    }
    for (value, line) in [
        (
            "INFO hello",
            "NOQUEUE: info: RCPT from host.example[192.0.2.1]: hello; ",
        ),
        (
            "WARN hello",
            "NOQUEUE: warn: RCPT from host.example[192.0.2.1]: hello; ",
        ),
        (
            "HOLD",
            "NOQUEUE: hold: RCPT from host.example[192.0.2.1]: <host.example[192.0.2.1]>: Client host triggers HOLD action; ",
        ),
        (
            "DISCARD",
            "NOQUEUE: discard: RCPT from host.example[192.0.2.1]: <host.example[192.0.2.1]>: Client host triggers DISCARD action; ",
        ),
        (
            "FILTER smtp:x",
            "NOQUEUE: filter: RCPT from host.example[192.0.2.1]: <host.example[192.0.2.1]>: Client host triggers FILTER smtp:x; ",
        ),
        (
            "REDIRECT x@y",
            "NOQUEUE: redirect: RCPT from host.example[192.0.2.1]: <host.example[192.0.2.1]>: Client host triggers REDIRECT x@y; ",
        ),
        (
            "BCC x@y",
            "NOQUEUE: bcc: RCPT from host.example[192.0.2.1]: <host.example[192.0.2.1]>: Client host triggers BCC x@y; ",
        ),
        (
            "REDIRECT x",
            "warning: access table hash:t entry \"192.0.2.1\" requires user@domain target",
        ),
        (
            "FILTER x",
            "warning: access table hash:t entry \"192.0.2.1\" requires transport:destination",
        ),
        (
            "PREPEND x",
            "warning: access table hash:t entry \"192.0.2.1\" requires header: text",
        ),
    ] {
        let (reply, lines) = client_access(value).await;
        assert_eq!(reply, None, "{value}");
        let wanted = if line.ends_with("; ") {
            format!("{line}{context}")
        } else {
            line.to_owned()
        };
        assert_eq!(lines, [wanted], "{value}");
    }
}

#[tokio::test]
async fn bug_20260310_an_enhanced_code_alone_is_enough() {
    let (reply, _) = client_access("REJECT 5.7.2").await;
    assert_eq!(
        reply.as_deref(),
        Some("554 5.7.2 <host.example[192.0.2.1]>: Client host rejected: Access denied")
    );
}

#[tokio::test]
async fn actions_are_kept_for_cleanup() {
    let fake = with_table("x.example", "HOLD");
    let params = params(&[("smtpd_sender_restrictions", "check_sender_access hash:t")]);
    let mut session = session("s@x.example");
    Check::new(&params, &fake, &mut session)
        .recipient(b"a@example.com")
        .await
        .unwrap();
    assert!(
        session
            .mail
            .cleanup_flags
            .has(pf_proto::cleanup::Flags::HOLD)
    );
}

#[tokio::test]
async fn tables_with_trouble_defer() {
    let mut fake = known(Fake::new(), "a@example.com");
    fake.broken.push("hash:t".to_owned());
    let settings = [("smtpd_sender_restrictions", "check_sender_access hash:t")];
    let (reply, _) = rcpt(&fake, &settings, "s@x.example", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("451 4.3.5 <s@x.example>: Sender address rejected: Server configuration error")
    );
    let mut fake = Fake::new();
    fake.resolver_fails = true;
    let (reply, _) = rcpt(&fake, &[], "s@x.example", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("451 4.3.0 <a@example.com>: Temporary lookup failure")
    );
}

#[test]
fn a_class_that_names_itself_ends() {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let (reply, _) = runtime.unwrap().block_on(async {
            let settings = [
                ("smtpd_restriction_classes", "loop"),
                ("loop", "loop"),
                ("smtpd_sender_restrictions", "loop"),
            ];
            rcpt(&Fake::new(), &settings, "s@x.example", "a@example.com").await
        });
        reply
    };
    // As much stack as a process has.
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    let reply = thread.spawn(run).unwrap().join().unwrap();
    assert_eq!(
        reply.as_deref(),
        Some("451 4.3.5 Server configuration error")
    );
}

#[tokio::test]
async fn the_null_sender_has_a_key_of_its_own() {
    let fake = with_table("<>", "REJECT");
    let settings = [("smtpd_sender_restrictions", "check_sender_access hash:t")];
    let (reply, _) = rcpt(&fake, &settings, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("554 5.7.1 <>: Sender address rejected: Access denied")
    );
}

#[tokio::test]
async fn helo_names() {
    let params = params(&[
        (
            "smtpd_helo_restrictions",
            "reject_invalid_helo_hostname reject_non_fqdn_helo_hostname",
        ),
        ("smtpd_delay_reject", "no"),
    ]);
    for (helo, reply) in [
        ("good.example", None),
        ("[192.0.2.1]", None),
        ("[IPv6:2001:db8::1]", None),
        (
            "[1.2.3]",
            Some("501 5.5.2 <[1.2.3]>: Helo command rejected: invalid ip address"),
        ),
        (
            "a..b",
            Some("501 5.5.2 <a..b>: Helo command rejected: Invalid name"),
        ),
        ("good.example.", None),
        (
            "192.0.2.1",
            Some("504 5.5.2 <192.0.2.1>: Helo command rejected: need fully-qualified hostname"),
        ),
        (
            "short",
            Some("504 5.5.2 <short>: Helo command rejected: need fully-qualified hostname"),
        ),
    ] {
        let fake = Fake::new();
        let mut session = session("");
        let outcome = Check::new(&params, &fake, &mut session)
            .helo(Some(helo.as_bytes()))
            .await
            .unwrap();
        assert_eq!(
            outcome
                .map(|reply| String::from_utf8(reply).unwrap())
                .as_deref(),
            reply,
            "{helo}"
        );
    }
}

#[tokio::test]
async fn unknown_names() {
    let fake = known(Fake::new(), "a@example.com");
    let settings = [("smtpd_helo_restrictions", "reject_unknown_helo_hostname")];
    let (reply, _) = rcpt(&fake, &settings, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("450 4.7.1 <client.example>: Helo command rejected: Host not found")
    );
    let settings = [("smtpd_sender_restrictions", "reject_unknown_sender_domain")];
    let (reply, _) = rcpt(&fake, &settings, "s@nowhere.example", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("450 4.1.8 <s@nowhere.example>: Sender address rejected: Domain not found")
    );
    let mut fake = known(Fake::new(), "a@example.com");
    fake.dns.insert("Mx null.example".to_owned(), Vec::new());
    let (reply, _) = rcpt(&fake, &settings, "s@null.example", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "550 5.7.27 <s@null.example>: Sender address rejected: Domain null.example does not accept mail (nullMX)"
        )
    );
    let mut fake = known(Fake::new(), "a@example.com");
    fake.dns.insert(
        "A ok.example".to_owned(),
        vec![Record::A(Ipv4Addr::LOCALHOST)],
    );
    assert_eq!(
        rcpt(&fake, &settings, "s@ok.example", "a@example.com")
            .await
            .0,
        None
    );
}

#[tokio::test]
async fn unknown_clients() {
    for (status, code) in [
        (NameStatus::Permanent, "450"),
        (NameStatus::Temporary, "450"),
    ] {
        let params = params(&[(
            "smtpd_client_restrictions",
            "reject_unknown_client_hostname",
        )]);
        let fake = Fake::new();
        let mut session = session("");
        session.peer.name_status = status;
        let reply = Check::new(&params, &fake, &mut session)
            .client()
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            String::from_utf8(reply).unwrap(),
            format!("{code} 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]")
        );
    }
}

#[tokio::test]
async fn lists_in_dns() {
    let mut fake = known(Fake::new(), "a@example.com");
    fake.dns.insert(
        "A 1.2.0.192.list.example".to_owned(),
        vec![Record::A(Ipv4Addr::new(127, 0, 0, 4))],
    );
    fake.dns.insert(
        "Txt 1.2.0.192.list.example".to_owned(),
        vec![
            Record::Txt(b"listed".to_vec()),
            Record::Txt(b"twice".to_vec()),
        ],
    );
    let settings = [(
        "smtpd_client_restrictions",
        "reject_rbl_client list.example=127.0.0.[2..4]",
    )];
    let (reply, _) = rcpt(&fake, &settings, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using list.example; listed / twice"
        )
    );
    let settings = [(
        "smtpd_client_restrictions",
        "reject_rbl_client list.example=127.0.0.3",
    )];
    assert_eq!(rcpt(&fake, &settings, "", "a@example.com").await.0, None);
    let settings = [(
        "smtpd_client_restrictions",
        "permit_dnswl_client list.example reject",
    )];
    assert_eq!(rcpt(&fake, &settings, "", "a@example.com").await.0, None);
}

#[tokio::test]
async fn warnings_instead_of_refusals() {
    let fake = known(Fake::new(), "a@example.com");
    let settings = [(
        "smtpd_sender_restrictions",
        "warn_if_reject reject_non_fqdn_sender",
    )];
    let (reply, log) = rcpt(&fake, &settings, "short", "a@example.com").await;
    assert_eq!(reply, None);
    assert_eq!(
        log,
        [
            "NOQUEUE: reject_warning: RCPT from host.example[192.0.2.1]: 504 5.5.2 <short>: Sender address rejected: need fully-qualified address; from=<short> to=<a@example.com> proto=ESMTP helo=<client.example>"
        ]
    );
}

#[tokio::test]
async fn verified_addresses() {
    let mut fake = known(Fake::new(), "a@example.com");
    fake.verified = Some((AddressStatus::Bounce, "host said no".to_owned()));
    let settings = [(
        "smtpd_recipient_restrictions",
        "reject_unverified_recipient",
    )];
    let (reply, _) = rcpt(&fake, &settings, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "450 4.1.1 <a@example.com>: Recipient address rejected: unverified address: host said no"
        )
    );
    let strict = [settings[0], ("unverified_recipient_reject_code", "550")];
    let (reply, _) = rcpt(&fake, &strict, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "550 5.1.1 <a@example.com>: Recipient address rejected: undeliverable address: host said no"
        )
    );
    fake.verified = Some((
        AddressStatus::Todo,
        "Address verification in progress".to_owned(),
    ));
    let (reply, _) = rcpt(&fake, &settings, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some(
            "450 4.1.1 <a@example.com>: Recipient address rejected: unverified address: Address verification in progress"
        )
    );
    assert_eq!(fake.slept.borrow().as_secs(), 6);
    fake.verified = Some((AddressStatus::Ok, String::new()));
    assert_eq!(rcpt(&fake, &settings, "", "a@example.com").await.0, None);
}

#[tokio::test]
async fn policy_servers_out_of_reach() {
    let fake = known(Fake::new(), "a@example.com");
    let settings = [(
        "smtpd_recipient_restrictions",
        "check_policy_service unix:private/policy",
    )];
    let (reply, log) = rcpt(&fake, &settings, "", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("451 4.3.5 <a@example.com>: Recipient address rejected: Server configuration problem")
    );
    assert_eq!(
        log[0],
        "warning: problem talking to server private/policy: Connection refused"
    );
}

#[tokio::test]
async fn servers_of_a_domain() {
    let mut fake = with_table("mx.bad.example", "REJECT");
    fake.dns.insert(
        "Mx x.example".to_owned(),
        vec![Record::Mx(10, "mx.bad.example".to_owned())],
    );
    let settings = [("smtpd_sender_restrictions", "check_sender_mx_access hash:t")];
    let (reply, _) = rcpt(&fake, &settings, "s@x.example", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("554 5.7.1 <s@x.example>: Sender address rejected: Access denied")
    );
    fake.tables
        .insert("hash:t mx.bad.example".to_owned(), "OK".to_owned());
    let (reply, _) = rcpt(&fake, &settings, "s@x.example", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("451 4.3.5 Server configuration error")
    );
}

#[tokio::test]
async fn backups_take_mail() {
    let mut fake = Fake::new();
    fake.dns.insert(
        "Mx backed.example".to_owned(),
        vec![
            Record::Mx(20, "mail.example.com".to_owned()),
            Record::Mx(10, "mx.other.example".to_owned()),
        ],
    );
    fake.dns.insert(
        "A mx.other.example".to_owned(),
        vec![Record::A(Ipv4Addr::new(192, 0, 2, 9))],
    );
    let settings = [(
        "smtpd_relay_restrictions",
        "permit_mx_backup reject_unauth_destination",
    )];
    assert_eq!(rcpt(&fake, &settings, "", "a@backed.example").await.0, None);
    let (reply, _) = rcpt(&fake, &settings, "", "a@other.example").await;
    assert_eq!(
        reply.as_deref(),
        Some("554 5.7.1 <a@other.example>: Relay access denied")
    );
}

#[tokio::test]
async fn classes_and_soft_bounces() {
    let fake = known(Fake::new(), "a@example.com");
    let settings = [
        ("smtpd_restriction_classes", "strict"),
        ("strict", "reject_non_fqdn_sender"),
        ("smtpd_recipient_restrictions", "strict"),
        ("soft_bounce", "yes"),
    ];
    let (reply, _) = rcpt(&fake, &settings, "short", "a@example.com").await;
    assert_eq!(
        reply.as_deref(),
        Some("404 4.5.2 <short>: Sender address rejected: need fully-qualified address")
    );
}

#[tokio::test]
async fn bounces_have_one_recipient() {
    let params = params(&[("smtpd_data_restrictions", "reject_multi_recipient_bounce")]);
    let fake = Fake::new();
    let mut session = session("");
    session.stage = "DATA";
    session.recipients = 2;
    let reply = Check::new(&params, &fake, &mut session)
        .data()
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        reply,
        b"550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce"
    );
}

#[tokio::test]
async fn sizes_and_space() {
    let params = params(&[("message_size_limit", "1000")]);
    let fake = Fake::new();
    let mut session = session("");
    session.stage = "MAIL";
    let mut check = Check::new(&params, &fake, &mut session);
    assert_eq!(check.size(1000), None);
    assert_eq!(
        check.size(1001).unwrap(),
        b"552 5.3.4 Message size exceeds fixed limit"
    );
    assert_eq!(check.queue_space(1 << 20), None);
    assert_eq!(
        check.queue_space(1400).unwrap(),
        b"452 4.3.1 Insufficient system storage"
    );
}
