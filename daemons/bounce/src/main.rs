//! The `bounce` daemon: the services bounce, defer and trace.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_bounce::Bounce>()
}
