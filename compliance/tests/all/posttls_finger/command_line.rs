//! Options and destinations, good and bad.

use compliance::golden;
use compliance::shell::at_once;
use compliance::testkit::{Dns, Instance, Sink};

/// A system with a server on 127.0.0.10, and a DNS server that knows no name.
fn instance() -> (Instance, Sink) {
    let instance = Instance::builder().build();
    Dns::new().start(&instance);
    let sink = Sink::start(&instance, "127.0.0.10:25");
    (instance, sink)
}

#[test]
fn bad_options() {
    let (instance, _sink) = instance();
    let cases = [
        "posttls-finger",
        "posttls-finger -c",
        "posttls-finger -z",
        "posttls-finger -cz -M foo",
        "posttls-finger -M foo -z",
        "posttls-finger -o foo -M bar",
        "posttls-finger -M bar -o foo",
        "posttls-finger -a",
        "posttls-finger -l",
        "posttls-finger -a foo '[127.0.0.10]'",
        "posttls-finger -a foo -l bar -h baz -L quux",
        "posttls-finger -h foo -l bar -L quux",
        "posttls-finger -h dns,Native",
        "posttls-finger -L quux -l bar",
        "posttls-finger -L routine,Debug,quux -l bar",
        "posttls-finger -L trace -l none",
        "posttls-finger -l halfdane",
        "posttls-finger -l ''",
        "posttls-finger -M secure",
        "posttls-finger -M dane-only",
        "posttls-finger -M none",
        "posttls-finger -l none -w",
        "posttls-finger -l none -H a -k b",
        "posttls-finger -H a -K b",
        "posttls-finger -H '' -K b",
        "posttls-finger -X -r 1",
        "posttls-finger -X -r 0",
        "posttls-finger -X -r -1",
        "posttls-finger -X -r x",
        "posttls-finger -o =value",
        "posttls-finger -o name",
        "posttls-finger -o inet_protocols=ipv5 -l none '[127.0.0.10]'",
        "posttls-finger -o myhostname=a..b -l none '[127.0.0.10]'",
        "posttls-finger -o compatibility_level=x -l none '[127.0.0.10]'",
        "posttls-finger -o 'import_environment={a' -l none '[127.0.0.10]'",
        "posttls-finger -o line_length_limit=1 -l none '[127.0.0.10]'",
        "MAIL_CONFIG=/nonexistent posttls-finger",
        "MAIL_CONFIG=/nonexistent posttls-finger -z",
        "MAIL_CONFIG=/nonexistent posttls-finger -M foo",
        "posttls-finger -l secure -A /nonexistent",
        "posttls-finger -l secure -A /nonexistent/x -A /nonexistent/y '[127.0.0.10]'",
    ];
    golden::check(
        &instance,
        "posttls-finger/bad-options",
        &at_once(&instance, "", &cases),
    );
}

#[test]
fn good_options() {
    let (instance, sink) = instance();
    let cases = [
        "posttls-finger '[127.0.0.10]'",
        "posttls-finger -c '[127.0.0.10]'",
        "posttls-finger -a IPv4 -h DNS '[127.0.0.10]'",
        "posttls-finger -a any -h 'dns, native' '[127.0.0.10]'",
        "posttls-finger -l NONE '[127.0.0.10]'",
        "posttls-finger -l May '[127.0.0.10]' a b",
        "posttls-finger -l encrypt '[127.0.0.10]' a",
        "posttls-finger -l none '[127.0.0.10]' a b",
        "posttls-finger -l verify '[127.0.0.10]' a b",
        "posttls-finger -l secure '[127.0.0.10]' a b",
        "posttls-finger -l dane '[127.0.0.10]' a b",
        "posttls-finger -l dane-only '[127.0.0.10]' a b",
        "posttls-finger -l fingerprint '[127.0.0.10]' AA:bb:0c aabb 00",
        "posttls-finger -l fingerprint -L dane,cache '[127.0.0.10]' AA:bb:0c",
        "posttls-finger -l fingerprint -x -L verbose '[127.0.0.10]' AA:bb:0c",
        "posttls-finger -l fingerprint -o compatibility_level=3.5 '[127.0.0.10]' aabb",
        "posttls-finger -l fingerprint -o smtp_tls_fingerprint_digest=md5 '[127.0.0.10]' aabb",
        "posttls-finger -l fingerprint -d SHA256 '[127.0.0.10]' aa:b abc zz",
        "posttls-finger -M MAY -M encrypt '[127.0.0.10]'",
        "posttls-finger -L quux '[127.0.0.10]'",
        "posttls-finger -L ssl-debug,SUMMARY,0 -L none '[127.0.0.10]'",
        "posttls-finger -l none -L verbose,trace '[127.0.0.10]'",
        "posttls-finger -L verbose -d nosuch '[127.0.0.10]'",
        "posttls-finger -d sha3-256 '[127.0.0.10]'",
        "posttls-finger -l none -d nosuch '[127.0.0.10]'",
        "posttls-finger -o smtp_tls_fingerprint_digest=nosuch '[127.0.0.10]'",
        "posttls-finger -d nosuch -w '[127.0.0.10]'",
        "posttls-finger -g foo -p bar '[127.0.0.10]'",
        "posttls-finger -C -f -x -s name -P /nonexistent -m 3 '[127.0.0.10]'",
        "posttls-finger -X '[127.0.0.10]'",
        "posttls-finger -A /nonexistent '[127.0.0.10]'",
        "posttls-finger -k /nonexistent '[127.0.0.10]'",
        "posttls-finger -H '/nonexistent, /nonexistent/x' -H y '[127.0.0.10]'",
        "posttls-finger -r 1 '[127.0.0.10]'",
        "posttls-finger -r 0 '[127.0.0.10]'",
        "posttls-finger -r -1 '[127.0.0.10]'",
        "posttls-finger -r ' +2x' -m 0 -l none '[127.0.0.10]'",
        "posttls-finger -c -r 1 '[127.0.0.10]'",
        "posttls-finger -r 1 '[127.0.0.11]'",
        "posttls-finger -t 3 -T 3 '[127.0.0.10]'",
        "posttls-finger -t5x -T' 7' '[127.0.0.10]'",
        "posttls-finger -o myhostname=h.example -o foo=bar '[127.0.0.10]'",
        "posttls-finger -o 'myhostname = a.$mydomain' -o 'mydomain=b.example' '[127.0.0.10]'",
        "MAIL_VERBOSE=1 posttls-finger '[127.0.0.10]'",
        "posttls-finger -- '[127.0.0.10]'",
        "posttls-finger '[127.0.0.10]' -l none -z",
        "setpriv --reuid alice --regid alice --clear-groups posttls-finger '[127.0.0.10]'",
    ];
    let text = at_once(&instance, "", &cases);
    golden::check(&instance, "posttls-finger/good-options", &text);
    // A bad value, and an address without a server.
    assert_eq!(sink.sessions(), cases.len() - 2);
}

