//! The `master` daemon.
