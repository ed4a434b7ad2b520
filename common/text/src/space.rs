//! White space as in C: also the vertical tab, which Rust's own functions for ASCII leave out, and nothing beyond ASCII.

/// Whether `isspace(3)` says so in the C locale.
pub const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// As [`is_space`], of a character.
pub const fn is_space_char(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// Without the white space in front.
pub fn trim_start(mut text: &[u8]) -> &[u8] {
    while let Some((&first, rest)) = text.split_first()
        && is_space(first)
    {
        text = rest;
    }
    text
}

/// Without the white space at the end.
pub fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some((&last, rest)) = text.split_last()
        && is_space(last)
    {
        text = rest;
    }
    text
}

/// Without the white space on both sides.
pub fn trim(text: &[u8]) -> &[u8] {
    trim_end(trim_start(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vertical_tab_is_white_space_and_a_no_break_space_is_not() {
        assert_eq!(trim(b"\x0b\t a b\x0c\x0b\r\n"), b"a b");
        assert_eq!(trim("\u{a0}".as_bytes()), "\u{a0}".as_bytes());
        assert_eq!(trim(b" \x0b"), b"");
        assert!(is_space_char('\x0b') && !is_space_char('\u{85}'));
    }
}
