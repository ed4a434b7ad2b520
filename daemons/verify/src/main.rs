//! Start of the `verify` daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    pf_service::event::run::<pf_verify::Verify>()
}
