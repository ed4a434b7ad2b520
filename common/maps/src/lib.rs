//! Lookup tables: everything that `main.cf` names as `type:name`, lists of such tables, the ways in which addresses are looked
//! up in them, and match lists.
//!
//! A lookup has three outcomes which no caller may fold ([`Lookup`]). Local tables answer at once; those that ask a server
//! (`proxy`, `socketmap`, `tcp`) do not block others. A table whose file has changed is opened again in place. What a result
//! means is the business of the feature that asked.

pub mod addr_find;
pub mod alias_file;
pub mod build;
mod cdb_file;
mod cdb_writer;
mod cidr;
mod compose;
mod delete;
pub mod dns_filter;
mod entries;
pub mod file_value;
mod hashed;
mod lmdb;
mod lmdb_writer;
mod lookup;
pub mod manage;
mod maps;
pub mod match_list;
mod net_client;
mod net_place;
pub mod non_bdb;
mod options;
mod passwd;
mod pattern_rules;
mod patterns;
mod pcre;
mod prefilter;
mod proxy;
mod regexp;
pub mod source_text;
mod spec;
mod table;

pub use lmdb_writer::LmdbWriter;
pub use lookup::{Lookup, LookupError};
pub use maps::{Maps, Which};
pub use options::Options;
pub use spec::open;
pub use table::{Entry, OpenError, Table, needs_restart, restart_wanted};
