//! Start of the `smtp` daemon, which is also the `lmtp` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_smtp_daemon::Smtp>()
}
