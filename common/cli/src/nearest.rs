//! What a misspelt name may have meant, told to a person only: without a terminal nobody sees a byte of it.

use std::io::{IsTerminal as _, Write as _};

use crate::options::{BadOption, Spec};

/// On a terminal, names the known name that is nearest to an unknown one, if any is near.
pub fn suggest<'a>(called: &str, unknown: &str, known: impl IntoIterator<Item = &'a str>) {
    if std::io::stderr().is_terminal()
        && let Some(name) = nearest(unknown, known)
    {
        tell(called, name);
    }
}

/// On a terminal, names the option that an unknown one may stand for, if there is one: of letters, the same one in the other case.
pub(crate) fn suggest_option(called: &str, bad: &BadOption, spec: &Spec) {
    if !std::io::stderr().is_terminal() {
        return;
    }
    match bad {
        BadOption::Unknown(unknown) => {
            let near = |letter: char| letter != *unknown && letter.eq_ignore_ascii_case(unknown);
            if let Some(opt) = spec.options.iter().find(|opt| near(opt.letter)) {
                tell(called, &format!("-{} ({})", opt.letter, opt.help));
            }
        }
        BadOption::UnknownLong(unknown) => {
            if let Some(name) = nearest(unknown, spec.long.iter().map(|opt| opt.name)) {
                tell(called, &format!("--{name}"));
            }
        }
        BadOption::NoValue(_) | BadOption::NoLongValue(_) | BadOption::UnwantedValue(_) => {}
    }
}

fn tell(called: &str, what: &str) {
    // It is help; that nobody can read it changes nothing.
    let _unread = writeln!(std::io::stderr(), "{called}: did you mean {what}?");
}

/// The name that is fewest edits away, at most one for each three letters; of several, the first.
fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // No parameter is longer, and the work is bounded.
    const LONGEST: usize = 100;
    let letters = unknown.chars().count();
    if letters > LONGEST {
        return None;
    }
    known
        .into_iter()
        .map(|name| (strsim::osa_distance(unknown, name), name))
        .filter(|(edits, _)| *edits <= letters / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names() {
        let known = ["mydomain", "myhostname", "myorigin"];
        for (unknown, name) in [
            ("my_hostname", Some("myhostname")),
            ("mydoamin", Some("mydomain")),
            ("myorign", Some("myorigin")),
            ("hostname", Some("myhostname")),
            ("relayhost", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, known), name, "{unknown}");
        }
        assert_eq!(nearest(&"m".repeat(1000), known), None);
    }
}
