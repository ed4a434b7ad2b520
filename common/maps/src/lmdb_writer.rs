//! Writing LMDB files: each change is one transaction, under an exclusive lock on the file.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use heed::types::Bytes;
use heed::{Database, Env, MdbError, PutFlags, RwTxn, WithoutTls};
use pf_config::system::reason;
use pf_sys::lock::{Mode, Style, lock};

use crate::entries::Entries;
use crate::lmdb::{enlarge, environment, text, trimmed};
use crate::table::{Entry, OpenError};

/// An LMDB file that is open for reading and writing. It must not be open as a table in the same process.
pub struct LmdbWriter {
    path: PathBuf,
    map_size: usize,
    /// Whether keys and values end in NUL, if that was asked for.
    pub(crate) null: Option<bool>,
    env: Env<WithoutTls>,
    database: Database<Bytes, Bytes>,
    /// For locks; dropped after the environment.
    file: File,
}

impl std::fmt::Debug for LmdbWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LmdbWriter({})", self.path.display())
    }
}

/// What LMDB could not do.
pub type WriteError = String;

impl LmdbWriter {
    /// Opens the file, or makes a new one with this mode. The file stays locked against all others until
    /// [`unlock`](Self::unlock) or the first change.
    ///
    /// # Errors
    /// In Postfix's words.
    pub fn open(
        path: &Path,
        mode: u32,
        map_size: usize,
        null: Option<bool>,
    ) -> Result<Self, OpenError> {
        let fail = |why: String| OpenError(format!("open database {}: {why}", path.display()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(mode)
            .open(path)
            .map_err(|err| fail(reason(&err)))?;
        lock(&file, Style::Fcntl, Mode::Exclusive, true).map_err(|err| fail(reason(&err)))?;
        let env = environment(path, map_size, true).map_err(|err| fail(text(&err)))?;
        let database = env
            .write_txn()
            .and_then(|mut txn| {
                let database = env.create_database::<Bytes, Bytes>(&mut txn, None)?;
                txn.commit()?;
                Ok(database)
            })
            .map_err(|err| fail(text(&err)))?;
        Ok(Self {
            path: path.to_owned(),
            map_size,
            null,
            env,
            database,
            file,
        })
    }

    /// Lets others at the file.
    pub fn unlock(&self) {
        let _ = lock(&self.file, Style::Fcntl, Mode::None, false);
    }

    fn stored(bytes: &[u8], null: bool) -> Vec<u8> {
        let mut stored = bytes.to_vec();
        if null {
            stored.push(0);
        }
        stored
    }

    /// Both forms that a key may have in the file, the likelier one first.
    fn forms(&self, key: &[u8]) -> Vec<Vec<u8>> {
        [true, false]
            .into_iter()
            .filter(|null| self.null.is_none_or(|wanted| wanted == *null))
            .map(|null| Self::stored(key, null))
            .collect()
    }

    /// The value of a key.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, WriteError> {
        self.locked(Mode::Shared, || {
            let txn = self.env.read_txn()?;
            for form in self.forms(key) {
                if let Some(value) = self.database.get(&txn, &form)? {
                    return Ok(Some(trimmed(value)));
                }
            }
            Ok(None)
        })
    }

    /// All entries.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, WriteError> {
        self.locked(Mode::Shared, || {
            let txn = self.env.read_txn()?;
            let mut entries = Vec::new();
            for entry in self.database.iter(&txn)? {
                let (key, value) = entry?;
                entries.push((trimmed(key), trimmed(value)));
            }
            Ok(entries)
        })
    }

    /// Adds entries, replacing those with the same keys.
    ///
    /// # Errors
    /// The file cannot be written; nothing has changed.
    pub fn put(&mut self, entries: &[Entry]) -> Result<(), WriteError> {
        let null = self.null.unwrap_or(true);
        self.change(|database, txn| {
            for (key, value) in entries {
                let (key, value) = (Self::stored(key, null), Self::stored(value, null));
                database.put(txn, &key, &value)?;
            }
            Ok(())
        })
    }

    /// As [`put`](Self::put), for many.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn put_all(&mut self, entries: &Entries) -> Result<(), WriteError> {
        let null = self.null.unwrap_or(true);
        self.change(|database, txn| {
            entries
                .iter(null)
                .try_for_each(|(key, value)| database.put(txn, key, value))
        })
    }

    /// Makes these the only entries; keys are there once each.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn replace_all(&mut self, entries: &Entries) -> Result<(), WriteError> {
        let null = self.null.unwrap_or(true);
        // What is sure to be too small is not tried: each try does all the work again.
        let size = entries.room();
        if size > self.map_size {
            enlarge(&self.env, size).map_err(|err| text(&err))?;
            self.map_size = size;
        }
        self.change(|database, txn| {
            database.clear(txn)?;
            entries.sorted(null).try_for_each(|(key, value)| {
                database.put_with_flags(txn, PutFlags::APPEND, key, value)
            })
        })
    }

    /// Removes a key; whether it was there.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn delete(&mut self, key: &[u8]) -> Result<bool, WriteError> {
        let forms = self.forms(key);
        self.change(|database, txn| {
            for form in &forms {
                if database.delete(txn, form)? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    fn locked<T>(
        &self,
        mode: Mode,
        work: impl FnOnce() -> heed::Result<T>,
    ) -> Result<T, WriteError> {
        lock(&self.file, Style::Fcntl, mode, true).map_err(|err| reason(&err))?;
        let result = work().map_err(|err| text(&err));
        self.unlock();
        result
    }

    /// One transaction; again with more room when it does not fit.
    fn change<T>(
        &mut self,
        mut work: impl FnMut(&Database<Bytes, Bytes>, &mut RwTxn<'_>) -> heed::Result<T>,
    ) -> Result<T, WriteError> {
        let mut size = self.map_size;
        let result = self.locked(Mode::Exclusive, || {
            loop {
                let done = self.env.write_txn().and_then(|mut txn| {
                    let value = work(&self.database, &mut txn)?;
                    txn.commit()?;
                    Ok(value)
                });
                match done {
                    Err(heed::Error::Mdb(MdbError::MapFull | MdbError::MapResized)) => {
                        let used = self.file.metadata()?.len();
                        let used = usize::try_from(used).unwrap_or(usize::MAX / 4);
                        size = size.max(used).saturating_mul(2);
                        enlarge(&self.env, size)?;
                    }
                    other => return other,
                }
            }
        });
        self.map_size = size;
        result
    }
}
