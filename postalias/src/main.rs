//! The `postalias` command.

fn main() -> std::process::ExitCode {
    pf_postalias::main()
}
