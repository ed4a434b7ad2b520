//! Values that are names of files: the value is then the content of the files, as base64 (`postmap -F`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The most that is read, in bytes.
const LIMIT: u64 = 16 << 20;

/// The content of a list of files, one after another with a newline between, as base64.
///
/// # Errors
/// A file cannot be read, in Postfix's words.
pub fn encoded(names: &[u8]) -> Result<Vec<u8>, String> {
    let text = String::from_utf8_lossy(names);
    let mut content = Vec::new();
    let mut any = false;
    for name in pf_text::split::list(&text) {
        let size = std::fs::metadata(name)
            .map(|status| status.len())
            .unwrap_or(0);
        if size > LIMIT {
            return Err(format!("file too large: {name}"));
        }
        let bytes = std::fs::read(name)
            .map_err(|err| format!("open {name}: {}", pf_config::system::reason(&err)))?;
        if any {
            content.push(b'\n');
        }
        content.extend(bytes);
        any = true;
    }
    if !any {
        return Err(format!("empty pathname list: >>{text}<<'"));
    }
    Ok(STANDARD.encode(content).into_bytes())
}

/// The bytes behind such a value.
///
/// # Errors
/// The value is no base64.
pub fn decoded(value: &[u8]) -> Result<Vec<u8>, String> {
    STANDARD
        .decode(value)
        .map_err(|_| format!("malformed BASE64 value: {}", String::from_utf8_lossy(value)))
}
