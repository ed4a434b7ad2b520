//! The `postsuper` command.
