//! Where a program's configuration comes from: which directory, and what its command line sets.

use std::path::PathBuf;

use crate::DEFAULT_DIRECTORY;

/// The directory of `main.cf`, and settings that come after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Holds `main.cf` and `master.cf`.
    pub dir: PathBuf,
    /// Settings from the command line (`-o name=value`), in order.
    pub overrides: Vec<(String, String)>,
}

/// An empty name is that of the root directory: `/main.cf` is what follows it.
fn or_root(dir: PathBuf) -> PathBuf {
    if dir.as_os_str().is_empty() {
        PathBuf::from("/")
    } else {
        dir
    }
}

impl Default for Source {
    fn default() -> Self {
        Self {
            dir: DEFAULT_DIRECTORY.into(),
            overrides: Vec::new(),
        }
    }
}

impl Source {
    /// The directory that `MAIL_CONFIG` names, or else the default one.
    pub fn from_environment() -> Self {
        Self {
            dir: std::env::var_os("MAIL_CONFIG")
                .map_or_else(|| DEFAULT_DIRECTORY.into(), |dir| or_root(dir.into())),
            overrides: Vec::new(),
        }
    }

    /// As [`from_environment`](Self::from_environment), unless `-c` named a directory.
    pub fn with_directory(dir: Option<PathBuf>) -> Self {
        match dir {
            Some(dir) => Self {
                dir: or_root(dir),
                overrides: Vec::new(),
            },
            None => Self::from_environment(),
        }
    }

    /// Whether this is the directory that was built in.
    pub fn is_default(&self) -> bool {
        self.dir == std::path::Path::new(DEFAULT_DIRECTORY)
    }
}
