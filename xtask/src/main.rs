//! The project's own errands: `cargo xtask demo`, `test`, and the steps they are made of.

mod completions;
mod demo;
mod differ;
mod install;
mod layout;
mod mixed;
mod peer;
mod setup;
mod shell;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <task>
  demo        build, install below target/, start, send and deliver mail, stop: a guided tour
  test        install what is needed and run everything that must pass
  install     [--prefix P] [--destdir D] [--dev]: build and lay out programs, manuals and configuration
  completions [DIR]: write completions of all commands for bash, zsh and fish
  compliance  [peer|ours] [filter]: black-box tests, on both systems unless one is named
  differ      [CASES [SEED]]: both systems on command lines, tables and configurations that chance makes
  mixed       [--short] [--peer trixie|bookworm] [program...]: tests with one program of ours inside the peer, and the other way round
  tidy        check the direction of dependencies, the place of unsafe code, the manuals, what docs/ names
  setup       install the packages and make the accounts that the tests need
  peer        [forky|trixie|bookworm]: unpack that Debian's Postfix for comparison";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(),
        ["test"] => test::run(),
        ["install", options @ ..] => install::run(options),
        ["compliance", rest @ ..] => test::compliance(rest),
        ["mixed", rest @ ..] => mixed::run(rest),
        ["completions", rest @ ..] => completions::run(rest),
        ["differ", rest @ ..] => differ::run(rest),
        ["tidy"] => tidy::run(),
        ["setup"] => setup::run(),
        ["peer", name @ ..] => peer::Suite::named(name.first().copied()).and_then(peer::run),
        _ => Err(anyhow::anyhow!("{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            shell::say(&format!("xtask: {err:#}"));
            ExitCode::FAILURE
        }
    }
}
