//! Lists of words in configuration values.

/// What separates the words of a list.
pub const SEPARATORS: [char; 5] = [',', ' ', '\t', '\r', '\n'];

/// The words of a list: separated by commas and white space, empty ones skipped.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(SEPARATORS).filter(|word| !word.is_empty())
}

/// As [`list`], but a word may hold `{...}` groups, within which separators do not count.
pub fn list_braces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(SEPARATORS);
        if rest.is_empty() {
            return None;
        }
        let mut depth = 0usize;
        let end = rest
            .char_indices()
            .find(|&(_, character)| {
                match character {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                depth == 0 && SEPARATORS.contains(&character)
            })
            .map_or(rest.len(), |(at, _)| at);
        let (word, tail) = rest.split_at(end);
        rest = tail;
        Some(word)
    })
}

/// Takes the outer braces, and white space within them, off a word.
///
/// # Errors
/// What is wrong, in Postfix's words: the word does not begin with a brace, the brace is not closed, or text follows it.
pub fn strip_braces(word: &str) -> Result<&str, String> {
    if !word.starts_with('{') {
        return Err(format!("no '{{' in \"{word}\""));
    }
    let mut depth = 0usize;
    for (at, character) in word.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let (inside, tail) = word.split_at(at);
            if !tail.get(1..).unwrap_or_default().trim().is_empty() {
                return Err(format!("syntax error after '}}' in \"{word}\""));
            }
            return Ok(inside.get(1..).unwrap_or_default().trim());
        }
    }
    Err(format!("missing '}}' in \"{word}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_separated_by_commas_and_space() {
        assert_eq!(list(" a, b,,\tc\n").collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn a_group_is_one_word() {
        let words: Vec<_> = list_braces("a {b, {c d}} inline:{x=y, z=w} e").collect();
        assert_eq!(words, ["a", "{b, {c d}}", "inline:{x=y, z=w}", "e"]);
    }

    #[test]
    fn braces_come_off_once() {
        assert_eq!(strip_braces("{ a {b} }"), Ok("a {b}"));
        assert!(strip_braces("{a").is_err());
        assert!(strip_braces("{a} b").is_err());
        assert!(strip_braces("a").is_err());
    }
}
