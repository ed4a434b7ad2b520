//! `cli`: to be described.
