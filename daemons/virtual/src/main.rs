//! Start of the `virtual` daemon.

fn main() -> std::process::ExitCode {
    pf_service::single::run::<pf_virtual::Virtual>()
}
