//! `postmap` and `postalias`, and what tables of every type answer.

use std::time::Duration;

use compliance::golden::check;
use compliance::shell::at_once;
use compliance::testkit::Instance;

const SOURCE: &[u8] =
    b"# c\na 1\nB 2\na 3\n\"q r\"@x  v w \nnoval\n\"unb x\nc: d\n cont\n\xff bad\ne\\ f g\n";
const ALIASES: &str = "root: x\nA: b, c\nlist: :include:/x\n\"quoted x\": y\nnocolon y\nempty:\na b: c\n:x\n dup\nA: again\n@x: y\n";
const PATTERNS: &str = "/^a(.*)b$/ got $1\n!/x/ nox\nif /y/\n/y1/ Y1\nif !/z/\n/yq/ q ${1}\n/(y)(q)?/ [$1][$2][$$]\nendif\nendif\n\
/(x)(i)*/i [${1}]$(2)\n/x/ end\nendif\n/a/ $2\n/b/ $x\n/c/ ${1\n/d/\nfoo\nif /unclosed/\n/((/ x\n/[a/ x\n/a{2/ x\n/ok/q x\n\
/u\\/v/ slash\n  cont\n";
const NETWORKS: &str = "10.0.0.0/8 ten\n!192.168.0.0/16 notpriv\nif 192.168.0.0/16\n192.168.1.0/24 one\nendif\n[::1] lo6\n\
2001:db8::/33 v6\n1.2.3.4/33 x\n1.2.3.4/24 hb\nnonsense y\n1.2.3.4\nendif\nif ::/0\n::2 two\nif !x\n1.2.3.4/ q\n\
[1.2.3.4]/32 brack\n[1.2.3.4]/32x\n[1.2.3.4\n";

fn build() -> Instance {
    let instance = Instance::builder()
        .main_cf("default_database_type = lmdb")
        .build();
    std::fs::create_dir(instance.path("work")).unwrap();
    // Cases run side by side: those that write do so in a copy.
    instance.write(
        "work/copied",
        "d=$(mktemp -d ../XXXXXX); cp -p * $d; cd $d; postmap -w lmdb:src cdb:src 2>/dev/null\n",
    );
    for (name, text) in [
        ("src", SOURCE),
        ("al", ALIASES.as_bytes()),
        ("pat", PATTERNS.as_bytes()),
        ("net", NETWORKS.as_bytes()),
        ("empty", b""),
        ("nonl", b"x y"),
        ("utf", "A B\nÄÖ üx\n".as_bytes()),
        ("f1", b"content of file"),
        ("filesrc", b"k f1\nk2 nofile\n"),
        (
            "long",
            &[vec![b'k'; 300_000], b" v\nz 1\n".to_vec()].concat(),
        ),
    ] {
        let path = format!("work/{name}");
        instance.write(&path, text);
        // A source that was written just now is read again and again, with its warnings.
        instance.set_age(&path, Duration::from_secs(3600));
    }
    instance
}

