//! Taking a text apart: references and what is between them, braces and what they enclose.

use std::borrow::Cow;

use pf_text::space::trim_start;

use super::Error;

pub(super) fn show(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// At most the first 20 bytes: how much of the place of an error is shown.
pub(super) fn head(text: &[u8]) -> Cow<'_, str> {
    show(text.get(..20).unwrap_or(text))
}

pub(super) fn error<T>(text: String) -> Result<T, Error> {
    Err(Error(text))
}

/// One `$...` of a text, or the literal text before it.
pub(super) enum Piece<'a> {
    Literal(Cow<'a, [u8]>),
    /// What stands between the braces, or the bare name.
    Expression(&'a [u8]),
}

/// Splits a text into literal text and expressions, up to the place where it is malformed.
pub(super) fn pieces(text: &[u8]) -> (Vec<Piece<'_>>, Result<(), Error>) {
    let mut found = Vec::new();
    let mut literal: Vec<u8> = Vec::new();
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'$' {
            literal.push(byte);
            rest = after;
            continue;
        }
        if after.first() == Some(&b'$') {
            literal.push(b'$');
            rest = after.get(1..).unwrap_or_default();
            continue;
        }
        if !literal.is_empty() {
            found.push(Piece::Literal(Cow::Owned(std::mem::take(&mut literal))));
        }
        let length = match after.first() {
            Some(b'{') => enclosed(after, b'{', b'}'),
            Some(b'(') => enclosed(after, b'(', b')'),
            _ => Some(
                after
                    .iter()
                    .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
                    .count(),
            ),
        };
        let Some(length) = length else {
            let why = format!("truncated macro reference: \"{}\"", show(text));
            return (found, error(why));
        };
        let bracketed = matches!(after.first(), Some(b'{' | b'('));
        let start = usize::from(bracketed);
        let name = after.get(start..start + length).unwrap_or_default();
        if name.is_empty() {
            let why = format!("empty macro name: \"{}\"", show(text));
            return (found, error(why));
        }
        found.push(Piece::Expression(name));
        rest = after.get(2 * start + length..).unwrap_or_default();
    }
    if !literal.is_empty() {
        found.push(Piece::Literal(Cow::Owned(literal)));
    }
    (found, Ok(()))
}

/// The length of what stands between the opening bracket at the start and its partner.
pub(super) fn enclosed(text: &[u8], open: u8, close: u8) -> Option<usize> {
    let mut level = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        if *byte == open {
            level += 1;
        } else if *byte == close {
            level -= 1;
            if level == 0 {
                return Some(at - 1);
            }
        }
    }
    None
}

/// What stands in the braces at the start of `text`, and what follows them after white space.
pub(super) fn braces(text: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    match enclosed(text, b'{', b'}') {
        Some(length) => Ok((
            text.get(1..=length).unwrap_or_default(),
            trim_start(text.get(length + 2..).unwrap_or_default()),
        )),
        None => error(format!(
            "unbalanced {{}} in attribute expression: \"{}\"",
            show(text)
        )),
    }
}

/// The text of a branch behind which nothing may stand.
pub(super) fn last_branch(text: &[u8]) -> Result<&[u8], Error> {
    let (text, rest) = branch(text)?;
    if rest.is_empty() {
        Ok(text)
    } else {
        error(format!(
            "unexpected input at: \"...{}}}>>>{}\"",
            show(text),
            head(rest)
        ))
    }
}

/// The text before the next `?` or `:` branch, either in braces or to the end.
pub(super) fn branch(text: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let inner = trim_start(text);
    if inner.first() == Some(&b'{') {
        braces(inner)
    } else {
        Ok((text, &[]))
    }
}
