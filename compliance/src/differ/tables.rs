//! `postmap` and `postalias`: sources with all that an editor, another program or an accident puts there.

use super::case::{Case, quoted};
use crate::random::Random;

const PIECES: &[&[u8]] = &[
    b"a",
    b"A",
    b"b",
    b"x",
    b"k",
    b"1",
    b"user@example.com",
    b"User@Example.COM",
    b"@x",
    b"\"q\"",
    b"\"a b\"",
    "\u{e9}".as_bytes(),
    "\u{c9}".as_bytes(),
    b"\xff",
    b"\xc3",
    b"\0",
    b"\r",
    b"\t",
    b"\x0b",
    b"\x0c",
    b":",
    b",",
    b"#",
    b"+",
    b".",
    b"\\",
    b"(c)",
    b"<a@b>",
    b"|",
    b"/",
    b"$1",
    b"=",
    b"{",
    b"}",
    b"root",
    b"10.0.0.1",
    b"[::1]",
    b"\x7f",
    "\u{7f8e}".as_bytes(),
    b"'",
    b"foo+bar",
    b"example.com",
    b".example.com",
    b";",
    b"!",
    b"%s",
    b"*",
];
const BLANKS: &[&[u8]] = &[
    b" ",
    b" ",
    b" ",
    b"\t",
    b"  ",
    b": ",
    b":",
    b"\r",
    b" \t ",
    b"\x0b",
    b"\x0c",
    "\u{a0}".as_bytes(),
];
const ENDS: &[&[u8]] = &[
    b"\n", b"\n", b"\n", b"\n", b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\t\n", b"\n\n",
];
const VALUES: &[&[u8]] = &[
    b"1",
    b"v w",
    b"x, y",
    b"REJECT no",
    b"\"v\"",
    b"|\"/bin/x y\"",
    b"/file",
    b":include:/x",
    b"file1",
    b"../w/s",
    b"file1, file2",
    b"user@example.com",
    b"a@b, c@d",
    b"$1",
    b"(comment) x",
    b"x (comment)",
    b"<a@b>",
    b"\\",
    b"",
];

fn line(random: &mut Random) -> Vec<u8> {
    let mut line = match random.below(16) {
        0 => b"#".to_vec(),
        1 | 2 => random
            .pick(&[&b" "[..], b"\t", b"   ", b"\x0b", b"\r"])
            .to_vec(),
        3 => return Vec::new(),
        _ => Vec::new(),
    };
    line.extend(random.some(3, PIECES));
    if !random.once_in(10) {
        line.extend(random.pick(BLANKS));
    }
    match random.below(30) {
        0 => line.extend(vec![b'v'; random.below(9000)]),
        1 => line.extend(b"w ".repeat(random.below(3000))),
        2..14 => line.extend(random.pick(VALUES)),
        _ => {
            line.extend(random.some(3, PIECES));
            if random.once_in(3) {
                line.push(b' ');
                line.extend(random.some(3, PIECES));
            }
        }
    }
    line
}

fn alias(random: &mut Random) -> Vec<u8> {
    if random.once_in(4) {
        return line(random);
    }
    let mut line = match random.below(14) {
        0 => b"# ".to_vec(),
        1 => b" ".to_vec(),
        _ => Vec::new(),
    };
    line.extend(random.some(2, PIECES));
    line.extend(random.pick(&[&b":"[..], b": ", b" : ", b":\t"]));
    line.extend(random.pick(VALUES));
    if random.once_in(3) {
        line.extend(random.pick(&[&b", "[..], b",", b" ", b",,", b"\\\n", b"\n "]));
        line.extend(random.pick(VALUES));
    }
    line
}

fn text(random: &mut Random, make: fn(&mut Random) -> Vec<u8>) -> Vec<u8> {
    let mut text = Vec::new();
    let mut made: Vec<Vec<u8>> = Vec::new();
    for _ in 0..random.below(9) {
        let line = if random.once_in(8) && !made.is_empty() {
            made[random.below(made.len())].clone()
        } else {
            make(random)
        };
        text.extend(&line);
        text.extend(random.pick(ENDS));
        made.push(line);
    }
    if random.once_in(4) {
        text.pop();
    }
    text
}

