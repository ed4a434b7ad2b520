//! Start of the `flush` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_flush::Flush>()
}
