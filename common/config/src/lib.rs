//! The configuration of the mail system: `main.cf` and `master.cf`, `$name` expansion, and the table of all parameters
//! with type, default, range and meaning.
//!
//! [`Config`] answers what a parameter is set to, typed by the keys in [`param`]; [`mod@expand`] is the expansion by itself, for
//! texts with names of other kinds; [`main_cf`] and [`master_cf`] read the files. What a value means is left to the
//! program that asked for it.

mod check;
pub mod compat;
mod config;
pub mod expand;
mod general;
pub mod lines;
pub mod main_cf;
pub mod master_cf;
mod non_bdb;
pub mod param;
mod source;
pub mod system;
pub mod table;
mod table_types;
pub mod transport;
pub mod values;

pub use check::Accounts;
pub use config::Config;
pub use non_bdb::MigrationLevel;
pub use source::Source;
pub use table::{Kind, Param, Row};
pub use table_types::TABLE_TYPES;

/// What is wrong with the configuration; the text is what Postfix logs as `fatal:`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// Where `main.cf` is, unless `-c` or `MAIL_CONFIG` say otherwise.
pub const DEFAULT_DIRECTORY: &str = "/etc/postfix";

/// The value of `service_name` in a program that is no service.
pub const NO_SERVICE_NAME: &str = "amnesiac";
