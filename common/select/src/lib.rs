//! Which messages of the queue a command is about, when it is told by options and not by queue ids: `--sender`, `--older` and
//! their like of postqueue and postsuper. Postfix has no such options; docs/extensions.md explains them.
//!
//! What a message is like is told as the showq service tells it. Where it is read from, and what is done to it, is for the commands.

mod criteria;
mod options;

pub use criteria::Criteria;
pub use options::{OPTIONS, OPTIONS_AND_DRY_RUN, criteria};