#[test]
fn indexes() {
    let instance = build();
    let mut cases: Vec<String> = Vec::new();
    for kind in ["lmdb", "cdb"] {
        for case in [
            "postmap K:src; postmap -s K:src | sort",
            "postmap -q a K:src",
            "postmap -q A K:src; postmap -fq B K:src",
            "postmap -q 'q r@x' K:src; postmap -q '\"q r\"@x' K:src",
            "printf 'a\\nB\\nnope\\n\\nc:\\n' | postmap -q - K:src",
            "printf nope | postmap -q - K:src",
            "postmap -wjq a K:src; printf 'a\\nb\\n' | postmap -jq - K:src",
            "postmap -js K:src | sort",
            "postmap -w K:src; postmap -q a K:src",
            "postmap -r K:src; postmap -q a K:src",
            "postmap -wf K:src; postmap -s K:src | sort; postmap -q B K:src",
            "postmap -wu K:src; postmap -su K:src | wc -l",
            "postmap -wn K:src; postmap -nq a K:src; postmap -Nq a K:src; postmap -q a K:src",
            "postmap -wN K:src; postmap -Nq a K:src; postmap -nq a K:src; postmap -q a K:src",
            "printf 'new 1\\nb 7\\nb 8\\n' | postmap -i K:src && postmap -s K:src | sort",
            "printf 'a\\nzz\\n' | postmap -d - K:src && postmap -s K:src | sort",
            "postmap -d zz K:src",
            "printf 'b\\n\\303\\nzz\\n' | postmap -d - K:src; postmap -d '' K:src",
            "printf 'z\\n\\nb\\n' | postmap -q - K:src; printf 'b\\n\\nb\\n' | postmap -q - K:src; printf 'b\\n\\n' | postmap -Nq - K:src",
            "printf 'a\\000b c\\n\\000x y\\nk v\\n' >nul; postmap K:nul; postmap -s K:nul; postmap K:.; postmap -s K:.",
            "postmap -d b debug:K:src",
            "postmap -F K:filesrc; postmap -s K:filesrc; postmap -Fs K:filesrc; postmap -Fq k K:filesrc",
            "postmap K:nonl K:empty; postmap -s K:nonl; postmap -s K:empty; postmap -q x K:empty",
            "postmap K:utf; postmap -s K:utf | sort; postmap -q äö K:utf; postmap -q ÄÖ K:utf; printf '\\303\\n' | postmap -q - K:utf",
            "postmap -q a K:nofile",
            "postmap K:nofile",
            "postmap K:nodir/x",
            "chmod 640 src; rm -f src.K; postmap -w K:src; ls -l src.K | cut -c1-10; rm src.K; postmap -wp K:src; ls -l src.K | cut -c1-10",
            "chown 1234 src; rm src.K; postmap -w K:src 2>&1 | sed 's/[0-9]* /N /g'; chown 0 src",
            "postalias K:al; postalias -s K:al | sort; postalias -q a K:al; postalias -q YP_LAST_MODIFIED K:al",
            "postalias -w K:al; postalias -q 'quoted x' K:al",
            "postalias -w K:al; postalias -Nq YP_MASTER_NAME K:al; postalias -nq YP_MASTER_NAME K:al; printf 'root\\nYP_MASTER_NAME\\n' | postalias -q - K:al; echo 'z: y' | postalias -ni K:al; postalias -s K:al | grep -v LAST | sort",
            "postalias -r K:al; postalias -q A K:al",
            "postalias -n K:al; postalias -nq root K:al; postalias -Nq root K:al",
        ] {
            cases.push(
                format!(". ./copied; {case}")
                    .replace("K:", &format!("{kind}:"))
                    .replace(".K", &format!(".{kind}")),
            );
        }
    }
    cases.push(". ./copied; postmap lmdb:long".into());
    cases.push(". ./copied; postmap lmdb:nonl; postmap -q '' lmdb:nonl".into());
    // Bug 20260820: root does not write for others without a word.
    cases.push(". ./copied; mkdir ud; cp nonl ud; chown 1000 ud; postmap lmdb:ud/nonl; chown 1000 ud/nonl; rm ud/nonl.lmdb; postmap lmdb:ud/nonl; ls -ln ud | awk '{print $1, $3, $9}' | grep lmdb".into());
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    check(
        &instance,
        "tables/indexes",
        &at_once(&instance, "work", &cases),
    );
}

