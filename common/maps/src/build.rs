//! Making indexed tables from sources, for `postmap` and `postalias`. Readers see the old or the new table, never half of one:
//! `lmdb:` is written in one transaction, `cdb:` beside the old file, which it then replaces.

use std::borrow::Cow;
use std::path::PathBuf;

use crate::Options;
use crate::cdb_writer::CdbWriter;
use crate::entries::Entries;
use crate::lmdb_writer::LmdbWriter;
use crate::non_bdb::redirect_making;
use crate::proxy::Proxy;
use crate::spec::{split_form, unsupported};
use crate::table::OpenError;

/// The formats that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LMDB; also for tables named `hash:` and `btree:`.
    Lmdb,
    /// Constant database.
    Cdb,
}

impl Format {
    /// The format of a type; `None` for types without an index.
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "lmdb" | "hash" | "btree" => Some(Format::Lmdb),
            "cdb" => Some(Format::Cdb),
            _ => None,
        }
    }

    /// The path of the index of the source `name`.
    pub fn path(self, name: &str) -> PathBuf {
        PathBuf::from(match self {
            Format::Lmdb => format!("{name}.lmdb"),
            Format::Cdb => format!("{name}.cdb"),
        })
    }
}

/// What becomes of an entry whose key is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// It is left out, with a warning.
    Warn,
    /// It is left out.
    Ignore,
    /// It takes the place of the other.
    Replace,
}

/// What to make, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The type.
    pub kind: String,
    /// The name behind the type: the source's path.
    pub name: String,
    /// Entries are added to what is there.
    pub incremental: bool,
    /// What becomes of duplicates.
    pub duplicates: Duplicates,
    /// How keys are folded, whether keys and values end in a NUL byte (by default as the peer does for the format), and what else
    /// tables need to know.
    pub options: Options,
}

/// The longest key of an LMDB database, with the NUL byte that it may end in.
const LMDB_KEY_LIMIT: usize = 511;
/// What the library says of a longer one, or an empty one.
pub(crate) const BAD_SIZE: &str =
    "MDB_BAD_VALSIZE: Unsupported size of key/DB name/data, or wrong DUPFIXED size";

enum Target {
    Lmdb(LmdbWriter),
    Cdb(CdbWriter),
    /// Asks the proxy server for each change.
    Proxy(Box<Proxy>, tokio::runtime::Runtime),
    /// Takes nothing: why.
    Refusing(String),
    /// Takes everything, for as long as the process lives.
    Forgetting,
    /// As that, but for what can be no name in an environment.
    Environment,
}

/// What is wrong with a table being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildError {
    /// It takes no such entry; the text says all.
    Refused(String),
    /// Its file cannot be read or written: why.
    File(String),
}

impl From<String> for BuildError {
    fn from(why: String) -> Self {
        Self::File(why)
    }
}

/// A table being made. Nothing has changed until [`finish`](Self::finish).
pub struct Builder {
    plan: Plan,
    target: Target,
    entries: Entries,
    /// The names under which changes are logged (`debug:`), the outermost first.
    logged: Vec<String>,
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Builder({}:{})", self.plan.kind, self.plan.name)
    }
}

