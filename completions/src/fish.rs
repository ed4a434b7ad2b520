//! For fish: one file a command.

use pf_cli::{Spec, Takes};

use crate::words::{Words, of_operand, of_value};

/// The completion of one command.
pub fn complete(spec: &Spec) -> String {
    let name = spec.name;
    let mut text = format!("# Completions of {name}(1) for fish, made from its options.\n");
    let mut line = |option: String, takes: Takes, help: &str| {
        let value = match takes {
            Takes::Nothing => String::new(),
            Takes::Value(value) | Takes::Attached(value) => match offered(of_value(name, value)) {
                Some(words) => format!(" -x -a {}", quoted(&words)),
                None => " -x".to_owned(),
            },
        };
        text += &format!("complete -c {name} {option}{value} -d {}\n", quoted(help));
    };
    for opt in spec.options {
        // One that is a character for the shell, too, is quoted.
        line(
            format!("-s {}", quoted(&opt.letter.to_string())),
            opt.takes,
            opt.help,
        );
    }
    for opt in spec.long {
        line(format!("-l {}", opt.name), opt.takes, opt.help);
    }
    for (condition, words) in operands(spec) {
        let when = condition.map_or_else(String::new, |test| format!(" -n {}", quoted(test)));
        match offered(words) {
            Some(offered) => {
                text += &format!("complete -c {name}{when} -f -a {}\n", quoted(&offered))
            }
            None if words == Words::Files => {}
            None => text += &format!("complete -c {name}{when} -f\n"),
        }
    }
    text
}

/// What can be an operand, and when.
fn operands(spec: &Spec) -> Vec<(Option<&'static str>, Words)> {
    match spec.name {
        "postcat" => vec![(
            Some("__fish_contains_opt -s q"),
            of_value("postcat", "queue_id"),
        )],
        "postconf" => vec![
            (
                Some("__fish_contains_opt -s M"),
                Words::Command(
                    "postconf -M 2>/dev/null | sed -n 's/^\\([^ ]*\\)  *\\([^ ]*\\) .*/\\1\\/\\2/p'",
                ),
            ),
            (
                Some("__fish_contains_opt -s F"),
                Words::Command("postconf -FH 2>/dev/null"),
            ),
            (
                Some("__fish_contains_opt -s P"),
                Words::Command("postconf -PH 2>/dev/null"),
            ),
            (
                Some(
                    "not __fish_contains_opt -s M; and not __fish_contains_opt -s F; and not __fish_contains_opt -s P",
                ),
                Words::Command("postconf -H 2>/dev/null"),
            ),
        ],
        _ => vec![(None, of_operand(spec))],
    }
}

/// What `-a` is given; nothing where fish offers files by itself, or where nothing can be offered.
fn offered(words: Words) -> Option<String> {
    Some(match words {
        Words::Free | Words::Files => return None,
        Words::Fixed(list) => list.to_owned(),
        Words::Directories => "(__fish_complete_directories)".to_owned(),
        Words::Command(command) => format!("({command})"),
        Words::Table => {
            // Behind the type, which is told again, stands a file.
            "(set -l halves (string split -m 1 : -- (commandline -ct)); if set -q halves[2]; for file in (__fish_complete_path $halves[2]); echo $halves[1]:$file; end; else; for type in (postconf -m 2>/dev/null); echo $type:; end; __fish_complete_path; end)"
                .to_owned()
        }
        // Made of several.
        Words::Postconf => return None,
    })
}

/// In single quotes, as fish reads them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
