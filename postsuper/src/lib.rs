//! The `postsuper` command: what the superuser does to the queue (postsuper(1)).
//!
//! `run` is the command line; `one` does things to messages that are named, `all` walks through whole queues, `chosen` finds
//! messages by what they are like; all move, remove and mark files as `work` says.

mod all;
mod chosen;
mod one;
mod parallel;
mod run;
mod work;

pub use run::{SPEC, main};
