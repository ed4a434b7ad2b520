//! The local part of an address, quoted where it has to be and unquoted again. The domain is never touched.

use std::borrow::Cow;

/// How a local part is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoting {
    /// 8-bit text stands for itself; otherwise each byte of it gets a backslash.
    pub eight_bit_clean: bool,
    /// `@` is ordinary text of a local part.
    pub expose_at: bool,
    /// The text is a local part without a domain.
    pub bare_local_part: bool,
}

impl Default for Quoting {
    fn default() -> Self {
        Self {
            eight_bit_clean: true,
            expose_at: false,
            bare_local_part: false,
        }
    }
}

/// An address in internal form, quoted as in message headers (RFC 5322).
pub fn quote_822(address: &[u8]) -> Cow<'_, [u8]> {
    quote_822_with(address, Quoting::default())
}

/// An address as log lines have it: quoted as in headers, but the null address is empty.
pub fn shown(address: &[u8]) -> Cow<'_, str> {
    if address.is_empty() {
        return Cow::Borrowed("");
    }
    match quote_822(address) {
        Cow::Borrowed(text) => String::from_utf8_lossy(text),
        Cow::Owned(text) => Cow::Owned(String::from_utf8_lossy(&text).into_owned()),
    }
}

/// As [`quote_822`], with choices.
pub fn quote_822_with(address: &[u8], quoting: Quoting) -> Cow<'_, [u8]> {
    // A source route stays as it is.
    let start = match memchr::memchr(b':', address) {
        Some(colon) if address.first() == Some(&b'@') => colon + 1,
        _ => 0,
    };
    let (route, rest) = address.split_at_checked(start).unwrap_or((b"", address));
    let end = if quoting.bare_local_part {
        rest.len()
    } else {
        memchr::memrchr(b'@', rest).unwrap_or(rest.len())
    };
    let (local, domain) = rest.split_at_checked(end).unwrap_or((rest, b""));
    if is_dot_string(local, quoting) {
        return Cow::Borrowed(address);
    }
    let mut out = Vec::with_capacity(address.len() + 4);
    out.extend_from_slice(route);
    quoted_string(&mut out, local, quoting, b"\"\\\r");
    out.extend_from_slice(domain);
    Cow::Owned(out)
}

/// An address in internal form, quoted as in SMTP commands (RFC 5321).
pub fn quote_821(address: &[u8]) -> Cow<'_, [u8]> {
    quote_821_with(address, Quoting::default())
}

/// As [`quote_821`], with choices; the text always may have a domain.
pub fn quote_821_with(address: &[u8], quoting: Quoting) -> Cow<'_, [u8]> {
    let end = memchr::memrchr(b'@', address).unwrap_or(address.len());
    let (local, domain) = address.split_at_checked(end).unwrap_or((address, b""));
    if is_dot_string(local, quoting) {
        return Cow::Borrowed(address);
    }
    let mut out = Vec::with_capacity(address.len() + 4);
    quoted_string(&mut out, local, quoting, b"\"\\\r\n");
    out.extend_from_slice(domain);
    Cow::Owned(out)
}

/// An address in external form, with the quotes and backslashes of its local part taken away.
pub fn unquote_822(address: &[u8]) -> Vec<u8> {
    let start = match memchr::memchr(b':', address) {
        Some(colon) if address.first() == Some(&b'@') => colon + 1,
        _ => 0,
    };
    let mut out = Vec::with_capacity(address.len());
    out.extend_from_slice(address.get(..start).unwrap_or_default());
    let mut in_quotes = false;
    let mut bare_at = None;
    let mut at = start;
    while let Some(&ch) = address.get(at) {
        match ch {
            b'"' => {
                in_quotes = !in_quotes;
                at += 1;
                continue;
            }
            b'@' if !in_quotes => bare_at = Some((out.len(), at)),
            b'\\' => match address.get(at + 1) {
                None => break,
                Some(&next) => {
                    out.push(next);
                    at += 2;
                    continue;
                }
            },
            _ => {}
        }
        out.push(ch);
        at += 1;
    }
    // What follows the last bare `@` is the domain.
    if let Some((len, from)) = bare_at {
        out.truncate(len);
        out.extend_from_slice(address.get(from..).unwrap_or_default());
    }
    out
}

/// Atoms with dots between them.
fn is_dot_string(local: &[u8], quoting: Quoting) -> bool {
    if local.first().is_none_or(|&ch| ch == b'.') || local.last() == Some(&b'.') {
        return false;
    }
    let mut last = 0;
    local.iter().all(|&ch| {
        let dots = ch == b'.' && last == b'.';
        last = ch;
        !dots
            && match ch {
                b' ' | b'(' | b')' | b'<' | b'>' | b',' | b';' | b':' | b'\\' | b'"' | b'['
                | b']' => false,
                b'@' => quoting.expose_at,
                128.. => quoting.eight_bit_clean,
                _ => !ch.is_ascii_control(),
            }
    })
}

fn quoted_string(out: &mut Vec<u8>, local: &[u8], quoting: Quoting, special: &[u8]) {
    out.push(b'"');
    for &ch in local {
        if special.contains(&ch) || (ch > 127 && !quoting.eight_bit_clean) {
            out.push(b'\\');
        }
        out.push(ch);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        for (internal, external) in [
            ("a@b", "a@b"),
            ("a b@c", "\"a b\"@c"),
            ("a@b@c", "\"a@b\"@c"),
            ("", "\"\""),
            (".a@b", "\".a\"@b"),
            ("a..b@c", "\"a..b\"@c"),
            ("a.@b", "\"a.\"@b"),
            ("a\"b", "\"a\\\"b\""),
            ("@x:a b@c", "@x:\"a b\"@c"),
            ("\u{e9}@x", "\u{e9}@x"),
        ] {
            assert_eq!(quote_822(internal.as_bytes()), external.as_bytes());
            assert_eq!(unquote_822(external.as_bytes()), internal.as_bytes());
        }
        assert_eq!(quote_821(b"a b@c").as_ref(), b"\"a b\"@c");
        assert_eq!(unquote_822(b"\"a@b\"@\"c\""), b"a@b@\"c\"");
    }

    proptest! {
        #[test]
        fn quoting_can_be_undone(local in "[ -~]{1,12}", domain in "[a-z.]{0,8}") {
            prop_assume!(!local.starts_with('@'));
            let internal = format!("{local}@{domain}");
            prop_assert_eq!(unquote_822(&quote_822(internal.as_bytes())), internal.as_bytes());
        }
    }
}
