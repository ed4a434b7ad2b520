//! One line of an alias file: `name: value, value, ...`. The name is a local part, perhaps quoted, with comments as in a header.

use pf_address::{Token, externalize, internalize, scan};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// There is nothing in it.
    Empty,
    /// The name, the colon or the value is missing, or there are several names.
    Pair,
    /// The name has a domain.
    Remote,
}

/// Splits a line. The name is in internal form, as addresses are when they are looked up; the value is in external form, since
/// it is parsed again.
///
/// # Errors
/// What is wrong with the line.
pub fn key_and_value(line: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let tokens = scan(line);
    if tokens.is_empty() {
        return Err(Fault::Empty);
    }
    let colon = tokens
        .iter()
        .position(|token| token.is_op(b':'))
        .ok_or(Fault::Pair)?;
    let (name, value) = tokens.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    let has = |op: u8| name.iter().any(|token: &Token| token.is_op(op));
    if name.is_empty() || value.is_empty() || has(b',') {
        return Err(Fault::Pair);
    }
    if has(b'@') || has(b'%') {
        return Err(Fault::Remote);
    }
    Ok((internalize(name, true), externalize(value, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Result<(String, String), Fault> {
        key_and_value(line.as_bytes()).map(|(key, value)| {
            (
                String::from_utf8(key).unwrap(),
                String::from_utf8(value).unwrap(),
            )
        })
    }

    /// As the peer's postalias has it.
    #[test]
    fn names_and_values() {
        let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
        assert_eq!(split("root: joe, bob"), pair("root", "joe, bob"));
        assert_eq!(
            split("\"a:b c\" : |\"/bin/x y\""),
            pair("a:b c", "|\"/bin/x y\"")
        );
        assert_eq!(
            split("list: :include:/etc/list"),
            pair("list", ":include:/etc/list")
        );
        assert_eq!(
            split("q: \"a b\"@x, (comment) foo"),
            pair("q", "\"a b\"@x, (comment) foo")
        );
        assert_eq!(split("B\\ x: y z"), pair("B x", "y z"));
        assert_eq!(
            split("Foo(comm)bar: /dev/null"),
            pair("Foo (comm) bar", "/dev/null")
        );
        assert_eq!(split("w:  a ,b;c  cont, d"), pair("w", "a, b;c cont, d"));
        assert_eq!(split("x: \"\""), pair("x", "\"\""));
        assert_eq!(split("\"x\\\"y\": z"), pair("x\"y", "z"));
        assert_eq!(split("<ang>: b"), pair("<ang>", "b"));
        assert_eq!(split("grp: a:b;"), pair("grp", "a:b;"));
        assert_eq!(
            split("y: <a@b>, \"/file name\""),
            pair("y", "<a@b>, \"/file name\"")
        );
        for line in ["no colon", "empty:", ":x", "a,b: c"] {
            assert_eq!(split(line), Err(Fault::Pair), "{line}");
        }
        assert_eq!(split("a@b: c"), Err(Fault::Remote));
    }
}
