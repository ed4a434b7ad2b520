//! The `postcat` command: what stands in a queue file, for people to read (postcat(1)).
//!
//! `run` is the command line and finds the files, `input` reads records where they are, `show` turns them into lines.

mod input;
mod run;
mod show;

pub use run::{SPEC, main};
