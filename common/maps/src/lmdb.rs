//! `lmdb:`, and `hash:` and `btree:` which are served from LMDB files.
//!
//! The files are those of Postfix: no subdirectory, no locking of LMDB's own; a lock on the file itself keeps readers and a
//! writer apart. Keys and values may end in a NUL byte, as the file's first hit tells.
#![allow(unsafe_code, reason = "LMDB maps the file into memory")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::{Duration, Instant};

use heed::types::Bytes;
use heed::{Database, Env, EnvFlags, EnvOpenOptions, MdbError, RoTxn, WithoutTls};
use pf_config::system::reason;
use pf_sys::lock::{Mode, Style, lock};

use crate::table::{Entry, Inner, Local, OpenError, want_restart};
use crate::{Lookup, LookupError, Options};

/// How often a file is looked at for whether another one took its place.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

thread_local! {
    /// LMDB must not have a file open twice in a process, so all tables of one file share what is here.
    static FILES: RefCell<HashMap<PathBuf, Weak<Shared>>> = RefCell::new(HashMap::new());
}

/// One file, open for reading.
struct Shared {
    path: PathBuf,
    map_size: usize,
    open: RefCell<Option<Open>>,
    checked: Cell<Instant>,
}

struct Open {
    // In this order: the map goes before the descriptor, since closing a descriptor drops the locks of the process.
    env: Env<WithoutTls>,
    database: Option<Database<Bytes, Bytes>>,
    file: File,
    identity: (u64, u64),
}

/// Opens an environment on a file, for reading or for writing.
///
/// # Errors
/// The file is no LMDB file, or cannot be opened.
pub(crate) fn environment(
    path: &Path,
    map_size: usize,
    write: bool,
) -> Result<Env<WithoutTls>, heed::Error> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    options.map_size(room(path, map_size)).max_readers(126);
    let mut flags = EnvFlags::NO_SUB_DIR | EnvFlags::NO_LOCK;
    if !write {
        flags |= EnvFlags::READ_ONLY;
    }
    // SAFETY: readers and writers of the file, ours and Postfix's, hold a lock on it during each transaction, so the mapped
    // pages do not change under a reader; nothing of a page is kept beyond its transaction.
    unsafe { options.flags(flags).open(path) }
}

/// The size of the map for a file: what is configured, or twice the file when that has outgrown it; whole pages.
fn room(path: &Path, map_size: usize) -> usize {
    let size = std::fs::metadata(path).map_or(0, |status| {
        usize::try_from(status.len()).unwrap_or(usize::MAX / 4)
    });
    map_size.max(size.saturating_mul(2)).next_multiple_of(4096)
}

/// Makes the map larger.
pub(crate) fn enlarge(env: &Env<WithoutTls>, size: usize) -> Result<(), heed::Error> {
    // SAFETY: called between transactions only; programs use a table from one thread.
    unsafe { env.resize(size.next_multiple_of(4096)) }
}

/// What went wrong, as the C library or LMDB says it.
pub(crate) fn text(err: &heed::Error) -> String {
    match err {
        heed::Error::Io(err) => reason(err),
        other => other.to_string(),
    }
}

impl Open {
    fn new(path: &Path, map_size: usize) -> Result<Self, String> {
        let file = File::open(path).map_err(|err| reason(&err))?;
        let status = file.metadata().map_err(|err| reason(&err))?;
        lock(&file, Style::Fcntl, Mode::Shared, true).map_err(|err| reason(&err))?;
        let env = environment(path, map_size, false).map_err(|err| text(&err))?;
        let database = env
            .read_txn()
            .and_then(|txn| env.open_database(&txn, None))
            .map_err(|err| text(&err));
        let _ = lock(&file, Style::Fcntl, Mode::None, false);
        Ok(Self {
            database: database?,
            env,
            file,
            identity: (status.dev(), status.ino()),
        })
    }

