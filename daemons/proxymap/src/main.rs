//! Start of the `proxymap` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_proxymap::Proxymap>()
}
