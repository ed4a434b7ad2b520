//! The `postfix` command.

fn main() -> std::process::ExitCode {
    pf_postfix::main()
}
