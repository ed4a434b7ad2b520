//! Start of the `master` daemon.

fn main() -> std::process::ExitCode {
    pf_master::run()
}
