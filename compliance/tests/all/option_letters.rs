//! Every option letter that a manual of the original explains is one that each command knows.

use std::collections::BTreeSet;
use std::process::Command;

use compliance::shell::{at_once, one_by_one};
use compliance::testkit::{Instance, Target};

/// Programs with a manual of their own.
const COMMANDS: [&str; 18] = [
    "mailq",
    "newaliases",
    "postalias",
    "postcat",
    "postconf",
    "postdrop",
    "postfix",
    "postfix-tls",
    "postkick",
    "postlock",
    "postlog",
    "postmap",
    "postmulti",
    "postqueue",
    "postsuper",
    "posttls-finger",
    "qshape",
    "sendmail",
];

/// The letters that a manual of the original has an item for.
fn letters(command: &str) -> BTreeSet<char> {
    let page = Target::peer_root().join(format!("usr/share/man/man1/{command}.1.gz"));
    let shown = Command::new("zcat").arg(&page).output().unwrap();
    assert!(shown.status.success(), "{}: {shown:?}", page.display());
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    text.lines()
        .filter_map(|line| line.strip_prefix(".IP "))
        .filter_map(|item| item.trim_start_matches('"').strip_prefix("\\fB\\-"))
        .filter_map(|option| option.chars().next())
        .collect()
}

/// A shell command with this option, and with something behind it that is no option of any command, so that nothing is done.
fn case(instance: &Instance, command: &str, letter: char) -> String {
    let perl = instance.path("perl");
    let qshape = format!("PERL5LIB={} qshape", perl.display());
    let command = match (command, letter) {
        ("qshape", _) => &qshape,
        ("postfix-tls", 'h') => "postfix tls output-server-tlsa",
        ("postfix-tls", 'k') => "postfix tls output-server-csr",
        ("postfix-tls", 'r') => "postfix tls enable-server",
        ("postfix-tls", _) => "postfix tls new-server-key",
        // It looks at options only where the default configuration is used.
        ("postmulti", _) => "env -u MAIL_CONFIG postmulti",
        (other, _) => other,
    };
    format!("{command} -{letter} -, -,")
}

/// A system with openssl(1) and modules of Perl, without which `postfix tls` and the original's qshape look at no option.
fn instance() -> Instance {
    let instance = Instance::builder().build();
    compliance::perl::lend(&instance);
    std::fs::copy("/usr/bin/openssl", instance.seen("openssl")).unwrap();
    let setting = "echo openssl_path = TOP/openssl >>/etc/postfix/main.cf";
    one_by_one(&instance, "", &[setting]);
    instance
}

/// Whether a line complains of an option letter: getopt(3), Perl's Getopt::Std, the shell, and `postfix tls`.
fn complains(line: &str, letter: char) -> bool {
    [
        format!("invalid option -- '{letter}'"),
        format!("Unknown option: {letter}"),
        format!("Illegal option -{letter}"),
        "fatal: usage: postfix tls ".to_owned(),
    ]
    .iter()
    .any(|complaint| line.contains(complaint))
}

#[test]
fn all_are_known() {
    let instance = instance();
    let mut cases = Vec::new();
    for command in COMMANDS {
        let known = letters(command);
        cases.extend(known.iter().map(|letter| case(&instance, command, *letter)));
    }
    let lines: Vec<&str> = cases.iter().map(String::as_str).collect();
    let told = at_once(&instance, "", &lines);
    let mut case = "";
    for line in told.lines() {
        if let Some(next) = line.strip_prefix("$ ") {
            case = next;
        }
        let letter = case.trim_end_matches(" -, -,").chars().last().unwrap();
        assert!(!complains(line, letter), "{case}: {line}");
    }
    let count = cases.len();
    // The manuals of 3.11 have so many; none was overlooked.
    assert!(count > 140, "only {count} options were found");
}

/// Without this, all options would be known to a command that complains in other words, or not at all.
#[test]
fn others_are_not() {
    let instance = instance();
    for command in COMMANDS {
        let known = letters(command);
        let strange: Vec<char> = "zyZYKk".chars().filter(|ch| !known.contains(ch)).collect();
        assert!(strange.len() > 2, "{command}");
        let cases: Vec<String> = strange
            .iter()
            .map(|letter| case(&instance, command, *letter))
            .collect();
        let lines: Vec<&str> = cases.iter().map(String::as_str).collect();
        let told = at_once(&instance, "", &lines);
        for (case, letter) in cases.iter().zip(strange) {
            let (_, rest) = told.split_once(&format!("$ {case}\n")).unwrap();
            let rest = rest.split("\n$ ").next().unwrap();
            assert!(complains(rest, letter), "{case}: {rest}");
        }
    }
}
