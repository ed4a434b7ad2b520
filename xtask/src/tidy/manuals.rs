//! The manuals: each command has one, which names each of its options and has no fault that mandoc(1) sees.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::rust_files;
use crate::layout::{COMMANDS, SECOND_NAMES, SENDMAIL};
use crate::shell::{command, has, root};

/// What every manual tells.
const SECTIONS: [&str; 7] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "ENVIRONMENT",
    "FILES",
    "EXIT STATUS",
    "EXAMPLES",
];

/// Where the manuals of the commands are.
fn manual(name: &str) -> PathBuf {
    root().join(format!("man/man1/{name}.1"))
}

/// All checks of manuals.
pub fn check(findings: &mut Vec<String>) -> Result<()> {
    ensure!(
        has("mandoc"),
        "tidy needs mandoc, which `cargo xtask setup` installs"
    );
    for name in COMMANDS.into_iter().chain([SENDMAIL]) {
        let path = manual(name);
        let Ok(text) = fs::read_to_string(&path) else {
            findings.push(format!("{name}: there is no {}", path.display()));
            continue;
        };
        for missing in missing_sections(&text) {
            findings.push(format!("{}: no {missing}", path.display()));
        }
        let explained = explained_options(&text);
        let letters = option_letters(&root().join(name))?;
        if letters.is_empty() {
            findings.push(format!("{name}: no options were found in its sources"));
        }
        for letter in letters
            .chars()
            .filter(|letter| !explained.contains(*letter))
        {
            findings.push(format!(
                "{name}: option -{letter} is not in {}",
                path.display()
            ));
        }
        for long in long_options(&root().join(name))? {
            if !text.contains(&format!("\n.It Fl -{long}")) {
                findings.push(format!(
                    "{name}: option --{long} is not in {}",
                    path.display()
                ));
            }
        }
        lint(&path, findings)?;
    }
    let sendmail = format!(".so man1/{SENDMAIL}.1\n");
    for name in SECOND_NAMES {
        // mandoc itself warns of every `.so`.
        if fs::read_to_string(manual(name)).ok().as_ref() != Some(&sendmail) {
            findings.push(format!("{name}: its manual is not that of {SENDMAIL}"));
        }
    }
    Ok(())
}

fn lint(path: &Path, findings: &mut Vec<String>) -> Result<()> {
    let checked = command("mandoc", &["-T", "lint", "-W", "warning"])
        .arg(path)
        .output()
        .context("mandoc")?;
    findings.extend(
        String::from_utf8_lossy(&checked.stdout)
            .lines()
            .map(str::to_owned),
    );
    Ok(())
}

/// Sections that are not there, or are empty; fewer than two examples are none.
fn missing_sections(manual: &str) -> Vec<&'static str> {
    let section = |name: &str| {
        manual
            .split("\n.Sh ")
            .find_map(|section| section.strip_prefix(name)?.strip_prefix('\n'))
    };
    SECTIONS
        .into_iter()
        .filter(|name| match (*name, section(name)) {
            (_, None) => true,
            ("EXAMPLES", Some(text)) => {
                text.matches("\n.Dl ").count() + text.matches("\n.Bd ").count() < 2
            }
            (_, Some(text)) => text.trim().is_empty(),
        })
        .collect()
}

/// The letters of the options that have an item of their own in an mdoc(7) page, `.It Fl b` or `.Fl b` below `.It Xo`. The
/// synopsis does not count.
fn explained_options(manual: &str) -> String {
    let mut letters = String::new();
    let mut in_item = false;
    for line in manual.lines() {
        in_item = line.starts_with(".It Xo") || (in_item && line != ".Xc");
        if !in_item && !line.starts_with(".It ") {
            continue;
        }
        let words: Vec<&str> = line.trim_start_matches('.').split_whitespace().collect();
        letters.extend(words.windows(2).filter_map(|pair| match pair {
            ["Fl", option] => option.chars().next(),
            _ => None,
        }));
    }
    letters
}

/// The letters of the options that a command's sources declare: as `Opt`s, or as getopt(3) takes them.
fn option_letters(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    rust_files(&folder.join("src"), &mut files)?;
    let mut letters = String::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        for kind in ["Opt::flag(", "Opt::value("] {
            letters.extend(
                text.split(kind)
                    .skip(1)
                    .filter_map(|rest| rest.trim_start().strip_prefix('\'')?.chars().next()),
            );
        }
        if let Some((_, rest)) = text.split_once("const LETTERS: &[u8] = b\"") {
            letters.extend(
                rest.chars()
                    .take_while(|ch| *ch != '"')
                    .filter(|ch| *ch != ':'),
            );
        }
    }
    Ok(letters)
}

/// The long options that a command's sources declare, and those by which it chooses messages.
fn long_options(folder: &Path) -> Result<Vec<String>> {
    let mut files = Vec::new();
    rust_files(&folder.join("src"), &mut files)?;
    let mut names = Vec::new();
    for file in files {
        let text = fs::read_to_string(file)?;
        names.extend(declared(&text));
        if text.contains("pf_select::OPTIONS") {
            let shared = fs::read_to_string(root().join("common/select/src/options.rs"))?;
            let changes = text.contains("OPTIONS_AND_DRY_RUN");
            names.extend(declared(&shared).filter(|name| changes || name != "dry-run"));
        }
    }
    Ok(names)
}

/// The names of `LongOpt`s.
fn declared(text: &str) -> impl Iterator<Item = String> {
    text.split("LongOpt::")
        .skip(1)
        .filter_map(|rest| rest.strip_prefix("flag(").or(rest.strip_prefix("value(")))
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_items_explain_options() {
        let page = ".Op Fl xyz\n.It Fl f Ar a , Fl r Ar b\ntext\n.Fl q\n.It Xo\n.Fl A Ar x ,\n.Fl o Ns Ar x\n.Xc\n.Fl k\n.It Fl qI Ns Ar i\n";
        assert_eq!(explained_options(page), "frAoq");
    }

    #[test]
    fn a_section_without_text_is_missing() {
        let page = ".Dd x\n.Sh NAME\nx\n.Sh SYNOPSIS\nx\n.Sh DESCRIPTION\nx\n.Sh ENVIRONMENT\n.Sh FILES\nx\n.Sh EXAMPLES\nOne:\n.Dl x\n";
        assert_eq!(
            missing_sections(page),
            ["ENVIRONMENT", "EXIT STATUS", "EXAMPLES"]
        );
    }

    #[test]
    fn declared_options_are_found() {
        let postmap = option_letters(&root().join("postmap")).unwrap();
        assert!(
            "bcdfFhijmnNopqrsuUvw"
                .chars()
                .all(|letter| postmap.contains(letter))
        );
        assert!(!postmap.contains('t'));
        let sendmail = option_letters(&root().join(SENDMAIL)).unwrap();
        assert!(sendmail.contains('V') && !sendmail.contains(':'));
        let postqueue = long_options(&root().join("postqueue")).unwrap();
        assert!(
            ["table", "sender"]
                .iter()
                .all(|name| postqueue.contains(&(*name).to_owned()))
        );
        assert!(!postqueue.contains(&"dry-run".to_owned()));
    }
}
