//! Comparison with what the peer did.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use pf_testkit::{Instance, Output};
use regex::Regex;

/// Asserts that `text`, made independent of this run by [`normalise`], is what the peer's recording `name` holds.
pub fn check(instance: &Instance, name: &str, text: &str) {
    let text = normalise(instance, text);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("golden")
        .join(name);
    if std::env::var_os("POSTFIX_RS_RECORD").is_some() {
        assert!(
            instance.target().is_peer(),
            "recordings are made from the peer only"
        );
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path)
        .unwrap_or_else(|err| panic!("{}: {err}: record it from the peer first", path.display()));
    let (wanted, text) = (without_prose(&wanted), without_prose(&text));
    if wanted != text {
        panic!(
            "{name} differs from the peer (- peer, + this):\n{}",
            difference(&wanted, &text)
        );
    }
}

/// Without the sentences of a notification, which are each system's own: what follows them, from the first recipient on, is for
/// programs to read.
fn without_prose(text: &str) -> String {
    let mut prose = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        let words = line.trim_start();
        if words.starts_with("This is the mail system") {
            prose = true;
        } else if prose && words.starts_with('<') {
            prose = false;
        }
        if !prose {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// What differs from run to run, and what stands for it.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"3\.11\.\d+(-rs\.[0-9.]+)?", "VERSION"),
        (
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? [ \d]\d? \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}(?: \(\w+\))?",
            "DATE",
        ),
        (
            r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} [ \d]\d \d\d:\d\d:\d\d(?: \d{4})?",
            "DATE",
        ),
        (r"(?m)^\w{3} [ \d]\d \d\d:\d\d:\d\d ", "DATE "),
        (r"\b\d{14}\.", "STAMP."),
        (r"\b[0-9A-F]{10,14}\b", "QID"),
        (r"\b[0-9A-F]{10,14}\.\d+", "QID.N"),
        (r"QID\.\d+/", "QID.N/"),
        (r"\[\d+\]:", "[PID]:"),
        (r"delay=[\d.]+, delays=[\d./]+", "delay=D, delays=D"),
        (r"\(in [\d.]+ seconds?\)", "(in N seconds)"),
    ]
    .map(|(pattern, with)| (Regex::new(pattern).unwrap(), with))
    .into()
});

/// Replaces what differs from run to run: places, process ids, queue ids, times, delays, versions.
pub fn normalise(instance: &Instance, text: &str) -> String {
    let target = instance.target();
    let mut text = text.replace(
        instance.path("").to_str().unwrap().trim_end_matches('/'),
        "/TOP",
    );
    for (dir, name) in [
        (target.command_directory(), "/SBIN"),
        (target.daemon_directory(), "/LIBEXEC"),
    ] {
        text = text.replace(dir.to_str().unwrap(), name);
    }
    for (pattern, with) in VARYING.iter() {
        text = pattern.replace_all(&text, *with).into_owned();
    }
    text
}

/// A command's whole effect as text.
pub fn shown(words: &[&str], output: &Output) -> String {
    let mut text = format!("$ {}\n{}", words.join(" "), output.stdout);
    for line in output.stderr.lines() {
        let _ = writeln!(text, "! {line}");
    }
    if output.status != 0 {
        let _ = writeln!(text, "= exit status {}", output.status);
    }
    text
}

/// Runs commands one after another and shows all of them; a word list may end in `<` and the standard input.
pub fn session(instance: &Instance, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for words in commands {
        let (words, input) = match words {
            [words @ .., "<", input] => (words, *input),
            words => (*words, ""),
        };
        let output = instance.run_with(words[0], &words[1..], input.as_bytes());
        text += &shown(words, &output);
    }
    text
}

/// The lines of the log that a pattern selects, without date and host.
pub fn log(instance: &Instance, pattern: &str) -> String {
    let pattern = Regex::new(pattern).unwrap();
    instance
        .whole_log()
        .lines()
        .filter(|line| pattern.is_match(line))
        .map(|line| {
            line.splitn(5, ' ')
                .last()
                .unwrap_or_default()
                .trim_start()
                .to_owned()
                + "\n"
        })
        .map(|line| {
            line.split_once("postfix/")
                .map(|(_, rest)| format!("postfix/{rest}"))
                .unwrap_or(line)
        })
        .collect()
}

fn difference(wanted: &str, found: &str) -> String {
    let (wanted, found): (Vec<_>, Vec<_>) = (wanted.lines().collect(), found.lines().collect());
    // Longest common subsequence; recordings are small.
    let mut table = vec![vec![0usize; found.len() + 1]; wanted.len() + 1];
    for i in (0..wanted.len()).rev() {
        for j in (0..found.len()).rev() {
            table[i][j] = if wanted[i] == found[j] {
                table[i + 1][j + 1] + 1
            } else {
                table[i + 1][j].max(table[i][j + 1])
            };
        }
    }
    let (mut i, mut j, mut text) = (0, 0, String::new());
    while i < wanted.len() || j < found.len() {
        if i < wanted.len() && j < found.len() && wanted[i] == found[j] {
            let _ = writeln!(text, "  {}", wanted[i]);
            (i, j) = (i + 1, j + 1);
        } else if j == found.len() || (i < wanted.len() && table[i + 1][j] >= table[i][j + 1]) {
            let _ = writeln!(text, "- {}", wanted[i]);
            i += 1;
        } else {
            let _ = writeln!(text, "+ {}", found[j]);
            j += 1;
        }
    }
    text
}
