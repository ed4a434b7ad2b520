//! The `qshape` command.

fn main() -> std::process::ExitCode {
    pf_qshape::main()
}
