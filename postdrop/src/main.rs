//! Start of the `postdrop` command.

fn main() -> std::process::ExitCode {
    pf_postdrop::main()
}
