//! Plays scenario files on the system that `POSTFIX_RS_TARGET` names and prints what happened: to look at both systems side by
//! side. `POSTFIX_RS_LOG` names a file for the whole mail log.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for those who write tests"
)]

fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(path).unwrap();
        let (instance, told) = compliance::scenario::play(&text);
        println!("{}", compliance::golden::normalise(&instance, &told));
        if let Some(path) = std::env::var_os("POSTFIX_RS_LOG") {
            std::fs::write(path, instance.log()).unwrap();
        }
    }
}
