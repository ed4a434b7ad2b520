//! Start of the `postsuper` command.

fn main() -> std::process::ExitCode {
    pf_postsuper::main()
}
