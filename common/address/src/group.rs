//! Tokens to addresses: finds where in a header the addresses are, from right to left, and adds the commas that people forget.
//! What is not understood is left as it is.

use crate::{Address, Token, scan_limited};

/// Splits a header's text in external form into tokens in which each address is one [`Token::Address`].
pub fn parse(text: &[u8]) -> Vec<Token> {
    parse_limited(text, usize::MAX)
}

/// As [`parse`], looking at the first `limit` tokens only (`header_address_token_limit`).
pub fn parse_limited(text: &[u8], limit: usize) -> Vec<Token> {
    let mut left = scan_limited(text, limit);
    let mut out = Builder::default();
    let mut want_word = true;
    let mut in_group = false;
    while let Some(token) = left.pop() {
        match token {
            // A comment goes out of the way, to the right of the address being gathered.
            Token::Comment(_) => out.done.push(token),
            Token::Op(b';') => {
                out.group(true);
                out.done.push(token);
                in_group = true;
                want_word = true;
            }
            Token::Op(b':') if in_group => {
                out.group(false);
                out.done.push(Token::StartGroup);
                // What stands before is the group's name, up to a comma.
                while left.last().is_some_and(|token| !token.is_op(b',')) {
                    out.done.extend(left.pop());
                }
            }
            Token::Op(b'>') => {
                out.group(true);
                out.done.push(token);
                while let Some(token) = left.pop() {
                    if token.is_op(b'<') {
                        left.push(token);
                        break;
                    }
                    if matches!(token, Token::Comment(_)) {
                        out.done.push(token);
                    } else {
                        out.pending.push(token);
                    }
                }
                out.group(false);
                // The phrase before it, up to what ends another address.
                while left
                    .last()
                    .is_some_and(|token| !matches!(token, Token::Op(b'>' | b';' | b',' | b':')))
                {
                    out.done.extend(left.pop());
                }
                // A colon that ends the phrase but no group's name belongs to no address.
                if !in_group && left.last().is_some_and(|token| token.is_op(b':')) {
                    out.done.extend(left.pop());
                }
                want_word = true;
            }
            Token::Atom(_) | Token::Quoted(_) | Token::Literal(_) => {
                // Two words side by side: a comma is missing.
                if !want_word {
                    out.group(true);
                }
                out.pending.push(token);
                want_word = false;
            }
            Token::Op(b',') => {
                out.group(false);
                out.done.push(token);
                want_word = true;
            }
            _ => {
                out.pending.push(token);
                want_word = true;
            }
        }
    }
    out.group(false);
    out.done.reverse();
    out.done
}

/// The output, from right to left.
#[derive(Default)]
struct Builder {
    done: Vec<Token>,
    /// The address being gathered.
    pending: Vec<Token>,
}

impl Builder {
    /// Ends the address being gathered, if there is one, with a comma before it if asked.
    fn group(&mut self, comma: bool) {
        if self.pending.is_empty() {
            return;
        }
        let mut tokens = std::mem::take(&mut self.pending);
        tokens.reverse();
        self.done.push(Token::Address(Address {
            tokens,
            spaced: false,
        }));
        if comma {
            self.done.push(Token::Op(b','));
        }
    }
}

/// The addresses in what [`parse`] made.
pub fn addresses(tokens: &[Token]) -> impl Iterator<Item = &Address> {
    tokens.iter().filter_map(|token| match token {
        Token::Address(address) => Some(address),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::externalize_header;

    fn shape(text: &str) -> String {
        let tokens = parse(text.as_bytes());
        let mut out = String::new();
        for token in &tokens {
            match token {
                Token::Address(address) => {
                    let text = crate::internalize(&address.tokens, false);
                    out.push_str(&format!("{{{}}}", String::from_utf8(text).unwrap()));
                }
                Token::Op(op) => out.push(char::from(*op)),
                Token::StartGroup => out.push(':'),
                Token::Atom(text) | Token::Comment(text) => {
                    out.push_str(std::str::from_utf8(text).unwrap());
                }
                Token::Quoted(text) => {
                    out.push_str(&format!("\"{}\"", std::str::from_utf8(text).unwrap()));
                }
                Token::Literal(_) => out.push_str("[]"),
            }
        }
        out
    }

    // Shapes seen from Postfix's tok822_parse test program.
    #[test]
    fn addresses_are_found() {
        assert_eq!(shape("a@b, c@d"), "{a@b},{c@d}");
        assert_eq!(shape("a b"), "{a},{b}");
        assert_eq!(
            shape("Full Name <user@host> (x)"),
            "FullName<{user@host}>(x)"
        );
        assert_eq!(shape("a@b (c) d@e"), "{a@b},{d@e}(c)");
        assert_eq!(shape("group: a@b, c@d;"), "group:{a@b},{c@d};");
        assert_eq!(shape("a : b <c@d>"), "{a}:b<{c@d}>");
        assert_eq!(shape("<>"), "<>");
        assert_eq!(shape("a@b c <d@e>"), "a@bc<{d@e}>");
        assert_eq!(shape("<a@b> <c@d>"), "<{a@b}><{c@d}>");
        assert_eq!(shape("<a@b> c@d"), "<{a@b}>,{c@d}");
    }

    #[test]
    fn a_header_keeps_its_words() {
        let text = externalize_header(&parse(b"\"A. B\" <x@y>, z (w)")).text;
        assert_eq!(text, b"\"A. B\" <x@y>,\nz (w)");
    }
}
