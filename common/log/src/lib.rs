//! `log`: to be described.
