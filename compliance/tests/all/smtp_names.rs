//! The SMTP client and what DNS says: good, bad, filtered, too large, malformed.

use std::fmt::Write as _;

use compliance::golden;
use compliance::outbound::send;
use compliance::testkit::{Builder, Dns, Instance, Sink};

fn builder() -> Builder {
    Instance::builder().main_cf(
        "inet_interfaces = 127.0.0.1\nappend_dot_mydomain = no\nsmtp_tcp_port = 2525\nsmtp_randomize_addresses = no",
    )
}

/// What a message to each of these domains leads to.
fn to_all(instance: &Instance, domains: &[&str]) -> String {
    let mut out = String::new();
    for domain in domains {
        writeln!(out, "== {domain}").unwrap();
        let to = [format!("user@{domain}")];
        out += &send(instance, &to, b"Subject: x\n\nx\n", &[]);
    }
    out
}

#[test]
fn answers_good_and_bad() {
    let instance = builder()
        .main_cf("transport_maps = inline:{{literal.example=smtp:[text.example]} {number.example=smtp:1.2.3.4} {under.example=smtp:[a_b.example]}}")
        .start();
    let mut many = Dns::new()
        .a("a.example", "127.0.0.10")
        .mx("large.example", 10, "a.example")
        .large("large.example")
        .mx("cut.example", 10, "a.example")
        .cut("cut.example")
        .mx("cutaddress.example", 10, "cuthost.example")
        .a("cuthost.example", "127.0.0.10")
        .cut("cuthost.example")
        .code("refused.example", 5)
        .code("formerr.example", 1)
        .code("notimp.example", 4)
        .mx("toref.example", 10, "refused.example")
        .raw("shortmx.example", 15, &[0])
        .raw("mixedmx.example", 15, &[0])
        .mx("mixedmx.example", 20, "a.example")
        .mx("nullandmore.example", 10, "a.example")
        .mx("nullandmore.example", 0, ".")
        .mx("numeric.example", 10, "127.0.0.10")
        .mx("badname.example", 10, "-bad.example")
        .mx("halfbad.example", 10, "bad-.example")
        .mx("halfbad.example", 20, "a.example")
        .raw("shorta.example", 1, &[127, 0, 0])
        .raw("mixeda.example", 1, &[127, 0, 0])
        .a("mixeda.example", "127.0.0.10")
        .cname("loop.example", "loop.example")
        .cname("ring.example", "gnir.example")
        .cname("gnir.example", "ring.example")
        .cname("dangling.example", "nowhere.example")
        .cname("badalias.example", "-x.example")
        .cname("toalias.example", "alias.example")
        .cname("alias.example", "a.example")
        .mx("mxalias.example", 10, "alias.example")
        .txt("text.example", "x");
    for n in 0..101 {
        many = many.a("many.example", &format!("127.0.1.{n}"));
    }
    let _dns = many.start(&instance);
    let sink = Sink::start(&instance, "127.0.0.10:2525");
    let mut out = to_all(
        &instance,
        &[
            "large.example",
            "cut.example",
            "cutaddress.example",
            "refused.example",
            "formerr.example",
            "notimp.example",
            "toref.example",
            "shortmx.example",
            "mixedmx.example",
            "nullandmore.example",
            "numeric.example",
            "badname.example",
            "halfbad.example",
            "shorta.example",
            "mixeda.example",
            "loop.example",
            "ring.example",
            "dangling.example",
            "badalias.example",
            "toalias.example",
            "mxalias.example",
            "text.example",
            "literal.example",
            "number.example",
            "under.example",
            "many.example",
        ],
    );
    writeln!(out, "{} messages", sink.received().len()).unwrap();
    golden::check(&instance, "smtp/answers", &out);
    instance.assert_no_panic();
}

