//! The `pipe` daemon.
