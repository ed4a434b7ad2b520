//! Start of the `local` daemon.

fn main() -> std::process::ExitCode {
    pf_service::single::run::<pf_local::Local>()
}
