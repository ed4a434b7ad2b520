//! Where new files come from before they have a name.
//!
//! A file system looks for the inode and the blocks of a new file near the directory that it is made in. New mail that all comes from
//! `incoming` crowds into one part of it, where each file waits for the one before, and where ext4 without a journal looks past
//! everything that was deleted a moment ago. A queue has subdirectories enough: those of `defer`, which are made sooner or later, are made
//! at once, far from each other, and new files come from each of them in turn.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Queue, QueueName};

/// The names of subdirectories.
const DIGITS: &str = "0123456789ABCDEF";

/// The directories that new files are made in.
#[derive(Debug, Default)]
pub(crate) struct Nursery {
    directories: OnceLock<Vec<PathBuf>>,
    next: AtomicUsize,
}

impl Nursery {
    /// The next directory for a file that will be named in `incoming`; `None`: there is nothing better than that itself.
    pub(crate) fn next(&self, queue: &Queue) -> Option<&Path> {
        let directories = self.directories.get_or_init(|| prepare(queue));
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let at = turn.checked_rem(directories.len())?;
        directories.get(at).map(PathBuf::as_path)
    }
}

/// Makes the subdirectories of `defer` that are missing, and gives those from which a file can get into `incoming`.
fn prepare(queue: &Queue) -> Vec<PathBuf> {
    if queue.depth(QueueName::Defer) == 0 {
        return Vec::new();
    }
    let parent = queue.directory(QueueName::Defer);
    let all = DIGITS.chars().map(|digit| parent.join(digit.to_string()));
    let mut spread = false;
    for directory in all.clone().filter(|directory| !directory.exists()) {
        if !spread {
            spread = true;
            // Only ext4 needs to be told, and only makes mail faster by it.
            let _ = pf_sys::advice::spread_subdirectories(&parent);
        }
        // Whoever needs it will try, and tell why it fails.
        let _ = DirBuilder::new().mode(0o700).create(directory);
    }
    // Files have inode numbers near that of their directory, and inode numbers are part of queue ids: these stay as long as they
    // were. And no file gets from one file system to another.
    let place = |path: &Path| {
        let status = fs::metadata(path).ok()?;
        Some((status.dev(), status.ino().checked_ilog(16)))
    };
    let incoming = place(&queue.directory(QueueName::Incoming));
    all.filter(|directory| incoming.is_some() && place(directory) == incoming)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn queue(directory: &Path, hashed: &[&str]) -> Queue {
        for name in ["incoming", "defer"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        Queue::with(Settings {
            directory: directory.to_owned(),
            hash_names: hashed.iter().map(|&name| name.to_owned()).collect(),
            hash_depth: 1,
            long_ids: false,
        })
    }

    #[test]
    fn new_files_come_from_each_subdirectory_in_turn() {
        let place = tempfile::tempdir().unwrap();
        let queue = queue(place.path(), &["deferred", "defer"]);
        let nursery = Nursery::default();
        let first = nursery.next(&queue).map(Path::to_owned);
        assert!(place.path().join("defer/F").exists());
        // Where inode numbers are as long as those in `incoming`.
        let long = |path: &Path| fs::metadata(path).unwrap().ino().checked_ilog(16);
        let alike = DIGITS
            .chars()
            .map(|digit| place.path().join("defer").join(digit.to_string()))
            .filter(|path| long(path) == long(&place.path().join("incoming")));
        let alike: Vec<PathBuf> = alike.collect();
        assert_eq!(first.as_deref(), alike.first().map(PathBuf::as_path));
        for path in alike.iter().skip(1).chain(alike.first()) {
            assert_eq!(nursery.next(&queue), Some(path.as_path()));
        }
        // What disappears later is not missed.
        fs::remove_dir_all(place.path().join("defer")).unwrap();
        let file = queue.create(QueueName::Incoming, 0).unwrap();
        assert!(file.path().starts_with(place.path().join("incoming")));
    }

    #[test]
    fn without_subdirectories_there_is_only_incoming() {
        let place = tempfile::tempdir().unwrap();
        let queue = queue(place.path(), &[]);
        assert_eq!(Nursery::default().next(&queue), None);
        assert!(!place.path().join("defer/0").exists());
        queue.create(QueueName::Incoming, 0).unwrap();
    }
}
