//! Start of the `showq` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_showq::Showq>()
}
