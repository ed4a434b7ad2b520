//! Writing `cdb:` files: beside the old one, which is then replaced.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use pf_config::system::reason;
use pf_sys::lock::{Mode, Style, lock};

use crate::entries::Entries;
use crate::table::OpenError;

/// A new file in the making, at `path.tmp`, locked so that nobody else makes it.
pub(crate) struct CdbWriter {
    path: PathBuf,
    partial: PathBuf,
    file: File,
}

impl CdbWriter {
    /// Makes the new file and locks it.
    ///
    /// # Errors
    /// In Postfix's words.
    pub(crate) fn open(path: &Path, mode: u32) -> Result<Self, OpenError> {
        let mut partial = path.as_os_str().to_owned();
        partial.push(".tmp");
        let partial = PathBuf::from(partial);
        let fail = |err: std::io::Error| {
            OpenError(format!(
                "open database {}: {}",
                partial.display(),
                reason(&err)
            ))
        };
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(mode)
                .open(&partial)
                .map_err(fail)?;
            lock(&file, Style::Flock, Mode::Exclusive, true).map_err(fail)?;
            // While we waited, the one before us may have moved its file into place.
            let (ours, there) = (file.metadata(), std::fs::metadata(&partial));
            if let (Ok(ours), Ok(there)) = (ours, there)
                && (ours.dev(), ours.ino()) == (there.dev(), there.ino())
            {
                file.set_len(0).map_err(fail)?;
                return Ok(Self {
                    path: path.to_owned(),
                    partial,
                    file,
                });
            }
        }
    }

    /// Writes the entries, and puts the file in its place.
    ///
    /// # Errors
    /// The file cannot be written; the old one is as it was.
    pub(crate) fn write(self, entries: &Entries, null: bool) -> Result<(), String> {
        let done = self.fill(entries, null);
        if done.is_err() {
            let _ = std::fs::remove_file(&self.partial);
        }
        done.map_err(|err| format!("error writing {}: {}", self.partial.display(), reason(&err)))
    }

    fn fill(&self, entries: &Entries, null: bool) -> std::io::Result<()> {
        let mut writer = cdb::CDBMake::new(self.file.try_clone()?)?;
        for (key, value) in entries.iter(null) {
            writer.add(key, value)?;
        }
        writer.finish()?;
        self.file.sync_all()?;
        std::fs::rename(&self.partial, &self.path)
    }
}
