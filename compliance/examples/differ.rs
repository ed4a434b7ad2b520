//! Both systems side by side on cases made by chance: `differ [cases] [seed] [kind...]`, or all that
//! comes of one case, `differ kind/number [seed]`, or of a line of shell, `differ - main.cf script`. `cargo xtask differ` installs ours first.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool for those who look for differences"
)]

use compliance::differ;
use compliance::differ::case::Case;
use compliance::testkit::Target;

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if_eq("-").is_some() {
        return alone(&Case {
            main_cf: Some(args.next().unwrap().into_bytes()),
            script: args.next().unwrap().into_bytes(),
            ..Case::default()
        });
    }
    if let Some(name) = args.next_if(|word| word.contains('/')) {
        let seed = args.next().map_or(1, |seed| seed.parse().unwrap());
        let (kind, number) = name.split_once('/').unwrap();
        return alone(&differ::one(kind, number.parse().unwrap(), seed).unwrap());
    }
    let count = args.next().map_or(2000, |count| count.parse().unwrap());
    let seed = args.next().map_or(1, |seed| seed.parse().unwrap());
    let kinds: Vec<String> = args.collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let other = other();
    let (count, reports) = differ::compare(count, seed, &kinds, &other);
    for report in &reports {
        println!("{report}");
    }
    println!("{count} cases with seed {seed}, {} differ", reports.len());
    std::process::ExitCode::from(u8::from(!reports.is_empty()))
}

fn other() -> Target {
    match std::env::var("POSTFIX_RS_TARGET").as_deref() {
        Ok("peer") => Target::Peer(Target::peer_root()),
        _ => Target::Ours(Target::our_prefix()),
    }
}

fn alone(case: &Case) -> std::process::ExitCode {
    println!("{}", case.shown());
    for target in [Target::Peer(Target::peer_root()), other()] {
        println!("==== {}", if target.is_peer() { "peer" } else { "ours" });
        let effect = &differ::run::run(&target, &[case])[0];
        for (name, text) in effect {
            if ["stdout", "stderr", "status", "log"].contains(&name.as_str()) {
                println!("-- {name}\n{text}");
            }
        }
    }
    std::process::ExitCode::SUCCESS
}
