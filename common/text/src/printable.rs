//! Making untrusted bytes fit for a log line.

use std::borrow::Cow;

/// Replaces each byte that is not printable ASCII.
pub fn printable(text: &[u8], replacement: u8) -> Cow<'_, [u8]> {
    let fine = |byte: &u8| (b' '..=b'~').contains(byte);
    if text.iter().all(fine) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.iter()
            .map(|byte| if fine(byte) { *byte } else { replacement })
            .collect(),
    )
}

/// As [`printable`], but well-formed UTF-8 beyond ASCII is kept.
pub fn printable_utf8(text: &[u8], replacement: u8) -> Cow<'_, [u8]> {
    if text.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Cow::Borrowed(text);
    }
    let mut clean = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_ascii_control() {
                clean.push(replacement);
            } else {
                clean.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        clean.extend(chunk.invalid().iter().map(|_| replacement));
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_foreign_bytes_are_replaced() {
        assert_eq!(&*printable(b"a\r\n\xc3\xa4~", b'?'), b"a????~");
        assert_eq!(
            &*printable_utf8(b"a\r\xc3\xa4\xff\x7f", b'?'),
            b"a?\xc3\xa4??"
        );
        assert!(matches!(printable(b"plain", b'?'), Cow::Borrowed(_)));
    }
}
