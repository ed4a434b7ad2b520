//! The `postdrop` command: puts a message from standard input into the `maildrop` directory, with the rights of the setgid group
//! (postdrop(1)). Neither caller nor input is trusted: only known records pass, and none of them can forge a line of another
//! file.

mod filter;
mod run;
mod sender;

pub use run::{SPEC, main};
