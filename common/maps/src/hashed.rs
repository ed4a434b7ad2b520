//! Tables held in memory: `texthash:`, `inline:`, `internal:`, and those without content of their own: `environ:`, `static:`,
//! `fail:`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use pf_text::split::{list_braces, strip_braces};

use crate::build::Duplicates;
use pf_text::space::is_space_char;

use crate::source_text::{Fault, key_and_value, lines};
use crate::table::{self, Inner, Local, OpenError};
use crate::{Lookup, LookupError, Options, file_value};

struct Memory {
    entries: HashMap<Vec<u8>, Vec<u8>>,
}

impl Local for Memory {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        self.entries.get(key).cloned().into()
    }

    fn entries(&self) -> Option<Result<Vec<table::Entry>, LookupError>> {
        Some(Ok(self
            .entries
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()))
    }
}

fn memory(entries: HashMap<Vec<u8>, Vec<u8>>) -> Inner {
    Inner::Local(Box::new(Memory { entries }))
}

fn folded(key: &[u8], options: &Options) -> Vec<u8> {
    if options.fold {
        pf_text::case::fold(key, options.utf8)
    } else {
        key.to_vec()
    }
}

/// `texthash:/path`.
pub(crate) fn text(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let source = lines("texthash", name)
        .map_err(|OpenError(why)| OpenError(why.replacen("open ", "open database ", 1)))?;
    let mut entries = HashMap::new();
    for (number, line) in source {
        let (key, value) = match key_and_value(&line) {
            Ok(pair) => pair,
            Err(Fault::Unbalanced) => {
                let shown = String::from_utf8_lossy(&line);
                pf_log::warning!(
                    "{name}, line {number}: unbalanced '\"' in '{shown}' -- ignoring this line"
                );
                continue;
            }
            Err(Fault::Format) => {
                pf_log::warning!(
                    "{name}, line {number}: expected format: key whitespace value -- ignoring this line"
                );
                continue;
            }
        };
        if key.ends_with(b":") {
            pf_log::warning!(
                "{name}, line {number}: record is in \"key: value\" format; is this an alias file?"
            );
        }
        let value = if options.value_is_file {
            match file_value::encoded(value) {
                Ok(value) => value,
                Err(why) => {
                    pf_log::warning!("{name}, line {number}: {why}: skipping this entry");
                    continue;
                }
            }
        } else {
            value.to_vec()
        };
        // Only ASCII is folded here, as in the original.
        let folded = match options.fold {
            true => key.to_ascii_lowercase(),
            false => key.to_vec(),
        };
        match entries.entry(folded) {
            Entry::Vacant(place) => {
                place.insert(value);
            }
            Entry::Occupied(mut place) => match options.duplicates {
                Duplicates::Warn => {
                    let shown = pf_text::Show(key);
                    pf_log::warning!("{name}, line {number}: duplicate entry: \"{shown}\"");
                }
                Duplicates::Ignore => {}
                Duplicates::Replace => drop(place.insert(value)),
            },
        }
    }
    Ok(memory(entries))
}

/// `inline:{ key=value, {key = text}, ... }`.
pub(crate) fn inline(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let what = if options.value_is_file {
        "filename"
    } else {
        "value"
    };
    let syntax = |why: &str| {
        OpenError(format!(
            "{why}: \"inline:{name}\"; need \"inline:{{name={what}...}}\""
        ))
    };
    let body = match strip_braces(name) {
        Ok(body) if !body.is_empty() => body,
        _ => {
            return Err(OpenError(format!(
                "bad syntax: \"inline:{name}\"; need \"inline:{{name=value...}}\""
            )));
        }
    };
    let mut entries = HashMap::new();
    for word in list_braces(body) {
        let pair = if word.starts_with('{') {
            strip_braces(word).map_err(|why| syntax(&why))?
        } else {
            word
        };
        let (key, value) = quoted_pair(pair).map_err(|why| syntax(&why))?;
        let value = if options.value_is_file {
            file_value::encoded(value.as_bytes()).map_err(|why| syntax(&why))?
        } else {
            value.as_bytes().to_vec()
        };
        entries.insert(folded(key.as_bytes(), options), value);
    }
    if entries.is_empty() {
        return Err(syntax("empty table"));
    }
    Ok(memory(entries))
}

