//! Start of the `cleanup` daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    pf_service::event::run::<pf_cleanup::Service>()
}
