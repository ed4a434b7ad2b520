//! The parameters of Postfix 3.11, one constant each: the name of the parameter in upper case
//! (`2bounce_notice_recipient` is [`TWOBOUNCE_NOTICE_RECIPIENT`]), in files by topic.

use crate::table::Row;

mod client;
mod client_security;
mod delivery;
mod lmtp;
mod message;
mod milter;
mod postscreen;
mod queue;
mod server;
mod server_security;
mod system;
mod tls;
mod tlsproxy;
mod verify;

pub use client::*;
pub use client_security::*;
pub use delivery::*;
pub use lmtp::*;
pub use message::*;
pub use milter::*;
pub use postscreen::*;
pub use queue::*;
pub use server::*;
pub use server_security::*;
pub use system::*;
pub use tls::*;
pub use tlsproxy::*;
pub use verify::*;

pub(crate) const TOPICS: &[&[&Row]] = &[
    client::ROWS,
    client_security::ROWS,
    delivery::ROWS,
    lmtp::ROWS,
    message::ROWS,
    milter::ROWS,
    postscreen::ROWS,
    queue::ROWS,
    server::ROWS,
    server_security::ROWS,
    system::ROWS,
    tls::ROWS,
    tlsproxy::ROWS,
    verify::ROWS,
];
