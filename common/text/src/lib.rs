//! Small syntaxes that all of Postfix shares and that know nothing of mail: printable text, lists of words, times, host names,
//! netstrings, xtext, white space.
//!
//! Addresses are `pf-address`'s business, headers `pf-mime`'s.

pub mod case;
pub mod hostaddr;
pub mod hostname;
pub mod netstring;
mod printable;
mod show;
pub mod space;
pub mod split;
pub mod time;
pub mod xtext;

pub use printable::{printable, printable_utf8};
pub use show::Show;
