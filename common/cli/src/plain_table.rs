//! Tables without a driver, which a program with the rights of a group may look into: `static:`, `inline:` and `texthash:`.

use std::fs;

use pf_text::split::{list_braces, strip_braces};

/// What a list of tables has for a key, in any case of its letters; the first one that has something decides.
///
/// # Errors
/// A table is of another type, makes no sense or cannot be read.
pub fn plain_lookup(tables: &str, key: &str) -> Result<Option<String>, String> {
    for table in list_braces(tables) {
        let (kind, rest) = table
            .split_once(':')
            .ok_or_else(|| format!("{table}: not a type:name table"))?;
        let found = match kind {
            "static" if rest.starts_with('{') => Some(strip_braces(rest)?.to_owned()),
            "static" => Some(rest.to_owned()),
            "inline" => inline(strip_braces(rest)?, key)?,
            "texthash" => {
                let text = fs::read_to_string(rest)
                    .map_err(|err| format!("open {rest}: {}", pf_sys::error::text(&err)))?;
                lines(&text, key)
            }
            _ => {
                return Err(format!(
                    "table type {kind} is not available to a setgid program; use static:, inline: or texthash:"
                ));
            }
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// `name = value`, `{ name = value }`, ...; the last one of a name counts.
fn inline(text: &str, key: &str) -> Result<Option<String>, String> {
    let mut found = None;
    let mut words = Vec::new();
    for word in list_braces(text) {
        let inside = if word.starts_with('{') {
            strip_braces(word)?
        } else {
            word
        };
        words.push(inside);
    }
    for word in words {
        let (name, value) = word
            .split_once('=')
            .ok_or_else(|| format!("missing '=' after attribute name: \"{word}\""))?;
        if name.trim().eq_ignore_ascii_case(key) {
            found = Some(value.trim().to_owned());
        }
    }
    Ok(found)
}

/// Lines of a key and a value; a line that begins with white space continues the one before.
fn lines(text: &str, key: &str) -> Option<String> {
    let mut entries: Vec<String> = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        match entries.last_mut() {
            Some(entry) if line.starts_with([' ', '\t']) => entry.push_str(line),
            _ => entries.push(line.to_owned()),
        }
    }
    entries
        .iter()
        .rev()
        .filter_map(|entry| entry.split_once([' ', '\t']))
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values() {
        let find = |tables: &str, key: &str| plain_lookup(tables, key);
        let tables = "inline:{ joe=a, { Ann = b c } } static:{x y}";
        assert_eq!(find(tables, "JOE"), Ok(Some("a".into())));
        assert_eq!(find(tables, "ann"), Ok(Some("b c".into())));
        assert_eq!(find(tables, "z"), Ok(Some("x y".into())));
        assert!(find("hash:/x", "joe").is_err() && find("joe", "joe").is_err());
        assert!(find("texthash:/nonexistent", "joe").is_err());
        let text = "# joe no\njoe  a,\n  b\nann c\nann d\n";
        assert_eq!(lines(text, "joe").as_deref(), Some("a,  b"));
        assert_eq!(lines(text, "ann").as_deref(), Some("d"));
        assert_eq!(lines(text, "x"), None);
    }
}
