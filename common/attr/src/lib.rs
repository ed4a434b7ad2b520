//! `attr`: to be described.
