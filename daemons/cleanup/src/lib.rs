//! The `cleanup` daemon: takes a message from whoever received or made it, brings it into its standard form, and puts it into
//! the incoming queue.
//!
//! The life of a message: `serve` makes the queue file and tells the client its id; records come in and go
//! out through `message`, first those of the envelope (`envelope`), then the content (`content`, with `header`,
//! `missing` headers and the `action`s of checks), then what was extracted from it (`extracted`). Addresses are rewritten
//! and mapped on the way (`address`, `mapping`, `recipient`). At the end (`finish`) the file is committed and the queue
//! manager woken up, or the message is returned (`bounce`) or removed. How addresses are rewritten is left to
//! `trivial-rewrite`; milters are not spoken to.

mod action;
mod address;
mod bounce;
mod content;
mod envelope;
mod extracted;
mod finish;
mod fullname;
mod header;
mod mapping;
mod message;
mod missing;
mod notify;
mod output;
mod params;
mod recipient;
mod reports;
mod serve;
mod service;
mod tables;
#[cfg(test)]
mod whole_messages;

use pf_text::Show;

pub use service::Service;
