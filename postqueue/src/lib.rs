//! The `postqueue` command: what users may see of the queue and ask of it, with the rights of the setgid group (postqueue(1)).

mod ask;
mod count;
mod list;
mod run;
mod shown;
mod table;

pub use run::{SPEC, main};
