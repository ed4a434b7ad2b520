//! Case folding for lookups.

use bstr::ByteSlice as _;

/// Folds the case of a key: ASCII only, or all of Unicode where `utf8` (the `smtputf8_enable` way) and the bytes are UTF-8.
pub fn fold(text: &[u8], utf8: bool) -> Vec<u8> {
    if utf8 && !text.is_ascii() && text.to_str().is_ok() {
        // Full Unicode lower-casing maps what case folding maps, sharp s excepted, which mail addresses keep.
        return text.to_lowercase();
    }
    text.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    #[test]
    fn ascii_or_all_of_unicode() {
        assert_eq!(super::fold("ÄB".as_bytes(), true), "äb".as_bytes());
        assert_eq!(super::fold("ÄB".as_bytes(), false), "Äb".as_bytes());
        assert_eq!(super::fold(b"\xffB", true), b"\xffb");
    }
}
