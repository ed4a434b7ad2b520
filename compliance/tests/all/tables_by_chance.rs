//! `postmap` and `postalias` on what chance makes: tables, keys, options.

use std::fmt::Write as _;

use compliance::chance::{Dice, cases as chosen};
use compliance::golden::check;
use compliance::shell::at_once;
use compliance::testkit::Instance;

const KEYS: &[&str] = &[
    "a",
    "A",
    "b",
    "",
    "x",
    "a b",
    "user@example.com",
    "@x",
    "\"q\"",
    "é",
    "É",
    "\\303",
    "x:",
    "#c",
    " lead",
    "trail ",
    "k\\tt",
    "10.0.0.1",
    "::1",
    "1.2.3.4",
    "root",
    "foo+bar",
    "K",
];
const VALUES: &[&str] = &[
    "1",
    "v w",
    "x y  z",
    "",
    "é",
    "$1",
    "\"q\"",
    "REJECT no",
    "b",
    "10.1.1.1",
    " s ",
];
const RULES: &[&str] = &[
    "/a/",
    "!/x/",
    "/b/i",
    "/B/",
    "/[/",
    "/(/",
    "/a",
    "a/",
    "/x/y z",
    "/é/",
    "/\\\\//",
    "//",
    "/a|ab/",
    "/(a)|(b)/",
    "/[[:alpha:]]+/",
    "/.*/m",
    "/x/x",
    "|a|",
    "!!/x/",
    "! /x/",
    "/a*/",
    "/a{1,2}/",
    "/^$/",
    "/\\\\./E",
    "/a b/",
    "@x@",
    "/\\\\d/",
];
const RESULTS: &[&str] = &[
    "v", "$1", "${1}x", "$(2)", "$$y", "[$1][$2]", "x $3", "é", "REJECT", "", "${1", "$", "${a}",
];
const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.0.0.1",
    "::1",
    "[::1]",
    "::/0",
    "0.0.0.0/0",
    "!10.0.0.1",
    "2001:db8::/32",
    "1.2.3.4/33",
    "1.2.3.4/24",
    "1.2.3",
    "x",
    "256.1.1.1",
    "::1/129",
    "! 1.2.3.4",
    "1.2.3.4/",
    "/8",
    "01.2.3.4",
    "::ffff:1.2.3.4",
    "1.2.3.0/24",
];
const TABLES: &[&str] = &[
    "lmdb:s",
    "lmdb:s",
    "cdb:s",
    "s",
    "texthash:s",
    "texthash:s",
    "regexp:p",
    "pcre:p",
    "cidr:n",
    "regexp:{{/a/ b}, {/(x)/ $1}}",
    "pcre:{{/A/ b}}",
    "cidr:{{1.2.3.4 x},{::/0 y}}",
    "inline:{a=1, b=2}",
    "inline:{{a b = c}, x=y}",
    "inline:{é=ü}",
    "static:x",
    "static:{a b}",
    "environ:x",
    "unionmap:{static:a,inline:{a=b}}",
    "pipemap:{inline:{a=b},inline:{b=c}}",
    "randmap:{x}",
    "internal:x",
    "fail:x",
    "unix:x",
    "debug:inline:{a=b}",
    "nosuch:x",
    "socketmap:unix:x:n",
    "socketmap:foo:x:n",
    "unionmap:{static:a",
    "cidr:",
    "inline:{}",
    "static:{",
    "debug:",
    "randmap:{}",
    "inline:{a=b}x",
    "lmdb:nofile",
    "texthash:nofile",
    ".",
];

fn source_line(dice: &mut Dice) -> String {
    let key = dice.pick(KEYS);
    let value = dice.pick(VALUES);
    match dice.roll(12) {
        0 => format!("# {key}"),
        1 => format!("  cont {value}"),
        2 => dice.pick(&[
            "noval",
            "k:",
            "\"un",
            "\"q r\" v",
            "x\\\\ y z",
            "a\\000b c",
            "\\t\\tt x",
            "",
        ]),
        _ => key + &dice.pick(&[" ", "\\t", "   ", ": "]) + &value,
    }
}

fn alias_line(dice: &mut Dice) -> String {
    let key = dice.pick(KEYS);
    match dice.roll(8) {
        0 => format!("# {key}"),
        1 => "  cont, x".to_owned(),
        2 => dice.pick(&[
            "noval",
            "k:",
            ":x",
            "a:b:c",
            "\"a b\": c",
            "\"un: x",
            "a (c): d",
            "a: (c) d",
            "a: |\"/bin/x y\"",
            "a: /file",
            "a: :include:/x",
            "<a>: b",
            "a: b (",
            "@: x",
            "é: ü",
        ]),
        _ => {
            let values = ["x", "y@z", "\"q w\"", "é", "|c", "/d", "a, b"];
            key + &dice.pick(&[":", ": ", " : ", ":\\t"]) + &dice.pick(&values)
        }
    }
}

fn rule_line(dice: &mut Dice) -> String {
    let rule = dice.pick(RULES);
    match dice.roll(8) {
        0 => dice.pick(&["if ", "IF ", "if", "if !"]) + &rule,
        1 => dice.pick(&[
            "endif",
            "endif x",
            "ENDIF",
            "# c",
            "",
            "  cont",
            "noslash x",
        ]),
        _ => format!("{rule} {}", dice.pick(RESULTS)),
    }
}

