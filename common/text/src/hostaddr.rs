//! What is a numeric address. Stricter and laxer than the standard library, as Postfix is: octets may have leading zeros, the
//! first may be zero in `0.0.0.0` only, and an IPv6 address has no scope.

use std::net::IpAddr;

use crate::printable;

/// How much of an address a complaint shows.
const SHOWN: usize = 100;

/// Why this is no IPv4 address in dotted form, in Postfix's words.
///
/// # Errors
/// The reason and the text, fit for a warning.
pub fn check_ipv4(text: &[u8]) -> Result<(), String> {
    let trouble = |why: &str| Err(format!("valid_ipv4_hostaddr: {why}: {}", shown(text)));
    let mut octets = 0;
    let mut octet: Option<u32> = None;
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                octets += u32::from(octet.is_none());
                let value = octet.unwrap_or(0) * 10 + u32::from(byte - b'0');
                if value > 255 {
                    return trouble("invalid octet value");
                }
                octet = Some(value);
            }
            b'.' => {
                if octet.is_none() || at + 1 == text.len() {
                    return trouble("misplaced dot");
                }
                let unspecified = text.iter().all(|byte| matches!(byte, b'0' | b'.'));
                if octets == 1 && octet == Some(0) && !unspecified {
                    return trouble("bad initial octet value");
                }
                octet = None;
            }
            _ => return trouble(&format!("invalid character {byte}(decimal)")),
        }
    }
    if octets == 4 {
        Ok(())
    } else {
        trouble("invalid octet count")
    }
}

/// Why this is no IPv6 address, in Postfix's words.
///
/// # Errors
/// As [`check_ipv4`].
pub fn check_ipv6(text: &[u8]) -> Result<(), String> {
    let trouble = |why: &str| {
        let text = shown(text);
        Err(format!(
            "valid_ipv6_hostaddr: {why} in IPv6 address: {text}"
        ))
    };
    let malformed = |what: &str| {
        let text = shown(text);
        Err(format!("valid_ipv6_hostaddr: malformed {what}: {text}"))
    };
    let mut rest = text;
    let (mut colons, mut digits) = (0, 0);
    // Behind which colon the field is that stands for any number of zeros.
    let mut gap = None;
    loop {
        match rest {
            [] if colons < 2 => return trouble("too few `:'"),
            [] if digits == 0 && gap != Some(colons - 1) => {
                return trouble("bad null last field");
            }
            [] => return Ok(()),
            [b'.', ..] if !(2..=6).contains(&colons) => return malformed("IPv4-in-IPv6 address"),
            [b'.', ..] => {
                let start = text.len() - rest.len() - digits;
                return check_ipv4(text.get(start..).unwrap_or_default());
            }
            [b':', after @ ..] => {
                if colons == 0
                    && digits == 0
                    && after.first().is_some_and(u8::is_ascii_alphanumeric)
                {
                    return trouble("bad null first field");
                }
                colons += 1;
                if colons > 7 {
                    return trouble("too many `:'");
                }
                digits = 0;
                if after.first() == Some(&b':') && gap.replace(colons).is_some() {
                    return trouble("too many `::'");
                }
                rest = after;
            }
            [other, ..] => {
                let end = rest.iter().position(|byte| !byte.is_ascii_hexdigit());
                digits = end.unwrap_or(rest.len());
                if digits > 4 {
                    return malformed("IPv6 address");
                }
                if digits == 0 {
                    return trouble(&format!("invalid character {other}(decimal)"));
                }
                rest = rest.get(digits..).unwrap_or_default();
            }
        }
    }
}

fn shown(text: &[u8]) -> String {
    let start = text.get(..SHOWN).unwrap_or(text);
    String::from_utf8_lossy(&printable(start, b'?')).into_owned()
}

/// Why this is not the inner part of an address literal (RFC 5321, section 4.1.3), `1.2.3.4` or `IPv6:::1`; otherwise the bare
/// address.
///
/// # Errors
/// As [`check_ipv4`].
pub fn check_literal(text: &[u8]) -> Result<&[u8], String> {
    match text.split_at_checked(5) {
        Some((tag, address)) if tag.eq_ignore_ascii_case(b"IPv6:") => {
            check_ipv6(address).map(|()| address)
        }
        _ => check_ipv4(text).map(|()| text),
    }
}

