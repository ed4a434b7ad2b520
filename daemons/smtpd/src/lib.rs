//! The life of one connection from the network: who it is, what it says, what the restrictions think of it, and the mail that
//! goes on to cleanup.
//!
//! `serve` talks to the client; `session` knows the grammar and the state of the dialogue, and `access` the restrictions, both
//! without any I/O.

mod access;
mod expand;
mod logline;
mod params;
mod session;
mod text;
