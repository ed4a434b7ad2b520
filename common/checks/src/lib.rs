//! Header and body checks: which table a header or a body line is looked up in, and what the table asks for, as an [`Action`].
//!
//! A result that makes no sense is logged and asks for nothing. What an action means for the message, and the line that is
//! logged about it, are the business of `cleanup` and of the SMTP client.

mod action;
mod tables;

pub use action::{Action, Party, Place, parse};
pub use tables::{Checks, before_nul};
