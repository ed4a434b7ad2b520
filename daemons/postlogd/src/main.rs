//! Start of the `postlogd` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_postlogd::Postlogd>()
}
