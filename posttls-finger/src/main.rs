//! The `posttls-finger` command.

fn main() -> std::process::ExitCode {
    pf_posttls_finger::main()
}
