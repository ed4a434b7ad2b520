//! Start of the `pipe` daemon.

fn main() -> std::process::ExitCode {
    pf_service::single::run::<pf_pipe::Pipe>()
}
