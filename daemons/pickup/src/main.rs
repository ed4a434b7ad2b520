//! Start of the `pickup` daemon.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_pickup::Pickup>()
}
