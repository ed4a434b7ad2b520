//! The anvil daemon: counts connections and events of remote clients for the servers that ask it, so that they can limit them
//! (anvil(8)). It limits nothing itself, and everything it knows is in memory.
//!
//! [`counters`] holds the numbers (pure, with a clock of its own), [`peaks`] what is logged of them, [`serve`] the
//! connections.

mod counters;
mod peaks;
mod serve;

pub use serve::Anvil;
