//! Start of the `postcat` command.

fn main() -> std::process::ExitCode {
    pf_postcat::main()
}
