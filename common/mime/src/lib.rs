//! `mime`: to be described.
