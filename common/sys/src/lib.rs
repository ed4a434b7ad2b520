//! The operating system, safely: descriptors, identities, locks, processes, time. The only crate with `unsafe` code, each
//! block of it about one call that has no safe form elsewhere.
//!
//! What a mail system does with these is for the crates above.

pub mod advice;
pub mod error;
pub mod fd;
pub mod host;
pub mod identity;
pub mod interrupt;
pub mod lock;
pub mod mailbox_lock;
pub mod posix_regex;
pub mod process;
pub mod safe_open;
pub mod time;
