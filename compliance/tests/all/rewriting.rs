//! The parameters of `trivial-rewrite`, each in a service of its own that is asked through its socket.

use std::fmt::Write as _;

use compliance::golden::{check, log};
use compliance::ipc::Peer;
use compliance::testkit::Instance;

const MAIN_CF: &str = "\
myorigin = origin.example
mydomain = dom.example
mydestination = $myhostname, localhost, test.example, pcre:{{/^both[12]/ x}}
virtual_alias_domains = va.example, both1.example, both3.example
virtual_mailbox_domains = vm.example, both2.example, both3.example, both4.example
relay_domains = rel.example, both3.example, both4.example
default_transport = smtp
relayhost = [gw.example]:2525
recipient_delimiter = +
";

/// What makes each service differ from the first.
const VARIANTS: &[&[&str]] = &[
    &[],
    &["append_at_myorigin=no"],
    &["append_dot_mydomain=yes"],
    &["append_dot_mydomain=yes", "append_at_myorigin=no"],
    &["swap_bangpath=no"],
    &["allow_percent_hack=no"],
    &["resolve_dequoted_address=no"],
    &["resolve_null_domain=yes"],
    &["resolve_numeric_domain=yes"],
    &["remote_header_rewrite_domain=dom.invalid"],
    &[
        "remote_header_rewrite_domain=dom.invalid",
        "append_dot_mydomain=yes",
    ],
    &["recipient_delimiter=-+"],
    &["allow_min_user=yes"],
    &["empty_address_recipient=nobody@else.example"],
    &["show_user_unknown_table_name=no"],
    &["parent_domain_matches_subdomains="],
    &["relayhost="],
    &["relayhost=gw.example"],
    &[
        "myorigin=other.example",
        "mydomain=x",
        "append_dot_mydomain=yes",
    ],
    &["owner_request_special=no"],
    &[
        "local_transport=lt",
        "virtual_transport=vt:",
        "relay_transport=rt:hop",
        "default_transport=dt:[x]:9",
    ],
    &[
        "local_transport=lt:there",
        "virtual_transport=vt:[a:b]:c",
        "relay_transport=:hop",
        "default_transport=:x",
    ],
    &[
        "transport_maps=inline:{{else.example=t:n} {u@rel.example=:hop} {test.example=t:} {vm.example=:} {va.example=x:y} {*=star:s}}",
    ],
    &[
        "transport_maps=inline:{{else.example=error} {rel.example=retry:} {test.example=error:5.1.9 gone} {vm.example=discard} {.rel.example=sub:} {<>=null:n}}",
    ],
    &[
        "transport_maps=inline:{{else.example= t : n } {rel.example=t:[n]:p} {test.example=local:$myhostname} {u@vm.example=} {lone=x:}}",
    ],
    &["transport_maps=pcre:{{/^u@(.*)/ p:$$1} {/./ any:}}"],
    &["transport_maps=regexp:{{/^u@rel/ r:x}} inline:{{u@rel.example=second:}} static:all:hop"],
    &[
        "transport_maps=inline:{{u+ext@rel.example=ext:} {u@rel.example=noext:} {+ext@rel.example=odd:}}",
    ],
    &["transport_maps=fail:x"],
    &[
        "relayhost=",
        "sender_dependent_relayhost_maps=inline:{{s@s.example=[srelay]} {@s2.example=s2relay} {<>=nullrelay} {lone=l}}",
    ],
    &["sender_dependent_relayhost_maps=inline:{{s@s.example=DUNNO} {@s2.example=} {<>=dunno}}"],
    &["sender_dependent_relayhost_maps=fail:x"],
    &[
        "sender_dependent_default_transport_maps=inline:{{s@s.example=sd} {@s2.example=sd2:hop} {<>=nulltransport:n}}",
    ],
    &[
        "sender_dependent_default_transport_maps=inline:{{s@s.example=DUNNO} {@s2.example=} {<>=:onlyhop}}",
    ],
    &[
        "empty_address_relayhost_maps_lookup_key=null@x",
        "empty_address_default_transport_maps_lookup_key=null@y",
        "sender_dependent_relayhost_maps=inline:{{null@x=nx}}",
        "sender_dependent_default_transport_maps=inline:{{null@y=ny}}",
    ],
    &[
        "relocated_maps=inline:{{u@else.example=new@x.example} {lone=elsewhere} {@rel.example=all moved} {u@test.example=here} {u@va.example=virt}}",
    ],
    &[
        "relocated_maps=inline:{{u@else.example=5.1.6 gone away} {@rel.example=no code} {u@test.example=4.2.1 later} {u@vm.example=5.1.6}}",
        "relocated_prefix_enable=no",
    ],
    &["relocated_maps=fail:x"],
    &["virtual_alias_domains=fail:x"],
    &["relay_domains=fail:x"],
    &["mydestination=fail:x"],
    &[
        "address_verify_relayhost=vrelay",
        "address_verify_default_transport=vdt",
        "address_verify_local_transport=vlt",
        "address_verify_relay_transport=vrt",
        "address_verify_virtual_transport=vvt",
        "address_verify_transport_maps=inline:{{else.example=vtm:x}}",
    ],
    &[
        "address_verify_sender_dependent_relayhost_maps=inline:{{s@s.example=vsd}}",
        "address_verify_sender_dependent_default_transport_maps=inline:{{s@s.example=vsdt}}",
    ],
    &["inet_interfaces=all", "proxy_interfaces=192.0.2.9"],
    &["smtputf8_enable=no"],
    &["helpful_warnings=no"],
];

