//! Domain names on the wire (RFC 1035, section 3.1 and 4.1.4).

/// Compression pointers point backwards, so an honest name follows fewer than this many.
const MAX_POINTERS: usize = 64;
/// The longest name in text form that is accepted.
const MAX_TEXT: usize = 1024;

/// Appends a name; `None` when a label is empty or too long.
pub(crate) fn write(out: &mut Vec<u8>, name: &str) -> Option<()> {
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > 253 {
        return None;
    }
    if !name.is_empty() {
        for label in name.split('.') {
            let len = u8::try_from(label.len())
                .ok()
                .filter(|len| (1..=63).contains(len))?;
            out.push(len);
            out.extend_from_slice(label.as_bytes());
        }
    }
    out.push(0);
    Some(())
}

/// Reads the name at `at`: its text without the dot at the end (`.` alone is empty), and where it ends.
pub(crate) fn read(message: &[u8], at: usize) -> Option<(String, usize)> {
    let (mut name, mut at, mut end, mut pointers) = (Vec::new(), at, None, 0);
    loop {
        let len = usize::from(*message.get(at)?);
        match len {
            0 => {
                let end = end.unwrap_or(at + 1);
                return String::from_utf8(name).ok().map(|name| (name, end));
            }
            1..=63 => {
                let label = message.get(at + 1..at + 1 + len)?;
                if !name.is_empty() {
                    name.push(b'.');
                }
                for &byte in label {
                    // A dot or backslash inside a label would make another name of it.
                    if matches!(byte, b'.' | b'\\') || !(b'!'..=b'~').contains(&byte) {
                        name.push(b'\\');
                        if !(b'!'..=b'~').contains(&byte) {
                            name.extend(format!("{byte:03}").into_bytes());
                            continue;
                        }
                    }
                    name.push(byte);
                }
                if name.len() > MAX_TEXT {
                    return None;
                }
                at += 1 + len;
            }
            192..=255 => {
                pointers += 1;
                let target = ((len & 63) << 8) | usize::from(*message.get(at + 1)?);
                if pointers > MAX_POINTERS || target >= at {
                    return None;
                }
                end.get_or_insert(at + 2);
                at = target;
            }
            _ => return None,
        }
    }
}
