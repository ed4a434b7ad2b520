//! `postconf`: files with odd syntax, all modes, edits.

use super::case::{Case, command, quoted};
use crate::random::Random;

/// Parameters of every type, old ones, ones of a service, and some that are none.
const NAMES: &[&str] = &[
    "myhostname",
    "mydomain",
    "myorigin",
    "mydestination",
    "relayhost",
    "mynetworks",
    "mynetworks_style",
    "inet_interfaces",
    "inet_protocols",
    "smtpd_recipient_restrictions",
    "smtpd_tls_cert_file",
    "queue_run_delay",
    "maximal_queue_lifetime",
    "message_size_limit",
    "mailbox_size_limit",
    "default_process_limit",
    "alias_maps",
    "alias_database",
    "virtual_alias_maps",
    "transport_maps",
    "smtpd_banner",
    "compatibility_level",
    "soft_bounce",
    "bounce_template_file",
    "hash_queue_depth",
    "smtp_destination_concurrency_limit",
    "local_destination_recipient_limit",
    "foo_destination_concurrency_limit",
    "foo_time_limit",
    "maildrop_time_limit",
    "default_transport",
    "authorized_mailq_users",
    "debug_peer_list",
    "unknown_name",
    "MyHostName",
    "x",
    "a_b",
    "smtpd_sasl_path",
    "smtpd_client_restrictions",
    "my_class",
    "smtpd_restriction_classes",
    "command_directory",
    "mail_version",
    "process_name",
    "line_length_limit",
    "ipc_timeout",
    "in_flow_delay",
    "recipient_delimiter",
    "default_database_type",
    "virtual_minimum_uid",
    "smtp_tls_security_level",
    "smtpd_tls_dh1024_param_file",
    "xxx_backoff",
    "minimal_backoff_time",
    "disable_dns_lookups",
    "lmtp_tls_security_level",
    "postscreen_dnsbl_sites",
    "smtp_delivery_slot_cost",
    "permit_mx_backup_networks",
    "import_environment",
    "tls_high_cipherlist",
    "address_verify_map",
    "daemon_timeout",
    "fault_injection_code",
    "smtpd_proxy_timeout",
    "nullmx_reject_code",
    "default_rbl_reply",
    "syslog_name",
    "multi_instance_name",
    "smtputf8_enable",
    "ldap_server_host",
    "myldap_server_host",
    "mysql_hosts",
    "shlib_directory",
    "sendmail_path",
    "mail_name",
    "mail_release_date",
    "my-dash",
    "9x",
];
const VALUES: &[&[u8]] = &[
    b"yes",
    b"no",
    b"",
    b"10",
    b"10s",
    b"1d",
    b"0",
    b"-1",
    b"99999999999",
    b"99999999999999999999",
    b"1x",
    b"x",
    b"/etc/x",
    b"a, b",
    b"a b  c",
    b"$myhostname",
    b"${myhostname}",
    b"$(mydomain)",
    b"${x?y}",
    b"${x:y}",
    b"${x?{y}:{z}}",
    b"${x?{y}}",
    b"${x:{y}}",
    b"${{a}=={b}?{c}:{d}}",
    b"${{$x} != {y} ? {1} : {2}}",
    b"${{1}<{2}?{l}:{m}}",
    b"${{01} == {1} ? {n}}",
    b"${{3.11} <=level {3.6} ? {o} : {p}}",
    b"${{$compatibility_level} <level {3.6} ? {yes} : {no}}",
    b"$$",
    b"$",
    b"${",
    b"${}",
    b"$()",
    b"$-",
    b"${x",
    b"$x",
    b"$unknown_name",
    b"$foo",
    b"${x?",
    b"${{a}",
    b"{ a b }",
    b"{ a = b }",
    b"{",
    b"}",
    b"{a{b}c}",
    b"lmdb:/etc/x",
    b"hash:/etc/x",
    b"cidr:/x, pcre:/y",
    b"ldap:myldap",
    b"mysql:/x",
    b"ldap:/etc/x",
    b"proxy:ldap:myldap",
    b"check_client_access hash:x, my_class, reject",
    b"permit_mynetworks",
    b"\xc3\xa9",
    b"\xff",
    b"#",
    b"a # b",
    b"=",
    b"= x",
    b"a = b",
    b"a\tb",
    b"\"q r\"",
    b"'",
    b"\\",
    b"inline:{a=b, {c = d e}}",
    b"1 2",
    b" ",
    b"100h",
    b"5w",
    b"10 m",
    b"+5",
    b"0x10",
    b"007",
    b"\r",
    b"static:all",
    b"${name?a:b}",
    b"${x?{${y?{1}:{2}}}:{3}}",
    b"$myhostname$mydomain",
    b"$smtpd_banner",
    b"all",
    b"loopback-only",
    b"ipv4, ipv6",
    b"3.6",
    b"3",
    b"2.x",
    b"9999",
    b"unix:private/x",
    b"inet:host:25",
    b"[::1]:25",
    b"host",
    b"subnet",
    b"nosuch",
];
const SERVICES: &[&str] = &[
    "smtp      inet  n       -       n       -       -       smtpd",
    "pickup    unix  n       -       n       60      1       pickup",
    "flush     unix  n       -       n       1000?   0       flush",
    "smtp unix - - n - - smtp",
    "relay     unix  -       -       n       -       -       smtp",
    "maildrop  unix  -       n       n       -       -       pipe flags=DRhu user=vmail argv=/usr/bin/maildrop -d ${recipient}",
    "127.0.0.1:10025 inet n - n - 5 smtpd",
    "[::1]:25 inet n - n - - smtpd",
    "foo unix - n n - 2 spawn user=nobody argv=/bin/x { a b } c",
    "postlog   unix-dgram n  -       n       -       1       postlogd",
    "pass pass - - n - - smtpd",
    "fifo fifo n - n 60 1 pickup",
    "bad unix x - n - - smtp",
    "short unix - -",
    "smtp inet n - n - -",
    "only",
    "a/b unix - - n - - smtp",
    "foo unix - - n x - smtp",
    "foo unix - - n 60 x smtp",
    "foo unix - - n - -1 smtp",
    "foo bar - - n - - smtp",
    "smtp inet y - y - 10 smtpd -v -v",
    "SMTP inet n - n - - smtpd",
    "smtp\tinet\tn\t-\tn\t-\t-\tsmtpd -o a=b -o c = d",
    "submission inet n - n - - smtpd -o { smtpd_x = a b } -o syslog_name=x/$service_name",
    "very_long_service_name_that_goes_on_and_on inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination,permit",
];
const OPTIONS: &[&str] = &[
    "  -o smtpd_sasl_auth_enable=yes",
    "  -o { smtpd_x = a b  c }",
    " -o x=y",
    " -ox=y",
    "  -o",
    "  -o =",
    "  -o x",
    "  -v",
    "  -D -o a=$x",
    "# comment",
    "  # indented",
    "",
    "  flags=X user=me:you argv=/bin/y $sender",
    "  { quoted arg }",
    "  { open",
    "  -o syslog_name=postfix/$service_name",
    "  -o my_class=reject",
    "  -o smtpd_restriction_classes=a,b",
    "\t-o unknown_name=$unknown_other",
    "  -o mynetworks=1.2.3.4,5.6.7.8",
    "  -o {a=b}",
    "  -o { a }",
    "  -o a= -o a=2",
    " }",
    "  -o compatibility_level=2",
];

