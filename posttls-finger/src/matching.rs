//! What a server's certificate is to match: fingerprints, or names.

use std::ffi::OsString;

use pf_config::Config;
use pf_log::{info, warning};

use crate::level::Level;
use crate::options::Options;
use crate::tlsa;

/// The longest digest, in bytes.
const LONGEST: usize = 64;

/// Looks at the operands behind the destination.
pub fn check(options: &Options, config: &Config, matches: &[OsString]) {
    let level = options.level;
    match level {
        Level::Fingerprint => {
            for text in matches {
                fingerprint(options, config, &text.to_string_lossy());
            }
        }
        Level::Dane | Level::DaneOnly | Level::Secure | Level::Verify => {}
        Level::None | Level::May | Level::Encrypt | Level::HalfDane => {
            if !matches.is_empty() {
                let level = level.name();
                warning!("TLS level '{level}' does not implement certificate matching");
            }
        }
    }
}

fn fingerprint(options: &Options, config: &Config, text: &str) {
    if options.digest.is_none() && is_legacy(config) {
        info!(
            "using backwards-compatible default setting smtp_tls_fingerprint_digest=md5 to compute certificate fingerprints"
        );
    }
    // There is none in an empty operand.
    if text.is_empty() {
        return;
    }
    if text.len() > 3 * LONGEST {
        warning!("malformed fingerprint value: {text:.100}...");
        return;
    }
    let Some(digest) = bytes(text) else {
        warning!("malformed fingerprint value: {text}");
        return;
    };
    if !options.logging.records() {
        return;
    }
    for selector in [0, 1] {
        // A certificate's own digest means nothing where keys come without certificates.
        if selector == 1 || !options.raw_keys {
            let shown = tlsa::shown(3, selector, 255, &digest);
            info!("fingerprint: digest as private-use TLSA record: {shown}");
        }
    }
}

fn is_legacy(config: &Config) -> bool {
    config.legacy_default(pf_config::param::SMTP_TLS_FINGERPRINT_DIGEST)
}

/// The bytes of a hexadecimal text, which may have a colon between two of them.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let mut rest = text.as_bytes();
    let mut out = Vec::new();
    while let [high, low, tail @ ..] = rest {
        out.push(digit(*high)? << 4 | digit(*low)?);
        rest = match tail {
            [b':', more @ ..] if more.len() > 1 => more,
            other => other,
        };
    }
    rest.is_empty().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_with_or_without_colons() {
        assert_eq!(bytes("AA:bb0c"), Some(vec![0xaa, 0xbb, 0x0c]));
        for bad in ["a", "aa:", "aa:b", ":aa", "aa::bb", "zz", "a:aa"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }
}
