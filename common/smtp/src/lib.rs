//! `smtp`: to be described.
