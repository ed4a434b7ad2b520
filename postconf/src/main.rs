//! The `postconf` command.

fn main() -> std::process::ExitCode {
    pf_postconf::main()
}
