//! Putting texts together that hold bytes of a client: nothing is ever converted on the way.

/// Joins string-like and byte-like parts.
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        let mut text: Vec<u8> = Vec::new();
        $(text.extend_from_slice(AsRef::<[u8]>::as_ref(&$part));)*
        text
    }};
}
pub(crate) use text;

/// The characters that must not go from a client's name for itself into a header.
const NEUTERED: &[u8] = b" <>()\\\";@";

/// Replaces the characters that have a meaning in headers and addresses.
pub(crate) fn neuter(mut text: Vec<u8>) -> Vec<u8> {
    for byte in &mut text {
        if NEUTERED.contains(byte) {
            *byte = b'?';
        }
    }
    text
}

/// Text with question marks for what cannot be printed; `utf8`: text beyond ASCII can.
pub(crate) fn printable(text: &[u8], utf8: bool) -> std::borrow::Cow<'_, [u8]> {
    if utf8 {
        pf_text::printable_utf8(text, b'?')
    } else {
        pf_text::printable(text, b'?')
    }
}

/// Whether the text is one or more decimal digits.
pub(crate) fn all_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// A size as in `SIZE=` and `BDAT`: decimal; `None` when it is too large for a file.
pub(crate) fn file_size(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let size: i64 = text.parse().ok()?;
    u64::try_from(size).ok()
}

/// The text up to its first NUL byte: what a C string would have shown of it.
pub(crate) fn until_nul(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |at| text.get(..at).unwrap_or(text))
}

/// Shows bytes as a C program would escape them (`\r\n`, `\001`), for log lines about input that is no text.
pub(crate) fn escape(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut shown = String::new();
    for &byte in bytes {
        match byte {
            b'\\' => shown.push_str("\\\\"),
            0x07 => shown.push_str("\\a"),
            0x08 => shown.push_str("\\b"),
            0x0c => shown.push_str("\\f"),
            b'\n' => shown.push_str("\\n"),
            b'\r' => shown.push_str("\\r"),
            b'\t' => shown.push_str("\\t"),
            0x0b => shown.push_str("\\v"),
            b' '..=b'~' => shown.push(char::from(byte)),
            _ => {
                let _ = write!(shown, "\\{byte:03o}");
            }
        }
    }
    shown
}

/// Undoes C-style escapes (`\t`, `\040`), as in `smtpd_expansion_filter`.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match rest.next() {
            None => break,
            Some(b'a') => out.push(0x07),
            Some(b'b') => out.push(0x08),
            Some(b'f') => out.push(0x0c),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(b'v') => out.push(0x0b),
            Some(digit @ b'0'..=b'7') => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(next) = rest.next_if(|next| matches!(next, b'0'..=b'7')) else {
                        break;
                    };
                    value = value * 8 + u32::from(next - b'0');
                }
                out.push(u8::try_from(value & 0xff).unwrap_or(0));
            }
            Some(other) => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_go_there_and_back() {
        assert_eq!(escape(b"EHLO x\r\n\x01\x012"), "EHLO x\\r\\n\\001\\0012");
        assert_eq!(unescape("\\t\\40\\0401!\\\\"), b"\t  1!\\");
    }

    #[test]
    fn sizes() {
        assert_eq!(file_size(b"0010"), Some(10));
        assert_eq!(file_size(b"9223372036854775807"), Some(i64::MAX as u64));
        assert_eq!(file_size(b"9223372036854775808"), None);
    }
}
