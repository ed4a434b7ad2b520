//! Start of the `scache` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_scache::Scache>()
}
