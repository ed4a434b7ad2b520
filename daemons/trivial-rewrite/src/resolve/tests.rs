//! Answers of Postfix with the same parameters.

use pf_config::Config;
use pf_proto::resolve::Personality;
use pf_text::Show;

use super::resolve;
use crate::tables::Lists;

/// Results of Postfix's resolve service with the same parameters.
#[test]
fn addresses_go_where_postfix_sends_them() {
    let config = Config::for_tests(&[
        ("myhostname", "mail.example.test"),
        ("mydomain", "example.test"),
        ("myorigin", "example.test"),
        (
            "mydestination",
            "example.test, localhost, mail.example.test",
        ),
        ("inet_interfaces", "127.0.0.1"),
        ("relay_domains", "relay.test"),
        ("virtual_alias_domains", "valias.test"),
        ("virtual_mailbox_domains", "vbox.test"),
        ("recipient_delimiter", "+"),
        (
            "transport_maps",
            "inline:{ {t1.test=smtp:[1.2.3.4]} {.t2.test=lmtp:} {t3.test=:[hop]} {t5.test=error:} {u@t6.test=local:x} }",
        ),
        (
            "relocated_maps",
            "inline:{ {moved@example.test=new@place.test} }",
        ),
        (
            "sender_dependent_relayhost_maps",
            "inline:{ {s@r.test=[sdrh]} }",
        ),
    ]);
    let settings = crate::params::read(&config).unwrap();
    let tables = Lists::open(&config).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    for (sender, address, wanted) in [
        (
            "",
            "u@example.test",
            "local|mail.example.test|u@example.test|256",
        ),
        ("", "u@x.test@example.test", "smtp|x.test|u@x.test|4096"),
        (
            "",
            "a b",
            "local|mail.example.test|a b@mail.example.test|256",
        ),
        (
            "",
            "",
            "local|mail.example.test|MAILER-DAEMON@mail.example.test|256",
        ),
        (
            "",
            "a@valias.test",
            "error|5.1.1 User unknown in virtual alias table|a@valias.test|512",
        ),
        ("", "u@vbox.test", "virtual|vbox.test|u@vbox.test|1024"),
        ("", "u@relay.test", "relay|relay.test|u@relay.test|2048"),
        ("s@r.test", "u@relay.test", "relay|[sdrh]|u@relay.test|2048"),
        ("", "x@t1.test", "smtp|[1.2.3.4]|x@t1.test|4096"),
        ("", "x@a.t2.test", "lmtp|a.t2.test|x@a.t2.test|4096"),
        ("", "x@t3.test", "smtp|[hop]|x@t3.test|4096"),
        (
            "",
            "x@t5.test",
            "error|Address is undeliverable|x@t5.test|4096",
        ),
        ("", "u+e@t6.test", "local|x|u+e@t6.test|4096"),
        (
            "",
            "moved@example.test",
            "error|5.1.6 User has moved to new@place.test|moved@example.test|256",
        ),
        ("", "a%b@x.test", "smtp|x.test|a%b@x.test|4098"),
        (
            "",
            "u@[127.0.0.1]",
            "local|mail.example.test|u@[127.0.0.1]|256",
        ),
        (
            "",
            "u@-x.y",
            "CHANNEL NOT UPDATED|NEXTHOP NOT UPDATED|u@-x.y|4100",
        ),
    ] {
        let answer = runtime.block_on(resolve(
            &settings,
            &tables,
            Personality::Regular,
            sender.as_bytes(),
            address.as_bytes(),
        ));
        let found = format!(
            "{}|{}|{}|{}",
            Show(&answer.transport),
            Show(&answer.nexthop),
            Show(&answer.recipient),
            answer.flags.0
        );
        assert_eq!(found, wanted, "{address}");
    }
}
