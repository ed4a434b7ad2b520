//! The parameters of `cleanup`, each in a service of its own that is handed messages through its socket.

use std::fmt::Write as _;

use compliance::cleaned::{message, submit};
use compliance::golden::{check, log, normalise};
use compliance::testkit::Instance;

const MAIN_CF: &str = "\
in_flow_delay = 0
recipient_delimiter = +
virtual_alias_domains = va.example
default_transport = discard
virtual_alias_maps = inline:{{v1@va.example=v2@va.example, x@else.example} {v2@va.example=y@else.example} {loop1@va.example=loop2@va.example} {loop2@va.example=loop1@va.example} {self@va.example=self@va.example, z@else.example} {deep1@va.example=deep2@va.example} {deep2@va.example=deep3@va.example} {deep3@va.example=end@else.example} {wide@va.example=a@b,c@d,e@f,g@h} {@all.example=@other.example} {ext@va.example=e@else.example} {bad@va.example=a b,,@,<c>} {long@va.example=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@else.example} {lone=l@else.example} {empty@va.example=} {quoted@va.example=\"q r\"@else.example}}
canonical_maps = inline:{{c1@else.example=c2@else.example} {c2@else.example=c3@else.example} {@cd.example=@ce.example} {cq@else.example=\"a b\"} {cl=clean@else.example}}
sender_canonical_maps = inline:{{s1@else.example=sc@else.example}}
recipient_canonical_maps = inline:{{r1@else.example=rc@else.example}}
masquerade_domains = host.example !keep.masq.example masq.example
";

/// What makes each service differ from the first.
const VARIANTS: &[&[&str]] = &[
    &[],
    &["enable_long_queue_ids=yes"],
    &["always_bcc=copy"],
    &["always_bcc=copy@va.example"],
    &[
        "sender_bcc_maps=inline:{{s1@else.example=sb} {sc@else.example=v1@va.example} {@cd.example=cd@x} {@ce.example=ce@x}}",
    ],
    &[
        "recipient_bcc_maps=inline:{{r1@else.example=rb} {rc@else.example=rcb@x} {v1@va.example=vb@x} {@all.example=ab@x} {c1+ext@else.example=eb@x}}",
    ],
    &["sender_bcc_maps=fail:x"],
    &["recipient_bcc_maps=fail:x"],
    &["canonical_maps=fail:x"],
    &["virtual_alias_maps=fail:x"],
    &["canonical_classes=envelope_sender"],
    &["canonical_classes=envelope_recipient header_recipient"],
    &["canonical_classes=header_sender"],
    &[
        "sender_canonical_classes=header_sender",
        "recipient_canonical_classes=envelope_recipient",
    ],
    &["masquerade_classes=envelope_recipient"],
    &["masquerade_classes=header_recipient, envelope_sender"],
    &["masquerade_exceptions=root s1"],
    &["masquerade_domains=!!host.example, Example"],
    &["propagate_unmatched_extensions="],
    &["propagate_unmatched_extensions=virtual"],
    &["virtual_alias_expansion_limit=3"],
    &["virtual_alias_recursion_limit=2"],
    &["virtual_alias_address_length_limit=50"],
    &["duplicate_filter_limit=0"],
    &["duplicate_filter_limit=1"],
    &["enable_original_recipient=no"],
    &["hopcount_limit=2"],
    &["always_add_missing_headers=yes"],
    &["undisclosed_recipients_header="],
    &["undisclosed_recipients_header=To: nobody told"],
    &["undisclosed_recipients_header=junk"],
    &["header_from_format=obsolete"],
    &["message_drop_headers=subject X-One"],
    &["message_drop_headers="],
    &["message_reject_characters=\\141\\142"],
    &["message_strip_characters=\\141e"],
    &["header_size_limit=60"],
    &["header_address_token_limit=10"],
    &[
        "body_checks_size_limit=4",
        "body_checks=regexp:{{/./ WARN seen}}",
    ],
    &["header_checks=regexp:{{/^Received/ INFO r} {/^Message-Id/ INFO m} {/^From/ INFO f}}"],
    &["delay_warning_time=4h"],
    &["message_size_limit=500"],
    &["queue_file_attribute_count_limit=1"],
    &["empty_address_recipient=root+null"],
    &["smtputf8_enable=no"],
    &["smtputf8_autodetect_classes=all"],
    &["enable_idna2003_compatibility=yes"],
    &["myhostname=other.example", "myorigin=orig.example"],
    &["local_header_rewrite_clients=static:all"],
    &["info_log_address_format=internal"],
];

/// Checks, address mapping, automatic copies, SMTP replies; and on hold, so that the file stays.
const FLAGS: &str = "118";

/// How many services are asked at the same time.
const WORKERS: usize = 6;

fn messages() -> Vec<Vec<(char, &'static str)>> {
    let mut all = vec![
        message(
            "s1@else.example",
            &[
                "r1@else.example",
                "c1+ext@else.example",
                "r1@else.example",
                "R1@Else.example",
                "lone",
                "lone+x",
                "",
            ],
            &[
                "From: s1@else.example, c1@else.example, u@a.host.example",
                "To: r1@else.example, s1@else.example, v1@va.example, u@b.keep.masq.example",
                "Subject: a",
                "X-One: 1",
                "",
                "body a",
                "second line of some length",
            ],
        ),
        message(
            "c1@else.example",
            &[
                "v1@va.example",
                "v1+e@va.example",
                "self@va.example",
                "wide@va.example",
                "u@all.example",
                "u+e@all.example",
                "ext+f@va.example",
                "quoted@va.example",
            ],
            &["Cc: c1@else.example", "", ""],
        ),
        message(
            "u@a.host.example",
            &["loop1@va.example", "ok@else.example"],
            &["", ""],
        ),
        message(
            "root@a.host.example",
            &[
                "deep1@va.example",
                "root@x.masq.example",
                "s1@x.masq.example",
                "u@x.keep.masq.example",
            ],
            &["Subject: x", "", ""],
        ),
        message(
            "u@cd.example",
            &[
                "bad@va.example",
                "empty@va.example",
                "long@va.example",
                "cq@else.example",
                "cl",
                "cl@else.example",
                "x@cd.example",
            ],
            &["Received: 2", "Received: 3", "", "z"],
        ),
        message(
            "",
            &["mailer-daemon", "unknown@va.example"],
            &["Resent-From: x", ""],
        ),
        message(
            "MAILER-DAEMON",
            &["\u{e9}@else.example", "u@\u{e9}.example"],
            &["Subject: \u{e9}", "From: \u{e9}@else.example", "", "\u{e9}"],
        ),
    ];
    let mut options = message("q@else.example", &[], &["", ""]);
    options.truncate(3);
    for (kind, data) in [
        ('A', "log_client_name=c"),
        ('A', "log_client_address=192.0.2.1"),
        ('A', "one=1"),
        ('A', "two=2"),
        ('A', "notify_flags=2"),
        ('A', "dsn_orig_rcpt=rfc822;o@x"),
        ('O', "given@x"),
        ('R', "v1@va.example"),
        ('O', "again@x"),
        ('R', "x@else.example"),
        ('M', ""),
        ('N', "Received: by x"),
        ('N', "To: undisclosed"),
        ('N', ""),
        ('X', ""),
        ('R', "late@va.example"),
        ('E', ""),
    ] {
        options.push((kind, data));
    }
    all.push(options);
    all
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
            format!("cl{n} unix n - n - 0 cleanup\n{options}")
        })
        .collect();
    let instance = Instance::builder()
        .main_cf(MAIN_CF)
        .master_cf(&services)
        .start();
    let messages = messages();
    let one = &|n: usize| -> Vec<String> {
        let service = format!("public/cl{n}");
        let told =
            |records: &Vec<_>| normalise(&instance, &submit(&instance, &service, FLAGS, records));
        messages.iter().map(told).collect()
    };
    // Several at a time, as each message waits for the disk.
    let all: Vec<Vec<String>> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                scope.spawn(move || {
                    (worker..VARIANTS.len())
                        .step_by(WORKERS)
                        .map(one)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let mut done: Vec<_> = workers
            .into_iter()
            .map(|worker| worker.join().unwrap().into_iter())
            .collect();
        (0..VARIANTS.len())
            .map(|n| done[n % WORKERS].next().unwrap())
            .collect()
    });
    let mut text = String::new();
    for (n, (settings, these)) in VARIANTS.iter().zip(&all).enumerate() {
        writeln!(text, "== {}", settings.join(" ")).unwrap();
        for (at, (told, usual)) in these.iter().zip(&all[0]).enumerate() {
            if n == 0 {
                writeln!(text, "-- {at}\n{told}").unwrap();
            } else if told != usual {
                writeln!(text, "-- {at}\n{}", changes(usual, told)).unwrap();
            }
        }
    }
    let mut lines: Vec<String> = log(&instance, r"postfix/cleanup\[\d+\]: ")
        .lines()
        .filter_map(|line| Some(line.split_once("]: ")?.1.to_owned()))
        .collect();
    // Ours has noticed earlier that a message is too large than when it closes the file.
    lines.retain(|line| !line.contains("message-id=<") && !line.contains("close error"));
    let id = |line: &String| {
        line.trim_start_matches("warning: ")
            .split_once(": ")
            .map(|(id, _)| id.to_owned())
    };
    for line in &mut lines {
        if let Some(id) =
            id(line).filter(|id| id.len() > 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()))
        {
            *line = line.replace(&id, "QID");
        }
    }
    lines.sort();
    text += &lines.join("\n");
    instance.assert_no_panic();
    check(&instance, "cleaning", &text);
}

/// The lines that went and those that came.
fn changes(before: &str, after: &str) -> String {
    let gone = before
        .lines()
        .filter(|line| !after.lines().any(|other| other == *line));
    let new = after
        .lines()
        .filter(|line| !before.lines().any(|other| other == *line));
    let gone = gone.map(|line| format!("less {line}\n"));
    gone.chain(new.map(|line| format!("more {line}\n")))
        .collect()
}
