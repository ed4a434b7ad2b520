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

/// An error about a name, with the known one that may have been meant: [`tell_meant`] tells it once the error was told.
#[derive(Debug, thiserror::Error)]
#[error("{err:#}")]
struct Meant {
    err: anyhow::Error,
    name: String,
}

/// This error about an unknown name; the runner names the nearest known one behind it, if any is near.
pub fn meant<'a>(
    err: anyhow::Error,
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> anyhow::Error {
    match nearest(unknown, known) {
        Some(name) => Meant {
            name: name.to_owned(),
            err,
        }
        .into(),
        None => err,
    }
}

/// The error itself, and what is to be told behind it.
pub fn split_meant(err: anyhow::Error) -> (anyhow::Error, Option<String>) {
    match err.downcast::<Meant>() {
        Ok(meant) => (meant.err, Some(meant.name)),
        Err(err) => (err, None),
    }
}

/// Another error in the place of this one, with what was meant.
pub fn map_meant(
    err: anyhow::Error,
    change: impl FnOnce(anyhow::Error) -> anyhow::Error,
) -> anyhow::Error {
    match split_meant(err) {
        (err, Some(name)) => Meant {
            err: change(err),
            name,
        }
        .into(),
        (err, None) => change(err),
    }
}

/// On a terminal, tells what was meant.
pub fn tell_meant(called: &str, name: Option<&str>) {
    if let Some(name) = name.filter(|_| std::io::stderr().is_terminal()) {
        tell(called, name);
    }
}

/// On a terminal, names the option that a bad one may stand for, if there is one.
pub fn suggest_option(called: &str, bad: &BadOption, spec: &Spec) {
    tell_meant(called, near_option(bad, spec).as_deref());
}

/// As [`meant`], for an error about an option.
pub fn meant_option(err: anyhow::Error, bad: &BadOption, spec: &Spec) -> anyhow::Error {
    match near_option(bad, spec) {
        Some(name) => Meant { err, name }.into(),
        None => err,
    }
}

/// The option that an unknown one may stand for: of letters, the same one in the other case.
fn near_option(bad: &BadOption, spec: &Spec) -> Option<String> {
    match bad {
        BadOption::Unknown(unknown) => {
            let near = |letter: char| letter != *unknown && letter.eq_ignore_ascii_case(unknown);
            let opt = spec.options.iter().find(|opt| near(opt.letter))?;
            Some(format!("-{} ({})", opt.letter, opt.help))
        }
        BadOption::UnknownLong(unknown) => {
            let name = nearest(unknown, spec.long.iter().map(|opt| opt.name))?;
            Some(format!("--{name}"))
        }
        BadOption::NoValue(_) | BadOption::NoLongValue(_) | BadOption::UnwantedValue(_) => None,
    }
}

fn tell(called: &str, what: &str) {
    // A name may be from a file, with what a terminal takes for a command.
    let what = pf_text::printable_utf8(what.as_bytes(), b'?');
    let what = String::from_utf8_lossy(&what);
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
    fn an_error_keeps_its_text() {
        let known = ["deferred", "hold"];
        let err = meant(anyhow::anyhow!("no queue hodl"), "hodl", known);
        assert_eq!(format!("{err:#}"), "no queue hodl");
        let (err, name) = split_meant(err);
        assert_eq!(
            (format!("{err:#}"), name.as_deref()),
            ("no queue hodl".into(), Some("hold"))
        );
        let far = meant(anyhow::anyhow!("x"), "active", known);
        assert_eq!(split_meant(far).1, None);
    }

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