    /// Runs a read transaction, in a larger map if the file has outgrown this one.
    fn read<T>(
        &self,
        work: impl FnOnce(&RoTxn<'_, WithoutTls>, &Database<Bytes, Bytes>) -> heed::Result<T>,
    ) -> heed::Result<Option<T>> {
        let Some(database) = &self.database else {
            return Ok(None);
        };
        let txn = match self.env.read_txn() {
            Err(heed::Error::Mdb(MdbError::MapResized)) => {
                let size = self.file.metadata()?.len().saturating_mul(2);
                enlarge(&self.env, usize::try_from(size).unwrap_or(usize::MAX / 4))?;
                self.env.read_txn()?
            }
            other => other?,
        };
        work(&txn, database).map(Some)
    }
}

impl Shared {
    /// `lmdb:name`.
    fn title(&self) -> String {
        format!("lmdb:{}", self.path.with_extension("").display())
    }

    fn of(path: &Path, map_size: usize) -> Result<Rc<Self>, String> {
        let key = path.canonicalize().map_err(|err| reason(&err))?;
        let known = FILES.with_borrow(|files| files.get(&key).and_then(Weak::upgrade));
        if let Some(known) = known {
            return Ok(known);
        }
        let shared = Rc::new(Self {
            path: path.to_owned(),
            map_size,
            open: RefCell::new(Some(Open::new(path, map_size)?)),
            checked: Cell::new(Instant::now()),
        });
        FILES.with_borrow_mut(|files| {
            files.retain(|_, file| file.strong_count() > 0);
            files.insert(key, Rc::downgrade(&shared));
        });
        Ok(shared)
    }

    /// Opens the file again when another one took its place. A file that was written in place needs nothing.
    fn refresh(&self) {
        if self.checked.get().elapsed() < CHECK_INTERVAL {
            return;
        }
        self.checked.set(Instant::now());
        let mut open = self.open.borrow_mut();
        let Ok(status) = std::fs::metadata(&self.path) else {
            return;
        };
        if open
            .as_ref()
            .is_some_and(|open| open.identity == (status.dev(), status.ino()))
        {
            return;
        }
        // The old one has to go first; but not when the new one is out of reach.
        if File::open(&self.path).is_err() {
            want_restart(&self.title());
            return;
        }
        *open = None;
        match Open::new(&self.path, self.map_size) {
            Ok(new) => *open = Some(new),
            Err(why) => {
                pf_log::warning!("open database {}: {why}", self.path.display());
                want_restart(&self.title());
            }
        }
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&RoTxn<'_, WithoutTls>, &Database<Bytes, Bytes>) -> heed::Result<T>,
    ) -> Result<Option<T>, LookupError> {
        self.refresh();
        let open = self.open.borrow();
        let fail = |why: String| {
            let why = format!("error reading {}: {why}", self.path.display());
            pf_log::warning!("{why}");
            LookupError(why)
        };
        let open = open
            .as_ref()
            .ok_or_else(|| fail("the file cannot be opened".into()))?;
        lock(&open.file, Style::Fcntl, Mode::Shared, true).map_err(|err| fail(reason(&err)))?;
        let result = open.read(work);
        let _ = lock(&open.file, Style::Fcntl, Mode::None, false);
        result.map_err(|err| fail(text(&err)))
    }
}

/// How keys and values end in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Unknown,
    Null,
    Plain,
}

struct Lmdb {
    file: Rc<Shared>,
    ending: Cell<Ending>,
}

/// `lmdb:/path`, in the file `/path.lmdb`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let path = PathBuf::from(format!("{name}.lmdb"));
    let file = Shared::of(&path, options.lmdb_map_size)
        .map_err(|why| OpenError(format!("open database {}: {why}", path.display())))?;
    Ok(Inner::Local(Box::new(Lmdb {
        file,
        ending: Cell::new(match options.null {
            None => Ending::Unknown,
            Some(true) => Ending::Null,
            Some(false) => Ending::Plain,
        }),
    })))
}

impl Local for Lmdb {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        // LMDB refuses empty keys and very long ones, which no table has.
        if key.is_empty() || key.len() > MAX_KEY {
            return Lookup::Missing;
        }
        let mut with_null = key.to_vec();
        with_null.push(0);
        let found = self.file.read(|txn, database| {
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
        let all = self.file.read(|txn, database| {
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

/// The longest key that is looked up, so that it fits with its NUL byte.
const MAX_KEY: usize = 510;

/// Without the NUL at the end.
pub(crate) fn trimmed(bytes: &[u8]) -> Vec<u8> {
    bytes.strip_suffix(&[0]).unwrap_or(bytes).to_vec()
}
