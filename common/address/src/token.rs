//! Text to tokens.

/// The characters that are tokens of their own: those of RFC 822, and `%`, `!` and `|`, because not all the world is RFC 822.
const OPERATORS: &[u8] = b"|%!()<>@,;:\\\".[]";

/// One token of a header or of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// Text without specials.
    Atom(Vec<u8>),
    /// Text that needs quotes; held without them.
    Quoted(Vec<u8>),
    /// A comment, held as it was written, with its parentheses.
    Comment(Vec<u8>),
    /// What stands between `[` and `]`, without them.
    Literal(Vec<u8>),
    /// A special character.
    Op(u8),
    /// The tokens of one address.
    Address(Address),
    /// The colon behind the name of a group.
    StartGroup,
}

/// The tokens of one address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// What the address consists of.
    pub tokens: Vec<Token>,
    /// Whether words that stand side by side are printed with a space between them: true for a whole string that was taken as
    /// an address, false for an address found in a header.
    pub spaced: bool,
}

impl Address {
    /// Takes a whole string in external form as one address.
    pub fn scan(text: &[u8]) -> Self {
        Self {
            tokens: scan(text),
            spaced: true,
        }
    }
}

impl Token {
    /// Whether it is this special character.
    pub fn is_op(&self, op: u8) -> bool {
        *self == Token::Op(op)
    }

    /// Whether it is text or an address.
    pub(crate) fn is_word(&self) -> bool {
        !matches!(self, Token::Op(_) | Token::StartGroup)
    }
}

/// Splits text in external form into tokens; white space goes, nothing else is lost. Groups and addresses are not looked for.
pub fn scan(text: &[u8]) -> Vec<Token> {
    scan_limited(text, usize::MAX)
}

/// As [`scan`], ending after `limit` tokens.
pub fn scan_limited(text: &[u8], limit: usize) -> Vec<Token> {
    // Like a C string, text ends at a NUL.
    let text = memchr::memchr(0, text)
        .and_then(|at| text.get(..at))
        .unwrap_or(text);
    let mut input = Input { rest: text };
    let mut tokens = Vec::new();
    while tokens.len() < limit.max(1) {
        let Some(ch) = input.next() else { break };
        tokens.push(match ch {
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            b'(' => Token::Comment(input.comment()),
            b'[' => Token::Literal(input.collect_past(b']')),
            b'"' => Token::Quoted(input.collect_past(b'"')),
            _ if ch != b'\\' && OPERATORS.contains(&ch) => Token::Op(ch),
            _ => input.atom(ch),
        });
    }
    tokens
}

struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Text until a character that `stop` accepts; a backslash takes the next character as it is.
    fn collect(&mut self, stop: impl Fn(u8) -> bool) -> Vec<u8> {
        let mut text = Vec::new();
        while let Some(ch) = self.peek() {
            let ch = if ch == b'\\' {
                self.next();
                match self.peek() {
                    Some(ch) => ch,
                    None => break,
                }
            } else if stop(ch) {
                break;
            } else {
                ch
            };
            self.next();
            text.push(if is_space(ch) { b' ' } else { ch });
        }
        text
    }

    fn collect_past(&mut self, end: u8) -> Vec<u8> {
        let text = self.collect(|ch| ch == end);
        self.next();
        text
    }

    /// An atom whose first character was taken already.
    fn atom(&mut self, first: u8) -> Token {
        let stop = |ch| is_space(ch) || OPERATORS.contains(&ch);
        let mut text = Vec::new();
        if first == b'\\' {
            match self.next() {
                Some(ch) => text.push(if is_space(ch) { b' ' } else { ch }),
                None => return Token::Atom(text),
            }
        } else {
            text.push(first);
        }
        text.append(&mut self.collect(stop));
        // 8-bit text is left alone: quoting would not make it 7-bit.
        if text
            .iter()
            .any(|&ch| ch == b' ' || ch.is_ascii_control() || OPERATORS.contains(&ch))
        {
            Token::Quoted(text)
        } else {
            Token::Atom(text)
        }
    }

    /// A comment behind its opening parenthesis. Comments nest; a missing end is the end of the text.
    fn comment(&mut self) -> Vec<u8> {
        let mut text = vec![b'('];
        let mut level = 1usize;
        while let Some(ch) = self.next() {
            text.push(ch);
            match ch {
                b'(' => level += 1,
                b')' => {
                    level -= 1;
                    if level == 0 {
                        break;
                    }
                }
                b'\\' => match self.next() {
                    Some(ch) => text.push(ch),
                    None => break,
                },
                _ => {}
            }
        }
        text
    }
}

fn is_space(ch: u8) -> bool {
    matches!(ch, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_token() {
        assert_eq!(
            scan(b"a.b (c(d)) \"e f\" [1.2] x\\ y <"),
            vec![
                Token::Atom(b"a".to_vec()),
                Token::Op(b'.'),
                Token::Atom(b"b".to_vec()),
                Token::Comment(b"(c(d))".to_vec()),
                Token::Quoted(b"e f".to_vec()),
                Token::Literal(b"1.2".to_vec()),
                Token::Quoted(b"x y".to_vec()),
                Token::Op(b'<'),
            ]
        );
    }

    #[test]
    fn unfinished_text_ends_where_it_ends() {
        assert_eq!(scan(b"(ab"), vec![Token::Comment(b"(ab".to_vec())]);
        assert_eq!(scan(b"\"ab\\"), vec![Token::Quoted(b"ab".to_vec())]);
        assert_eq!(scan(b"\\"), vec![Token::Atom(Vec::new())]);
        assert_eq!(scan(b"a\0b"), vec![Token::Atom(b"a".to_vec())]);
    }
}
