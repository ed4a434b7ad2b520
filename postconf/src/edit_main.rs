//! Editing `main.cf`: set, remove or comment out parameters, everything else as it was.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{anyhow, bail};
use pf_config::main_cf::split_setting;
use pf_config::{table, transport};
use pf_text::space::is_space_char;

use crate::lines::{Physical, close, open, physical, push};
use crate::mode::Mode;
use crate::replace::Replacement;

/// What is asked for: the parameter, and its new value (`None`: remove or comment out).
type Requests = BTreeMap<String, (Option<String>, usize)>;

/// Carries out the requests of the command line on the file.
///
/// # Errors
/// A request is malformed, or the file cannot be replaced.
pub fn run(mode: Mode, path: &Path, arguments: &[String], called: &str) -> anyhow::Result<()> {
    let mut requests = parse(mode, arguments)?;
    let new = Replacement::begin(path)?;
    let text = open(&new.current()?);
    let edited = edit(mode, &text, &mut requests, &path.display().to_string());
    new.commit(&close(&edited))?;
    suggest(&text, &requests, called);
    Ok(())
}

fn suggest(text: &str, requests: &Requests, called: &str) {
    let there: Vec<&str> = physical(text).into_iter().filter_map(name_of).collect();
    for (name, (value, _)) in requests.iter().filter(|(_, (_, found))| *found == 0) {
        if value.is_some() {
            suggest_parameter(called, name, &there);
        } else if table::find(name).is_none() {
            pf_cli::suggest(called, name, there.iter().copied());
        }
    }
}

/// Postfix sets a parameter of any name. To a person, one that no program knows may be another one misspelt; `there`: those that the
/// file has as well.
pub(crate) fn suggest_parameter(called: &str, name: &str, there: &[&str]) {
    let mut suffixes = transport::SUFFIXES
        .iter()
        .chain(transport::COMMAND_SUFFIXES);
    let of_service = suffixes.any(|(suffix, _)| name.ends_with(suffix));
    if table::find(name).is_none() && !of_service {
        let all = table::all().map(|row| row.name);
        pf_cli::suggest(called, name, all.chain(there.iter().copied()));
    }
}

/// The parameter that a line begins to set.
fn name_of(line: Physical<'_>) -> Option<&str> {
    let Physical::Entry(line) = line else {
        return None;
    };
    line.split(|c: char| is_space_char(c) || c == '=').next()
}

fn parse(mode: Mode, arguments: &[String]) -> anyhow::Result<Requests> {
    let mut requests = Requests::new();
    for argument in arguments {
        if argument.contains('\n') {
            bail!("-e, -X, or -# accepts no multi-line input");
        }
        let text = argument.trim_start_matches(is_space_char);
        if text.starts_with('#') {
            bail!("-e, -X, or -# accepts no comment input");
        }
        let (name, value) = if mode.has(Mode::EDIT) {
            let (name, value) = split_setting(text).map_err(|why| anyhow!("{why}: \"{text}\""))?;
            (name, Some(value))
        } else {
            if text.is_empty() {
                bail!("-X or -# requires non-blank parameter names");
            }
            if text.contains('=') {
                bail!("-X or -# requires parameter names without value");
            }
            (text.trim_end_matches(is_space_char), None)
        };
        let request = (value.map(str::to_owned), 0);
        if let Some((Some(old), _)) = requests.insert(name.to_owned(), request)
            && value.is_some_and(|value| value != old)
        {
            pf_log::warning!("ignoring earlier request: '{name} = {old}'");
        }
    }
    Ok(requests)
}

fn edit(mode: Mode, text: &str, requests: &mut Requests, path: &str) -> String {
    let mut edited = String::with_capacity(text.len() + 100);
    let mut interesting = false;
    for line in physical(text) {
        match line {
            Physical::Idle(line) => push(&mut edited, line),
            Physical::Continued(line) => {
                if !interesting {
                    push(&mut edited, line);
                } else if mode.has(Mode::COMMENT_OUT) {
                    push(&mut edited, &format!("#{line}"));
                }
            }
            Physical::Entry(line) => {
                let name = name_of(Physical::Entry(line)).unwrap_or_default();
                let Some((value, found)) = requests.get_mut(name) else {
                    interesting = false;
                    push(&mut edited, line);
                    continue;
                };
                interesting = true;
                *found += 1;
                if *found == 2 {
                    pf_log::warning!("{path}: multiple entries for \"{name}\"");
                }
                if let Some(value) = value {
                    push(&mut edited, &format!("{name} = {value}"));
                } else if mode.has(Mode::COMMENT_OUT) {
                    push(&mut edited, &format!("#{line}"));
                }
            }
        }
    }
    for (name, (value, found)) in requests.iter() {
        if let (Some(value), 0) = (value, found) {
            push(&mut edited, &format!("{name} = {value}"));
        }
    }
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# a\nx = 1\n  2\n# in\n\t3\ny = 2\nx = 4";

    fn edited(mode: Mode, arguments: &[&str]) -> String {
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_owned()).collect();
        let mut requests = parse(mode, &arguments).unwrap();
        edit(mode, FILE, &mut requests, "main.cf")
    }

    #[test]
    fn set_remove_comment_out() {
        assert_eq!(
            edited(Mode::EDIT, &["z = 9", "x=5", "a=1"]),
            "# a\nx = 5\n# in\ny = 2\nx = 5\na = 1\nz = 9\n"
        );
        assert_eq!(edited(Mode::EXCLUDE, &["x"]), "# a\n# in\ny = 2\n");
        assert_eq!(
            edited(Mode::COMMENT_OUT, &["x"]),
            "# a\n#x = 1\n#  2\n# in\n#\t3\ny = 2\n#x = 4\n"
        );
        // The last line had no newline (Postfix 20250316).
        assert!(edited(Mode::EDIT, &["q=1"]).ends_with("x = 4\nq = 1\n"));
    }

    #[test]
    fn requests_are_checked() {
        let error =
            |mode, argument: &str| parse(mode, &[argument.to_owned()]).unwrap_err().to_string();
        assert_eq!(
            error(Mode::EDIT, "foo"),
            "missing '=' after attribute name: \"foo\""
        );
        assert_eq!(
            error(Mode::EXCLUDE, "a=b"),
            "-X or -# requires parameter names without value"
        );
        assert_eq!(
            error(Mode::EDIT, " #x=y"),
            "-e, -X, or -# accepts no comment input"
        );
    }
}
