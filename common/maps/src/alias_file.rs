//! The lines of an alias file: `name: value, value, ...`, the name perhaps quoted.

use pf_text::space::trim;

/// Splits a line at the colon behind the name. The name comes without quotes and comments; the value is trimmed.
///
/// `None` when there is no name, no colon, or no value.
pub fn key_and_value(line: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    let mut key = Vec::new();
    for (at, &byte) in line.iter().enumerate() {
        if escaped {
            escaped = false;
            if depth == 0 {
                key.push(byte);
            }
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            b'"' if depth == 0 => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted && depth > 0 => depth -= 1,
            b':' if !quoted && depth == 0 => {
                let name = trim(&key).to_vec();
                let value = trim(line.get(at + 1..).unwrap_or_default()).to_vec();
                // `:include:` has no name in front.
                return (!name.is_empty() && !value.is_empty()).then_some((name, value));
            }
            _ if depth > 0 => {}
            other => key.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_quoted() {
        let split = |line: &str| {
            key_and_value(line.as_bytes())
                .map(|(k, v)| (String::from_utf8(k).unwrap(), String::from_utf8(v).unwrap()))
        };
        assert_eq!(
            split("root: alice, bob"),
            Some(("root".into(), "alice, bob".into()))
        );
        assert_eq!(
            split("\"a:b c\" : |\"/bin/x y\""),
            Some(("a:b c".into(), "|\"/bin/x y\"".into()))
        );
        assert_eq!(
            split("list: :include:/etc/list"),
            Some(("list".into(), ":include:/etc/list".into()))
        );
        assert_eq!(split("no colon"), None);
        assert_eq!(split("empty:"), None);
    }
}
