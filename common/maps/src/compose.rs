//! Tables made of tables: `unionmap:`, `pipemap:`, `debug:`, and `randmap:`.

use pf_text::split::{list_braces, strip_braces};

use crate::spec::open;
use crate::table::{self, Answer, Inner, Local, Nature, OpenError, Remote, Table};
use crate::{Lookup, LookupError, Options};

/// The tables within the braces of `kind:{type:name, ...}`.
fn parts(kind: &str, name: &str) -> Result<Vec<String>, OpenError> {
    let bad = || {
        OpenError(format!(
            "bad syntax: \"{kind}:{name}\"; need \"{kind}:{{type:name...}}\""
        ))
    };
    let body = strip_braces(name).map_err(|_| bad())?;
    let words: Vec<String> = list_braces(body).map(str::to_owned).collect();
    if words.is_empty() || words.iter().any(|word| !word.contains(':')) {
        return Err(bad());
    }
    Ok(words)
}

/// Opens all tables, or none: an error closes those that were opened.
fn tables(kind: &str, name: &str, options: &Options) -> Result<Vec<Table>, OpenError> {
    let specs = parts(kind, name)?;
    specs.iter().map(|spec| open(spec, options)).collect()
}

/// What a single nested table is like.
pub(crate) fn nature_of(spec: &str) -> Nature {
    match spec.split(':').next() {
        Some("regexp" | "pcre" | "cidr" | "randmap") => Nature::Pattern,
        Some("debug" | "proxy") => spec
            .split_once(':')
            .map_or(Nature::Fixed, |(_, rest)| nature_of(rest)),
        _ => Nature::Fixed,
    }
}

/// What a list of nested tables is like: as its first table.
pub(crate) fn nature(name: &str, _options: &Options) -> Nature {
    parts("unionmap", name)
        .ok()
        .and_then(|words| words.first().map(|word| nature_of(word)))
        .unwrap_or(Nature::Fixed)
}

struct Union(Vec<Table>);

impl Remote for Union {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let mut found: Vec<u8> = Vec::new();
            for table in &self.0 {
                match table.lookup(key).await {
                    Lookup::Found(value) => {
                        if !found.is_empty() {
                            found.push(b',');
                        }
                        found.extend(value);
                    }
                    Lookup::Missing => {}
                    Lookup::Unavailable(err) => return Lookup::Unavailable(err),
                }
            }
            // Nothing but empty results is none.
            (!found.is_empty()).then_some(found).into()
        })
    }
}

/// `unionmap:{type:name, ...}`: all results, joined by commas.
pub(crate) fn union(name: &str, options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Remote(Box::new(Union(tables(
        "unionmap", name, options,
    )?))))
}

struct Pipe(Vec<Table>);

impl Remote for Pipe {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let mut current = key.to_vec();
            for table in &self.0 {
                match table.lookup(&current).await {
                    Lookup::Found(value) => current = value,
                    other => return other,
                }
            }
            Lookup::Found(current)
        })
    }
}

/// `pipemap:{type:name, ...}`: the result of one table is the key of the next.
pub(crate) fn pipe(name: &str, options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Remote(Box::new(Pipe(tables(
        "pipemap", name, options,
    )?))))
}

struct Debug {
    /// As it is written, whatever type takes the place of one without Berkeley DB.
    title: String,
    table: Table,
}

impl Remote for Debug {
    fn get<'a>(&'a self, key: &'a [u8]) -> Answer<'a> {
        Box::pin(async move {
            let answer = self.table.lookup(key).await;
            let shown = String::from_utf8_lossy(key);
            let title = &self.title;
            match &answer {
                Lookup::Found(value) => {
                    pf_log::info!(
                        "{title} lookup: \"{shown}\" = \"{}\"",
                        String::from_utf8_lossy(value)
                    );
                }
                Lookup::Missing => pf_log::info!("{title} lookup: \"{shown}\" = \"not_found\""),
                Lookup::Unavailable(_) => pf_log::info!("{title} lookup: \"{shown}\" = \"error\""),
            }
            answer
        })
    }

    fn entries(&self) -> Option<Result<Vec<table::Entry>, LookupError>> {
        let entries = self.table.entries()?;
        let title = &self.title;
        for (key, value) in entries.iter().flatten() {
            let (key, value) = (String::from_utf8_lossy(key), String::from_utf8_lossy(value));
            pf_log::info!("{title} sequence: \"{key}\" = \"{value}\"");
        }
        pf_log::info!("{title} sequence: found EOF");
        Some(entries)
    }
}

/// `debug:type:name`: logs each lookup.
pub(crate) fn debug(name: &str, options: &Options) -> Result<Inner, OpenError> {
    Ok(Inner::Remote(Box::new(Debug {
        title: name.to_owned(),
        table: open(name, options)?,
    })))
}

struct Random(Vec<Vec<u8>>);

impl Local for Random {
    fn get(&self, _key: &[u8]) -> Lookup<Vec<u8>> {
        use std::hash::{BuildHasher as _, Hasher as _};
        // Each hasher state is seeded anew: good enough to spread load.
        let number = std::collections::hash_map::RandomState::new()
            .build_hasher()
            .finish();
        let count = u64::try_from(self.0.len()).unwrap_or(1).max(1);
        usize::try_from(number % count)
            .ok()
            .and_then(|at| self.0.get(at))
            .cloned()
            .into()
    }
}

/// `randmap:{value, ...}`: one of the values, by chance.
pub(crate) fn random(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let bad = || {
        OpenError(format!(
            "bad syntax: \"randmap:{name}\"; need \"randmap:{{value...}}\""
        ))
    };
    let body = strip_braces(name).map_err(|_| bad())?;
    let mut values = Vec::new();
    for word in list_braces(body) {
        let text = word;
        values.push(if options.value_is_file {
            crate::file_value::encoded(text.as_bytes()).map_err(OpenError)?
        } else {
            text.as_bytes().to_vec()
        });
    }
    if values.is_empty() {
        Err(bad())
    } else {
        Ok(Inner::Local(Box::new(Random(values))))
    }
}
