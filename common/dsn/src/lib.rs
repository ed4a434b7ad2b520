//! Delivery status: enhanced status codes (RFC 3463), what became of a recipient, and what a sender wants to be told
//! (RFC 3461).

mod notify;
mod status;

pub use notify::{Notify, Ret};
pub use status::{Dsn, Outcome, Status, split_text};