fn name(random: &mut Random) -> String {
    match random.below(40) {
        0 => String::new(),
        1 => "na me".to_owned(),
        2 => "n\u{e9}".to_owned(),
        3 => format!(
            "{}{}",
            random.pick(&["$", "-", "#", ".", "{"]),
            random.pick(NAMES)
        ),
        _ => random.pick(NAMES).to_owned(),
    }
}

fn value(random: &mut Random) -> Vec<u8> {
    match random.below(30) {
        0 => b"long ".repeat(random.below(60)),
        1 => vec![b'l'; random.below(5000)],
        2..8 => {
            let mut value = random.some(3, VALUES);
            if random.once_in(2) {
                value.extend(random.pick(&[&b" "[..], b", ", b"\n ", b" $", b"\n\t", b"\n# c\n "]));
                value.extend(random.pick(VALUES));
            }
            value
        }
        _ => random.pick(VALUES).to_vec(),
    }
}

fn main_cf(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    if !random.once_in(5) {
        text.extend(b"compatibility_level = 3.11\nmyhostname = mx.test.example\nmail_owner = postfix\nsetgid_group = postdrop\n");
    }
    for _ in 0..random.below(12) {
        match random.below(20) {
            0 => text.extend(b"# comment"),
            1 => text.extend(b" continued"),
            2 => text.extend(random.some(2, VALUES)),
            3 => text.extend(b" \t"),
            4 => text.extend(b"  # comment"),
            _ => {
                text.extend(name(random).bytes());
                text.extend(random.pick(&[
                    &b" = "[..],
                    b" = ",
                    b" = ",
                    b"=",
                    b" =",
                    b"= ",
                    b"\t=\t",
                    b" ",
                    b" == ",
                ]));
                text.extend(value(random));
            }
        }
        text.extend(random.pick(&[
            &b"\n"[..],
            b"\n",
            b"\n",
            b"\n",
            b"\n",
            b"\n\n",
            b" \n",
            b"\r\n",
        ]));
    }
    if random.once_in(6) {
        text.pop();
    }
    text
}

