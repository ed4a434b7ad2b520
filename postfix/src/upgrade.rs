//! What `postfix upgrade-configuration` adds to and changes in a `master.cf` that was made for an older version. No I/O.

const BLANKS: [char; 2] = [' ', '\t'];

/// A service that must be there, be it in a comment: whether a line has it, what it is called, and the line to add.
struct Needed {
    found: fn(&str) -> bool,
    name: &'static str,
    line: &'static str,
}

/// A line of an old version: whether it is one, what is done to it, and what it becomes.
struct Outdated {
    found: fn(&str) -> bool,
    what: &'static str,
    changed: fn(&str) -> String,
}

enum Step {
    Add(Needed),
    Change(Outdated),
}

const fn add(found: fn(&str) -> bool, name: &'static str, line: &'static str) -> Step {
    Step::Add(Needed { found, name, line })
}

const fn change(found: fn(&str) -> bool, what: &'static str, changed: fn(&str) -> String) -> Step {
    Step::Change(Outdated {
        found,
        what,
        changed,
    })
}

/// The steps before `main.cf` is looked at, and those after it; the last one stands alone at the end.
const STEPS: [&[Step]; 3] = [
    &[
        add(
            |line| line.starts_with("relay"),
            "relay service",
            "relay\t  unix\t-\t-\tn\t-\t-\tsmtp",
        ),
        add(
            |line| has(line, "flush", "flush"),
            "flush service",
            "flush     unix  -       -       n       1000?   0       flush",
        ),
        add(
            |line| {
                line.split_once("trace")
                    .is_some_and(|(_, rest)| rest.contains("bounce"))
            },
            "trace service",
            "trace\t  unix\t-\t-\tn\t-\t0\tbounce",
        ),
        add(
            |line| has(line, "verify", "verify"),
            "verify service",
            "verify\t  unix\t-\t-\tn\t-\t1\tverify",
        ),
        change(
            |line| {
                line.strip_prefix("verify")
                    .is_some_and(|rest| before(rest, "verify", '0').is_some())
            },
            "setting verify process limit to 1",
            |line| line.replacen("\t0", "\t1", 1).replacen(" 0", " 1", 1),
        ),
        change(
            |line| columns(line, &["pickup", "fifo", "n", "n"]).is_some(),
            "making the pickup service unprivileged",
            |line| with(line, &["pickup", "fifo", "n", "n"], "-"),
        ),
        change(
            |line| is_private(line, "cleanup"),
            "making the cleanup service public",
            |line| public(line, "cleanup"),
        ),
        change(
            |line| is_private(line, "flush"),
            "making the flush service public",
            |line| public(line, "flush"),
        ),
    ],
    &[
        add(
            |line| has(line, "proxymap", "proxymap"),
            "proxymap service",
            "proxymap  unix\t-\t-\tn\t-\t-\tproxymap",
        ),
        add(
            |line| has(line, "anvil", "anvil"),
            "anvil service",
            "anvil\t  unix\t-\t-\tn\t-\t1\tanvil",
        ),
        add(
            |line| has(line, "scache", "scache"),
            "scache service",
            "scache\t  unix\t-\t-\tn\t-\t1\tscache",
        ),
        add(
            |line| has(line, "discard", "discard"),
            "discard service",
            "discard\t  unix\t-\t-\tn\t-\t-\tdiscard",
        ),
        change(
            |line| {
                columns(line, &["tlsmgr", "fifo"])
                    .is_some_and(|at| line.get(at..).is_some_and(|rest| rest.starts_with(BLANKS)))
            },
            "updating the tlsmgr from fifo to unix service",
            tlsmgr,
        ),
        add(
            |line| has(line, "tlsmgr", "tlsmgr"),
            "tlsmgr service",
            "tlsmgr    unix  -       -       n       1000?   1       tlsmgr",
        ),
        add(
            |line| has(line, "retry", "error"),
            "retry service",
            "retry     unix  -       -       n       -       -       error",
        ),
        add(
            |line| has(line, "proxywrite", "proxymap"),
            "proxywrite service",
            "proxywrite unix -       -       n       -       1       proxymap",
        ),
        change(
            |line| {
                line.strip_prefix("proxywrite")
                    .is_some_and(|rest| before(rest, "proxymap", '-').is_some())
            },
            "setting proxywrite process limit to 1",
            |line| {
                let start = "proxywrite".len();
                let rest = line.get(start..).unwrap_or_default();
                put(
                    line,
                    before(rest, "proxymap", '-').map(|at| at + start),
                    "1",
                )
            },
        ),
        add(
            |line| has(line.trim_start_matches('#'), "smtp", "postscreen"),
            "postscreen TCP service",
            "#smtp      inet  n       -       n       -       1       postscreen",
        ),
        add(
            |line| has(line.trim_start_matches('#'), "smtpd", "smtpd"),
            "smtpd unix-domain service",
            "#smtpd     pass  -       -       n       -       -       smtpd",
        ),
        add(
            |line| has(line.trim_start_matches('#'), "dnsblog", "dnsblog"),
            "dnsblog unix-domain service",
            "#dnsblog   unix  -       -       n       -       0       dnsblog",
        ),
        add(
            |line| has(line.trim_start_matches('#'), "tlsproxy", "tlsproxy"),
            "tlsproxy unix-domain service",
            "#tlsproxy  unix  -       -       n       -       0       tlsproxy",
        ),
    ],
    &[add(
        |line| line.starts_with("postlog"),
        "postlog unix-domain datagram service",
        "postlog   unix-dgram n  -       n       -       1       postlogd",
    )],
];

