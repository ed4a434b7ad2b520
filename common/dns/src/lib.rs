//! Names and addresses: a stub resolver that asks the servers of `/etc/resolv.conf`, and `/etc/hosts`.
//!
//! Messages are read here and not by a library because a record that is malformed must not spoil the others of an answer; at most
//! [`MAX_RECORDS`] are taken. What an answer means for mail (MX preference, null MX, loops) is for the callers, and so is
//! caching, which a resolver on the host does better.

mod answer;
mod ask;
mod check;
mod hosts;
mod message;
mod name;
mod resolver;
mod search;
mod system;

pub use answer::{Answer, Found, Trouble};
pub use hosts::Hosts;
pub use message::{Data, Kind, Record};
pub use resolver::Resolver;
pub use search::Appending;
pub use system::ResolvConf;

/// The most records that are taken from one answer.
pub const MAX_RECORDS: usize = 100;
