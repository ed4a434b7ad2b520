//! Both systems side by side on cases made by chance: files, then a line of shell; what it says and what it leaves behind has to
//! be the same. `cargo xtask differ [cases] [seed] [kind...]`.
//!
//! * [`case`]: what a case is made of
//! * [`tree`]: its files made, and what is there afterwards
//! * [`run`]: many cases on one system
//! * [`tables`] (made from `sources`), [`configuration`] (of `files`), [`queue_files`], [`queues`], [`letters`], [`small`]: kinds of
//!   cases

pub mod case;
pub mod configuration;
mod files;
pub mod letters;
pub mod queue_files;
pub mod queues;
pub mod run;
pub mod small;
mod sources;
pub mod tables;
pub mod tree;

use std::fmt::Write as _;

use pf_testkit::Target;

use crate::random::Random;
use case::Case;
use run::Effect;

/// A kind of cases: its name, the share of all cases that it gets, and what makes one.
pub type Kind = (&'static str, usize, fn(&mut Random) -> Case);

/// All kinds.
pub const KINDS: &[Kind] = &[
    ("postmap", 20, tables::postmap),
    ("postalias", 8, tables::postalias),
    ("postconf", 24, configuration::postconf),
    ("postcat", 12, queue_files::postcat),
    ("postsuper", 12, queues::postsuper),
    ("postqueue", 8, queues::postqueue),
    ("qshape", 4, queues::qshape),
    ("sendmail", 10, letters::sendmail),
    ("postlog", 3, small::postlog),
    ("postkick", 2, small::postkick),
    ("postlock", 3, small::postlock),
    ("postmulti", 2, small::postmulti),
    ("postfix", 2, small::postfix),
];

/// Cases that go through an instance at once.
const CHUNK: usize = 400;

/// Runs about `count` cases on the peer and on `other`; gives how many there were, and a report of each difference.
pub fn compare(count: usize, seed: u64, kinds: &[&str], other: &Target) -> (usize, Vec<String>) {
    let kinds: Vec<&Kind> = KINDS
        .iter()
        .filter(|(name, _, _)| kinds.is_empty() || kinds.contains(name))
        .collect();
    let shares: usize = kinds.iter().map(|(_, share, _)| share).sum();
    let mut cases: Vec<(String, Case)> = Vec::new();
    for (name, share, make) in kinds {
        for number in 0..(count * share).div_ceil(shares) {
            cases.push((
                format!("{name}/{number}"),
                make(&mut dice(seed, name, number)),
            ));
        }
    }
    // Slow ones lie among the others.
    let mut order = Random(seed);
    for at in (1..cases.len()).rev() {
        cases.swap(at, order.below(at + 1));
    }
    let mut reports = Vec::new();
    for chunk in cases.chunks(CHUNK) {
        let chunk: Vec<&(String, Case)> = chunk.iter().collect();
        // Where one was only slow, or read a directory in another order, a second time shows it.
        let suspects: Vec<_> = differing(&chunk, other)
            .into_iter()
            .map(|(case, ..)| case)
            .collect();
        for ((name, case), wanted, found) in differing(&suspects, other) {
            reports.push(report(name, case, &wanted, &found));
        }
    }
    (cases.len(), reports)
}

/// Those of these cases that the two systems treat differently, and what both do.
fn differing<'a>(
    cases: &[&'a (String, Case)],
    other: &Target,
) -> Vec<(&'a (String, Case), Effect, Effect)> {
    if cases.is_empty() {
        return Vec::new();
    }
    let made: Vec<&Case> = cases.iter().map(|(_, case)| case).collect();
    let peer = Target::Peer(Target::peer_root());
    let (wanted, found) = std::thread::scope(|scope| {
        let one = scope.spawn(|| run::run(&peer, &made));
        let two = scope.spawn(|| run::run(other, &made));
        (one.join().unwrap(), two.join().unwrap())
    });
    let effects = wanted.into_iter().zip(found);
    cases
        .iter()
        .zip(effects)
        .filter(|(_, (wanted, found))| !no_judge(wanted) && differ(wanted, found))
        .map(|(case, (wanted, found))| (*case, wanted, found))
        .collect()
}

fn differ(wanted: &Effect, found: &Effect) -> bool {
    let cut = cut_short(wanted);
    wanted
        .keys()
        .chain(found.keys())
        .filter(|name| !cut || *name == "stderr" || *name == "status")
        .any(|name| wanted.get(name) != found.get(name))
}

/// Nothing that ends prints so many bytes.
const ENDLESS: usize = 100_000;

/// The original fell, or went round in circles until its time was over or its file too big.
fn no_judge(wanted: &Effect) -> bool {
    let text = |name: &str| wanted.get(name).map_or("", |text| text.trim());
    let told = ["Segmentation fault", "File size limit exceeded"];
    ["124", "139", "153"].contains(&text("status"))
        || text("stdout").len().max(text("stderr").len()) > ENDLESS / 2
        || told.iter().any(|line| text("stderr").contains(line))
}

/// Whether a queue was put in order only so far: the order is that of directories on the disk.
fn cut_short(wanted: &Effect) -> bool {
    let reasons = ["remove directory", "invalid directory name"];
    wanted.get("stderr").is_some_and(|stderr| {
        reasons
            .iter()
            .any(|reason| stderr.contains(&format!("postsuper: fatal: {reason}")))
    })
}

/// The case of this kind and number, alone.
pub fn one(name: &str, number: usize, seed: u64) -> Option<Case> {
    let (name, _, make) = KINDS.iter().find(|(kind, _, _)| *kind == name)?;
    Some(make(&mut dice(seed, name, number)))
}

/// Chance for one case: the same whatever other cases there are.
fn dice(seed: u64, name: &str, number: usize) -> Random {
    let mixed = name.bytes().fold(seed, |sum, byte| {
        sum.wrapping_mul(0x100_0000_01b3) ^ u64::from(byte)
    });
    let number = u64::try_from(number).unwrap();
    let mut random = Random((mixed ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    random.below(2);
    random
}

/// A case and what differs.
fn report(name: &str, case: &Case, wanted: &Effect, found: &Effect) -> String {
    let mut text = format!("==== {name}\n{}", case.shown());
    let names: std::collections::BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    for name in names {
        let (one, two) = (wanted.get(name), found.get(name));
        if one != two {
            let _ = writeln!(text, "-- {name}");
            let lines = |side: Option<&String>| -> Vec<String> {
                side.map(|text| text.lines().map(str::to_owned).collect())
                    .unwrap_or_default()
            };
            let (one, two) = (lines(one), lines(two));
            for (sign, lines, others) in [('-', &one, &two), ('+', &two, &one)] {
                let mut rest: Vec<&String> = others.iter().collect();
                for line in lines {
                    if let Some(at) = rest.iter().position(|other| *other == line) {
                        rest.remove(at);
                    } else {
                        let short: String = line.escape_debug().take(400).collect();
                        let _ = writeln!(text, "{sign} {short}");
                    }
                }
            }
            if one != two && {
                let (mut one, mut two) = (one.clone(), two.clone());
                one.sort();
                two.sort();
                one == two
            } {
                let _ = writeln!(
                    text,
                    "(the same lines in another order)\n{}\n===\n{}",
                    one.join("\n"),
                    two.join("\n")
                );
            }
        }
    }
    text
}
