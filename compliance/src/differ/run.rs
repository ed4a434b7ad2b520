//! Many cases on one system.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

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
        .filter(|line| !OWN.is_match(line))
        .collect()
}

static OWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"^default_(cache_db|database)_type = (cdb|sled|lmdb)$|inet_addr_local: configured|name_mask: ipv4",
        r"|^ *\S+ = .*(sled:/|verify_cache|cdb:/etc/aliases|lmdb:/etc/aliases|/usr/(s?bin|lib)|/libexec|/etc/postfix|share/|/s?bin)"
    ))
    .unwrap()
});

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
                "ulimit -f 8000 -t 10\ncd {}/w\nPATH={}:/usr/sbin:/usr/bin:/bin\nMAIL_CONFIG={}\nPERL5LIB={}\nexport PATH MAIL_CONFIG PERL5LIB\n",
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
    perl(&instance);
    let last = cases.len().saturating_sub(1);
    let script = format!(
        "cd {}/cases; seq 0 {last} | xargs -P {AT_ONCE} -I@ sh -c 'timeout -k 1 10 sh @/run >@/o 2>@/e </dev/null; echo $? >@/s'",
        instance.path("").display()
    );
    let output = instance.run("/bin/sh", &["-c", &script]);
    assert_eq!(output.status, 0, "{output:?}");
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
                let mut text = labels.named(&PROCESS_ID.replace_all(&text, "process_id = PID"));
                if case.any_order || file == "e" {
                    let mut lines: Vec<&str> = text.lines().collect();
                    lines.sort_unstable();
                    if case.once {
                        lines.dedup();
                    }
                    text = lines.join("\n");
                }
                effect.insert(name.to_owned(), text);
            }
            for text in effect.values_mut() {
                *text = normalise(&instance, text);
            }
            effect
        })
        .collect()
}

fn shown(path: &PathBuf) -> String {
    let mut bytes = fs::read(path).unwrap_or_default();
    // What goes round in circles.
    bytes.truncate(200_000);
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
    let places = main
        .lines()
        .filter(|line| {
            line.starts_with("command_directory") || line.starts_with("daemon_directory")
        })
        .fold(String::new(), |text, line| text + line + "\n");
    let mut text = format!(
        "{places}alternate_config_directories = {}\n",
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
        "[ -s /etc/postfix/master.cf ] || cat {} >/etc/postfix/main.cf",
        instance.path("default.cf").display()
    );
    if !instance.target().is_peer() {
        assert_eq!(instance.run("/bin/sh", &["-c", &script]).status, 0);
    }
}

/// The modules of Perl that the original's qshape needs, and that the least of Debian does not have.
fn perl(instance: &Instance) {
    for module in ["File/Find.pm", "Getopt/Std.pm"] {
        let to = instance.path("perl").join(module);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        let output = std::process::Command::new("perl")
            .args([
                "-MFile::Find",
                "-MGetopt::Std",
                "-e",
                "print $INC{$ARGV[0]}",
                module,
            ])
            .output()
            .unwrap();
        fs::copy(String::from_utf8(output.stdout).unwrap(), to).unwrap();
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
