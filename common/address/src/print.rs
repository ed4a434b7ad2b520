//! Tokens to text.

use crate::{Address, Token, quote_822};

/// How much text besides the address an address expression may have; old Sendmail overflows a buffer on more (CA-2003-07).
const MAX_NON_ADDRESS: usize = 250;

/// What stands between the addresses of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comma {
    /// A comma and a space.
    Space,
    /// A comma and a line break.
    Line,
}

/// The text of tokens in internal form, without quotes. `spaced`: words side by side get a space between them.
pub fn internalize(tokens: &[Token], spaced: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    internalize_into(&mut out, tokens, spaced);
    out
}

fn internalize_into(out: &mut Vec<u8>, tokens: &[Token], spaced: bool) {
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        match token {
            Token::Address(address) => internalize_into(out, &address.tokens, address.spaced),
            Token::Comment(text) | Token::Atom(text) | Token::Quoted(text) => {
                out.extend_from_slice(text);
            }
            Token::Literal(text) => {
                out.push(b'[');
                out.extend_from_slice(text);
                out.push(b']');
            }
            Token::StartGroup => out.push(b':'),
            Token::Op(op) => out.push(*op),
        }
        if spaced && needs_space(token, rest.peek().copied()) {
            out.push(b' ');
        }
    }
}

impl Address {
    /// The address in internal form.
    pub fn internal(&self) -> Vec<u8> {
        internalize(&self.tokens, self.spaced)
    }

    /// The address in external form, token by token.
    pub fn external(&self) -> Externalized {
        externalize(&self.tokens, self.spaced)
    }

    /// The address in external form, its local part quoted as a whole: what a header shows.
    pub fn quoted(&self) -> Vec<u8> {
        quote_822(&self.internal()).into_owned()
    }
}

/// Text in external form.
pub type Externalized = Vec<u8>;

/// The text of tokens in external form. `spaced` as in [`internalize`].
pub fn externalize(tokens: &[Token], spaced: bool) -> Externalized {
    print(tokens, spaced, Comma::Space, false).text
}

/// A header's value in external form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderText {
    /// The text, with a line break behind each comma.
    pub text: Vec<u8>,
    /// The expressions that had too many words or comments, which were taken away (`stripping too many comments from address`).
    pub stripped: Vec<Vec<u8>>,
}

/// The text of a whole header's tokens, a line for each address; phrases and comments of more than 250 bytes are taken away.
pub fn externalize_header(tokens: &[Token]) -> HeaderText {
    print(tokens, true, Comma::Line, true)
}

fn print(tokens: &[Token], spaced: bool, comma: Comma, bounded: bool) -> HeaderText {
    let mut out = Vec::with_capacity(128);
    let mut stripped = Vec::new();
    let mut expression = Expression::default();
    let mut rest = tokens.iter().peekable();
    while let Some(token) = rest.next() {
        let next = rest.peek().copied();
        match token {
            Token::Op(b',') => {
                if bounded {
                    expression.enforce(&mut out, &mut stripped);
                }
                out.push(b',');
                out.push(if comma == Comma::Line { b'\n' } else { b' ' });
                expression = Expression {
                    start: out.len(),
                    ..Expression::default()
                };
                continue;
            }
            Token::Address(address) => {
                let text = address.quoted();
                expression.address_len = text.len();
                out.extend_from_slice(&text);
                expression.address = Some(text);
            }
            Token::Atom(text) | Token::Comment(text) => out.extend_from_slice(text),
            Token::Quoted(text) => {
                out.push(b'"');
                copy_escaped(&mut out, text, b"\"\\\r\n");
                out.push(b'"');
            }
            Token::Literal(text) => {
                out.push(b'[');
                copy_escaped(&mut out, text, b"\\\r\n");
                out.push(b']');
            }
            Token::StartGroup => out.push(b':'),
            Token::Op(op) => {
                if *op == b'<' && next.is_some_and(|next| next.is_op(b'>')) {
                    expression.address = Some(Vec::new());
                    expression.address_len = 0;
                }
                out.push(*op);
            }
        }
        if spaced && needs_space(token, next) {
            out.push(b' ');
        }
    }
    if bounded {
        expression.enforce(&mut out, &mut stripped);
    }
    HeaderText {
        text: out,
        stripped,
    }
}

/// The text since the last comma.
#[derive(Default)]
struct Expression {
    start: usize,
    address: Option<Vec<u8>>,
    address_len: usize,
}

impl Expression {
    fn enforce(&self, out: &mut Vec<u8>, stripped: &mut Vec<Vec<u8>>) {
        let Some(address) = &self.address else { return };
        if out.len().saturating_sub(self.address_len) > self.start + MAX_NON_ADDRESS {
            stripped.push(out.split_off(self.start));
            out.push(b'<');
            out.extend_from_slice(address);
            out.push(b'>');
        }
    }
}

fn copy_escaped(out: &mut Vec<u8>, text: &[u8], special: &[u8]) {
    for &ch in text {
        if special.contains(&ch) {
            out.push(b'\\');
        }
        out.push(ch);
    }
}

fn needs_space(token: &Token, next: Option<&Token>) -> bool {
    let Some(next) = next else { return false };
    token.is_op(b',')
        || *token == Token::StartGroup
        || next.is_op(b'<')
        || (token.is_word() && next.is_word())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;

    #[test]
    fn an_address_from_a_header_has_no_spaces_and_a_scanned_one_has() {
        let tokens = parse(b"a@b c.d <e f@g>");
        let found = crate::addresses(&tokens).next().unwrap();
        assert_eq!(found.internal(), b"ef@g");
        assert_eq!(Address::scan(b"e f@g").internal(), b"e f@g");
        assert_eq!(Address::scan(b"e f@g").quoted(), b"\"e f\"@g");
    }

    #[test]
    fn long_comments_are_stripped() {
        let long = format!("a@b ({})", "x".repeat(300));
        let printed = externalize_header(&parse(long.as_bytes()));
        assert_eq!(printed.text, b"<a@b>");
        assert_eq!(printed.stripped.len(), 1);
    }

    #[test]
    fn quotes_and_literals_are_kept() {
        assert_eq!(
            externalize(&crate::scan(b"\"a\\\"b\" @[1.2]"), true),
            b"\"a\\\"b\"@[1.2]"
        );
        assert_eq!(externalize(&parse(b"a@b,c@d"), true), b"a@b, c@d");
    }
}
