//! The scache daemon: keeps idle connections of delivery agents for a moment, so that the next message to the same destination can
//! take one over, whichever process delivers it (scache(8)). It never reads from or writes to them.
//!
//! [`pf_smtp::idle`] holds the connections, [`statistics`] what is logged of them, [`serve`] the agents' requests.

mod serve;
mod statistics;

pub use serve::Scache;
