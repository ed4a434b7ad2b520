//! From a destination to its servers: MX, SRV and address records, DNSSEC, and TLSA records as far as they matter before a handshake.

use super::is_the_original;
use compliance::golden;
use compliance::shell::at_once;
use compliance::testkit::{Builder, Dns, Instance, Sink};

fn builder() -> Builder {
    Instance::builder().main_cf("inet_protocols = all\ninet_interfaces = 127.0.0.1")
}

#[test]
fn exchangers_services_and_hosts() {
    let instance = builder()
        .hosts("127.0.0.10 onlyhosts.example both.example\n")
        .build();
    let mut dns = Dns::new()
        .mx("one.example", 10, "a.example")
        .a("a.example", "127.0.0.10")
        .aaaa("six.example", "::1")
        .mx("null.example", 0, ".")
        .mx("noaddress.example", 10, "nowhere.example")
        .mx("halfaddress.example", 10, "nowhere.example")
        .mx("halfaddress.example", 20, "a.example")
        .mx("failing.example", 10, "broken.example")
        .mx("mixed.example", 10, "broken.example")
        .mx("mixed.example", 20, "nowhere.example")
        .servfail("broken.example")
        .code("refused.example", 5)
        .code("formerr.example", 1)
        .mx("cut.example", 10, "a.example")
        .cut("cut.example")
        .mx("numeric.example", 10, "127.0.0.10")
        .mx("badname.example", 10, "-bad.example")
        .mx("toalias.example", 10, "alias.example")
        .cname("alias.example", "a.example")
        .cname("mxalias.example", "one.example")
        .cname("loop.example", "loop.example")
        .cname("dangling.example", "nowhere.example")
        .txt("text.example", "x")
        .mx("hosts.example", 10, "onlyhosts.example")
        .mx("xn--bcher-kva.example", 10, "a.example")
        .a("xn--strae-oqa.example", "127.0.0.10")
        .srv("_smtp._tcp.srv.example", [10, 0, 2525], "a.example")
        .srv("_smtp._tcp.srv.example", [5, 0, 26], "a.example")
        .srv("_submission._tcp.srv.example", [5, 0, 0], "a.example")
        .srv("_25._tcp.srv.example", [1, 1, 2525], "a.example")
        .srv("_smtp._tcp.nullsrv.example", [0, 0, 0], ".")
        .srv("_smtp._tcp.nosrv.example", [1, 1, 25], "nowhere.example")
        .srv(
            "_smtp._tcp.hostssrv.example",
            [1, 1, 2525],
            "onlyhosts.example",
        )
        .srv(
            "_smtp._tcp.xn--bcher-kva.example",
            [1, 1, 2525],
            "a.example",
        )
        .servfail("_smtp._tcp.broken.example");
    // Several servers, none of which is there.
    for (preference, host) in [(10, "x.example"), (20, "y.example"), (30, "z.example")] {
        dns = dns
            .mx("several.example", preference, host)
            .mx("good.example", preference, host)
            .a(host, &format!("127.0.3.{preference}"))
            .aaaa(host, "::1");
    }
    let _dns = dns.mx("good.example", 15, "a.example").start(&instance);
    let _sink = Sink::start(&instance, "127.0.0.10:25");
    let _other = Sink::start(&instance, "127.0.0.10:2525");
    let cases = [
        "one.example",
        "ONE.example.",
        "'[one.example]'",
        "'[a.example]'",
        "a.example:26",
        "-c a.example:26",
        "six.example",
        "-a ipv4 six.example",
        "-o inet_protocols=ipv4 six.example",
        "-o inet_protocols=ipv4 '[::1]'",
        "-o inet_protocols=ipv6 '[127.0.0.10]'",
        "-o inet_protocols=ipv6 a.example",
        "'[ipv6:::1]'",
        "'[IPv6:::1]:2525'",
        "'[::1]'",
        "null.example",
        "'[null.example]'",
        "noaddress.example",
        "halfaddress.example",
        "failing.example",
        "mixed.example",
        "broken.example",
        "'[broken.example]'",
        "refused.example",
        "formerr.example",
        "cut.example",
        "numeric.example",
        "badname.example",
        "toalias.example",
        "'[alias.example]'",
        "mxalias.example",
        "-o dnssec_probe= loop.example",
        "dangling.example",
        "'[text.example]'",
        "nowhere.example",
        "'[nowhere.example]'",
        "single",
        "hosts.example",
        "-h native hosts.example",
        "-h native onlyhosts.example",
        "-h native,dns onlyhosts.example",
        "'[onlyhosts.example]'",
        "-h native '[onlyhosts.example]'",
        "-h native '[both.example]:2525'",
        "-h native '[nowhere.example]'",
        "-h native '[text.example]'",
        "-h native '[broken.example]'",
        "-h dns,native '[nowhere.example]'",
        "-h dns,native '[broken.example]'",
        "-h dns,native a.example",
        "-h '' one.example",
        "-h '' '[a.example]'",
        "-h '' '[127.0.0.10]'",
        "b\u{fc}cher.example",
        "B\u{dc}CHER.example",
        "'[b\u{fc}cher.example]'",
        "-S 'stra\u{df}e.example:25'",
        "-R srv.example",
        "-R srv.example:submission",
        "-R srv.example:25",
        "-R '[a.example]'",
        "-R -S a.example:2525",
        "-R nullsrv.example",
        "-R nosrv.example",
        "-R one.example",
        "-R broken.example",
        "-R hostssrv.example",
        "-R -h native hostssrv.example",
        "-R 'b\u{fc}cher.example'",
        "-a ipv4 several.example",
        "-a ipv6 several.example:26",
        "-a ipv4 -c good.example",
        "-a ipv6 good.example",
        "-S a.example",
        "-S inet:a.example:2525",
        "-S one.example:25",
        "-o dnssec_probe= one.example",
        "-o dnssec_probe=a:a.example one.example",
        "-o dnssec_probe=ns:broken.example one.example",
        "-o dnssec_probe=MX:refused.example one.example",
        "-o dnssec_probe=ns one.example",
        "-o dnssec_probe=ns: one.example",
        "-o dnssec_probe=xx:. one.example",
        "-o dnssec_probe=x '[127.0.0.10]'",
    ];
    let cases: Vec<String> = cases
        .iter()
        .map(|case| format!("posttls-finger -l none {case}"))
        .collect();
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let text = at_once(&instance, "", &cases);
    golden::check(&instance, "posttls-finger/names", &text);
}

