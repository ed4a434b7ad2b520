//! Start of the `discard` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_discard::Discard>()
}