impl Builder {
    /// Opens the index for writing, and waits until nobody else does. A new file has the mode 0644 less the umask.
    ///
    /// # Errors
    /// The type has no index, or the file cannot be written; the text is Postfix's.
    pub fn open(mut plan: Plan) -> Result<Self, OpenError> {
        let mut logged = Vec::new();
        if plan.incremental {
            // These stand for the table that they log the doings of.
            while plan.kind == "debug" {
                let (kind, name) = split_form(&plan.name)?;
                logged.push(plan.name.clone());
                (plan.kind, plan.name) = (kind.to_owned(), name.to_owned());
            }
            let title = format!("{}:{}", plan.kind, plan.name);
            let target = match plan.kind.as_str() {
                "fail" => Some(Target::Refusing(format!(
                    "table {title}: write error: Application error"
                ))),
                "static" => {
                    // Only as the name of a file it may not be empty.
                    if !plan.name.is_empty() || plan.options.value_is_file {
                        crate::open(&title, &plan.options)?;
                    }
                    Some(Target::Refusing(format!(
                        "table {title}: update operation is not supported"
                    )))
                }
                "internal" => Some(Target::Forgetting),
                "environ" => Some(Target::Environment),
                "proxy" => {
                    let runtime = tokio::runtime::Builder::new_current_thread()
                        .enable_all()
                        .build()
                        .map_err(|err| OpenError(err.to_string()))?;
                    let proxy =
                        runtime.block_on(Proxy::for_command(&plan.name, &plan.options, true))?;
                    Some(Target::Proxy(Box::new(proxy), runtime))
                }
                _ => None,
            };
            if let Some(target) = target {
                return Ok(Self::empty(plan, target));
            }
        }
        if let Some(kind) = redirect_making(&plan.kind, &plan.name, &plan.options)? {
            plan.kind = kind;
        }
        let Some(format) = Format::of(&plan.kind) else {
            let (kind, name) = (&plan.kind, &plan.name);
            return Err(OpenError(
                if !pf_config::TABLE_TYPES.contains(&kind.as_str()) {
                    let _hint = unsupported(kind);
                    format!("unsupported map type: {kind}")
                } else if plan.incremental {
                    format!("{kind}:{name} map requires O_RDONLY access mode")
                } else {
                    format!("no 'map create' support for this type: {kind}")
                },
            ));
        };
        let path = format.path(&plan.name);
        let target = match format {
            Format::Lmdb => {
                let writer =
                    LmdbWriter::open(&path, 0o644, plan.options.lmdb_map_size, plan.options.null)?;
                Target::Lmdb(writer)
            }
            Format::Cdb if plan.incremental => {
                return Err(OpenError("unsupported non-bulk change request".into()));
            }
            Format::Cdb => Target::Cdb(CdbWriter::open(&path, 0o644)?),
        };
        if plan.incremental
            && let Target::Lmdb(writer) = &target
        {
            writer.unlock();
        }
        Ok(Self {
            logged,
            ..Self::empty(plan, target)
        })
    }

    fn empty(plan: Plan, target: Target) -> Self {
        Self {
            plan,
            target,
            entries: Entries::default(),
            logged: Vec::new(),
        }
    }

    /// From now on keys are taken as they are.
    pub fn keep_case(&mut self) {
        self.plan.options.fold = false;
    }

    /// From now on keys and values do not end in a NUL byte, whatever the others do.
    pub fn end_nulls(&mut self) {
        self.entries.end_nulls();
    }

