//! The functions of `main.cf`: domain names in ASCII and in UTF-8.

use super::Error;
use super::pieces::show;

/// The names of the functions.
pub const DOMAIN_FUNCTIONS: [&str; 2] = ["domain_to_ascii", "domain_to_utf8"];

/// `domain_to_ascii` and `domain_to_utf8`; `None` for other names. What exactly is wrong is logged.
pub fn domain_function(name: &str, text: &[u8]) -> Option<Result<Vec<u8>, Error>> {
    let translated = match name {
        // What is ASCII already, or is not, stays as it is.
        "domain_to_ascii" if text.is_ascii() && !text.is_empty() => Ok(text.to_vec()),
        "domain_to_utf8" if !text.is_ascii() => Ok(text.to_vec()),
        "domain_to_ascii" => to_ascii(text),
        "domain_to_utf8" => to_utf8(text),
        _ => return None,
    };
    Some(translated.map_err(|why| {
        pf_log::warning!("midna_{why}");
        Error(format!(
            "bad domain argument in: '{name}{{{}}}'",
            show(text)
        ))
    }))
}

fn to_ascii(text: &[u8]) -> Result<Vec<u8>, String> {
    let fail = |why: &str| {
        let shown = show(text);
        format!(
            "domain_to_ascii_create: Problem translating domain \"{shown}\" to ASCII form: {why}"
        )
    };
    let domain = std::str::from_utf8(text).map_err(|_| fail("malformed UTF-8"))?;
    check_labels(domain).map_err(fail)?;
    let ascii = idna::domain_to_ascii(domain).map_err(|_| fail("UIDNA_ERROR_DISALLOWED"))?;
    pf_text::hostname::check_hostname(ascii.as_bytes())
        .map_err(|_| fail("malformed ASCII label(s)"))?;
    Ok(ascii.into_bytes())
}

fn to_utf8(text: &[u8]) -> Result<Vec<u8>, String> {
    let domain = show(text);
    let fail = |why: &str| {
        format!(
            "domain_to_utf8_create: Problem translating domain \"{domain}\" to UTF8 form: {why}"
        )
    };
    check_labels(&domain).map_err(fail)?;
    let (utf8, result) = idna::domain_to_unicode(&domain);
    result.map_err(|_| fail("UIDNA_ERROR_INVALID_ACE_LABEL"))?;
    to_ascii(utf8.as_bytes())?;
    Ok(utf8.into_bytes())
}

/// What the labels of a domain must be like; the complaint is in the words of ICU.
fn check_labels(domain: &str) -> Result<(), &'static str> {
    // A dot at the end is no label, but there is one before it.
    let rest = domain.strip_suffix('.').unwrap_or(domain);
    for label in rest.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
        if label.is_empty() {
            return Err("UIDNA_ERROR_EMPTY_LABEL");
        }
        let head = label.get(..4).unwrap_or_default();
        if let ("xn--", Some(code)) = (head.to_ascii_lowercase().as_str(), label.get(4..)) {
            if !code.is_empty() && idna::punycode::decode_to_string(code).is_none() {
                return Err("UIDNA_ERROR_PUNYCODE");
            }
            if code.is_empty() {
                return Err("UIDNA_ERROR_INVALID_ACE_LABEL");
            }
            continue;
        }
        if label.starts_with('-') {
            return Err("UIDNA_ERROR_LEADING_HYPHEN");
        }
        if label.ends_with('-') {
            return Err("UIDNA_ERROR_TRAILING_HYPHEN");
        }
        if label.chars().skip(2).take(2).eq("--".chars()) {
            return Err("UIDNA_ERROR_HYPHEN_3_4");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, text: &str) -> Option<String> {
        let result = domain_function(name, text.as_bytes()).unwrap();
        result.ok().map(|text| String::from_utf8(text).unwrap())
    }

    #[test]
    fn both_ways() {
        let ascii = |text| call("domain_to_ascii", text);
        assert_eq!(ascii("Bücher.É").as_deref(), Some("xn--bcher-kva.xn--9ca"));
        assert_eq!(ascii("A..B").as_deref(), Some("A..B"));
        for bad in ["", "é..b", "-é", "é-", "ab--é", "é b", "xn--é"] {
            assert_eq!(ascii(bad), None, "{bad}");
        }
        let utf8 = |text| call("domain_to_utf8", text);
        assert_eq!(utf8("XN--bcher-kva.x").as_deref(), Some("bücher.x"));
        assert_eq!(utf8("É").as_deref(), Some("É"));
        for bad in ["a..b", "-a", "a b", "xn--a", "xn--", "[1.2.3.4]"] {
            assert_eq!(utf8(bad), None, "{bad}");
        }
        assert!(domain_function("x", b"y").is_none());
    }
}
