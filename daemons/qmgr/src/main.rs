//! Start of the `qmgr` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_qmgr::Qmgr>()
}
