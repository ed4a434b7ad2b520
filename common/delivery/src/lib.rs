//! `delivery`: to be described.
