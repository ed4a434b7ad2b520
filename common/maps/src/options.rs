//! How tables are opened.

use std::path::PathBuf;
use std::time::Duration;

use pf_config::{Config, Error, param};

use crate::build::Duplicates;
use crate::non_bdb::NonBdb;

/// What tables need to know of the system and of the feature that opens them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Keys of tables with fixed strings are folded to lower case.
    pub fold: bool,
    /// Keys and values are UTF-8; keys that are not are in no table (`smtputf8_enable`).
    pub utf8: bool,
    /// A value in the source is the name of a file, whose content is the value.
    pub value_is_file: bool,
    /// `$number` in the results of patterns is refused: the key comes from a stranger, and the result is a command or a file.
    pub no_substitution: bool,
    /// `proxy:` is opened directly, for programs that are not part of the mail system.
    pub no_proxy: bool,
    /// Whether keys and values of an index end in a NUL byte; `None`: as the first key that is found does.
    pub null: Option<bool>,
    /// What becomes of an entry whose key stood in the source before.
    pub duplicates: Duplicates,
    /// `queue_directory`.
    pub queue_directory: PathBuf,
    /// `daemon_directory`: whose `master` tells what is spoken in the system.
    pub daemon_directory: PathBuf,
    /// `proxymap_service_name`.
    pub proxymap_service: String,
    /// `proxywrite_service_name`.
    pub proxywrite_service: String,
    /// `lmdb_map_size`, in bytes.
    pub lmdb_map_size: usize,
    /// `ipc_timeout`.
    pub ipc_timeout: Duration,
    /// `ipc_idle`.
    pub ipc_idle: Duration,
    /// `ipc_ttl`.
    pub ipc_ttl: Duration,
    /// `socketmap_max_reply_size`, in bytes.
    pub socketmap_reply_limit: usize,
    /// What is done about tables of types that need Berkeley DB.
    pub non_bdb: NonBdb,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fold: true,
            utf8: true,
            value_is_file: false,
            no_substitution: false,
            no_proxy: false,
            null: None,
            duplicates: Duplicates::Warn,
            queue_directory: "/var/spool/postfix".into(),
            daemon_directory: "/usr/lib/postfix/sbin".into(),
            proxymap_service: "proxymap".into(),
            proxywrite_service: "proxywrite".into(),
            lmdb_map_size: 16 << 20,
            ipc_timeout: Duration::from_secs(3600),
            ipc_idle: Duration::from_secs(5),
            ipc_ttl: Duration::from_secs(1000),
            socketmap_reply_limit: 100_000,
            non_bdb: NonBdb::default(),
        }
    }
}

impl Options {
    /// What the configuration says; keys are folded.
    ///
    /// # Errors
    /// A parameter has a bad value.
    pub fn from_config(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            utf8: config.get(param::SMTPUTF8_ENABLE)?,
            queue_directory: config.get(param::QUEUE_DIRECTORY)?.into(),
            daemon_directory: config.get(param::DAEMON_DIRECTORY)?.into(),
            proxymap_service: config.get(param::PROXYMAP_SERVICE_NAME)?,
            proxywrite_service: config.get(param::PROXYWRITE_SERVICE_NAME)?,
            lmdb_map_size: config.count(param::LMDB_MAP_SIZE)?,
            ipc_timeout: config.get(param::IPC_TIMEOUT)?,
            ipc_idle: config.get(param::IPC_IDLE)?,
            ipc_ttl: config.get(param::IPC_TTL)?,
            socketmap_reply_limit: config.count(param::SOCKETMAP_MAX_REPLY_SIZE)?,
            non_bdb: NonBdb::from_config(config)?,
            ..Self::default()
        })
    }

    /// The same, without folding keys.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.fold = false;
        self
    }
}
