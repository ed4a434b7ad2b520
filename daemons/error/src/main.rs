//! Start of the `error` daemon, which is also the `retry` service.

fn main() -> std::process::ExitCode {
    pf_service::event::run::<pf_error::Reject>()
}
