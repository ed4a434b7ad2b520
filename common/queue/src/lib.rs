//! The queue directory: which queues there are, how messages are named and spread over subdirectories, how a queue file comes
//! into being and is committed, found, moved, and edited in place.
//!
//! What stands in a queue file is a sequence of records, which `pf-record` owns. When mail moves from one queue to
//! another is the business of the programs. All calls block for as long as the file system takes.

pub mod bounce_log;
mod check;
mod create;
pub mod edit;
mod id;
mod lister;
pub mod mode;
mod name;
mod nursery;
mod queue;
mod scan;

pub use check::Check;
pub use create::NewFile;
pub use id::QueueId;
pub use lister::{Lister, Printer};
pub use name::QueueName;
pub use queue::{Queue, Settings, Space};
pub use scan::{Entry, Scan};
