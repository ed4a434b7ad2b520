//! The `smtpd` daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    pf_service::event::run::<pf_smtpd::Smtpd>()
}
