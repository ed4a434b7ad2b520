//! Domain names in ASCII form (`xn--…`) and in Unicode form, as UTS 46 (non-transitional) has it.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

/// Whether the bytes are all 7-bit.
pub fn is_ascii(text: &[u8]) -> bool {
    text.is_ascii()
}

/// The ASCII form of a domain; `None`: it has none.
pub fn to_ascii(domain: &[u8]) -> Option<String> {
    let ascii = Uts46::new()
        .to_ascii(
            domain,
            AsciiDenyList::EMPTY,
            Hyphens::Check,
            DnsLength::VerifyAllowRootDot,
        )
        .ok()?;
    Some(ascii.into_owned())
}

/// The Unicode form of a domain; `None`: it has none, or none that leads back to an ASCII form.
pub fn to_unicode(domain: &[u8]) -> Option<String> {
    let (unicode, result) = Uts46::new().to_unicode(domain, AsciiDenyList::EMPTY, Hyphens::Check);
    result.ok()?;
    let unicode = unicode.into_owned();
    to_ascii(unicode.as_bytes())?;
    Some(unicode)
}

/// As [`to_ascii`], for a domain suffix that begins with a dot.
pub fn suffix_to_ascii(suffix: &[u8]) -> Option<String> {
    let whole = to_ascii(&[b"x", suffix].concat())?;
    whole.strip_prefix('x').map(str::to_owned)
}

/// As [`to_unicode`], for a domain suffix that begins with a dot.
pub fn suffix_to_unicode(suffix: &[u8]) -> Option<String> {
    let whole = to_unicode(&[b"x", suffix].concat())?;
    whole.strip_prefix('x').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        assert_eq!(
            to_ascii("b\u{fc}cher.example".as_bytes()).unwrap(),
            "xn--bcher-kva.example"
        );
        assert_eq!(
            to_unicode(b"xn--bcher-kva.example").unwrap(),
            "b\u{fc}cher.example"
        );
        assert_eq!(
            suffix_to_ascii(".b\u{fc}cher".as_bytes()).unwrap(),
            ".xn--bcher-kva"
        );
        assert_eq!(to_ascii(b"Example.COM").unwrap(), "example.com");
        assert!(to_ascii(b"-a.example").is_none());
        assert!(to_ascii(b"\xff.example").is_none());
    }
}
