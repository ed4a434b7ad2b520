//! Start of the `postqueue` command.

fn main() -> std::process::ExitCode {
    pf_postqueue::main()
}
