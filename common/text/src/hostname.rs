//! What may stand where a host name is wanted.

/// The longest host name and the longest label, in bytes (RFC 1035, section 2.3.4).
const MAX_NAME: usize = 255;
const MAX_LABEL: usize = 63;

/// How much of a name a complaint shows.
const SHOWN: usize = 100;

/// Why a name is no host name, in Postfix's words.
///
/// Bytes beyond ASCII are accepted: such a name is converted before it goes to DNS.
///
/// # Errors
/// The reason and the name, fit for a warning.
pub fn check_hostname(name: &[u8]) -> Result<(), String> {
    let shown = || {
        let start = name.get(..SHOWN).unwrap_or(name);
        String::from_utf8_lossy(&crate::printable(start, b'?')).into_owned()
    };
    let trouble = |why: &str| Err(format!("{why}: {}", shown()));
    if name.is_empty() {
        return Err("empty hostname".to_owned());
    }
    let mut label = 0;
    let mut before = b'.';
    let mut only_digits = true;
    for (at, &byte) in name.iter().enumerate() {
        match byte {
            b'.' => {
                if before == b'.' && at > 0 || at == 0 {
                    return trouble("misplaced delimiter");
                }
                if before == b'-' {
                    return trouble("misplaced hyphen");
                }
                label = 0;
            }
            b'-' => {
                only_digits = false;
                label += 1;
                let last = name.get(at + 1).is_none_or(|next| *next == b'.');
                if label == 1 || last {
                    return trouble("misplaced hyphen");
                }
            }
            _ if byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() => {
                only_digits &= byte.is_ascii_digit();
                label += 1;
                if label > MAX_LABEL {
                    return trouble("hostname label too long");
                }
            }
            _ => return trouble(&format!("invalid character {byte}(decimal)")),
        }
        before = byte;
    }
    if before == b'.' {
        return trouble("misplaced delimiter");
    }
    if only_digits {
        return trouble("numeric hostname");
    }
    if name.len() > MAX_NAME {
        Err(format!("bad length {} for {}...", name.len(), shown()))
    } else {
        Ok(())
    }
}

/// Whether this is a host name: labels of letters, digits, hyphens (not first or last) and underscores; not all digits.
pub fn valid_hostname(name: &[u8]) -> bool {
    check_hostname(name).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "a.b", "a-b.c_d", "1a.2", "xn--abc.example"] {
            assert!(valid_hostname(good.as_bytes()), "{good}");
        }
        let long = "a".repeat(64);
        for bad in [
            "", ".", "a.", ".a", "a..b", "-a", "a-", "a-.b", "1.2.3.4", "a b", &long,
        ] {
            assert!(!valid_hostname(bad.as_bytes()), "{bad}");
        }
    }
}
