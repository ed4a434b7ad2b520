//! The `postlog` command.

fn main() -> std::process::ExitCode {
    pf_postlog::main()
}