/// How many rounds of steps there are; `main.cf` is looked at between them.
pub(crate) const ROUNDS: usize = STEPS.len();

/// Does one round to the text of a `master.cf`; gives what was done to it.
pub(crate) fn edit(text: &mut String, round: usize) -> Vec<String> {
    let mut done = Vec::new();
    for step in STEPS.get(round).copied().unwrap_or_default() {
        match step {
            Step::Add(needed) => {
                if !text.lines().any(needed.found) {
                    done.push(format!("adding missing entry for {}", needed.name));
                    if !text.is_empty() && !text.ends_with('\n') {
                        text.push('\n');
                    }
                    text.push_str(needed.line);
                    text.push('\n');
                }
            }
            Step::Change(outdated) => {
                let found = text.lines().find(|line| (outdated.found)(line));
                if let Some(line) = found.map(str::to_owned) {
                    done.push(outdated.what.to_owned());
                    *text = text
                        .split_inclusive('\n')
                        .map(|old| {
                            if old.trim_end_matches('\n') == line {
                                (outdated.changed)(old)
                            } else {
                                old.to_owned()
                            }
                        })
                        .collect();
                }
            }
        }
    }
    done
}

/// Whether a line begins with a word and has the other behind it.
fn has(line: &str, start: &str, later: &str) -> bool {
    line.strip_prefix(start)
        .is_some_and(|rest| rest.contains(later))
}

/// Where in a text the letter stands that is, with nothing but blanks between, before a word, and a blank before it.
fn before(text: &str, word: &str, letter: char) -> Option<usize> {
    text.match_indices(word).find_map(|(at, _)| {
        let head = text.get(..at)?.trim_end_matches(BLANKS);
        let rest = head.strip_suffix(letter)?;
        (letter == '-' || (rest.ends_with(BLANKS) && head.len() < at)).then_some(rest.len())
    })
}

/// The end of these words at the start of a line, blanks between them or not.
fn columns(line: &str, words: &[&str]) -> Option<usize> {
    let mut rest = line;
    for word in words {
        rest = rest.trim_start_matches(BLANKS).strip_prefix(word)?;
    }
    line.starts_with(words.first()?)
        .then(|| line.len() - rest.len())
}

/// The line with the last one of these words replaced.
fn with(line: &str, words: &[&str], new: &str) -> String {
    let old = words.last().map_or(0, |word| word.len());
    put(line, columns(line, words).map(|end| end - old), new)
}

/// The line with one letter replaced.
fn put(line: &str, at: Option<usize>, new: &str) -> String {
    match at.and_then(|at| Some((line.get(..at)?, line.get(at + 1..)?))) {
        Some((head, tail)) => format!("{head}{new}{tail}"),
        None => line.to_owned(),
    }
}

fn is_private(line: &str, name: &str) -> bool {
    ["-", "y"]
        .iter()
        .any(|private| columns(line, &[name, "unix", private]).is_some())
}

fn public(line: &str, name: &str) -> String {
    let end = columns(line, &[name, "unix"]).unwrap_or_default();
    let blanks = line
        .get(end..)
        .map_or(0, |rest| rest.len() - rest.trim_start_matches(BLANKS).len());
    put(line, Some(end + blanks), "n")
}

/// `tlsmgr` as a socket, woken up only when it was used.
fn tlsmgr(line: &str) -> String {
    let line = line.replacen("fifo", "unix", 1);
    let digit = |c: char| c.is_ascii_digit();
    let Some(start) = line.find(digit) else {
        return line;
    };
    let rest = line.get(start..).unwrap_or_default();
    let end = start + rest.find(|c| !digit(c)).unwrap_or(rest.len());
    let (head, tail) = line.split_at(end);
    format!("{head}?{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(line: &str) -> String {
        let mut text = format!("{line}\n");
        for round in 0..ROUNDS {
            edit(&mut text, round);
        }
        text.lines().next().unwrap().to_owned()
    }

    #[test]
    fn old_lines_become_new_ones() {
        assert_eq!(
            changed("verify    unix  -       -       n       -       0       verify"),
            "verify    unix  -       -       n       -       1       verify"
        );
        assert_eq!(
            changed("pickup fifo n n n 60 1 pickup"),
            "pickup fifo n - n 60 1 pickup"
        );
        assert_eq!(
            changed("flush unix - - n 1000? 0 flush"),
            "flush unix n - n 1000? 0 flush"
        );
        assert_eq!(
            changed("cleanup\tunix\ty - n - 0 cleanup"),
            "cleanup\tunix\tn - n - 0 cleanup"
        );
        assert_eq!(
            changed("tlsmgr fifo - - n 300 1 tlsmgr"),
            "tlsmgr unix - - n 300? 1 tlsmgr"
        );
        assert_eq!(
            changed("proxywrite unix - - n - - proxymap"),
            "proxywrite unix - - n - 1 proxymap"
        );
    }

    #[test]
    fn what_is_there_is_not_added_again() {
        let mut text = String::new();
        let done: Vec<String> = (0..ROUNDS)
            .flat_map(|round| edit(&mut text, round))
            .collect();
        // The flush service is added as the private one that it was, and then made public.
        assert_eq!(done.len(), 17, "{done:#?}");
        assert!((0..ROUNDS).all(|round| edit(&mut text, round).is_empty()));
        let mut cut = "relay unix - - n - - smtp".to_owned();
        edit(&mut cut, 0);
        assert!(cut.starts_with("relay unix - - n - - smtp\nflush "));
    }
}
