//! Walking through a queue.

use std::ffi::{OsStr, OsString};
use std::fs::{self, ReadDir};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::QueueId;

/// The files of a queue, one at a time, subdirectories included. Files that come and go meanwhile may be met or not.
#[derive(Debug)]
pub struct Scan {
    open: Vec<(Rc<Path>, ReadDir)>,
}

/// A name in a queue.
#[derive(Debug, Clone)]
pub struct Entry {
    directory: Rc<Path>,
    name: OsString,
    inode: u64,
}

/// Deeper trees than any configuration makes are somebody's joke.
const MAX_DEPTH: usize = 32;

impl Scan {
    /// Walks through this directory.
    ///
    /// # Errors
    /// As `opendir`.
    pub fn open(directory: PathBuf) -> io::Result<Self> {
        let listing = fs::read_dir(&directory)?;
        Ok(Self {
            open: vec![(directory.into(), listing)],
        })
    }
}

impl Iterator for Scan {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let depth = self.open.len();
            let (directory, listing) = self.open.last_mut()?;
            let entry = match listing.next() {
                None => {
                    self.open.pop();
                    continue;
                }
                Some(Err(err)) => {
                    self.open.pop();
                    return Some(Err(err));
                }
                Some(Ok(entry)) => entry,
            };
            let name = entry.file_name();
            // Subdirectories, and nothing else, have names of one letter; so that no file needs to be looked at.
            if name.len() != 1 {
                return Some(Ok(Entry {
                    directory: Rc::clone(directory),
                    name,
                    inode: entry.ino(),
                }));
            }
            if depth >= MAX_DEPTH {
                continue;
            }
            let below: Rc<Path> = directory.join(&name).into();
            match fs::read_dir(&below) {
                Ok(listing) => self.open.push((below, listing)),
                Err(err)
                    if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(err) => return Some(Err(err)),
            }
        }
    }
}

impl Entry {
    /// The id, if the name is one.
    pub fn id(&self) -> Option<QueueId> {
        QueueId::parse(self.name.as_bytes())
    }

    /// The name, whatever it is.
    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// The directory that holds it.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path where it was found.
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// The inode number that the directory has for it.
    pub fn inode(&self) -> u64 {
        self.inode
    }
}
