//! `testkit`: to be described.
