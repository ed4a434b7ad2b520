//! What a source is written in: entries of `postmap` or aliases of `postalias`. Nothing but the text itself tells.

use pf_config::lines::Lines;
use pf_log::warning;
use pf_maps::source_text::{before_null, key_and_value};

/// How many votes are counted.
const VOTES: u32 = 10;

/// The command that makes sense of a source: `postalias` when more of its first lines speak for that than for `postmap`.
/// `name` is for complaints about lines.
pub fn command_for(name: &str, text: &[u8]) -> &'static str {
    let mut lines = Lines::new(text);
    let (mut maps, mut aliases) = (0, 0);
    // A line may count for both, and lead past the end: then all the others count too.
    while maps + aliases != VOTES
        && let Some(line) = lines.next()
    {
        let text = before_null(line.text);
        maps += u32::from(is_map_entry(&text));
        aliases += u32::from(is_alias(&text));
    }
    for text in &lines.warnings {
        warning!("{name}{text}");
    }
    if aliases > maps {
        "postalias"
    } else {
        "postmap"
    }
}

/// `key value`, where the key does not look like that of an alias.
fn is_map_entry(line: &[u8]) -> bool {
    key_and_value(line).is_ok_and(|(key, _)| !key.ends_with(b":"))
}

/// `name: value`, with one name.
fn is_alias(line: &[u8]) -> bool {
    if !line.contains(&b':') {
        return false;
    }
    let tokens = pf_address::scan(line);
    let Some(colon) = tokens.iter().position(|token| token.is_op(b':')) else {
        return false;
    };
    let (name, value) = tokens.split_at(colon);
    !name.is_empty() && value.len() > 1 && !name.iter().any(|token| token.is_op(b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_kinds() {
        for (line, map, alias) in [
            ("a b", true, false),
            ("a: b", false, true),
            ("a:b", false, true),
            ("a :b", true, true),
            ("\"a:b\": c", false, true),
            ("example.com smtp:host", true, true),
            ("a", false, false),
            ("a:", false, false),
            (":a", false, false),
            ("a, b: c", true, false),
            ("\"a b", false, false),
            ("(comment) a: |\"/bin/x y\"", true, true),
        ] {
            let found = (is_map_entry(line.as_bytes()), is_alias(line.as_bytes()));
            assert_eq!(found, (map, alias), "{line}");
        }
    }

    #[test]
    fn the_first_lines_decide() {
        let of = |text: &str| command_for("x", text.as_bytes());
        assert_eq!(of(""), "postmap");
        assert_eq!(of("# a: b\n\na 1\n"), "postmap");
        assert_eq!(of("a: b\nb: c\nc d\n"), "postalias");
        assert_eq!(of("a: b\nb c\n"), "postmap");
        let late = "x y\n".repeat(10) + &"a: b\n".repeat(20);
        assert_eq!(of(&late), "postmap");
        // Two votes of one line lead past the tenth.
        let odd = "x y\n".repeat(9) + "a b:c\n" + &"a: b\n".repeat(20);
        assert_eq!(of(&odd), "postalias");
    }
}
