//! `record`: to be described.