#[test]
fn other_types() {
    let instance = build();
    let cases = [
        // Bug 20250526: only indexes take entries.
        "printf 'n 1\\n' | postmap -i regexp:pat",
        "printf 'n 1\\n' | postmap -i static:x",
        "printf 'n 1\\n' | postmap -i 'inline:{a=b}'",
        "printf 'n 1\\n' | postmap -i texthash:src",
        "printf 'n 1\\n' | postmap -i cdb:src",
        "postmap texthash:src",
        "postmap -q a texthash:src; postmap -q A texthash:src; postmap -fq B texthash:src",
        "postmap -s texthash:src | sort",
        "postmap -Fq k texthash:filesrc",
        "for k in ab aXXb x xi XI xiI y1 yq yyy z u/v no '' unclosed; do echo \"[$k]\"; postmap -q \"$k\" regexp:pat 2>/dev/null; done",
        "for k in ab aXXb x xi XI xiI y1 yq yyy z u/v no '' unclosed; do echo \"[$k]\"; postmap -q \"$k\" pcre:pat 2>/dev/null; done",
        "for k in 10.1.1.1 192.168.1.1 192.168.2.2 ::1 ::2 2001:db8::1 1.2.3.4 8.8.8.8 x '' 10.1 [::1] 010.0.0.1; do echo \"[$k]\"; postmap -q \"$k\" cidr:net 2>/dev/null; done",
        "postmap -q x regexp:pat; postmap -q x pcre:pat; postmap -q 1.2.3.4 cidr:net",
        "for t in texthash regexp pcre cidr; do postmap -q x $t:nofile; done",
        "postmap -q x texthash:.; postmap -q x cidr:.",
        "postmap -Fq x inline:{x=f1}; postmap -Fq x inline:{x=nofile}; postmap -Fq x static:f1; postmap -Fq x static:nofile",
        "postmap -Fq x 'regexp:{{/x/ f1}}'; postmap -Fq x 'pcre:{{/x/ nofile}}'; postmap -Fq 1.1.1.1 'cidr:{{1.1.1.1 f1}}'",
        "for t in '{{/x/ f1}' '{/x/ f1}' '{ }' '{{/x/ f1} junk}' '{{/x/ f1}}x' '{{/x/ f1}, {/y/ z}}'; do postmap -q x \"regexp:$t\"; done",
        "for t in '' '{}' '{x}' '{x=}' '{=y}' '{ x = y }' '{{x = y}}' '{{x = y}, z = w}' '{{x = y} z=w x=dup}' '{{x = y}z}' '{x=y' 'x=y'; do postmap -q x \"inline:$t\"; done",
        "postmap -q X inline:{x=y}; postmap -fq X inline:{x=y}; postmap -s 'inline:{x=y a=b c={d e}}' | sort",
        "for t in '' y '{a b}' '{ a b }c' '{a'; do postmap -q x \"static:$t\"; done; postmap -s static:y",
        "FOO=bar; export FOO; postmap -q foo environ:; postmap -fq FOO environ:x; postmap -q '' environ:x; postmap -d x environ:x",
        "postmap -q x fail:y; postmap -s fail:y; postmap -d x fail:y",
        "postmap -q x internal:y; postmap -s internal:y; postmap -d x internal:y",
        // Bug 20250614: what was opened before an error.
        "for t in '{static:a, static:b}' '{static:a, inline:{x=b}, inline:{y=c}}' '{}' static:a '{static:a' '{static:a junk}' '{static:a fail:x}'; do postmap -q x \"unionmap:$t\"; done",
        "for t in '{static:a, inline:{a=b}}' '{inline:{q=a}, inline:{a=b}}' '{}' x '{static:a, regexp:nofile}' '{static:a, junk}'; do postmap -q x \"pipemap:$t\"; done",
        "for t in '{a}' '{{a b}}' '{}' a '{a'; do postmap -q x \"randmap:$t\"; done",
        "for t in randmap:{a} pipemap:{static:a} unionmap:{static:a}; do postmap -s $t; postmap -d x $t; done",
        "postmap -q root unix:passwd.byname; postmap -q x unix:bad; postmap -q x unix:; postmap -s unix:passwd.byname",
        "postmap -q x debug:static:y; postmap -q y debug:inline:{x=y}; postmap -s debug:inline:{x=y}; postmap -q x debug:; postmap -q x debug:static",
        "postmap proxy:lmdb:src",
        "for t in inet:127.0.0.1:n inet::n inet:127.0.0.1:nosuch:n unix::n foo:x:n unix:n n :n; do postmap -q a socketmap:$t; done",
        "postmap -q a tcp:127.0.0.1:; postmap -q a tcp:127.0.0.1x",
        "for p in '/x/y z' 'if /x/y z' '/x(/' 'if /x(/ q' '/[/ x' '/a[/ x' '/[^/ x' '/a[b/ x' '/a{99999}/ x' '/)/ x' '/x/ $' '/(x)/ ${}' '/(x)/ a$ b' '/(x)/ $0'; do postmap -q x \"regexp:{{$p}}\"; done",
        "for p in '/x/y z' 'if /x/y z' '/x(/' '/[/ x' '/x/ $' '/(x)/ ${}' '/(x)/ $0'; do postmap -q x \"pcre:{{$p}}\"; done",
        "for k in d D n n1 w; do postmap -q $k 'regexp:{{/\\d/ d}, {/\\D/ D}, {/\\n/i n}}'; done",
        "for p in if1.2.3.4/33 x/33 x/32 1.2.3/44 x:/129 /8 ::1/129 1.2.3.4/8/8; do postmap -q 1.1.1.1 \"cidr:{{$p x}}\"; done",
        "postmap -q a 'unionmap:{inline:{a=}, static:x}'; postmap -q a 'unionmap:{static:x, static:{}, static:y}'; postmap -q a 'unionmap:{static:{}}'",
        "printf 'K 1\\nk 2\\na\\000b c\\n\\000x y\\nÄ 3\\n' >../texts; touch -d yesterday ../texts; postmap -q k texthash:../texts; postmap -rq K texthash:../texts; postmap -s texthash:../texts | sort; postmap -q Ä texthash:../texts",
        "postmap -q a 'inline:{{a b = c}}'; postmap -q a 'inline:{a b=c}'",
        "for t in texthash: cidr: static: nosuch:x :x; do postmap -d k $t; postmap -s $t; done; postmap -d x 'static:{'",
        "for t in environ: environ:x internal: fail:x static:x 'static:{' nosuch:x unix: debug:; do printf 'n: 1\\n' | postmap -i $t; done; printf '' | postmap -i static:x; printf 'n 1\\n' | postmap -i debug:debug:static:x",
        "postmap -s debug:debug:static:x; postmap -q K debug:inline:{k=v}; printf '\\303\\n' | postmap -q - debug:debug:static:x",
        "printf 'x\\351\\n' | postmap -uq - 'regexp:{{/(.*)/ $1}}'; postmap -q xé 'regexp:{{/x(.)/ $1}}'",
        "postmap -q x socketmap:junk; postmap -q x socketmap:unix:/nosuch:name",
    ];
    check(
        &instance,
        "tables/types",
        &at_once(&instance, "work", &cases),
    );
}

