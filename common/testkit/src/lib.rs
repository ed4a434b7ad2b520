//! What black-box tests stand on: private mail systems made from the peer's binaries or from ours, and the plain SMTP client,
//! SMTP sink and DNS server that such a test talks to.
//!
//! An [`Instance`] lives in namespaces of its own (mounts, network, processes), so tests run side by side, use ports 25 and
//! 53, bring their own `/etc/passwd` and `resolv.conf`, and leave nothing behind. Linux and root are needed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test ends at its first surprise, and says where"
)]

mod builder;
mod dns;
mod instance;
mod mixture;
mod namespace;
mod network;
mod output;
mod processes;
mod sink;
mod smtp;
mod target;

pub use builder::Builder;
pub use dns::Dns;
pub use instance::{Instance, wait_for};
pub use output::Output;
pub use processes::Process;
pub use sink::{Received, Sink};
pub use smtp::{Client, Reply};
pub use target::Target;
