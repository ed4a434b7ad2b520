//! The `sendmail` command, as every Unix program expects it: submits mail, and runs other commands under its old names
//! (sendmail(1)).
//!
//! It has no rights of its own: [`submit`] speaks to `postdrop`, which has.

mod enqueue;
mod exit;
mod options;
mod recipients;
mod run;
mod submit;
mod words;

pub use run::main;
