//! Start of the `trivial-rewrite` daemon.

use std::process::ExitCode;

fn main() -> ExitCode {
    pf_service::event::run::<pf_trivial_rewrite::TrivialRewrite>()
}