fn network_line(dice: &mut Dice) -> String {
    let network = dice.pick(NETWORKS);
    match dice.roll(8) {
        0 => dice.pick(&["if ", "IF ", "if", "if !"]) + &network,
        1 => dice.pick(&["endif", "endif x", "# c", "", "  cont", "1.2.3.4"]),
        _ => format!("{network} {}", dice.pick(&["v", "a b", "é", ""])),
    }
}

/// A case in a directory of its own: three sources, an index perhaps, and one command.
fn command(dice: &mut Dice) -> String {
    let tool = dice.pick(&["postmap", "postmap", "postmap", "postalias"]);
    let lines = |dice: &mut Dice| match tool.as_str() {
        "postmap" => dice.lines(source_line),
        _ => dice.lines(alias_line),
    };
    let source = lines(dice);
    let (rules, networks) = (dice.lines(rule_line), dice.lines(network_line));
    let mut text = format!(
        "cd $(mktemp -d); printf '{source}' >s; printf '{rules}' >p; printf '{networks}' >n; touch -d yesterday s p n; "
    );
    let table = dice.pick(TABLES);
    if ["lmdb:s", "cdb:s", "s"].contains(&table.as_str()) && dice.roll(8) > 0 {
        let _ = write!(
            text,
            "{tool} {} {table}; ",
            dice.pick(&["-w", "-r", "", ""])
        );
    }
    let options = dice.pick(&["", "", "", "-f", "-u", "-r", "-w", "-o", "-p", "-j"]);
    let key = dice.pick(KEYS);
    let keys = dice.lines(|dice| dice.pick(KEYS));
    let list = format!("{tool} -s '{table}' | sort");
    text += &match dice.roll(10) {
        0..3 => format!("{tool} {options} -q '{key}' '{table}'"),
        3..5 => format!("printf '{keys}' | {tool} {options} -q - '{table}'"),
        5 => format!("{tool} {options} -d '{key}' '{table}'; {list}"),
        6 => format!("printf '{keys}' | {tool} {options} -d - '{table}'; {list}"),
        7 => {
            let added = lines(dice);
            format!("printf '{added}' | {tool} {options} -i '{table}'; {list}")
        }
        8 => format!("{tool} {options} '{table}'; ls; {list}"),
        _ => list,
    };
    text
}

/// Commands made by chance.
#[test]
fn commands() {
    let (count, mut dice) = chosen(250, 3);
    let instance = Instance::builder()
        .main_cf("default_database_type = lmdb")
        .build();
    std::fs::create_dir(instance.path("work")).unwrap();
    let cases: Vec<String> = (0..count).map(|_| command(&mut dice)).collect();
    let mut text = String::new();
    for cases in cases.chunks(125) {
        let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
        text += &at_once(&instance, "work", &cases);
    }
    // What postalias writes of its own depends on the time.
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("YP_LAST_MODIFIED"))
        .map(|line| line.to_owned() + "\n")
        .collect();
    check(&instance, "tables/commands", &text);
}

/// Tables of patterns and networks made by chance: what each key finds.
#[test]
fn generated() {
    let instance = Instance::builder().build();
    std::fs::create_dir(instance.path("work")).unwrap();
    let mut dice = chosen(0, 2026).1;
    let mut cases = Vec::new();
    for number in 0..60 {
        let kind = ["regexp", "pcre", "cidr"][number % 3];
        let (mut table, mut keys) = (String::new(), String::new());
        // Long ones, too.
        let rules = if number % 10 == 0 { 120 } else { 12 };
        let mut depth = 0;
        for rule in 0..rules {
            let not = dice.pick(&["", "", "", "", "!"]);
            let what = if kind == "cidr" {
                let bits = dice.roll(5) * 8;
                let mut address = [0; 4].map(|_: i32| dice.roll(3));
                address[bits / 8..].fill(0);
                let [a, b, c, d] = address;
                format!("{not}{a}.{b}.{c}.{d}/{bits}")
            } else {
                let pieces = [
                    "a", "b", "c", "ab", "b*", "c+", "(a|b)", ".", "[bc]", "[^a]", "(b)", "a?",
                    "c{2}", "^a", "c$", "\\.",
                ];
                format!(
                    "{not}/{}/{}",
                    dice.word(&pieces, 4),
                    dice.pick(&["", "", "i"])
                )
            };
            match dice.roll(12) {
                0 => {
                    depth += 1;
                    let _ = writeln!(table, "if {what}");
                }
                1 if depth > 0 => {
                    depth -= 1;
                    table += "endif\n";
                }
                _ if what.contains('(') && not.is_empty() => {
                    let _ = writeln!(table, "{what} {rule}<$1>");
                }
                _ => {
                    let _ = writeln!(table, "{what} {rule}");
                }
            }
        }
        for _ in 0..depth {
            table += "endif\n";
        }
        for _ in 0..50 {
            if kind == "cidr" {
                let _ = writeln!(
                    keys,
                    "{}",
                    [0; 4].map(|_| dice.roll(4).to_string()).join(".")
                );
            } else {
                let _ = writeln!(
                    keys,
                    "{}",
                    dice.word(&["a", "b", "c", "A", "B", ".", "x"], 7)
                );
            }
        }
        instance.write(&format!("work/t{number}"), table);
        instance.write(&format!("work/k{number}"), keys);
        cases.push(format!(
            "postmap -q - {kind}:t{number} <k{number} | tr '\\n\\t' ' ='"
        ));
    }
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    check(
        &instance,
        "tables/generated",
        &at_once(&instance, "work", &cases),
    );
}
