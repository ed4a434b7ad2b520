//! The `postsuper` command: what the superuser does to the queue (postsuper(1)).
//!
//! `run` is the command line; `one` does things to messages that are named, `all` walks through whole queues; both move,
//! remove and mark files as `work` says.

mod all;
mod one;
mod run;
mod work;

pub use run::main;
