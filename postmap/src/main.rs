//! The `postmap` command.

fn main() -> std::process::ExitCode {
    pf_postmap::main()
}
