//! Start of the `anvil` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_anvil::Anvil>()
}
