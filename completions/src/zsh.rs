//! For zsh: one file a command, for a directory of `$fpath`.

use pf_cli::{Spec, Takes};

use crate::words::{Words, of_operand, of_value};

/// The completion of one command.
pub fn complete(spec: &Spec) -> String {
    let name = spec.name;
    let mut text = format!(
        "#compdef {name}\n# Completions of {name}(1) for zsh, made from its options.\n\n_arguments -s -S \\\n"
    );
    for opt in spec.options {
        let help = quoted(opt.help);
        let rest = match opt.takes {
            Takes::Nothing => format!("[{help}]"),
            Takes::Value(value) => format!("+[{help}]:{value}:{}", action(of_value(name, value))),
            Takes::Attached(value) => {
                format!("-[{help}]::{value}:{}", action(of_value(name, value)))
            }
        };
        text += &format!("    '*-{}{rest}' \\\n", opt.letter);
    }
    for opt in spec.long {
        let help = quoted(opt.help);
        let rest = match opt.takes {
            Takes::Nothing => format!("[{help}]"),
            Takes::Value(value) | Takes::Attached(value) => {
                format!("=[{help}]:{value}:{}", action(of_value(name, value)))
            }
        };
        text += &format!("    '*--{}{rest}' \\\n", opt.name);
    }
    let operand = if name == "postcat" {
        "{ if [[ \"$words\" == *\\ -*q* ]]; then compadd -- ${(f)\"$(postqueue -j 2>/dev/null | sed -n '\\''s/.*\"queue_id\"\\: \"\\([^\"]*\\)\".*/\\1/p'\\'')\"}; else _files; fi }".to_owned()
    } else {
        action(of_operand(spec))
    };
    text += &format!("    '*:{}:{operand}'\n", quoted(described(spec)));
    text
}

fn described(spec: &Spec) -> &str {
    if spec.operands.is_empty() {
        "nothing"
    } else {
        spec.operands
    }
}

/// Inside single quotes, brackets and between colons.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''")
        .replace('[', "\\[")
        .replace(']', "\\]")
        .replace(':', "\\:")
}

/// What offers the words, inside single quotes and between colons.
fn action(words: Words) -> String {
    let lines = |command: &str| {
        format!(
            "{{compadd -- ${{(f)\"$({})\"}}}}",
            command.replace('\'', "'\\''").replace(':', "\\:")
        )
    };
    match words {
        Words::Free => " ".to_owned(),
        Words::Fixed(list) => format!("({list})"),
        Words::Files => "_files".to_owned(),
        Words::Directories => "_directories".to_owned(),
        Words::Command(command) => lines(command),
        Words::Table => "{ if compset -P \"*\\:\"; then _files; else compadd -S \\: -- ${(f)\"$(postconf -m 2>/dev/null)\"}; _files; fi }".to_owned(),
        Words::Postconf => format!(
            "{{ case \"$words\" in (*\\ -*M*) {} ;; (*\\ -*F*) {} ;; (*\\ -*P*) {} ;; (*) {} ;; esac }}",
            lines("postconf -M 2>/dev/null | sed -n 's/^\\([^ ]*\\)  *\\([^ ]*\\) .*/\\1\\/\\2/p'"),
            lines("postconf -FH 2>/dev/null"),
            lines("postconf -PH 2>/dev/null"),
            lines("postconf -H 2>/dev/null")
        ),
    }
}
