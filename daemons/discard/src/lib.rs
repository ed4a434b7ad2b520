//! The `discard` daemon.
