//! The `postlock` command.
