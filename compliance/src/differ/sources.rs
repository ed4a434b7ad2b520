//! What tables are made from: lines of keys and values, aliases, rules with patterns, networks.

use crate::random::Random;

pub(super) const PIECES: &[&[u8]] = &[
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
pub(super) const BLANKS: &[&[u8]] = &[
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
pub(super) const ENDS: &[&[u8]] = &[
    b"\n", b"\n", b"\n", b"\n", b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\t\n", b"\n\n",
];
pub(super) const VALUES: &[&[u8]] = &[
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

pub(super) fn line(random: &mut Random) -> Vec<u8> {
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

pub(super) fn alias(random: &mut Random) -> Vec<u8> {
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

pub(super) fn text(random: &mut Random, make: fn(&mut Random) -> Vec<u8>) -> Vec<u8> {
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

pub(super) fn rule(random: &mut Random) -> Vec<u8> {
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

pub(super) fn network(random: &mut Random) -> Vec<u8> {
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