#[test]
fn filters_and_options() {
    let instance = builder()
        .main_cf("transport_maps = inline:{{.fi=fi:} {.over=over:} {.nat=nat:} {.both=both:} {.off=off:} {.on=on:} {.def=def:} {.srch=srch:} {.ign=ign:} {.dfr=dfr:} {.lm=lm:} {.bad=bad1:}}\nrelay_domains = fi\nsmtp_dns_reply_filter = pcre:{{/^drop\\.fi\\. \\d+ IN MX/ IGNORE for a test} {/^odd\\.fi\\./ DISCARD} {/^half\\.fi\\. \\d+ IN MX 10 /  ignore} {/ IN A 127\\.0\\.0\\.9$$/ IGNORE}}")
        .master_cf("fi unix - - n - - smtp\nover unix - - n - - smtp\n -o smtp_cname_overrides_servername=yes\nnat unix - - n - - smtp\n -o smtp_host_lookup=native\nboth unix - - n - - smtp\n -o smtp_host_lookup=dns,native\noff unix - - n - - smtp\n -o smtp_dns_support_level=disabled\non unix - - n - - smtp\n -o smtp_dns_support_level=enabled\n -o disable_dns_lookups=yes\ndef unix - - n - - smtp\n -o smtp_dns_resolver_options=res_defnames\nsrch unix - - n - - smtp\n -o smtp_dns_resolver_options=res_dnsrch\nign unix - - n - - smtp\n -o ignore_mx_lookup_error=yes\ndfr unix - - n - - smtp\n -o smtp_defer_if_no_mx_address_found=yes\nbad1 unix - - n - - smtp\n -o smtp_host_lookup=dns,nis\nlm unix - - n - - lmtp\n -o lmtp_dns_reply_filter=static:x\n")
        .hosts("127.0.0.10 onlyhosts.nat onlyhosts.both onlyhosts.off\n")
        .build();
    instance.write(
        "resolv.conf",
        "nameserver 127.0.0.1\nsearch one.example two.example\noptions timeout:1 attempts:2\n",
    );
    instance.start();
    let _dns = Dns::new()
        .mx("drop.fi", 10, "a.fi")
        .mx("odd.fi", 10, "a.fi")
        .mx("half.fi", 10, "b.fi")
        .mx("half.fi", 20, "a.fi")
        .mx("noaddress.fi", 10, "c.fi")
        .a("a.fi", "127.0.0.10")
        .a("b.fi", "127.0.0.11")
        .a("c.fi", "127.0.0.9")
        .a("c.lm", "127.0.0.10")
        .mx("x.over", 10, "alias.over")
        .cname("alias.over", "real.over")
        .a("real.over", "127.0.0.10")
        .mx("mx.nat", 10, "short")
        .mx("mx.both", 10, "short")
        .mx("mx.def", 10, "short")
        .mx("two.def", 10, "other")
        .mx("dots.def", 10, "dotted.x")
        .mx("mx.srch", 10, "short")
        .mx("two.srch", 10, "other")
        .mx("dots.srch", 10, "dotted.x")
        .mx("mx.on", 10, "real.over")
        .mx("mx.fi", 10, "short")
        .a("short.one.example", "127.0.0.10")
        .a("other.two.example", "127.0.0.10")
        .a("dotted.x.two.example", "127.0.0.10")
        .servfail("fails.ign")
        .code("refused.ign", 5)
        .mx("invalid.ign", 10, "-x")
        .a("invalid.ign", "127.0.0.10")
        .mx("dangling.dfr", 10, "nowhere.dfr")
        .mx("dangling.ign", 10, "nowhere.dfr")
        .start(&instance);
    let sink = Sink::start(&instance, "127.0.0.10:2525");
    let mut out = to_all(
        &instance,
        &[
            "drop.fi",
            "odd.fi",
            "half.fi",
            "noaddress.fi",
            "mx.fi",
            "x.over",
            "alias.over",
            "mx.nat",
            "onlyhosts.nat",
            "nowhere.nat",
            "mx.both",
            "onlyhosts.both",
            "nowhere.both",
            "onlyhosts.off",
            "real.off",
            "mx.on",
            "mx.def",
            "two.def",
            "dots.def",
            "mx.srch",
            "two.srch",
            "dots.srch",
            "fails.ign",
            "refused.ign",
            "invalid.ign",
            "dangling.ign",
            "dangling.dfr",
            "c.lm",
        ],
    );
    writeln!(out, "{} messages", sink.received().len()).unwrap();
    golden::check(&instance, "smtp/filters", &out);
    instance.assert_no_panic();
}