/// Splits `name = value`; within double quotes neither blanks nor an equals sign end the name.
fn quoted_pair(text: &str) -> Result<(&str, &str), String> {
    let text = text.trim_start_matches(is_space_char);
    if text.is_empty() {
        return Err("no key found; expected format: key = value".into());
    }
    let (mut quoted, mut escaped) = (false, false);
    let at = text.char_indices().find(|&(_, character)| {
        let hit = (character == '=' || is_space_char(character)) && !quoted && !escaped;
        escaped = character == '\\' && !escaped;
        quoted ^= character == '"' && !escaped;
        hit
    });
    if at.is_none() && quoted {
        return Err("unbalanced '\"'".into());
    }
    at.and_then(|(at, _)| text.split_at_checked(at))
        .and_then(|(name, rest)| {
            Some((
                name,
                rest.trim_start_matches(is_space_char)
                    .strip_prefix('=')?
                    .trim_matches(is_space_char),
            ))
        })
        .ok_or_else(|| "missing '=' after attribute name".into())
}

/// `internal:name`: a table that begins empty; its owner fills it.
pub(crate) fn internal(_name: &str, _options: &Options) -> Result<Inner, OpenError> {
    Ok(memory(HashMap::new()))
}

struct Environment;

impl Local for Environment {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        use std::os::unix::ffi::{OsStrExt as _, OsStringExt};
        // Names with these bytes are in no environment, and asking for them is an error.
        if key.is_empty() || key.contains(&b'=') || key.contains(&0) {
            return Lookup::Missing;
        }
        std::env::var_os(std::ffi::OsStr::from_bytes(key))
            .map(OsStringExt::into_vec)
            .into()
    }
}

/// `environ:`.
pub(crate) fn environ(_name: &str, _options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Local(Box::new(Environment)))
}

struct Constant(Vec<u8>);

impl Local for Constant {
    fn get(&self, _key: &[u8]) -> Lookup<Vec<u8>> {
        Lookup::Found(self.0.clone())
    }
}

/// `static:value` or `static:{value with spaces}`.
pub(crate) fn constant(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let value = if name.starts_with('{') {
        strip_braces(name).map_err(|why| OpenError(format!("bad static:name syntax: {why}")))?
    } else {
        name
    };
    let value = if options.value_is_file {
        file_value::encoded(value.as_bytes()).map_err(OpenError)?
    } else {
        value.as_bytes().to_vec()
    };
    Ok(Inner::Local(Box::new(Constant(value))))
}

struct Failing;

impl Local for Failing {
    fn get(&self, _key: &[u8]) -> Lookup<Vec<u8>> {
        Lookup::Unavailable(LookupError("Application error".to_owned()))
    }

    fn entries(&self) -> Option<Result<Vec<table::Entry>, LookupError>> {
        Some(Err(LookupError("Application error".to_owned())))
    }
}

/// `fail:name`: cannot tell anything.
pub(crate) fn fail(_name: &str, _options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Local(Box::new(Failing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(inner: &Inner, key: &str) -> Option<String> {
        let Inner::Local(table) = inner else {
            panic!("remote")
        };
        match table.get(key.as_bytes()) {
            Lookup::Found(value) => Some(String::from_utf8(value).unwrap()),
            Lookup::Missing => None,
            Lookup::Unavailable(err) => panic!("{err}"),
        }
    }

    #[test]
    fn inline_tables() {
        let table = inline(
            "{ a=b, {c = d e} \"x=y\"=z { \"p q\" = r = s } }",
            &Options::default(),
        )
        .unwrap();
        assert_eq!(get(&table, "a").as_deref(), Some("b"));
        assert_eq!(get(&table, "c").as_deref(), Some("d e"));
        assert_eq!(get(&table, "\"x=y\"").as_deref(), Some("z"));
        assert_eq!(get(&table, "\"p q\"").as_deref(), Some("r = s"));
        assert_eq!(get(&table, "q"), None);
        for bad in ["", "{}", "a=b", "{a}", "{{a=b}", "{{a b=c}}", "{{}}"] {
            assert!(inline(bad, &Options::default()).is_err(), "{bad}");
        }
    }

    #[test]
    fn static_tables() {
        assert_eq!(
            get(&constant("{a b}", &Options::default()).unwrap(), "x").as_deref(),
            Some("a b")
        );
        assert_eq!(
            get(&constant("ab", &Options::default()).unwrap(), "x").as_deref(),
            Some("ab")
        );
    }
}