    /// From now on entries replace those with the same keys.
    pub fn replace_duplicates(&mut self) {
        self.plan.duplicates = Duplicates::Replace;
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// The table does not take it, or the existing one cannot be read (only when adding to it).
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), BuildError> {
        match &self.target {
            Target::Refusing(why) => return Err(BuildError::Refused(why.clone())),
            Target::Environment if key.contains(&b'=') => {
                return Err(BuildError::Refused("setenv: Invalid argument".into()));
            }
            Target::Forgetting | Target::Environment => return Ok(()),
            Target::Proxy(proxy, runtime) => {
                let change = proxy.change(key, Some(value));
                let trouble = |why| {
                    let name = &self.plan.name;
                    BuildError::Refused(format!("table proxy:{name}: write error: {why}"))
                };
                return runtime.block_on(change).map(drop).map_err(trouble);
            }
            Target::Lmdb(_) | Target::Cdb(_) => {}
        }
        let given = key;
        let folded = self.plan.options.fold
            && key
                .iter()
                .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii());
        let key = match folded {
            true => Cow::Owned(pf_text::case::fold(key, self.plan.options.utf8)),
            false => Cow::Borrowed(key),
        };
        if let Target::Lmdb(writer) = &mut self.target {
            let length = key.len() + usize::from(writer.null.unwrap_or(true));
            if !(1..=LMDB_KEY_LIMIT).contains(&length) {
                if self.plan.incremental {
                    // Those before it are added.
                    writer.put_all(&self.entries)?;
                }
                return Err(BuildError::File(BAD_SIZE.into()));
            }
        }
        let known = self.entries.find(&key);
        let there = match &self.target {
            Target::Lmdb(writer) if self.plan.incremental && known.at.is_none() => {
                writer.get(&key)?.is_some()
            }
            _ => known.at.is_some(),
        };
        match (self.plan.duplicates, &self.target, known.at) {
            _ if !there => self.entries.push(known, &key, value),
            // The format allows several values; the first one is found.
            (Duplicates::Ignore, Target::Cdb(_), _) => self.entries.push(known, &key, value),
            (Duplicates::Ignore, ..) => {}
            (Duplicates::Replace, Target::Cdb(_), _) => self.entries.put_last(known, &key, value),
            (Duplicates::Replace, _, Some(at)) => self.entries.set(at, value),
            (Duplicates::Replace, _, None) => self.entries.push(known, &key, value),
            (Duplicates::Warn, target, _) => {
                let (kind, name) = (&self.plan.kind, &self.plan.name);
                let shown = String::from_utf8_lossy(&key);
                match target {
                    Target::Lmdb(_) => {
                        pf_log::warning!("{kind}:{name}: duplicate entry: \"{shown}\"");
                    }
                    _ => pf_log::warning!("{name}: duplicate entry: \"{shown}\""),
                }
            }
        }
        for title in self.logged.iter().rev() {
            let (key, value) = (
                String::from_utf8_lossy(given),
                String::from_utf8_lossy(value),
            );
            let taken = !there || self.plan.duplicates == Duplicates::Replace;
            let result = if taken { "success" } else { "failed" };
            pf_log::info!("{title} update: \"{key}\" = \"{value}\": {result}");
        }
        Ok(())
    }

    /// Writes the table.
    ///
    /// # Errors
    /// The file cannot be written; the old table, if any, is as it was.
    pub fn finish(self) -> Result<(), String> {
        match self.target {
            Target::Refusing(_) | Target::Forgetting | Target::Environment | Target::Proxy(..) => {
                Ok(())
            }
            Target::Lmdb(mut writer) if self.plan.incremental => writer.put_all(&self.entries),
            Target::Lmdb(mut writer) => writer.replace_all(&self.entries),
            Target::Cdb(writer) => {
                writer.write(&self.entries, self.plan.options.null.unwrap_or(false))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lookup, Options, open};

    fn plan(kind: &str, name: &str) -> Plan {
        Plan {
            kind: kind.into(),
            name: name.into(),
            incremental: false,
            duplicates: Duplicates::Warn,
            options: Options {
                lmdb_map_size: 65_536,
                ..Options::default()
            },
        }
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        for kind in ["lmdb", "cdb"] {
            for null in [None, Some(true), Some(false)] {
                let name = format!("{}/{kind}-{null:?}", dir.path().display());
                let mut plan = plan(kind, &name);
                plan.options.null = null;
                let mut builder = Builder::open(plan).unwrap();
                // More than fits into the first map.
                for n in 0..4000 {
                    let (key, value) = (format!("Key{n}"), format!("value {n}"));
                    builder.add(key.as_bytes(), value.as_bytes()).unwrap();
                }
                builder.add(b"key1", b"other").unwrap();
                builder.finish().unwrap();
                let table = open(&format!("{kind}:{name}"), &Options::default()).unwrap();
                let get = |key: &str| wait(table.lookup(key.as_bytes()));
                assert_eq!(get("KEY3999"), Lookup::Found(b"value 3999".to_vec()));
                assert_eq!(get("key1"), Lookup::Found(b"value 1".to_vec()));
                assert_eq!(get("nokey"), Lookup::Missing);
                assert_eq!(table.entries().unwrap().unwrap().len(), 4000);
            }
        }
    }

    #[test]
    fn entries_are_added_to_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let name = dir.path().join("t").display().to_string();
        for (value, duplicates) in [
            ("1", Duplicates::Warn),
            ("2", Duplicates::Ignore),
            ("3", Duplicates::Replace),
        ] {
            let mut builder = Builder::open(Plan {
                incremental: true,
                duplicates,
                ..plan("hash", &name)
            })
            .unwrap();
            builder.add(b"a", value.as_bytes()).unwrap();
            builder.add(value.as_bytes(), b"x").unwrap();
            builder.finish().unwrap();
        }
        let table = open(&format!("lmdb:{name}"), &Options::default()).unwrap();
        assert_eq!(wait(table.lookup(b"a")), Lookup::Found(b"3".to_vec()));
        assert_eq!(table.entries().unwrap().unwrap().len(), 4);
        // Two tables of one file, and one that is opened again.
        let other = open(&format!("hash:{name}"), &Options::default()).unwrap();
        drop(table);
        assert_eq!(wait(other.lookup(b"2")), Lookup::Found(b"x".to_vec()));
    }

    #[test]
    fn types_without_an_index() {
        let text = |kind: &str| Builder::open(plan(kind, "/nosuch/x")).unwrap_err().0;
        assert_eq!(
            text("regexp"),
            "no 'map create' support for this type: regexp"
        );
        assert_eq!(text("nosuch"), "unsupported map type: nosuch");
        assert_eq!(
            text("lmdb"),
            "open database /nosuch/x.lmdb: No such file or directory"
        );
    }
}
