//! Many cases on one system.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use pf_testkit::{Instance, Target};
use regex::Regex;

use super::case::Case;
use super::tree::{self, Labels, Owners};
use crate::golden::normalise;

/// How many run at the same time: the original sleeps for a second before each fatal error.
const AT_ONCE: usize = 48;

/// Defaults that are each system's own, and what the original's libraries say of themselves.
fn without_places(text: &str) -> String {
    text.split_inclusive('\n')
        .filter(|line| !OWN.is_match(line.trim_end_matches('\n')))
        .collect()
}

static OWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^(default_(cache_db|database)_type = )?(cdb|sled|lmdb)$|inet_addr_local: configured|name_mask: ipv4",
        r#"|^\{\\?"(alias_maps|(command|daemon)_directory|default_(cache_db|database)_type|process_id|sendmail_path|mailq_path|newaliases_path|\w+_cache_map|\w*_?directory)\\?": |^\{.*(_cache\b|:/etc/aliases)|^/\S+/(sendmail|s?bin)$"#,
        r"|^ *\S+ = .*(sled:/|(verify|postscreen)_cache|\S*:/etc/aliases|/usr/(s?bin|lib)|/libexec|/etc/postfix|share/|/s?bin)"
    ))
    .unwrap()
});

/// Where in a pattern its error is depends on the version of the library, and where a shell complains on the script.
static OFFSET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(error in regex|postfix-script:)( at offset)? \d+:?").unwrap());

/// The original does not count the lines of an entry that it edits.
static LINE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(master\.cf: line )\d+(: (?:specify service|service (?:name|type) syntax))")
        .unwrap()
});

/// The length of a network, in a complaint.
static MASK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"/\d{4,}""#).unwrap());

static PROCESS_ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"process_id = \d+").unwrap());

/// What a case showed and left behind, by name.
pub type Effect = BTreeMap<String, String>;

/// Runs these cases.
pub fn run(target: &Target, cases: &[&Case]) -> Vec<Effect> {
    let instance = Instance::builder_for(target.clone()).build();
    let owners = Owners {
        postfix: id(&instance, "passwd", "postfix"),
        group: id(&instance, "group", "postfix"),
        postdrop: id(&instance, "group", "postdrop"),
    };
    let base = instance.read("etc/main.cf");
    let master = instance.read("etc/master.cf");
    let top = |number: usize| instance.path(&format!("cases/{number}"));
    let labels: Vec<Labels> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let top = top(number);
            let labels = tree::make(&top, case, &base, &master, &owners);
            let etc = if case.main_cf.is_some() {
                top.join("etc")
            } else {
                instance.path("etc")
            };
            let mut script = format!(
                "ulimit -f 8000\nulimit -t 10\ncd {}/w\nPATH={}:/usr/sbin:/usr/bin:/bin\nMAIL_CONFIG={}\nPERL5LIB={}\nexport PATH MAIL_CONFIG PERL5LIB\n",
                top.display(),
                instance.target().command_directory().display(),
                etc.display(),
                instance.path("perl").display()
            )
            .into_bytes();
            script.extend(labels.filled(&case.script, &top));
            script.push(b'\n');
            fs::write(top.join("run"), script).unwrap();
            labels
        })
        .collect();
    allow_directories(&instance, cases);
    crate::perl::lend(&instance);
    let last = cases.len().saturating_sub(1);
    let script = format!(
        "cd {}/cases; seq 0 {last} | xargs -P {AT_ONCE} -I@ sh -c 'timeout -k 1 10 sh @/run >@/o 2>@/e </dev/null; echo $? >@/s'",
        instance.path("").display()
    );
    let output = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(output.status, 0, "{output:?}");
    wait_for_postdrop();
    labels
        .iter()
        .zip(cases)
        .enumerate()
        .map(|(number, (labels, case))| {
            let top = top(number);
            let mut effect = tree::look(&top, case, labels, &owners);
            for (file, name) in [("o", "stdout"), ("e", "stderr"), ("s", "status")] {
                let text = shown(&top.join(file));
                let text = without_places(&text);
                let text = OFFSET.replace_all(&text, "$1");
                let text = LINE.replace_all(&text, "$1$2");
                // Which of its two expansions fails first depends on the order of a hash table.
                let text = text.replace("fatal: dictionary mail_dict: macro", "fatal: macro");
                let mut text = labels.named(&PROCESS_ID.replace_all(&text, "process_id = PID"));
                if case.any_order || file == "e" {
                    let mut lines: Vec<&str> = text.lines().collect();
                    if file == "e" {
                        lines.retain(|line| told_by_both(case, &text, line));
                    }
                    lines.sort_unstable();
                    if case.once {
                        lines.dedup();
                    }
                    text = lines.join("\n");
                }
                effect.insert(name.to_owned(), text);
            }
            for (name, text) in &mut effect {
                if name == "log" {
                    *text = labels.named(text);
                }
                *text = normalise(&instance, text);
            }
            // The original leaves the beginning of a message behind when `sendmail` gives up early.
            effect.retain(|name, text| {
                !(name.starts_with("spool/maildrop/") && text.starts_with("644 "))
            });
            effect
        })
        .collect()
}