fn rule(random: &mut Random) -> Vec<u8> {
    const PATTERNS: &[&[u8]] = &[
        b"/a/",
        b"!/x/",
        b"/b/i",
        b"/[/",
        b"/(/",
        b"/a",
        b"a/",
        b"/a|b/",
        b"/(a)|(b)/",
        b"/[[:alpha:]]+/",
        b"/.*/m",
        b"/x/x",
        b"|a|",
        b"!!/x/",
        b"! /x/",
        b"/a{1,2}/",
        b"/^$/",
        b"/\\./E",
        b"/a b/",
        b"@x@",
        b"/\\d/",
        "/\u{e9}/".as_bytes(),
        b"/\xff/",
        b"//",
        b"/^(.*)@(.*)$/",
        b"/(u)(s)(e)(r)/",
        b"/a/U",
        b"/a/ixmsU",
        b"/\\(/",
        b"/[^a]/",
        b"/\\bx/",
        b"/(?i)A/",
        b"/(?=a)a/",
        b"/\\1/",
        b"/(a)\\1/",
        b"/*a/",
        b"/a**/",
        b"/a{2,1}/",
        b"/a{999999}/",
        b"/[z-a]/",
        b"/[[:nope:]]/",
        b"/$a/",
    ];
    const RESULTS: &[&[u8]] = &[
        b"v",
        b"$1",
        b"${1}x",
        b"$(2)",
        b"$$y",
        b"[$1][$2]",
        b"x $3",
        b"REJECT",
        b"",
        b"${1",
        b"$",
        b"${a}",
        b"$0",
        b"$9",
        b"$10",
        b"DUNNO",
        b"\xff",
        b"$1$2$3$4",
    ];
    let pattern = random.pick(PATTERNS).to_vec();
    let mut line = match random.below(12) {
        0 => {
            return [
                random.pick(&[&b"if "[..], b"IF ", b"if", b"if !", b"If  ", b"if\t"]),
                &pattern[..],
            ]
            .concat();
        }
        1 => {
            return random
                .pick(&[
                    &b"endif"[..],
                    b"endif x",
                    b"ENDIF",
                    b"# c",
                    b"",
                    b"  cont",
                    b"noslash x",
                    b"endif#",
                    b"if",
                ])
                .to_vec();
        }
        2 => line(random),
        _ => pattern,
    };
    line.extend(random.pick(&[&b" "[..], b"\t", b"  ", b""]));
    line.extend(random.pick(RESULTS));
    line
}

fn network(random: &mut Random) -> Vec<u8> {
    const NETWORKS: &[&[u8]] = &[
        b"10.0.0.0/8",
        b"10.0.0.1",
        b"::1",
        b"[::1]",
        b"::/0",
        b"0.0.0.0/0",
        b"!10.0.0.1",
        b"2001:db8::/32",
        b"1.2.3.4/33",
        b"1.2.3.4/24",
        b"1.2.3",
        b"x",
        b"256.1.1.1",
        b"::1/129",
        b"! 1.2.3.4",
        b"1.2.3.4/",
        b"/8",
        b"01.2.3.4",
        b"::ffff:1.2.3.4",
        b"1.2.3.0/24",
        b"[::1]/128",
        b"[::/0",
        b"::]/0",
        b"1.2.3.4/08",
        b"1.2.3.4/+8",
        b"1.2.3.4/-1",
        b"1.2.3.4/8x",
        b"1.2.3.4 /8",
        b"!::/0",
        b"fe80::1%lo",
        b"0/0",
        b"0x7f.1",
        b"127.1",
        b"2130706433",
        b"1.2.3.4.5",
        b"[1.2.3.4]",
        b"10.0.0.0/8,",
        b"::1.2.3.4",
        b"1:2:3:4:5:6:7:8",
        b"1::2::3",
    ];
    let pattern = random.pick(NETWORKS).to_vec();
    let mut line = match random.below(12) {
        0 => {
            return [
                random.pick(&[&b"if "[..], b"IF ", b"if", b"if !"]),
                &pattern[..],
            ]
            .concat();
        }
        1 => {
            return random
                .pick(&[
                    &b"endif"[..],
                    b"endif x",
                    b"# c",
                    b"",
                    b"  cont",
                    b"1.2.3.4",
                ])
                .to_vec();
        }
        2 => line(random),
        _ => pattern,
    };
    line.extend(random.pick(&[&b" "[..], b"\t", b"  ", b""]));
    line.extend(random.some(3, PIECES));
    line
}

