//! `service`: to be described.
