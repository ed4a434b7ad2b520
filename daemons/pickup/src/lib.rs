//! The `pickup` daemon.