#[test]
fn command_lines() {
    let instance = build();
    let mut cases = Vec::new();
    for tool in ["postmap", "postalias"] {
        for case in [
            "T",
            "T -x",
            "T -q",
            "T -q a",
            "T -d a -q b lmdb:src",
            "T -s -q b lmdb:src",
            "T -i -q b lmdb:src",
            "T -s",
            "T -j lmdb:src",
            "T ''",
            "T -q a ''",
            "T -q a :x",
            "T :x",
            "T lmdb:",
            "T -c /nonexistent -q a static:x",
            "T -jq a 'inline:{a=\"\\\\x\tü}'",
            "T -q a inline:{b=c} static:d",
        ] {
            cases.push(case.replace('T', tool));
        }
    }
    for case in [
        "postmap -h lmdb:src",
        "postmap -b -q a lmdb:src",
        "printf 'Subject: a\\n\\nbody\\n' | postmap -b -q - 'regexp:{{/b/ x}}'",
        "printf 'Subject: a\\n cont\\nX: b\\n\\nbody\\n' | postmap -hbm -q - 'regexp:{{/(.*)/ [$1]}}'",
        "printf 'Subject: a\\n\\nbody\\n' | postmap -m -q - 'regexp:{{/b/ x}}'",
        "printf 'k v\\n=a b\\nz z\\n' | postmap -i environ:x",
        "printf 'k v\\n=a b\\n' | postmap -i internal:x",
    ] {
        cases.push(case.into());
    }
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    check(
        &instance,
        "tables/command_lines",
        &at_once(&instance, "work", &cases),
    );
}

