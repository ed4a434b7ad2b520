//! The `qmgr` daemon.
