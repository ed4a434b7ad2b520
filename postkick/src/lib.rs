//! The `postkick` command.
