//! `sys`: to be described.
