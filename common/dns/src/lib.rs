//! Names and addresses: a stub resolver that asks the servers of `/etc/resolv.conf`, and `/etc/hosts`.
//!
//! Messages are read here and not by a library because a record that is malformed must not spoil the others of an answer; at most
//! [`MAX_RECORDS`] are taken. [`Validating`] asks for answers that somebody vouches for. What an answer means for mail (MX
//! preference, null MX, loops) is for the callers, and so is caching, which a resolver on the host does better.

mod answer;
mod ask;
mod check;
mod hosts;
mod message;
mod name;
mod order;
mod resolver;
mod search;
mod system;
mod validation;

pub use answer::{Answer, Found, Trouble};
pub use hosts::Hosts;
pub use message::{Data, Kind, Record};
pub use order::{by_weight, shuffle};
pub use resolver::Resolver;
pub use search::Appending;
pub use system::ResolvConf;
pub use validation::{BadProbe, Validating};

/// The most records that are taken from one answer.
pub const MAX_RECORDS: usize = 100;
