//! What delivery agents share: receiving a request, telling what became of each recipient (to the log, to bounce, defer, trace and
//! verify, and in the queue file), and reading a message's content.
//!
//! How mail is delivered is each agent's business.

mod content;
mod job;
mod logline;
mod report;

pub use content::Content;
pub use job::{Job, receive};
pub use logline::{Delays, format_delay};
pub use report::{Agent, Verdict};
