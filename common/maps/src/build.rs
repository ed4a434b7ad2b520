//! Writing indexed tables: `lmdb:` in one transaction, `cdb:` by rename. Readers see the old or the new table, never half of
//! one.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use heed::PutFlags;
use heed::types::Bytes;
use pf_sys::lock::{Mode, Style, lock};

use crate::lmdb::environment;

/// The types that can be written, and where their index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LMDB.
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
        PathBuf::from(format!(
            "{name}.{}",
            match self {
                Format::Lmdb => "lmdb",
                Format::Cdb => "cdb",
            }
        ))
    }
}

/// How keys and values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Whether a NUL byte ends each (`postmap -N` and `-n`); by default as Postfix does for the format.
    pub null: bool,
    /// The mode of a new index.
    pub mode: u32,
    /// `lmdb_map_size`.
    pub map_size: usize,
}

/// All entries of a new table, in the order of their keys.
pub type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

fn ended(bytes: &[u8], null: bool) -> Vec<u8> {
    let mut ended = bytes.to_vec();
    if null {
        ended.push(0);
    }
    ended
}

/// Writes a whole table.
///
/// # Errors
/// The file cannot be written; the old one, if any, is as it was.
pub fn write(format: Format, path: &Path, entries: &Entries, style: Layout) -> std::io::Result<()> {
    match format {
        Format::Lmdb => write_lmdb(path, style, |database, txn| {
            database.clear(txn)?;
            for (key, value) in entries {
                let (key, value) = (ended(key, style.null), ended(value, style.null));
                database.put_with_flags(txn, PutFlags::APPEND, &key, &value)?;
            }
            Ok(())
        }),
        Format::Cdb => write_cdb(path, entries, style),
    }
}

/// Adds or replaces entries of an LMDB table, or deletes those without a value. Gives how many keys were there before.
///
/// # Errors
/// As [`write`].
pub fn edit_lmdb(
    path: &Path,
    edits: &[(Vec<u8>, Option<Vec<u8>>)],
    style: Layout,
) -> std::io::Result<usize> {
    let mut known = 0;
    write_lmdb(path, style, |database, txn| {
        known = 0;
        for (key, value) in edits {
            let stored = ended(key, style.null);
            known += usize::from(database.get(txn, &stored)?.is_some());
            match value {
                Some(value) => database.put(txn, &stored, &ended(value, style.null))?,
                None => {
                    database.delete(txn, &stored)?;
                }
            }
        }
        Ok(())
    })?;
    Ok(known)
}

/// One transaction over the file, with a lock that keeps readers out; again with twice the room when it does not fit.
fn write_lmdb(
    path: &Path,
    style: Layout,
    mut work: impl FnMut(&heed::Database<Bytes, Bytes>, &mut heed::RwTxn<'_>) -> heed::Result<()>,
) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(style.mode)
        .open(path)?;
    lock(&file, Style::Fcntl, Mode::Exclusive, true)?;
    let mut size = style.map_size;
    loop {
        let env = environment(path, size, true).map_err(plain)?;
        let done = env.write_txn().and_then(|mut txn| {
            let database = env.create_database::<Bytes, Bytes>(&mut txn, None)?;
            work(&database, &mut txn)?;
            txn.commit()
        });
        env.prepare_for_closing().wait();
        match done {
            Err(heed::Error::Mdb(heed::MdbError::MapFull)) => size = size.saturating_mul(4),
            other => return other.map_err(plain),
        }
    }
}

fn plain(err: heed::Error) -> std::io::Error {
    match err {
        heed::Error::Io(err) => err,
        other => std::io::Error::other(other),
    }
}

fn write_cdb(path: &Path, entries: &Entries, style: Layout) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".tmp");
    let partial = PathBuf::from(partial);
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(style.mode)
        .open(&partial)?;
    let keeper = file.try_clone()?;
    let mut writer = cdb::CDBMake::new(file)?;
    for (key, value) in entries {
        writer.add(&ended(key, style.null), &ended(value, style.null))?;
    }
    writer.finish()?;
    keeper.sync_all()?;
    std::fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Lookup, Options, open};

    #[test]
    fn what_is_written_is_read() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        for (kind, format, null) in [
            ("lmdb", Format::Lmdb, true),
            ("lmdb", Format::Lmdb, false),
            ("cdb", Format::Cdb, true),
            ("cdb", Format::Cdb, false),
        ] {
            let name = dir
                .path()
                .join(format!("{kind}-{null}"))
                .display()
                .to_string();
            let entries: Entries = (0..2000)
                .map(|n| {
                    (
                        format!("key{n}").into_bytes(),
                        format!("value {n}").into_bytes(),
                    )
                })
                .collect();
            let style = Layout {
                null,
                mode: 0o644,
                map_size: 65_536,
            };
            write(format, &format.path(&name), &entries, style).unwrap();
            let table = open(&format!("{kind}:{name}"), &Options::default()).unwrap();
            let get = |key: &str| runtime.block_on(table.lookup(key.as_bytes()));
            assert_eq!(
                get("KEY1999"),
                Lookup::Found(b"value 1999".to_vec()),
                "{kind} {null}"
            );
            assert_eq!(get("nokey"), Lookup::Missing);
            assert_eq!(table.entries().unwrap().unwrap().len(), 2000);
        }
    }
}