/// Nothing of this can be reached: what is tried, and in which order, is in the log.
#[test]
fn servers_are_tried_in_order() {
    let limits = [
        ("any", "smtp_address_preference=any"),
        ("four", "smtp_address_preference=ipv4"),
        ("six", "smtp_address_preference=ipv6"),
        ("three", "smtp_mx_address_limit=3"),
        (
            "unbalanced",
            "smtp_mx_address_limit=3\n -o smtp_balance_inet_protocols=no",
        ),
        (
            "sixthree",
            "smtp_mx_address_limit=3\n -o smtp_address_preference=ipv6",
        ),
        ("one", "smtp_mx_address_limit=1"),
        ("all", "smtp_mx_address_limit=0"),
        (
            "fall",
            "{ smtp_fallback_relay = fall.example, [192.0.2.99]:26 }",
        ),
        ("fallself", "smtp_fallback_relay=[127.0.0.1]:25"),
        ("bestmx", "best_mx_transport=error:best"),
        (
            "srv",
            "use_srv_lookup=submission\n -o allow_srv_lookup_fallback=yes",
        ),
        ("srvonly", "use_srv_lookup=submission"),
        (
            "srvloop",
            "use_srv_lookup=smtp\n -o ignore_srv_lookup_error=yes",
        ),
    ];
    let map: String = limits
        .iter()
        .map(|(name, _)| match *name {
            name if name.starts_with("srv") => {
                let port = if name == "srvloop" {
                    "smtp"
                } else {
                    "submission"
                };
                format!(" {{{name}.test={name}:{name}.example:{port}}}")
            }
            "bestmx" | "fallself" => format!(" {{{name}.test={name}:self.example:25}}"),
            name => format!(" {{{name}.test={name}:mixed.example}}"),
        })
        .collect();
    let services: String = limits
        .iter()
        .map(|(name, options)| format!("{name} unix - - n - - smtp\n -o {options}\n"))
        .collect();
    let instance = builder()
        .main_cf(&format!(
            "inet_protocols = all\ntransport_maps = inline:{{{map} {{backup.test=smtp:backup.example:25}}}}"
        ))
        .master_cf(&services)
        .start();
    let mut names = Dns::new()
        .mx("mixed.example", 10, "a.mixed.example")
        .mx("mixed.example", 10, "b.mixed.example")
        .mx("mixed.example", 20, "c.mixed.example")
        .mx("fall.example", 10, "f.example")
        .a("f.example", "192.0.2.90")
        .mx("self.example", 10, "me.example")
        .a("me.example", "127.0.0.1")
        .mx("backup.example", 10, "a.mixed.example")
        .mx("backup.example", 20, "me.example")
        .mx("backup.example", 30, "c.mixed.example")
        .srv("_submission._tcp.srv.example", [20, 0, 587], "f.example")
        .srv(
            "_submission._tcp.srv.example",
            [10, 0, 588],
            "a.mixed.example",
        )
        .mx("srvonly.example", 10, "f.example")
        .srv("_smtp._tcp.srvloop.example", [10, 0, 25], "me.example");
    for (n, host) in ["a", "b", "c"].iter().enumerate() {
        let host = format!("{host}.mixed.example");
        names = names
            .a(&host, &format!("192.0.2.{}", n + 1))
            .aaaa(&host, &format!("2001:db8::{}", n + 1));
    }
    let _dns = names.start(&instance);
    let domains: Vec<String> = limits
        .iter()
        .map(|(name, _)| format!("{name}.test"))
        .chain(["backup.test".to_owned()])
        .collect();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    let out = to_all(&instance, &domains);
    golden::check(&instance, "smtp/order", &out);
    instance.assert_no_panic();
}