fn master_cf(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(7) {
        text.extend(random.pick(SERVICES).bytes());
        text.push(b'\n');
        while random.once_in(2) {
            text.extend(random.pick(OPTIONS).bytes());
            text.push(b'\n');
        }
    }
    if random.once_in(6) {
        text.pop();
    }
    if random.once_in(15) {
        text.splice(0..0, random.pick(OPTIONS).bytes().chain([b'\n']));
    }
    text
}

fn service(random: &mut Random) -> String {
    let name = random.pick(&[
        "smtp",
        "pickup",
        "foo",
        "127.0.0.1:10025",
        "nosuch",
        "*",
        "maildrop",
        "",
        "submission",
        "relay",
        "SMTP",
        "a/b",
        "a b",
        "[::1]:25",
    ]);
    match random.below(6) {
        0 => name.to_owned(),
        1 => format!(
            "{name}/{}",
            random.pick(&["", "*", "nosuch", "inet/x", "unix/*/y/z", "inet/"])
        ),
        _ => format!(
            "{name}/{}",
            random.pick(&["inet", "unix", "unix", "inet", "pass", "*"])
        ),
    }
}

fn field(random: &mut Random) -> String {
    let field = random.pick(&[
        "service",
        "type",
        "private",
        "unprivileged",
        "chroot",
        "wakeup",
        "process_limit",
        "command",
        "*",
        "nosuch",
        "",
        "Private",
    ]);
    format!("{}/{field}", service(random))
}

fn parameter(random: &mut Random) -> String {
    format!(
        "{}/{}",
        service(random),
        random.pick(&[
            "smtpd_x",
            "x",
            "a",
            "*",
            "smtpd_sasl_auth_enable",
            "syslog_name",
            "",
            "na me",
            "mynetworks"
        ])
    )
}

fn operands(random: &mut Random, one: impl Fn(&mut Random) -> Vec<u8>) -> Vec<Vec<u8>> {
    (0..random.below(3) + usize::from(!random.once_in(8)))
        .map(|_| one(random))
        .collect()
}

fn assigned(random: &mut Random, name: &str) -> Vec<u8> {
    if random.once_in(14) {
        return name.as_bytes().to_vec();
    }
    let sign = random.pick(&["=", "=", "=", " = ", "= ", " =", "=="]);
    [name.as_bytes(), sign.as_bytes(), &value(random)].concat()
}

fn service_line(random: &mut Random) -> Vec<u8> {
    let mut text = random.pick(SERVICES).as_bytes().to_vec();
    if random.once_in(3) {
        text.extend(random.pick(OPTIONS).bytes());
    }
    text
}

