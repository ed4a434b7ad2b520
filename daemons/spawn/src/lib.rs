//! The `spawn` daemon.
