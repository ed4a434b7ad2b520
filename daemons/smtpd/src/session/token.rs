//! How a command line falls into words: white space parts them, except between quotes and angle brackets, and `TO:` and
//! `FROM:` end a word by themselves.

use bstr::ByteSlice as _;
use pf_text::space::is_space;

/// One word of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// The word as the client sent it, with its quotes.
    pub(crate) text: &'a [u8],
    /// A quote or a bracket was opened and never closed.
    pub(crate) open: bool,
}

/// Splits a command line into its words.
pub(crate) fn tokens(line: &[u8]) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = line;
    while let Some((token, after)) = next(rest) {
        found.push(token);
        rest = after;
    }
    found
}

fn next(line: &[u8]) -> Option<(Token<'_>, &[u8])> {
    let start = line.iter().position(|&byte| !is_space(byte))?;
    let line = line.get(start..)?;
    let mut at = 0;
    let mut open = false;
    while let Some(&byte) = line.get(at) {
        at += 1;
        match byte {
            byte if is_space(byte) => {
                at -= 1;
                break;
            }
            b'<' | b'"' => {
                let (len, closed) = quoted(line.get(at..).unwrap_or_default(), byte);
                at += len;
                open |= !closed;
            }
            b':' => {
                let so_far = line.get(..at).unwrap_or_default();
                if so_far.eq_ignore_ascii_case(b"to:") || so_far.eq_ignore_ascii_case(b"from:") {
                    break;
                }
            }
            b'\\' if at < line.len() => at += 1,
            _ => {}
        }
    }
    let (text, after) = line.split_at_checked(at)?;
    Some((Token { text, open }, after))
}

/// How long the rest of a quoted part is, and whether it was closed. Brackets nest, quotes hide brackets, and a backslash hides
/// whatever follows it.
fn quoted(text: &[u8], opener: u8) -> (usize, bool) {
    let mut brackets = usize::from(opener == b'<');
    let mut in_quotes = opener == b'"';
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\\' => at = (at + 1).min(text.len()),
            b'"' if in_quotes => {
                in_quotes = false;
                if brackets == 0 {
                    return (at, true);
                }
            }
            b'"' => in_quotes = true,
            b'>' if !in_quotes => {
                brackets -= 1;
                if brackets == 0 {
                    return (at, true);
                }
            }
            b'<' if !in_quotes => brackets += 1,
            _ => {}
        }
    }
    (at, false)
}

/// The words from the first to the last joined by one space: what a sloppy argument meant.
pub(crate) fn join(words: &[Token<'_>]) -> Vec<u8> {
    let texts: Vec<&[u8]> = words.iter().map(|word| word.text).collect();
    bstr::join(" ", texts)
}

/// Splits `name=value`; an empty value does not count.
pub(crate) fn attribute(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = word.split_once_str("=")?;
    (!value.is_empty()).then_some((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        tokens(line.as_bytes())
            .iter()
            .map(|token| {
                let text = String::from_utf8(token.text.to_vec()).unwrap();
                if token.open { text + "!" } else { text }
            })
            .collect()
    }

    #[test]
    fn words_of_real_commands() {
        assert_eq!(
            words("MAIL FROM:<a@b> SIZE=10"),
            ["MAIL", "FROM:", "<a@b>", "SIZE=10"]
        );
        assert_eq!(words("rcpt to: <a b@c>x"), ["rcpt", "to:", "<a b@c>x"]);
        assert_eq!(words("  EHLO\t foo "), ["EHLO", "foo"]);
        assert_eq!(
            words("RCPT TO:<\"a >b\"@c>"),
            ["RCPT", "TO:", "<\"a >b\"@c>"]
        );
        assert_eq!(words("RCPT TO:<\"a"), ["RCPT", "TO:", "<\"a!"]);
        assert_eq!(words("RCPT TO:<a<b>c> x"), ["RCPT", "TO:", "<a<b>c>", "x"]);
        assert_eq!(words("a\\ b c"), ["a\\ b", "c"]);
        assert_eq!(words("a\\"), ["a\\"]);
        assert_eq!(words("xfrom:y"), ["xfrom:y"]);
        assert_eq!(words(" \t "), Vec::<String>::new());
        assert_eq!(words("\"\\\"\""), ["\"\\\"\""]);
    }

    #[test]
    fn attributes_need_a_value() {
        assert_eq!(attribute(b"NAME=x=y"), Some((&b"NAME"[..], &b"x=y"[..])));
        assert_eq!(attribute(b"NAME="), None);
        assert_eq!(attribute(b"NAME"), None);
    }
}