#[test]
fn destinations() {
    let (instance, _sink) = instance();
    let _other = Sink::start(&instance, "127.0.0.10:2525");
    let _lmtp = Sink::start(&instance, "127.0.0.10:24");
    let cases = [
        "posttls-finger ''",
        "posttls-finger a..b",
        "posttls-finger :25",
        "posttls-finger '[]'",
        "posttls-finger '[]:25'",
        "posttls-finger a:25x",
        "posttls-finger '[127.0.0.10]:0'",
        "posttls-finger '[127.0.0.10]:00'",
        "posttls-finger '[127.0.0.10]:65536'",
        "posttls-finger '[127.0.0.10]:002525'",
        "posttls-finger '[127.0.0.10]:nosuch'",
        "posttls-finger '[127.0.0.10]:-1'",
        "posttls-finger '[127.0.0.10]:'",
        "posttls-finger '[127.0.0.10]:smtp'",
        "posttls-finger '[127.0.0.10]:lmtp'",
        "posttls-finger -o known_tcp_ports=odd=2525 '[127.0.0.10]:odd'",
        "posttls-finger -o known_tcp_ports=odd=2525 '[127.0.0.10]'",
        "posttls-finger '[a'",
        "posttls-finger '[a]x'",
        "posttls-finger '[ipv6:x]'",
        "posttls-finger '[ipv6:127.0.0.10]'",
        "posttls-finger 127.0.0.10",
        "posttls-finger 127.0.0.10:2525",
        "posttls-finger inet:127.0.0.10",
        "posttls-finger ::1",
        "posttls-finger unix:/nonexistent",
        "posttls-finger -S inet:127.0.0.10",
        "posttls-finger -S 127.0.0.10",
        "posttls-finger -S '[127.0.0.10]:2525'",
        "posttls-finger -S inet:'[127.0.0.10]:smtp'",
        "posttls-finger -S -R inet:'[127.0.0.10]:smtp'",
        "posttls-finger -S inet:127.0.0.11:26",
        "posttls-finger -S inet:inet:127.0.0.11",
        "posttls-finger -S UNIX:/nonexistent",
        "posttls-finger -S unix:/nonexistent",
        "posttls-finger \"$(printf 'a\\374.example')\"",
        "posttls-finger -o smtputf8_enable=no 'b\u{fc}cher.example'",
        "posttls-finger '[b\u{fc}cher.example]:x'",
    ];
    let text = at_once(&instance, "", &cases);
    golden::check(&instance, "posttls-finger/destinations", &text);
}

/// What exactly is wrong with a name beyond ASCII is each library's own to say.
#[test]
fn a_name_without_ascii_form() {
    let (instance, _sink) = instance();
    let output = instance.run("posttls-finger", &["b\u{e000}.example"]);
    let mut lines = output.stdout.lines();
    let warning = lines.next().unwrap();
    assert!(
        warning.starts_with(
            "posttls-finger: warning: midna_domain_to_ascii_create: Problem translating domain \"b\u{e000}.example\" \
             to ASCII form: "
        ),
        "{warning}"
    );
    let fatal = "posttls-finger: fatal: valid hostname or network address required in server description: b\u{e000}.example";
    assert_eq!(
        (lines.next(), lines.next(), output.status),
        (Some(fatal), None, 1)
    );
}

/// What is logged more is each system's own; nothing of the usual is missing.
#[test]
fn more_is_logged() {
    let (instance, _sink) = instance();
    let _six = Sink::start(&instance, "[::1]:25");
    for to in ["[127.0.0.10]", "[::1]", "nosuch.example"] {
        let said = |more: &[&str]| {
            let words = [&["-l", "none", "-o", "inet_protocols=all"], more, &[to]].concat();
            let output = instance.run("posttls-finger", &words);
            assert_eq!((output.status, output.stderr.as_str()), (0, ""));
            output.stdout
        };
        let usual = said(&[]);
        assert!(usual.contains("< 221 2.0.0 Bye\n") != to.starts_with('n'));
        for more in [["-v"].as_slice(), &["-vv"], &["-v", "-v", "-v"]] {
            let verbose = said(more);
            let mut lines = verbose.lines();
            for line in usual.lines() {
                assert!(lines.any(|other| other == line), "{line}: {verbose}");
            }
        }
    }
}
