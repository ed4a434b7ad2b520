//! `lmdb:`, and `hash:` and `btree:` which are served from LMDB files.
//!
//! The files are those of Postfix: no subdirectory, no locking of LMDB's own; a lock on the file itself keeps readers and a
//! writer apart. Keys and values may end in a NUL byte, as the file's first hit tells.
#![allow(unsafe_code, reason = "LMDB maps the file into memory")]

use std::cell::Cell;
use std::fs::File;
use std::path::PathBuf;

use heed::types::Bytes;
use heed::{Database, Env, EnvFlags, EnvOpenOptions, WithoutTls};
use pf_sys::lock::{Mode, Style, lock};

use crate::table::{Entry, Inner, Local, OpenError};
use crate::{Lookup, LookupError, Options};

/// How keys and values end in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Unknown,
    Null,
    Plain,
}

struct Lmdb {
    path: PathBuf,
    /// For locks; never closed before the environment, since closing would drop the locks of the process.
    file: File,
    env: Env<WithoutTls>,
    database: Option<Database<Bytes, Bytes>>,
    ending: Cell<Ending>,
}

/// Opens an environment on a file, for reading or for writing.
///
/// # Errors
/// The file is no LMDB file, or cannot be opened.
pub(crate) fn environment(
    path: &std::path::Path,
    map_size: usize,
    write: bool,
) -> Result<Env<WithoutTls>, heed::Error> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    // Whole pages; a file that has grown beyond the configured size is mapped whole.
    let size = std::fs::metadata(path).map_or(0, |status| {
        usize::try_from(status.len()).unwrap_or(usize::MAX)
    });
    let size = map_size.max(size.saturating_mul(2)).next_multiple_of(4096);
    options.map_size(size).max_readers(126);
    let mut flags = EnvFlags::NO_SUB_DIR | EnvFlags::NO_LOCK;
    if !write {
        flags |= EnvFlags::READ_ONLY;
    }
    // SAFETY: readers and writers of the file, ours and Postfix's, hold a lock on it during each transaction, so the mapped
    // pages do not change under a reader; nothing of a page is kept beyond its transaction.
    unsafe { options.flags(flags).open(path) }
}

/// `lmdb:/path`, in the file `/path.lmdb`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let path = PathBuf::from(format!("{name}.lmdb"));
    let fail = |why: String| OpenError(format!("open database {}: {why}", path.display()));
    let file = File::open(&path).map_err(|err| fail(pf_config::system::reason(&err)))?;
    lock(&file, Style::Fcntl, Mode::Shared, true).map_err(|err| fail(err.to_string()))?;
    let opened = (|| {
        let env = environment(&path, options.lmdb_map_size, false)?;
        let txn = env.read_txn()?;
        let database = env.open_database(&txn, None)?;
        drop(txn);
        Ok::<_, heed::Error>((env, database))
    })();
    let _ = lock(&file, Style::Fcntl, Mode::None, false);
    let (env, database) = opened.map_err(|err| fail(text(&err)))?;
    Ok(Inner::Local(Box::new(Lmdb {
        path,
        file,
        env,
        database,
        ending: Cell::new(Ending::Unknown),
    })))
}

fn text(err: &heed::Error) -> String {
    match err {
        heed::Error::Io(err) => pf_config::system::reason(err),
        other => other.to_string(),
    }
}

impl Lmdb {
    fn read<T>(
        &self,
        work: impl FnOnce(&heed::RoTxn<'_, WithoutTls>, &Database<Bytes, Bytes>) -> heed::Result<T>,
    ) -> Result<Option<T>, LookupError> {
        let Some(database) = &self.database else {
            return Ok(None);
        };
        let fail = |err: String| LookupError(format!("{}: {err}", self.path.display()));
        lock(&self.file, Style::Fcntl, Mode::Shared, true).map_err(|err| fail(err.to_string()))?;
        let result = self.env.read_txn().and_then(|txn| work(&txn, database));
        let _ = lock(&self.file, Style::Fcntl, Mode::None, false);
        result.map(Some).map_err(|err| {
            let why = fail(text(&err));
            pf_log::warning!("{why}");
            why
        })
    }
}

impl Local for Lmdb {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        // LMDB refuses empty keys and very long ones, which no table has.
        if key.is_empty() || key.len() > 510 {
            return Lookup::Missing;
        }
        let mut with_null = key.to_vec();
        with_null.push(0);
        let found = self.read(|txn, database| {
            if self.ending.get() != Ending::Plain
                && let Some(value) = database.get(txn, &with_null)?
            {
                self.ending.set(Ending::Null);
                return Ok(Some(trimmed(value)));
            }
            if self.ending.get() != Ending::Null
                && let Some(value) = database.get(txn, key)?
            {
                self.ending.set(Ending::Plain);
                return Ok(Some(trimmed(value)));
            }
            Ok(None)
        });
        found.map(Option::flatten).into()
    }

    fn entries(&self) -> Option<Result<Vec<Entry>, LookupError>> {
        let all = self.read(|txn, database| {
            let mut entries = Vec::new();
            for entry in database.iter(txn)? {
                let (key, value) = entry?;
                entries.push((trimmed(key), trimmed(value)));
            }
            Ok(entries)
        });
        Some(all.map(Option::unwrap_or_default))
    }
}

/// Without the NUL at the end.
fn trimmed(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_suffix(&[0]).unwrap_or(bytes).to_vec()
}