/// Which family comes first is chance without a preference; with one, and for equals, both orders are seen.
#[test]
fn equals_are_shuffled() {
    let instance = builder().build();
    let _dns = Dns::new()
        .mx("two.example", 10, "x.example")
        .mx("two.example", 10, "y.example")
        .a("x.example", "127.0.3.1")
        .a("y.example", "127.0.3.2")
        .aaaa("y.example", "::1")
        .start(&instance);
    let first = |words: &[&str]| {
        let output = instance.run("posttls-finger", words).stdout;
        let line = output.lines().find(|line| line.contains(" via ")).unwrap();
        let (_, rest) = line.split_once("connect to ").unwrap();
        rest.split(": ").next().unwrap().to_owned()
    };
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..40 {
        seen.insert(first(&["-l", "none", "two.example"]));
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
    for _ in 0..5 {
        assert_eq!(
            first(&["-l", "none", "-a", "ipv6", "two.example"]),
            "y.example[::1]:25"
        );
    }
}

#[test]
fn tlsa_records() {
    let instance = builder().build();
    let ee: &[u8] = &[3, 1, 1, 0xab, 0xcd];
    let long: Vec<u8> = [2, 0, 0].into_iter().chain(0..90).collect();
    let mut dns = Dns::new().authentic(".").a("127.example", "127.0.0.10");
    // Each host has its own kind of TLSA records; the first letters say whether its addresses are vouched for.
    let hosts: [(&str, &[&[u8]]); 9] = [
        ("s-good", &[ee, &long]),
        ("s-none", &[]),
        ("s-usage", &[&[0, 0, 1, 1], &[1, 0, 1, 2], &[9, 0, 0, 3]]),
        ("s-mixed", &[&[3, 1, 255, 1], ee]),
        ("s-short", &[&[3], &[3, 1], &[3, 1, 1], &[]]),
        ("s-unsigned", &[ee]),
        ("s-broken", &[]),
        ("i-good", &[ee]),
        ("i-broken", &[]),
    ];
    for (name, records) in hosts {
        let host = format!("{name}.example");
        let tlsa = format!("_25._tcp.{host}");
        dns = dns.a(&host, "127.0.3.1");
        for record in records {
            dns = dns.raw(&tlsa, 52, record);
        }
        if name.starts_with("s-") {
            dns = dns.authentic(&host);
        }
        if name != "s-unsigned" {
            dns = dns.authentic(&tlsa);
        }
        if name.ends_with("broken") {
            dns = dns.servfail(&tlsa);
        }
        for zone in ["smx", "imx"] {
            let domain = format!("{zone}-{name}.example");
            dns = dns.mx(&domain, 10, &host);
            if zone == "smx" {
                dns = dns.authentic(&domain);
            }
        }
    }
    // Two addresses of one host: what is known is not asked for again.
    for name in ["s-good", "s-usage", "s-broken"] {
        let tlsa = format!("_25._tcp.{name}-twice.example");
        let host = format!("{name}-twice.example");
        dns = dns
            .a(&host, "127.0.3.1")
            .aaaa(&host, "::1")
            .authentic(&host)
            .authentic(&tlsa);
        dns = match name {
            "s-good" => dns.raw(&tlsa, 52, ee),
            "s-usage" => dns.raw(&tlsa, 52, &[0, 0, 1, 1]),
            _ => dns.servfail(&tlsa),
        };
    }
    let dns = dns
        // Aliases: both zones signed, only the first one, only the alias has records.
        .cname("alias.example", "s-good.example")
        .authentic("alias.example")
        .cname("barealias.example", "s-none.example")
        .authentic("barealias.example")
        .raw("_25._tcp.barealias.example", 52, ee)
        .authentic("_25._tcp.barealias.example")
        .cname("half.example", "i-good.example")
        .raw("_25._tcp.half.example", 52, ee)
        .authentic("_25._tcp.half.example")
        .start(&instance);
    let mut cases: Vec<String> = Vec::new();
    for (name, _) in hosts {
        for level in ["dane", "dane-only"] {
            cases.push(format!("-l {level} -L dane '[{name}.example]'"));
            cases.push(format!("-l {level} smx-{name}.example"));
            cases.push(format!("-l {level} imx-{name}.example"));
        }
        for policy in ["may", "encrypt"] {
            cases.push(format!("-M {policy} imx-{name}.example"));
        }
        cases.push(format!("-f '[{name}.example]'"));
    }
    for rest in [
        "'[alias.example]'",
        "-L verbose '[alias.example]'",
        "-L 3 '[barealias.example]'",
        "-l dane-only '[half.example]'",
        "-l dane-only '[127.example]'",
        "-l dane-only '[127.0.3.1]'",
        "-l dane-only -S s-good.example:25",
        "-l dane-only -h native '[s-good.example]'",
        "-a ipv4 '[s-good-twice.example]'",
        "-a ipv6 -l dane-only '[s-usage-twice.example]'",
        "-a ipv4 '[s-broken-twice.example]'",
        "-l secure imx-s-good.example",
        "-l may imx-s-broken.example",
        "-l none smx-s-broken.example",
    ] {
        cases.push(rest.to_owned());
    }
    let cases: Vec<String> = cases
        .iter()
        .map(|case| format!("posttls-finger {case}"))
        .collect();
    let mut text = String::new();
    // The order in which one program asks its questions tells which records it wants.
    let mut before = 0;
    for case in cases {
        text += &at_once(&instance, "", &[&case]);
        let asked = dns.asked();
        text += &format!("? {}\n", asked[before..].join(", "));
        before = asked.len();
    }
    golden::check(&instance, "posttls-finger/tlsa", &text);
}

/// The original asks for TLSA records at the port of the server before.
#[test]
fn each_service_has_tlsa_records_at_its_port() {
    let instance = builder().build();
    let question = "_smtp._tcp.srv.example";
    let dns = Dns::new()
        .authentic(question)
        .authentic("a.example")
        .authentic("b.example")
        .srv(question, [10, 0, 26], "a.example")
        .srv(question, [20, 0, 27], "b.example")
        .a("a.example", "127.0.3.1")
        .a("b.example", "127.0.3.2")
        .start(&instance);
    let output = instance.run("posttls-finger", &["-R", "srv.example"]);
    let failed = |host: &str, port: u16, address: &str| {
        let server = format!("{host}[{address}]:{port}");
        format!(
            "posttls-finger: Failed to establish session to srv.example via {host}:{port}: connect to {server}: Connection refused\n"
        )
    };
    assert_eq!(
        output.stdout,
        failed("a.example", 26, "127.0.3.1") + &failed("b.example", 27, "127.0.3.2")
    );
    let mut ports: Vec<String> = dns.asked();
    ports.retain(|question| question.ends_with(" 52"));
    let wanted = if is_the_original(&instance) {
        ["_25._tcp.a.example 52", "_26._tcp.b.example 52"]
    } else {
        ["_26._tcp.a.example 52", "_27._tcp.b.example 52"]
    };
    assert_eq!(ports, wanted);
}
