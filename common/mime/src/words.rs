//! The words of a structured header: comments and white space go, quotes are taken off.

/// What kind of word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordKind {
    /// Plain text.
    Token,
    /// Text that stood in quotes.
    Quoted,
    /// One special or control character.
    Special(u8),
}

/// A word of a structured header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What kind of word it is.
    pub kind: WordKind,
    /// The text.
    pub text: Vec<u8>,
}

impl Word {
    /// Whether it is this plain text, in any case.
    pub fn is_token(&self, text: &str) -> bool {
        self.kind == WordKind::Token && self.text.eq_ignore_ascii_case(text.as_bytes())
    }

    /// Whether it is this special character.
    pub fn is_special(&self, ch: u8) -> bool {
        self.kind == WordKind::Special(ch)
    }
}

/// Special characters of RFC 822.
pub const RFC_822: &[u8] = b"()<>@,;:\\\".[]";

/// Special characters of RFC 2045 parameters.
pub const RFC_2045: &[u8] = b"()<>@,;:\\\"/[]?=";

/// Reads words from a header's value.
#[derive(Debug, Clone)]
pub struct Words<'a> {
    rest: &'a [u8],
    specials: &'static [u8],
}

/// The words of a header's value, with the special characters of RFC 2045 ([`parameters`](Words::parameters)) or of RFC 822.
pub fn words(value: &[u8], mime: bool) -> Words<'_> {
    Words {
        rest: value,
        specials: if mime { RFC_2045 } else { RFC_822 },
    }
}

impl Words<'_> {
    fn next_byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// The first `most` words up to a semicolon, which is passed over, or up to the end; `None`: there was nothing.
    pub fn parameters(&mut self, most: usize) -> Option<Vec<Word>> {
        let mut found = Vec::new();
        loop {
            match self.step(Some(b';')) {
                Step::Word(word) if found.len() < most => found.push(word),
                Step::Word(_) => {}
                Step::Terminator => return Some(found),
                Step::End => return (!found.is_empty()).then_some(found),
            }
        }
    }

    fn step(&mut self, terminator: Option<u8>) -> Step {
        while let Some(ch) = self.next_byte() {
            if matches!(ch, b' ' | b'\t' | b'\r' | b'\n') {
                continue;
            }
            if Some(ch) == terminator {
                return Step::Terminator;
            }
            if ch == b'(' {
                self.skip_comment();
                continue;
            }
            if ch == b'"' {
                return Step::Word(Word {
                    kind: WordKind::Quoted,
                    text: self.quoted(),
                });
            }
            if self.specials.contains(&ch) || ch.is_ascii_control() {
                return Step::Word(Word {
                    kind: WordKind::Special(ch),
                    text: vec![ch],
                });
            }
            let end = self
                .rest
                .iter()
                .position(|&ch| ch == b' ' || ch.is_ascii_control() || self.specials.contains(&ch))
                .unwrap_or(self.rest.len());
            let (head, tail) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
            let mut text = vec![ch];
            text.extend_from_slice(head);
            self.rest = tail;
            return Step::Word(Word {
                kind: WordKind::Token,
                text,
            });
        }
        Step::End
    }

    fn skip_comment(&mut self) {
        let mut level = 1usize;
        while let Some(ch) = self.next_byte() {
            match ch {
                b'(' => level += 1,
                b')' => {
                    level -= 1;
                    if level == 0 {
                        return;
                    }
                }
                b'\\' => {
                    self.next_byte();
                }
                _ => {}
            }
        }
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some(ch) = self.next_byte() {
            match ch {
                b'"' => break,
                b'\n' => {
                    while text
                        .last()
                        .is_some_and(|ch| matches!(ch, b' ' | b'\t' | b'\r' | b'\n'))
                    {
                        text.pop();
                    }
                }
                b'\\' => match self.next_byte() {
                    Some(ch) => text.push(ch),
                    None => break,
                },
                _ => text.push(ch),
            }
        }
        text
    }
}

enum Step {
    Word(Word),
    Terminator,
    End,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        match self.step(None) {
            Step::Word(word) => Some(word),
            Step::Terminator | Step::End => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_taken_one_by_one() {
        let mut list = words(b" multipart/(x)mixed ; boundary=\"a;\\\"b\n c\"; x", true);
        let first = list.parameters(3).unwrap();
        assert!(
            first[0].is_token("MULTIPART")
                && first[1].is_special(b'/')
                && first[2].is_token("mixed")
        );
        let second = list.parameters(3).unwrap();
        assert_eq!(second[2].text, b"a;\"b c");
        assert_eq!(list.parameters(3).unwrap().len(), 1);
        assert_eq!(list.parameters(3), None);
    }

    #[test]
    fn plain_words() {
        let texts: Vec<_> = words(b"<a.b@c> (d)", false).map(|word| word.text).collect();
        assert_eq!(texts, [&b"<"[..], b"a", b".", b"b", b"@", b"c", b">"]);
    }
}
