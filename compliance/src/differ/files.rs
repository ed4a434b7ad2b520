//! `main.cf` and `master.cf` with odd syntax.

use crate::random::Random;

/// Parameters of every type, old ones, ones of a service, and some that are none.
pub(super) const NAMES: &[&str] = &[
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
pub(super) const VALUES: &[&[u8]] = &[
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
pub(super) const SERVICES: &[&str] = &[
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
pub(super) const OPTIONS: &[&str] = &[
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

pub(super) fn name(random: &mut Random) -> String {
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

pub(super) fn value(random: &mut Random) -> Vec<u8> {
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

pub(super) fn main_cf(random: &mut Random) -> Vec<u8> {
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
    // The original takes a byte 255 at the end for the end.
    if random.once_in(6) && !text.ends_with(b"\xff\n") {
        text.pop();
    }
    text
}

pub(super) fn master_cf(random: &mut Random) -> Vec<u8> {
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
