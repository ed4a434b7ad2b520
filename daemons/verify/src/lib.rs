//! The `verify` daemon: what is known of addresses elsewhere, for mail servers that ask before they accept a recipient or
//! a sender.
//!
//! A question about an address is answered at once from the `cache`; when the answer is missing or old, a probe message is
//! sent whose delivery is never completed, and whose outcome delivery agents report back as an update. What an `entry`
//! means at a given time is decided there, without I/O. Where probes go is left to `trivial-rewrite` and the delivery agents.

mod cache;
mod entry;
mod service;

pub use service::Verify;