fn words(random: &mut Random) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = vec![b"postconf".to_vec()];
    let extra = |random: &mut Random, of: &str| -> Vec<Vec<u8>> {
        let of = of.as_bytes();
        let mut found = Vec::new();
        while random.once_in(2) && found.len() < 3 {
            found.push(vec![b'-', of[random.below(of.len())]]);
        }
        found
    };
    if random.once_in(5) {
        words.push(b"-o".to_vec());
        let name = name(random);
        words.push(assigned(random, &name));
    }
    match random.below(24) {
        0..5 => {
            words.extend(extra(random, "dnfhHpxqjoC"));
            if random.once_in(4) {
                words.extend([
                    b"-C".to_vec(),
                    random
                        .pick(&[
                            "builtin",
                            "service",
                            "user",
                            "all",
                            "user,service",
                            "nosuch",
                            "",
                        ])
                        .as_bytes()
                        .to_vec(),
                ]);
            }
            words.extend(operands(random, |random| name(random).into_bytes()));
        }
        5..7 => words.extend(extra(random, "nHxqj")),
        7 => {
            words.push(b"-n".to_vec());
            words.extend(extra(random, "fhHxqj"));
        }
        8 => {
            words.extend(extra(random, "hH"));
            words.extend(operands(random, |random| {
                random.pick(NAMES).as_bytes().to_vec()
            }));
        }
        9..12 => {
            words.extend(extra(random, "epv"));
            words.retain(|word| word != b"-v");
            words.extend(operands(random, |random| {
                let name = name(random);
                assigned(random, &name)
            }));
        }
        12 => {
            words.push(random.pick(&["-X", "-#", "-Xp", "-#p"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                if random.once_in(8) {
                    b"x = y".to_vec()
                } else {
                    name(random).into_bytes()
                }
            }));
        }
        13..15 => {
            words.push(b"-M".to_vec());
            words.extend(extra(random, "fxoqjH"));
            if random.once_in(2) {
                words.extend(operands(random, |random| service(random).into_bytes()));
            }
        }
        15 => {
            words.push(b"-F".to_vec());
            words.extend(extra(random, "fxhHqj"));
            if random.once_in(2) {
                words.extend(operands(random, |random| field(random).into_bytes()));
            }
        }
        16 => {
            words.push(b"-P".to_vec());
            words.extend(extra(random, "fxhHqj"));
            if random.once_in(2) {
                words.extend(operands(random, |random| parameter(random).into_bytes()));
            }
        }
        17 => {
            words.push(random.pick(&["-Me", "-M", "-eM"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                let name = service(random);
                [name.as_bytes(), b"=", &service_line(random)].concat()
            }));
        }
        18 => {
            words.push(random.pick(&["-Fe", "-F"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                let name = field(random);
                let value = random.pick(&[
                    "n",
                    "y",
                    "-",
                    "",
                    "60?",
                    "smtpd -o x=y",
                    "a b",
                    "inet",
                    "nosuch",
                    "10",
                ]);
                format!("{name}={value}").into_bytes()
            }));
        }
        19 => {
            words.push(random.pick(&["-Pe", "-P"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                let name = parameter(random);
                assigned(random, &name)
            }));
        }
        20 => {
            words.push(random.pick(&["-MX", "-M#", "-XM"]).as_bytes().to_vec());
            words.extend(operands(random, |random| service(random).into_bytes()));
        }
        21 => {
            words.push(
                random
                    .pick(&["-PX", "-P#", "-FX", "-F#"])
                    .as_bytes()
                    .to_vec(),
            );
            words.extend(operands(random, |random| parameter(random).into_bytes()));
        }
        22 => {
            words.push(
                random
                    .pick(&[
                        "-l", "-lx", "-dM", "-nd", "-eX", "-e#", "-MF", "-MP", "-FP", "-Z", "-c",
                        "-C", "-o", "-j", "--", "-h-H", "-dn", "-de", "-dX", "-nM", "-lM", "-ml",
                    ])
                    .as_bytes()
                    .to_vec(),
            );
            words.extend(operands(random, |random| {
                random
                    .pick(&["../etc/main.cf", "x=y", "smtp/inet", "nosuch", "tpl"])
                    .as_bytes()
                    .to_vec()
            }));
        }
        _ => {
            for _ in 0..=random.below(3) {
                // Templates of notifications are each system's own.
                let letters = b"defFhHjlMnopPqxX#";
                words.push(vec![b'-', letters[random.below(letters.len())]]);
            }
            words.extend(operands(random, |random| name(random).into_bytes()));
        }
    }
    let bare = words.last().is_some_and(|word| word.starts_with(b"-"));
    if bare && words.iter().any(|word| word == b"-h") {
        // All values without their names cannot be told apart.
        words.push(random.pick(NAMES).as_bytes().to_vec());
    }
    if random.once_in(25) {
        words.splice(
            1..1,
            [
                b"-c".to_vec(),
                random
                    .pick(&["../etc", "/nonexistent", "."])
                    .as_bytes()
                    .to_vec(),
            ],
        );
    }
    words
}

/// `postconf`.
pub fn postconf(random: &mut Random) -> Case {
    let mut case = Case {
        whole: true,
        main_cf: Some(main_cf(random)),
        master_cf: Some(master_cf(random)),
        ..Case::default()
    };
    if random.once_in(10) {
        case.file("w/tpl", random.pick(&[
            &b"failure_template = <<E\nCharset: utf-8\nSubject: x $myhostname\n\nbody $mail_owner ${delay_warning_time_hours}\nE\n"[..],
            b"nosuch_template = <<E\nSubject: x\n\nE\n", b"failure_template = <<E\nX: y\n\nbody\n", b"delay_template = x\n", b"success_template=<<E\n\nbody\nE\n",
            b"failure_template = <<E\nFrom: a\nSubject: $\n\n$$ ${x} $nosuch\nE\nverify_template = <<F\nSubject: v\n\nv\nF\n", b"",
        ]));
        let main = case.main_cf.get_or_insert_default();
        main.extend(b"\nbounce_template_file = @TOP@/w/tpl\n");
    }
    let mut script = b"old() { touch -c -d yesterday ../etc/main.cf ../etc/master.cf; }\n".to_vec();
    for _ in 0..=random.below(2) {
        script.extend(b"old; ");
        script.extend(command(&words(random)));
        script.extend(b"; echo \"status $?\"\n");
    }
    if random.once_in(3) {
        script.extend(b"old; postconf ");
        script.extend(quoted(
            random.pick(&["-n", "-M", "-Mf", "-P", "-xn", "-nH", "-Px"]),
        ));
        script.push(b'\n');
    }
    let edits = [&b"="[..], b"-X", b"-#", b"'-e'"];
    case.once = edits
        .iter()
        .any(|edit| script.windows(edit.len()).any(|part| part == *edit));
    case.script = script;
    case
}
