//! Both systems side by side on cases made by chance: `differ [cases] [seed] [kind...]`. `cargo xtask differ` installs ours first.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for those who look for differences"
)]

use compliance::differ;
use compliance::testkit::Target;

fn main() -> std::process::ExitCode {
    let mut args = std::env::args().skip(1);
    let count = args.next().map_or(2000, |count| count.parse().unwrap());
    let seed = args.next().map_or(1, |seed| seed.parse().unwrap());
    let kinds: Vec<String> = args.collect();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let other = match std::env::var("POSTFIX_RS_TARGET").as_deref() {
        Ok("peer") => Target::Peer(Target::peer_root()),
        _ => Target::Ours(Target::our_prefix()),
    };
    let (count, reports) = differ::compare(count, seed, &kinds, &other);
    for report in &reports {
        println!("{report}");
    }
    println!("{count} cases with seed {seed}, {} differ", reports.len());
    std::process::ExitCode::from(u8::from(!reports.is_empty()))
}