/// Tables by way of proxymap and proxywrite.
#[test]
fn proxied() {
    let instance = Instance::builder()
        .main_cf("default_database_type = lmdb\nproxy_read_maps = proxy:lmdb:$config_directory/listed proxy:texthash:$config_directory/listed proxy:inline:{a=b} proxy:static:x")
        .main_cf("proxy_write_maps = proxy:lmdb:$config_directory/written proxy:texthash:$config_directory/listed")
        .start();
    instance.write("etc/listed", "b 2\na 1\n");
    std::fs::create_dir(instance.path("work")).unwrap();
    let prepare =
        "L=lmdb:$MAIL_CONFIG/listed W=lmdb:$MAIL_CONFIG/written T=texthash:$MAIL_CONFIG/listed;";
    let cases: Vec<String> = [
        "postmap $L; postmap -q a proxy:$L; postmap -q A proxy:$L; postmap -q zz proxy:$L; printf 'a\\nzz\\nb\\n' | postmap -q - proxy:$L",
        "postmap -s proxy:$L; postmap -s proxy:inline:{a=b}; postmap -js proxy:$L; postalias -s proxy:$L",
        "postmap -q a proxy:$T.none; postmap -s proxy:$T.none; postmap -q a proxy:inline:{q=r}; postmap -q a proxy:x",
        "chown postfix $MAIL_CONFIG; printf 'a 1\\nB 2\\n' | postmap -oi proxy:$W; postmap -s proxy:$W; postmap -q a $W; printf 'a 3\\n' | postmap -oi proxy:$W; printf 'a 4\\n' | postmap -ori proxy:$W; printf 'a 5\\n' | postmap -owi proxy:$W; postmap -s $W; postmap -d a proxy:$W; postmap -d a proxy:$W; printf 'b\\nzz\\n' | postmap -d - proxy:$W; postmap -s $W",
        "postmap -d a proxy:$L; postmap -d a proxy:$T; postmap -d a proxy:$T.none; printf 'q 1\\n' | postmap -oi proxy:$T; printf 'q 1\\n' | postmap -oi proxy:$T.none",
        "postmap proxy:$L; postalias -q a proxy:$L",
    ]
    .iter()
    .map(|case| format!("{prepare} {case}"))
    .collect();
    // Whoever lists a table shares the place in it with others who do; so only one does.
    let (prepared, others) = cases.split_at(1);
    let mut text = String::new();
    for cases in [prepared, others] {
        let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
        text += &at_once(&instance, "work", &cases);
    }
    check(&instance, "tables/proxied", &text);
}

/// A table that several ask for is opened once, and what is wrong with it is told once.
#[test]
fn shared() {
    let instance = Instance::builder()
        .main_cf("compatibility_level = 3.6\nheader_checks = regexp:$config_directory/rules\nbody_checks = regexp:$config_directory/rules\nvirtual_alias_maps = regexp:$config_directory/rules texthash:$config_directory/none\nsender_canonical_maps = texthash:$config_directory/none\nsmtpd_sender_restrictions = check_sender_access regexp:$config_directory/rules, check_helo_access cidr:$config_directory/networks\nsmtpd_client_restrictions = check_client_access cidr:$config_directory/networks, check_client_access regexp:$config_directory/rules\n")
        .build();
    instance.write("etc/rules", "/a/ \nno rule\n/(/ x\n/b/U y\n");
    instance.write("etc/networks", "1.2.3.4/33 x\n");
    instance.start();
    let mut client = instance.smtp();
    for line in [
        "EHLO c.example",
        "MAIL FROM:<bob@test.example>",
        "RCPT TO:<alice@test.example>",
    ] {
        client.command(line);
    }
    client.command("QUIT");
    instance.run_with("sendmail", &["-i", "alice@test.example"], b"S: x\n\nbody\n");
    instance.wait_log(r"cleanup\[\d+\]: .*(rejected|message-id)|(cleanup|rewrite)\[\d+\]: .*lookup (problem|error)");
    let log = instance.whole_log();
    let mut lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("warning: ") || line.contains("error: "))
        .filter_map(|line| line.split_once("postfix/").map(|(_, line)| line))
        .filter(|line| line.starts_with("smtpd[") || line.starts_with("cleanup["))
        .collect();
    lines.sort_unstable();
    let cases = build();
    let words = [
        "printf 'xx\\nxw\\n' | postmap -q - regexp:pat regexp:pat",
        "printf 'xx\\nzz\\n' | postmap -q - pcre:pat regexp:pat pcre:pat",
        "printf '10.9.9\\n' | postmap -q - cidr:net cidr:net cidr:empty",
        "postmap -q xx regexp:pat regexp:pat",
        "printf 'xx\\n' | postmap -q - 'unionmap:{regexp:pat,regexp:pat}' 'pipemap:{regexp:pat,static:x}' regexp:pat",
        "printf 'xx\\n' | postmap -q - debug:regexp:pat regexp:pat",
        "printf 'xx\\n' | postmap -q - texthash:src texthash:src",
        "printf 'xx\\n' | postmap -fq - regexp:pat",
    ];
    check(
        &instance,
        "tables/shared",
        &format!("{}\n{}", lines.join("\n"), at_once(&cases, "work", &words)),
    );
}
