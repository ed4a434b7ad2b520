//! Deleting entries of tables, for `postmap -d` and `postalias -d`.

use std::borrow::Cow;
use std::io;

use crate::LmdbWriter;
use crate::build::Format;
use crate::manage::{Stop, Tool};
use crate::non_bdb::{Access, redirect};
use crate::proxy::Proxy;
use crate::spec::{split_form, unsupported};

/// A table that is open for changes.
enum Writable {
    Lmdb(LmdbWriter),
    Proxy(Box<Proxy>),
    /// It is always empty.
    Nothing,
    /// It takes no changes: why.
    Refusing(String),
}

impl Tool {
    /// Deletes keys from tables. Whether one of them was there.
    ///
    /// # Errors
    /// A table cannot be opened or changed.
    pub fn delete<'k>(
        &self,
        words: &[&str],
        keys: impl IntoIterator<Item = io::Result<Cow<'k, [u8]>>>,
    ) -> Result<bool, Stop> {
        let mut tables = Vec::new();
        for word in words {
            tables.push((*word, self.writable(word)?));
        }
        self.delete_from(&mut tables, keys)
    }

    /// Deletes one key from tables, each opened when it is its turn. Whether one of them had it.
    ///
    /// # Errors
    /// A table cannot be opened or changed.
    pub fn delete_one(&self, words: &[&str], key: &[u8]) -> Result<bool, Stop> {
        words.iter().try_fold(false, |found, word| {
            let table = (*word, self.writable(word)?);
            Ok(self.delete_from(&mut [table], [Ok(key.into())])? || found)
        })
    }

    fn delete_from<'k>(
        &self,
        tables: &mut [(&str, Writable)],
        keys: impl IntoIterator<Item = io::Result<Cow<'k, [u8]>>>,
    ) -> Result<bool, Stop> {
        let mut found = false;
        for key in keys {
            let key = key?;
            for (word, table) in &mut *tables {
                if self.options.utf8 && std::str::from_utf8(&key).is_err() {
                    pf_log::warning!(
                        "{}: non-UTF-8 key \"{}\": malformed UTF-8 or invalid codepoint",
                        self.spelled(word),
                        pf_text::Show(&key)
                    );
                    // As the original, which says that it was there.
                    found = true;
                    continue;
                }
                let key = if self.options.fold {
                    pf_text::case::fold(&key, self.options.utf8)
                } else {
                    key.to_vec()
                };
                let title = self.spelled(word);
                let here = match table {
                    Writable::Nothing => continue,
                    Writable::Refusing(why) => return Err(Stop::Fatal(why.clone())),
                    Writable::Lmdb(table) => table.delete(&key).map_err(|why| {
                        Stop::Fatal(format!("error deleting from {title}: {why}"))
                    })?,
                    Writable::Proxy(table) => self
                        .runtime
                        .block_on(table.change(&key, None))
                        .map_err(|why| {
                            Stop::Fatal(format!("table {title}: delete error: {why}"))
                        })?,
                };
                if let Some(nested) = word.strip_prefix("debug:") {
                    let key = String::from_utf8_lossy(&key);
                    let result = if here { "success" } else { "failed" };
                    pf_log::info!("{nested} delete: \"{key}\": {result}");
                }
                found |= here;
            }
        }
        Ok(found)
    }

    /// Opens a table for changes.
    fn writable(&self, word: &str) -> Result<Writable, Stop> {
        let (kind, name) = self.split(word);
        let fatal = |text: String| Err(Stop::Fatal(text));
        split_form(&format!("{kind}:{name}"))?;
        let instead = redirect(kind, name, &self.options, Access::Existing)?;
        let kind = instead.as_deref().unwrap_or(kind);
        match (kind, Format::of(kind)) {
            (_, Some(Format::Lmdb)) => {
                let path = Format::Lmdb.path(name);
                let writer =
                    LmdbWriter::open(&path, 0o644, self.options.lmdb_map_size, self.options.null)?;
                writer.unlock();
                Ok(Writable::Lmdb(writer))
            }
            (_, Some(Format::Cdb)) => fatal("unsupported non-bulk change request".into()),
            ("internal", _) => Ok(Writable::Nothing),
            ("proxy", _) => Ok(Writable::Proxy(Box::new(self.proxy(name, true)?))),
            ("fail", _) => Ok(Writable::Refusing(format!(
                "table {kind}:{name}: delete error: Application error"
            ))),
            ("debug", _) => self.writable(name),
            ("static" | "environ", _) => {
                let table = self.open(word)?;
                Ok(Writable::Refusing(format!(
                    "table {}: delete operation is not supported",
                    table.title()
                )))
            }
            _ if pf_config::TABLE_TYPES.contains(&kind) => {
                fatal(format!("{kind}:{name} map requires O_RDONLY access mode"))
            }
            _ => Err(unsupported(kind).into()),
        }
    }
}
