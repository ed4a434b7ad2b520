//! The sender's full name as header text.

use pf_address::{Token, externalize, scan_limited};

/// Where in a header the name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Before `<address>`.
    Phrase,
    /// In parentheses behind the address.
    Comment,
}

/// The longest encoded word (RFC 2047 section 2).
const MAX_WORD: usize = 75;

/// A full name as header text: quoted where it has to be, encoded (RFC 2047) where it is not ASCII. Encoded words are
/// separated by line breaks. `None`: there is no name to show.
pub fn header_text(
    name: &[u8],
    place: Place,
    charset: &str,
    token_limit: usize,
) -> Option<Vec<u8>> {
    let name = clean(name)?;
    if !name.is_ascii() {
        return encode(&name, place, charset);
    }
    match place {
        Place::Phrase => {
            let plain = !name.iter().any(|ch| b"%!()<>@,;:\\\".[]".contains(ch));
            let tokens = if plain {
                scan_limited(&name, token_limit)
            } else {
                vec![Token::Quoted(name)]
            };
            Some(externalize(&tokens, true))
        }
        Place::Comment => comment(&name),
    }
}

/// Control characters become spaces, runs of spaces become one.
fn clean(name: &[u8]) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::with_capacity(name.len());
    for &ch in name {
        let ch = if ch.is_ascii_control() { b' ' } else { ch };
        if ch != b' ' || out.last().is_some_and(|&last| last != b' ') {
            out.push(ch);
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
    (!out.is_empty()).then_some(out)
}

/// Balances parentheses.
fn comment(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut open = 0usize;
    let mut rest = name.iter();
    while let Some(&ch) = rest.next() {
        match ch {
            b'\\' => {
                if let Some(&next) = rest.next() {
                    out.extend_from_slice(&[ch, next]);
                }
                continue;
            }
            b'(' => open += 1,
            b')' => match open.checked_sub(1) {
                Some(less) => open = less,
                None => continue,
            },
            _ => {}
        }
        out.push(ch);
    }
    out.extend(std::iter::repeat_n(b')', open));
    out.iter()
        .any(|ch| !ch.is_ascii_whitespace())
        .then_some(out)
}

fn encode(name: &[u8], place: Place, charset: &str) -> Option<Vec<u8>> {
    let bad = |ch: u8| !ch.is_ascii_graphic() || b"()<>@,;:\\\"/[]?.=".contains(&ch);
    if charset.is_empty() || charset.len() > MAX_WORD / 2 || charset.bytes().any(bad) {
        pf_log::warning!("rfc2047_encode: unreasonable charset name: '{charset:.100}'");
        return None;
    }
    let specials: &[u8] = match place {
        Place::Comment => b" =?_()\\",
        Place::Phrase => b" =?_()<>@,;:\\\".[]#$%&'^`{|}~",
    };
    if place == Place::Phrase && name.first() == Some(&b'"') {
        pf_log::warning!(
            "rfc2047_encode: encoder called with quoted word as input: '{}'",
            crate::Show(name)
        );
        return None;
    }
    let escaped = |ch: u8| !ch.is_ascii() || ch.is_ascii_control() || specials.contains(&ch);
    let count = name.iter().filter(|&&ch| escaped(ch)).count();
    if name.len() >= 20 && count >= name.len() / 2 {
        Some(base64_words(name, charset))
    } else {
        Some(quoted_words(name, charset, escaped))
    }
}

fn base64_words(name: &[u8], charset: &str) -> Vec<u8> {
    use base64::Engine as _;
    let prolog = format!("=?{charset}?B?");
    let room = (MAX_WORD - 2 - prolog.len()) / 4 * 3;
    let words: Vec<_> = name
        .chunks(room.max(3))
        .map(|chunk| {
            format!(
                "{prolog}{}?=",
                base64::engine::general_purpose::STANDARD.encode(chunk)
            )
        })
        .collect();
    words.join("\n").into_bytes()
}

fn quoted_words(name: &[u8], charset: &str, escaped: impl Fn(u8) -> bool) -> Vec<u8> {
    let prolog = format!("=?{charset}?Q?");
    let mut out = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(prolog.as_bytes());
        let mut room = MAX_WORD - 2 - prolog.len();
        while let Some((&ch, tail)) = rest.split_first() {
            if ch == b' ' && room >= 1 {
                out.push(b'_');
                room -= 1;
            } else if escaped(ch) && room >= 3 {
                out.extend_from_slice(format!("={ch:02X}").as_bytes());
                room -= 3;
            } else if !escaped(ch) && room >= 1 {
                out.push(ch);
                room -= 1;
            } else {
                break;
            }
            rest = tail;
        }
        out.extend_from_slice(b"?=");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, place: Place) -> Option<String> {
        header_text(name.as_bytes(), place, "utf-8", 1000)
            .map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn names_are_quoted_where_they_have_to_be() {
        assert_eq!(text("Joe  User\t", Place::Phrase).unwrap(), "Joe User");
        assert_eq!(text("J. User", Place::Phrase).unwrap(), "\"J. User\"");
        assert_eq!(text("a (b", Place::Comment).unwrap(), "a (b)");
        assert_eq!(text("a) b\\", Place::Comment).unwrap(), "a b");
        assert_eq!(text(" \t ", Place::Phrase), None);
    }

    #[test]
    fn names_beyond_ascii_are_encoded() {
        assert_eq!(
            text("J\u{f6}rg User", Place::Phrase).unwrap(),
            "=?utf-8?Q?J=C3=B6rg_User?="
        );
        let long = text(&"\u{f6}".repeat(40), Place::Comment).unwrap();
        assert!(
            long.lines()
                .all(|line| line.len() <= 75 && line.starts_with("=?utf-8?B?"))
        );
        let long = text(&"abcdefgh\u{f6}".repeat(20), Place::Comment).unwrap();
        assert!(
            long.lines()
                .all(|line| line.len() <= 75 && line.starts_with("=?utf-8?Q?"))
        );
    }
}
