//! The dialogue: what a client said so far, the grammar of its commands and of message content. No socket, no clock, no log.

pub(crate) mod bdat;
pub(crate) mod command;
pub(crate) mod content;
pub(crate) mod ehlo;
pub(crate) mod errors;
pub(crate) mod history;
pub(crate) mod hostname;
pub(crate) mod mail;
pub(crate) mod rcpt;
pub(crate) mod received;
pub(crate) mod reply;
pub(crate) mod state;
pub(crate) mod token;
pub(crate) mod xclient;
pub(crate) mod xforward;
