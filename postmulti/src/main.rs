//! The `postmulti` command.

fn main() -> std::process::ExitCode {
    pf_postmulti::main()
}
