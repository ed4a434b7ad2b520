//! Start of the `spawn` daemon.

fn main() -> std::process::ExitCode {
    pf_service::single::run::<pf_spawn::Spawn>()
}
