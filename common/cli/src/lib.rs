//! How a command starts and ends: its options as getopt(3) scans them, `-c`, `-v`, `MAIL_CONFIG` and `MAIL_VERBOSE`, the usage
//! error, and the exit status with its line on standard error and in the log.
//!
//! A command describes itself in a [`Spec`]; [`run`] scans its arguments, sets up the log and calls it. What the options mean
//! is left to the command.

mod acl;
mod environment;
mod nearest;
mod options;
mod plain_table;
mod privileged;
mod progress;
mod run;

pub use acl::user_allowed;
pub use environment::{exported, imported, safe_environment};
pub use nearest::{
    map_meant, meant, meant_option, split_meant, suggest, suggest_option, tell_meant,
};
pub use options::{BadOption, LongOpt, Opt, Scanned, Spec, Takes};
pub use plain_table::plain_lookup;
pub use privileged::{authorize, require_listed, run_setgid};
pub use progress::Progress;
pub use run::{
    Failure, Invocation, Sinks, as_script, broken_pipe, open_log, open_log_as, open_log_tagged,
    plain_usage, run, run_as_called, run_checked, run_with, usage,
};
