//! Mail addresses as bytes: how a header's text falls into tokens and addresses and becomes text again ([`Token`]), the two
//! forms of one address ([`quote_822`], [`unquote_822`], [`quote_821`]), address extensions ([`Delimiters`]), and the ASCII
//! and Unicode forms of a domain ([`idn`]).
//!
//! *External* form is what messages carry (`"a b"@example`), *internal* form is what tables and queue files hold
//! (`a b@example`). What an address means, and where its mail goes, is left to `trivial-rewrite` and the tables.

mod extension;
mod group;
pub mod idn;
mod print;
mod quote;
mod token;

pub use extension::Delimiters;
pub use group::{addresses, parse, parse_limited};
pub use print::{Externalized, HeaderText, externalize, externalize_header, internalize};
pub use quote::{
    Quoting, quote_821, quote_821_with, quote_822, quote_822_with, shown, unquote_822,
};
pub use token::{Address, Token, scan, scan_limited};

/// Where the local part of an address in internal form ends: at its last `@`.
pub fn domain_at(address: &[u8]) -> Option<usize> {
    memchr::memrchr(b'@', address)
}

/// The domain of an address in internal form: what follows its last `@`.
pub fn domain(address: &[u8]) -> Option<&[u8]> {
    address.get(domain_at(address)? + 1..)
}

/// Local part and domain of an address in internal form.
pub fn split(address: &[u8]) -> (&[u8], Option<&[u8]>) {
    match domain_at(address) {
        Some(at) => (
            address.get(..at).unwrap_or_default(),
            Some(address.get(at + 1..).unwrap_or_default()),
        ),
        None => (address, None),
    }
}