/// Tables that may or may not be there, may or may not be right.
fn table(random: &mut Random) -> Vec<u8> {
    const NAMES: &[&str] = &[
        "lmdb:s",
        "lmdb:s",
        "cdb:s",
        "cdb:s",
        "s",
        "texthash:s",
        "texthash:s",
        "regexp:p",
        "regexp:p",
        "pcre:p",
        "pcre:p",
        "cidr:n",
        "cidr:n",
        "regexp:{{/a/ b}, {/(x)/ $1}}",
        "pcre:{{/A/ b}}",
        "cidr:{{1.2.3.4 x},{::/0 y}}",
        "inline:{a=1, b=2}",
        "inline:{{a b = c}, x=y}",
        "inline:{a=1, a=2}",
        "static:x",
        "static:{a b}",
        "static:{ a }",
        "environ:x",
        "environ:",
        "unionmap:{static:a,inline:{a=b}}",
        "unionmap:{texthash:s,inline:{a=b}}",
        "pipemap:{inline:{a=b},inline:{b=c}}",
        "pipemap:{texthash:s,texthash:s}",
        "randmap:{x}",
        "internal:x",
        "fail:x",
        "unix:x",
        "unix:passwd.byname",
        "unix:group.byname",
        "debug:inline:{a=b}",
        "nosuch:x",
        "socketmap:unix:x:n",
        "socketmap:foo:x:n",
        "unionmap:{static:a",
        "cidr:",
        "inline:{}",
        "static:{",
        "static:",
        "debug:",
        "randmap:{}",
        "inline:{a=b}x",
        "lmdb:nofile",
        "texthash:nofile",
        "cdb:nofile",
        "regexp:nofile",
        ".",
        "",
        ":",
        "lmdb:",
        "dbm:s",
        "sdbm:s",
        "lmdb:../w/s",
        "lmdb:./s",
        "lmdb:d/s",
        "texthash:.",
        "cidr:{{x}}",
        "pcre:{{if /a/}, {/a/ b}, {endif}}",
        "tcp:localhost:1",
        "proxy:static:x",
        "static:{x",
        "inline:{ a = b , c = d }",
        "inline:{a}",
        "inline:{=b}",
        "inline:{{a = b c}}",
        "pipemap:{}",
        "unionmap:{nosuch:x}",
        "mysql:x",
        "ldap:x",
        "LMDB:s",
        "lmdb:s lmdb:s",
        "texthash:p",
        "cidr:s",
        "lmdb:p",
        "unionmap:{static:{a b},static:c}",
        "unionmap:static:a",
        "pipemap:{static:a,nosuch:b}",
        "texthash:@TOP@/w/s",
        "lmdb:@TOP@/w/s",
    ];
    random.pick(NAMES).as_bytes().to_vec()
}

fn key(random: &mut Random) -> Vec<u8> {
    if random.once_in(12) {
        return random
            .pick(&[&b""[..], b" ", b"-", b"\xff", b"a\nb"])
            .to_vec();
    }
    random.some(2, PIECES)
}

fn keys(random: &mut Random) -> Vec<u8> {
    let mut text = Vec::new();
    for _ in 0..random.below(8) {
        match random.below(20) {
            0 => text.extend(vec![b'k'; random.below(5000)]),
            1 => text.extend(b"h: a\n b\n\nbody\n--x\n"),
            _ => text.extend(key(random)),
        }
        text.extend(random.pick(ENDS));
    }
    if random.once_in(3) {
        text.pop();
        // The original takes such a byte at the very end for the end itself.
        while text.last() == Some(&0xff) {
            text.pop();
        }
    }
    text
}