/// The address that the inner part of an address literal stands for, as the C library reads it: octets with a leading zero are
/// octal.
///
/// # Errors
/// As [`check_ipv4`]; an octet that is not octal after all is told by `None`.
pub fn parse_literal(text: &[u8]) -> Result<Option<IpAddr>, String> {
    let bare = String::from_utf8_lossy(check_literal(text)?);
    let octet = |text: &str| {
        let radix = if text.starts_with('0') { 8 } else { 10 };
        u8::from_str_radix(text, radix).ok()
    };
    if bare.contains(':') {
        return Ok(bare.parse().ok().map(IpAddr::V6));
    }
    let octets: Option<Vec<u8>> = bare.split('.').map(octet).collect();
    let octets = octets.and_then(|octets| <[u8; 4]>::try_from(octets).ok());
    Ok(octets.map(IpAddr::from))
}

/// Whether this is an address literal, with its brackets: `[1.2.3.4]` or `[IPv6:::1]`.
pub fn valid_literal(text: &[u8]) -> bool {
    text.strip_prefix(b"[")
        .and_then(|rest| rest.strip_suffix(b"]"))
        .is_some_and(|inner| check_literal(inner).is_ok())
}

/// Whether this is a numeric address, IPv4 or IPv6.
pub fn valid_hostaddr(text: &[u8]) -> bool {
    if text.contains(&b':') {
        valid_ipv6(text)
    } else {
        valid_ipv4(text)
    }
}

/// Whether this is an IPv4 address in dotted form.
pub fn valid_ipv4(text: &[u8]) -> bool {
    check_ipv4(text).is_ok()
}

/// Whether this is an IPv6 address, without scope.
pub fn valid_ipv6(text: &[u8]) -> bool {
    check_ipv6(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses() {
        for good in [
            "1.2.3.4",
            "0.0.0.0",
            "001.02.3.255",
            "::",
            "::1",
            "1::",
            "1:2:3:4:5:6:7:8",
            "::ffff:1.2.3.4",
            "1::8",
            "fe80::1",
        ] {
            assert!(valid_hostaddr(good.as_bytes()), "{good}");
        }
        assert_eq!(check_literal(b"ipv6:::1"), Ok(&b"::1"[..]));
        assert_eq!(check_literal(b"1.2.3.4"), Ok(&b"1.2.3.4"[..]));
        for (text, address) in [
            ("127.0.0.010", Some("127.0.0.8")),
            ("127.0.0.08", None),
            ("0.0.0.0", Some("0.0.0.0")),
            ("IPv6:::ffff:1.2.3.4", Some("::ffff:1.2.3.4")),
        ] {
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(parse_literal(text.as_bytes()), Ok(address), "{text}");
        }
    }

    #[test]
    fn bad_addresses() {
        for (bad, why) in [
            ("", "invalid octet count"),
            ("1.2.3", "invalid octet count"),
            ("1.2.3.4.5", "invalid octet count"),
            ("1.2.3.256", "invalid octet value"),
            ("1.2.3.", "misplaced dot"),
            ("1..2.3", "misplaced dot"),
            ("0.1.2.3", "bad initial octet value"),
            ("1.2.3.a", "invalid character 97(decimal)"),
        ] {
            let why = format!("valid_ipv4_hostaddr: {why}: {bad}");
            assert_eq!(check_ipv4(bad.as_bytes()), Err(why));
        }
        for (bad, why) in [
            ("", "too few `:' in IPv6 address"),
            ("1:2", "too few `:' in IPv6 address"),
            ("1:2:", "bad null last field in IPv6 address"),
            (":1:2", "bad null first field in IPv6 address"),
            ("1:2:3:4:5:6:7:8:9", "too many `:' in IPv6 address"),
            ("1::2::3", "too many `::' in IPv6 address"),
            ("12345::", "malformed IPv6 address"),
            ("1:1.2.3.4", "malformed IPv4-in-IPv6 address"),
            ("1::g", "invalid character 103(decimal) in IPv6 address"),
        ] {
            let why = format!("valid_ipv6_hostaddr: {why}: {bad}");
            assert_eq!(check_ipv6(bad.as_bytes()), Err(why));
        }
    }
}
