//! The life of one connection from the network: who it is, what it says, what the restrictions think of it, and the mail that
//! goes on to cleanup.
//!
//! `serve` talks to the client; `session` knows the grammar and the state of the dialogue, and `access` the restrictions, both
//! without any I/O.

mod access;
mod conn;
mod enqueue;
mod expand;
#[cfg(test)]
mod fake;
mod haproxy;
mod logline;
mod names;
mod notify;
mod params;
mod peer;
mod proxy;
mod serve;
mod service;
mod session;
mod text;
mod verify;
mod world;

pub use service::Smtpd;
