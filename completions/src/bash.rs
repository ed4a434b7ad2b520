//! For bash: one function a command.

use pf_cli::{Opt, Spec, Takes};

use crate::words::{Words, of_operand, of_value};

/// The completion of one command.
pub fn complete(spec: &Spec) -> String {
    let name = spec.name;
    let flags: String = letters(spec, |takes| !matches!(takes, Takes::Value(_)));
    let valued: String = letters(spec, |takes| matches!(takes, Takes::Value(_)));
    let mut text = format!(
        "# Completions of {name}(1) for bash, made from its options.\n\
         _postfix_rs_{name}() {{\n\
         \x20   local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} MAIL_CONFIG=$MAIL_CONFIG word quoted\n\
         \x20   # What is asked of the system is asked of the one that -c names.\n\
         \x20   for ((word = 1; word < COMP_CWORD - 1; word++)); do\n\
         \x20       [[ ${{COMP_WORDS[word]}} == -c ]] && export MAIL_CONFIG=${{COMP_WORDS[word + 1]}}\n\
         \x20   done\n\
         \x20   COMPREPLY=()\n"
    );
    if !valued.is_empty() {
        text += &format!(
            "    if [[ $prev =~ ^-[{}]*([{valued}])$ ]]; then\n",
            one_of(&flags)
        );
        text += "        case ${BASH_REMATCH[1]} in\n";
        for (opt, value) in values(spec) {
            if let Some(reply) = reply(of_value(name, value)) {
                text += &format!("        {}) {reply} ;;\n", opt.letter);
            }
        }
        text += "        esac\n        return\n    fi\n";
    }
    if !spec.long.is_empty() {
        text += "    # --name=value comes as three words.\n    if [[ $cur == = ]]; then\n        cur=\n    elif [[ $prev == = ]]; then\n        prev=${COMP_WORDS[COMP_CWORD - 2]}\n    fi\n    case $prev in\n";
        for opt in spec.long {
            if let Takes::Value(value) | Takes::Attached(value) = opt.takes {
                let reply = reply(of_value(name, value)).unwrap_or_else(|| ":".to_owned());
                text += &format!("    --{}) {reply}; return ;;\n", opt.name);
            }
        }
        text += "    esac\n";
    }
    text += &format!(
        "    if [[ $cur == -* ]]; then\n        {}\n        return\n    fi\n",
        fixed(&all_options(spec))
    );
    if let Some(reply) = operand(spec) {
        text += &format!("    {reply}\n");
    }
    text += &format!("}}\ncomplete -F _postfix_rs_{name} {name}\n");
    text
}

/// What answers for an operand; some depend on the options.
fn operand(spec: &Spec) -> Option<String> {
    if spec.name == "postcat" {
        let ids = reply(of_value("postcat", "queue_id"))?;
        let files = reply(Words::Files)?;
        return Some(format!(
            "if [[ \" ${{COMP_WORDS[*]}} \" =~ \\ -[a-z]*q ]]; then {ids}; else {files}; fi"
        ));
    }
    reply(of_operand(spec))
}

/// Code that sets `COMPREPLY`.
fn reply(words: Words) -> Option<String> {
    // What a command prints may be a stranger's text, which the shell must not expand; neither now, nor when the line is run.
    let lines = |command: &str| {
        format!(
            "while IFS= read -r word; do\n            printf -v quoted %q \"$word\"\n            [[ $word == \"$cur\"* || $quoted == \"$cur\"* ]] && COMPREPLY+=(\"$quoted\")\n        done < <({command})"
        )
    };
    Some(match words {
        Words::Free => return None,
        Words::Fixed(list) => fixed(list),
        // The line editor itself knows best how names of files are quoted.
        Words::Files => "compopt -o default".to_owned(),
        Words::Directories => "compopt -o dirnames".to_owned(),
        Words::Command(command) => lines(command),
        Words::Table => format!(
            "compopt -o default\n    if [[ $cur != : && $prev != : ]]; then\n        compopt -o nospace\n        {}\n    fi",
            lines("postconf -m 2>/dev/null | sed 's/$/:/'")
        ),
        Words::Postconf => format!(
            "local all=\" ${{COMP_WORDS[*]:1}} \"\n    if [[ $all =~ \\ -[A-Za-z]*M ]]; then\n        {}\n    elif [[ $all =~ \\ -[A-Za-z]*F ]]; then\n        {}\n    elif [[ $all =~ \\ -[A-Za-z]*P ]]; then\n        {}\n    else\n        [[ $all =~ \\ -[A-Za-z]*e ]] && compopt -o nospace\n        {}\n    fi",
            lines("postconf -M 2>/dev/null | sed -n 's/^\\([^ ]*\\)  *\\([^ ]*\\) .*/\\1\\/\\2/p'"),
            lines("postconf -FH 2>/dev/null"),
            lines("postconf -PH 2>/dev/null"),
            lines("postconf -H 2>/dev/null")
        ),
    })
}

/// Offers these words.
fn fixed(list: &str) -> String {
    format!("mapfile -t COMPREPLY < <(compgen -W '{list}' -- \"$cur\")")
}

fn letters(spec: &Spec, wanted: impl Fn(Takes) -> bool) -> String {
    spec.options
        .iter()
        .filter(|opt| wanted(opt.takes))
        .map(|opt| opt.letter)
        .collect()
}

/// The letters, or where there are none something that is no letter.
fn one_of(letters: &str) -> &str {
    if letters.is_empty() { "." } else { letters }
}

fn values(spec: &Spec) -> impl Iterator<Item = (&'static Opt, &'static str)> {
    spec.options.iter().filter_map(|opt| match opt.takes {
        Takes::Value(value) => Some((opt, value)),
        Takes::Nothing | Takes::Attached(_) => None,
    })
}

fn all_options(spec: &Spec) -> String {
    let short = spec.options.iter().map(|opt| format!("-{}", opt.letter));
    let long = spec.long.iter().map(|opt| format!("--{}", opt.name));
    short.chain(long).collect::<Vec<_>>().join(" ")
}
