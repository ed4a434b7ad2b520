//! The `trivial-rewrite` daemon: brings addresses into their standard form, and tells where mail for an address goes.
//!
//! `rewrite` is the first, a pure function of address and parameters; `resolve` the second, which asks `tables` and
//! decides on their answers. How the answer is used (deliver, check, expand) is left to those who ask.

mod params;
mod resolve;
mod rewrite;
mod service;
mod tables;

pub use service::TrivialRewrite;