const ADDRESSES: &[&str] = &[
    "",
    "u",
    "lone",
    "u@",
    "@",
    "@x",
    "@x:",
    "@x,@y:u@z",
    "u@rel.example",
    "u+ext@rel.example",
    "u@sub.rel.example",
    "U@REL.Example",
    "u@else.example",
    "u@else.example.",
    "u@else.example..",
    "u@.",
    "u@test.example",
    "u@va.example",
    "u@vm.example",
    "u@both1.example",
    "u@both2.example",
    "u@both3.example",
    "u@both4.example",
    "u@host",
    "a!b",
    "a!b!c",
    "a!b@test.example",
    "a!b@c.d",
    "a%b",
    "a%b%c.d",
    "a%b@test.example",
    "a%b@rel.example",
    "\"a%b\"@test.example",
    "\"a@else.example\"@test.example",
    "\"a b\"@else.example",
    "\"a b\"@test.example",
    "a b@test.example",
    "u@[127.0.0.1]",
    "u@[192.0.2.9]",
    "u@[192.0.2.10]",
    "u@[IPv6:::1]",
    "u@[]",
    "u@[bad",
    "u@192.0.2.9",
    "u@127.0.0.1",
    "-u@test.example",
    "-u@else.example",
    "+ext@rel.example",
    "owner-list@rel.example",
    "u@-x.example",
    "u@x_y.example",
    "MAILER-DAEMON",
    "postmaster",
    "u@x@test.example",
    "u@else.example@test.example",
    "@test.example",
    "\"\"@test.example",
    "\"\"",
    "u-x+y@rel.example",
    "\u{e9}@else.example",
    "u@\u{e9}.example",
    "u@xn--9ca.example",
    "(c) u",
    "u (c)",
    "<u@x>",
    "u,v",
    "u:v",
    "a;b@c",
    "u@\"else.example\"",
    "u..v@else.example",
    ".u@else.example",
    "u.@else.example",
    "u @ else.example",
    "u@a b",
    "\\u@else.example",
];

/// What is asked of an address: the request, and its rule or sender.
const QUESTIONS: [(&str, &str); 6] = [
    ("rewrite", "local"),
    ("rewrite", "remote"),
    ("resolve", ""),
    ("resolve", "s@s.example"),
    ("resolve", "x+y@s2.example"),
    ("verify", "s@s.example"),
];

/// The answers of a service to all questions, for each address.
fn answers(instance: &Instance, service: &str) -> Vec<Vec<String>> {
    let mut peer = Peer::connect(instance, service);
    peer.receive();
    let mut ask = |address: &str, (request, detail): (&str, &str)| {
        let name = if request == "rewrite" {
            "rule"
        } else {
            "sender"
        };
        peer.send(&[("request", request), (name, detail), ("address", address)]);
        let values: Vec<_> = peer.receive().into_iter().map(|(_, value)| value).collect();
        values.join("|")
    };
    ADDRESSES
        .iter()
        .map(|address| QUESTIONS.map(|question| ask(address, question)).to_vec())
        .collect()
}

/// The answers about an address that are not as usual, each once.
fn told(text: &mut String, address: &str, these: &[String], usual: Option<&Vec<String>>) {
    for (n, answer) in these.iter().enumerate() {
        if usual.is_some_and(|usual| usual[n] == *answer) || these[..n].contains(answer) {
            continue;
        }
        let same: Vec<_> = (n..these.len())
            .filter(|&other| these[other] == *answer)
            .collect();
        let marks: String = same
            .iter()
            .map(|other| char::from(b"lrnstv"[*other]))
            .collect();
        writeln!(text, "{marks} {address} -> {answer}").unwrap();
    }
}

#[test]
fn each_parameter() {
    let services: String = VARIANTS
        .iter()
        .enumerate()
        .map(|(n, settings)| {
            let options: String = settings
                .iter()
                .map(|one| format!("  -o {{{one}}}\n"))
                .collect();
            format!("rw{n} unix - - n - - trivial-rewrite\n{options}")
        })
        .collect();
    let instance = Instance::builder()
        .main_cf(MAIN_CF)
        .master_cf(&services)
        .start();
    let usual = answers(&instance, "private/rw0");
    let mut text = String::new();
    for (n, settings) in VARIANTS.iter().enumerate() {
        writeln!(text, "== {}", settings.join(" ")).unwrap();
        let these = match n {
            0 => usual.clone(),
            _ => answers(&instance, &format!("private/rw{n}")),
        };
        // A table that cannot tell fails for all alike.
        let count = if settings.concat().contains("fail:") {
            14
        } else {
            ADDRESSES.len()
        };
        for (at, address) in ADDRESSES.iter().enumerate().take(count) {
            told(
                &mut text,
                address,
                &these[at],
                usual.get(at).filter(|_| n > 0),
            );
        }
    }
    let mut lines: Vec<String> = log(&instance, "warning: ")
        .lines()
        .filter_map(|line| Some(line.split_once("]: ")?.1.to_owned()))
        .collect();
    // This is asked for by the original before anybody wants to know.
    lines.retain(|line| !line.ends_with("\"*\""));
    lines.sort();
    lines.dedup();
    text += &lines.join("\n");
    instance.assert_no_panic();
    check(&instance, "rewriting", &text);
}
