//! The xtext encoding of RFC 3461, section 4: `+` and two upper-case hexadecimal digits.

/// Encodes what is not printable ASCII, and `+` and `=`.
pub fn encode(text: &[u8]) -> Vec<u8> {
    const HEX: [u8; 16] = *b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if (b'!'..=b'~').contains(&byte) && byte != b'+' && byte != b'=' {
            out.push(byte);
        } else {
            let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
            out.extend([b'+', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// Decodes; `None` when a `+` is not followed by two hexadecimal digits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'+' {
            let mut digit = || u8::try_from(char::from(*bytes.next()?).to_digit(16)?).ok();
            out.push((digit()? << 4) | digit()?);
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    #[test]
    fn known_values() {
        assert_eq!(super::encode(b"a+b=c d"), b"a+2Bb+3Dc+20d");
        assert_eq!(super::decode(b"a+2Bb"), Some(b"a+b".to_vec()));
        assert_eq!(super::decode(b"a+2"), None);
        assert_eq!(super::decode(b"a+xx"), None);
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
            prop_assert_eq!(super::decode(&super::encode(&bytes)), Some(bytes));
        }
    }
}
