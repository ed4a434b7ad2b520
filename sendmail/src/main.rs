//! Start of the `sendmail` command, which is also `mailq` and `newaliases`.

fn main() -> std::process::ExitCode {
    pf_sendmail::main()
}
