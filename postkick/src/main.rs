//! The `postkick` command.

fn main() -> std::process::ExitCode {
    pf_postkick::main()
}
