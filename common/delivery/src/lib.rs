//! What delivery agents share: receiving a request, telling what became of each recipient (to the log, to bounce, defer, trace and
//! verify, and in the queue file), and reading a message's content.
//!
//! For the agents that deliver on this machine, one message at a time: mailboxes, maildirs, commands, and passing mail on to
//! another agent. Where mail goes is each agent's business.

pub mod command;
mod content;
pub mod copy;
mod job;
mod logline;
mod loops;
pub mod maildir;
pub mod mbox;
mod pass;
mod report;
pub mod sysexits;
mod undelivered;

pub use content::Content;
pub use job::{Job, receive};
pub use logline::{Delays, format_delay};
pub use loops::DeliveredTo;
pub use pass::pass;
pub use report::{Agent, Verdict};
pub use undelivered::Undelivered;
