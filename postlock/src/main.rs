//! The `postlock` command.

fn main() -> std::process::ExitCode {
    pf_postlock::main()
}
