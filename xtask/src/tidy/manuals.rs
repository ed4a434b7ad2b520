//! The manuals: each command has one, which names each of its options, has the sections that people look for, and has no fault that
//! mandoc(1) sees.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use super::rust_files;
use crate::layout::{COMMANDS, SECOND_NAMES, SENDMAIL};
use crate::shell::{command, has, root};

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
    }
    for entry in fs::read_dir(root().join("man/man1"))? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        if !text.starts_with(".so ") {
            let name = path.file_stem().unwrap_or_default().display();
            findings.extend(lacking(&text).map(|lack| format!("{name}: its manual has {lack}")));
            lint(&path, findings)?;
        }
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

/// What every manual has, in this order; `OPTIONS` only where there are some.
const SECTIONS: [&str; 8] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "ENVIRONMENT",
    "FILES",
    "EXIT STATUS",
    "EXAMPLES",
];

/// No manual has fewer.
const EXAMPLES: usize = 2;

/// What a manual has not, in words.
fn lacking(manual: &str) -> impl Iterator<Item = String> {
    let sections: Vec<(&str, &str)> = manual
        .split("\n.Sh ")
        .skip(1)
        .map(|section| section.split_once('\n').unwrap_or((section, "")))
        .collect();
    let at = |name: &str| sections.iter().position(|(head, _)| *head == name);
    let has_options = !explained_options(manual).is_empty();
    let wanted = SECTIONS
        .into_iter()
        .filter(|name| *name != "OPTIONS" || has_options);
    let mut lacks: Vec<String> = wanted
        .clone()
        .filter(|name| at(name).is_none())
        .map(|name| format!("no section {name}"))
        .collect();
    if !wanted.filter_map(at).is_sorted() {
        lacks.push("its sections in another order than all others".into());
    }
    // One is a paragraph with commands in it.
    let examples = sections.iter().find(|(head, _)| *head == "EXAMPLES");
    let count = examples.map_or(0, |(_, text)| {
        let paragraphs = text.split(".Pp\n");
        paragraphs.filter(|text| text.contains(".Dl ")).count()
    });
    if count < EXAMPLES {
        lacks.push(format!("{count} examples, and not {EXAMPLES}"));
    }
    lacks.into_iter()
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
    fn lacking_sections_are_found() {
        let of = |sections: &[&str], examples: &str| -> Vec<String> {
            let text: String = sections
                .iter()
                .map(|name| format!("\n.Sh {name}\n.It Fl a\ntext"))
                .collect();
            lacking(&format!("{text}\n{examples}")).collect()
        };
        let two = ".Dl $ a\n.Dl $ b\n.Pp\nOr:\n.Dl $ c\n";
        assert_eq!(of(&SECTIONS, two), [""; 0]);
        assert_eq!(
            of(&SECTIONS, ".Dl $ a\n.Dl $ b\n"),
            ["1 examples, and not 2"]
        );
        let mut some = SECTIONS;
        some.swap(1, 2);
        assert_eq!(
            of(&some, two),
            ["its sections in another order than all others"]
        );
        some = SECTIONS;
        some[3] = "SWITCHES";
        assert_eq!(of(&some, two), ["no section OPTIONS"]);
        let none = lacking("\n.Sh NAME\n").count();
        assert_eq!(none, SECTIONS.len() - 2 + 1);
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
