//! Every option letter that a manual of the original explains is one that each command knows.

use std::collections::BTreeSet;
use std::process::Command;

use compliance::shell::at_once;
use compliance::testkit::{Instance, Target};

/// Programs with a manual of their own. posttls-finger waits for TLS.
const COMMANDS: [&str; 17] = [
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
    "qshape",
    "sendmail",
];

/// Programs that take any letter, or complain of something else first: of the configuration, of modules of Perl.
const ELSEWHERE: [&str; 6] = [
    "mailq",
    "newaliases",
    "postfix-tls",
    "postmulti",
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

#[test]
fn all_are_known() {
    let instance = Instance::builder().build();
    let mut cases = Vec::new();
    for command in COMMANDS {
        let line = match command {
            "postfix-tls" => "postfix tls new-server-key",
            other => other,
        };
        // What follows is no option of any command, so that nothing is done.
        cases.extend(
            letters(command)
                .iter()
                .map(|letter| format!("{line} -{letter} -, -,")),
        );
    }
    let lines: Vec<&str> = cases.iter().map(String::as_str).collect();
    let told = at_once(&instance, "", &lines);
    let mut case = "";
    for line in told.lines() {
        if let Some(next) = line.strip_prefix("$ ") {
            case = next;
        }
        let letter = case.trim_end_matches(" -, -,").chars().last().unwrap();
        for complaint in [
            format!("invalid option -- '{letter}'"),
            format!("Unknown option: {letter}"),
            format!("Illegal option -{letter}"),
        ] {
            assert!(!line.contains(&complaint), "{case}: {line}");
        }
    }
    // A letter that no manual has is refused, or the test would see nothing.
    let unknown: Vec<String> = COMMANDS
        .iter()
        .filter(|command| !ELSEWHERE.contains(command))
        .map(|command| format!("{command} -Z -, -,"))
        .collect();
    let lines: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let told = at_once(&instance, "", &lines);
    let refused = told.lines().filter(|line| {
        line.contains("invalid option -- 'Z'") || line.contains("Unknown option: Z")
    });
    assert_eq!(refused.count(), unknown.len(), "{told}");
    let count = cases.len();
    // The manuals of 3.11 have so many; none was overlooked.
    assert!(count > 140, "only {count} options were found");
}