/// Whether a complaint, of all these, is one that both systems have.
fn told_by_both(case: &Case, all: &str, line: &str) -> bool {
    // What is told before depends on the order of a hash table.
    let reasons = [
        "macro processing error",
        "unknown mynetworks mask style",
        "config variable inet_",
        "unknown inet_protocols value",
        "bad mynetworks_style value",
    ];
    let cut = all.contains("unreasonable macro call nesting")
        || reasons
            .iter()
            .any(|reason| all.contains(&format!("postconf: fatal: {reason}")));
    let fatal = line.contains("fatal:");
    // `postdrop` complains besides when `sendmail` gives up in the middle of a long message.
    let half = [
        "postdrop: fatal: uid=",
        "postdrop: warning: stdin: unexpected EOF",
    ]
    .iter()
    .any(|begin| line.starts_with(begin));
    // The original looks at the last eight bits of a length.
    let long = MASK.is_match(line);
    !(half || long || !fatal && (cut || case.own_words))
}

/// A `postdrop` outlives the `sendmail` that gave up; half of its message is there as long as it sleeps before it complains.
fn wait_for_postdrop() {
    let runs = || {
        fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name == "postdrop\n")
        })
    };
    let end = Instant::now() + Duration::from_secs(5);
    while runs() && Instant::now() < end {
        sleep(Duration::from_millis(50));
    }
}

fn shown(path: &PathBuf) -> String {
    let mut bytes = fs::read(path).unwrap_or_default();
    // What goes round in circles.
    bytes.truncate(super::ENDLESS);
    match String::from_utf8(bytes) {
        Ok(text) => text.replace('\0', "\\0").replace('\r', "\\r"),
        Err(err) => err
            .into_bytes()
            .escape_ascii()
            .to_string()
            .replace("\\n", "\n"),
    }
}

/// A setgid command takes a configuration from a user only where the default one lists it.
fn allow_directories(instance: &Instance, cases: &[&Case]) {
    let main = instance.read("etc/main.cf");
    let mut text = format!(
        "{main}\nshlib_directory = no\nalternate_config_directories = {}\n",
        instance.path("etc").display()
    );
    for (number, _) in cases
        .iter()
        .enumerate()
        .filter(|(_, case)| case.main_cf.is_some())
    {
        text += &format!(
            " {}\n",
            instance.path(&format!("cases/{number}/etc")).display()
        );
    }
    instance.write("default.cf", text);
    let script = format!(
        "[ -s /etc/postfix/master.cf ] || {{ cat {} >/etc/postfix/main.cf; cat {} >/etc/postfix/master.cf; }}",
        instance.path("default.cf").display(),
        instance.path("etc/master.cf").display()
    );
    if !instance.target().is_peer() {
        assert_eq!(instance.run("/bin/sh", &["-c", &script]).status, 0);
    }
}

fn id(instance: &Instance, file: &str, name: &str) -> u32 {
    instance
        .read(file)
        .lines()
        .find_map(|line| {
            line.strip_prefix(name)?
                .strip_prefix(":x:")?
                .split(':')
                .next()?
                .parse()
                .ok()
        })
        .unwrap()
}
