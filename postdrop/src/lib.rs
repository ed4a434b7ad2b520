//! The `postdrop` command.
