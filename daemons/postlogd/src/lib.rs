//! The `postlogd` daemon.
