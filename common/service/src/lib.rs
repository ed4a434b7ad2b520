//! What every daemon is built on: the child's side of master's protocol (inherited descriptors, status messages, generation,
//! limits), the command line that master gives, logging, jail and privileges, and two skeletons: [`event`] serves many clients
//! on one thread, [`single`] one client at a time in a process that may change its identity.
//!
//! What a daemon says to its clients is its own business; master's side of the protocol is in the master daemon.

mod client;
mod context;
pub mod debugger;
pub mod event;
mod flow;
pub mod logging;
mod master;
mod options;
pub mod others;
mod pass;
pub mod single;
mod start;

pub use client::{Client, Stream};
pub use context::{Context, Jail, Limit, block_on};
pub use flow::Flow;
pub use master::{LISTEN_FD, STATUS_FD, Status};
pub use options::Options;
pub use start::Told;

/// How many clients a process serves at once when master says nothing: what Postfix's own skeleton for the service does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// One client.
    One,
    /// Any number.
    Many,
}

/// What reaches the service on its sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Clients that connect and speak a protocol.
    Connections,
    /// Short requests that wake the service up; nobody waits for an answer.
    Triggers,
    /// Datagrams.
    Datagrams,
}

/// Our master's word on how many clients a process serves at once; 0 for no limit.
pub const CLIENTS_VARIABLE: &str = "POSTFIX_RS_CLIENTS";

/// Under a master of ours this is in the environment: the programs around speak as we do.
pub const MASTER_VARIABLE: &str = "POSTFIX_RS_MASTER";