fn letters(random: &mut Random, of: &str) -> Vec<u8> {
    let of = of.as_bytes();
    let mut text = Vec::new();
    while random.below(3) == 0 && text.len() < 5 {
        text.push(of[random.below(of.len())]);
    }
    if text.is_empty() {
        return text;
    }
    [b"-", text.as_slice(), b" "].concat()
}

fn case(random: &mut Random, tool: &str, of: &str, source: fn(&mut Random) -> Vec<u8>) -> Case {
    let mut case = Case::default();
    case.file("w/s", text(random, source));
    case.file("w/p", text(random, rule));
    case.file("w/n", text(random, network));
    let mut script = Vec::new();
    let table_one = table(random);
    let run = |script: &mut Vec<u8>, words: &[&[u8]]| {
        script.extend(tool.as_bytes());
        for word in words {
            script.push(b' ');
            script.extend(*word);
        }
        script.push(b'\n');
    };
    if random.below(3) > 0 {
        let made = random
            .pick(&["lmdb:s", "cdb:s", "s", "lmdb:s cdb:s"])
            .as_bytes()
            .to_vec();
        run(&mut script, &[&letters(random, "fNnopruw"), &made]);
        if random.once_in(3) {
            script.extend(b"touch -d 2020-01-01 s\n");
        }
    }
    let options = letters(random, of);
    case.any_order = options.contains(&b's');
    for _ in 0..=random.below(2) {
        let table = if random.below(3) > 0 {
            table_one.clone()
        } else {
            table(random)
        };
        let table = if random.once_in(10) {
            [quoted(&table), b" ".to_vec(), quoted(self::table(random))].concat()
        } else {
            quoted(&table)
        };
        match random.below(11) {
            0..3 => run(
                &mut script,
                &[&options, b"-q", &quoted(key(random)), &table],
            ),
            3..5 => {
                case.file("w/keys", keys(random));
                run(&mut script, &[&options, b"-q - ", &table, b"<keys"]);
            }
            5 => run(
                &mut script,
                &[&options, b"-d", &quoted(key(random)), &table],
            ),
            6 => {
                case.file("w/gone", keys(random));
                run(&mut script, &[&options, b"-d -", &table, b"<gone"]);
            }
            7 => {
                case.file("w/more", text(random, source));
                run(&mut script, &[&options, b"-i", &table, b"<more"]);
            }
            8 => {
                // The order is that of a hash table.
                case.any_order = true;
                run(&mut script, &[&options, b"-s", &table]);
            }
            9 => run(
                &mut script,
                &[&options, &letters(random, "qdsicbhmFZ"), &table],
            ),
            _ => run(&mut script, &[&options, &table]),
        }
        script.extend(b"echo \"= $?\"\n");
    }
    script.extend(
        format!("for f in *.lmdb *.cdb; do if [ -f $f ]; then echo \"-- $f\"; {tool} -s ${{f##*.}}:${{f%.*}} | sed 's/^YP_LAST_MODIFIED.*/YP/'; fi; done\n").bytes(),
    );
    case.script = script;
    if random.once_in(8) {
        let odd = random.pick(&[
            "smtputf8_enable = no\n",
            "default_database_type = cdb\n",
            "default_database_type = texthash\n",
            "lmdb_map_size = 20000\n",
            "default_database_type = nosuch\n",
            "lmdb_map_size = x\n",
            "line_length_limit = 10\n",
            "import_environment = x=y, a=b\n",
            "alias_database = lmdb:s\nalias_maps = $alias_database\n",
            "export_environment =\n",
            "daemon_table_open_error_is_fatal = yes\n",
        ]);
        case.main_cf = Some(odd.as_bytes().to_vec());
    }
    case
}

/// `postmap`.
pub fn postmap(random: &mut Random) -> Case {
    case(random, "postmap", "bfFhijmnNoprsuUw", line)
}

/// `postalias`.
pub fn postalias(random: &mut Random) -> Case {
    case(random, "postalias", "fijNnoprsuw", alias)
}
