//! The `showq` daemon.
