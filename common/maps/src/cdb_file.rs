//! `cdb:`: constant databases. Keys and values may end in a NUL byte, as the file's first hit tells.

use std::cell::Cell;
use std::path::PathBuf;

use cdb::CDB;

use crate::table::{Entry, Inner, Local, OpenError};
use crate::{Lookup, LookupError, Options};

struct Cdb {
    path: PathBuf,
    /// The library takes no file without entries.
    file: Option<CDB>,
    /// Whether keys end in NUL, once that is known.
    null: Cell<Option<bool>>,
}

/// The size of a file that has pointers to 256 hash tables and nothing else, in bytes.
const EMPTY: u64 = 2048;

/// `cdb:/path`, in the file `/path.cdb`.
pub(crate) fn open(name: &str, options: &Options) -> Result<Inner, OpenError> {
    let path = PathBuf::from(format!("{name}.cdb"));
    let empty = std::fs::metadata(&path).is_ok_and(|status| status.len() == EMPTY);
    let file = if empty {
        std::fs::File::open(&path).map(|_| None)
    } else {
        CDB::open(&path).map(Some)
    }
    .map_err(|err| {
        OpenError(format!(
            "open database {}: {}",
            path.display(),
            pf_config::system::reason(&err)
        ))
    })?;
    Ok(Inner::Local(Box::new(Cdb {
        path,
        file,
        null: Cell::new(options.null),
    })))
}

impl Cdb {
    fn find(&self, key: &[u8], null: bool) -> Result<Option<Vec<u8>>, LookupError> {
        match self.file.as_ref().and_then(|file| file.get(key)) {
            Some(Ok(mut value)) => {
                self.null.set(Some(null));
                if value.last() == Some(&0) {
                    value.pop();
                }
                Ok(Some(value))
            }
            Some(Err(err)) => Err(LookupError(format!(
                "error reading {}: {err}",
                self.path.display()
            ))),
            None => Ok(None),
        }
    }
}

impl Local for Cdb {
    fn get(&self, key: &[u8]) -> Lookup<Vec<u8>> {
        let attempt = || {
            if self.null.get() != Some(false) {
                let mut with_null = key.to_vec();
                with_null.push(0);
                if let Some(value) = self.find(&with_null, true)? {
                    return Ok(Some(value));
                }
            }
            if self.null.get() == Some(true) {
                Ok(None)
            } else {
                self.find(key, false)
            }
        };
        attempt().into()
    }

    fn entries(&self) -> Option<Result<Vec<Entry>, LookupError>> {
        let trim = |mut bytes: Vec<u8>| {
            if bytes.last() == Some(&0) {
                bytes.pop();
            }
            bytes
        };
        let all: std::io::Result<Vec<Entry>> = self
            .file
            .iter()
            .flat_map(CDB::iter)
            .map(|entry| entry.map(|(key, value)| (trim(key), trim(value))))
            .collect();
        Some(
            all.map_err(|err| LookupError(format!("error reading {}: {err}", self.path.display()))),
        )
    }
}
