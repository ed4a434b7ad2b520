//! Takes mail that local users have put into the `maildrop` directory to cleanup (pickup(8)).
//!
//! A file there is hostile until proven otherwise: only known records pass, and one that makes no sense is removed with a warning.
//! A file is removed only when cleanup has the message safe in the queue.

mod copy;
mod params;
mod service;

pub use service::Pickup;
