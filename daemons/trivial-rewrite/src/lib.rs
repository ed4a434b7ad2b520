//! The `trivial-rewrite` daemon.
