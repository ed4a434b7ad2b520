//! Both systems side by side on what chance makes; `cargo xtask differ CASES SEED` plays many more cases.

use std::fmt::Write as _;

use compliance::differ;
use compliance::golden::check;
use compliance::random::Random;
use compliance::shell::at_once;
use compliance::testkit::{Instance, Target};

/// Up to so many pieces, and one more.
fn word(random: &mut Random, pieces: &[&str], longest: usize) -> String {
    (0..=random.below(longest))
        .map(|_| random.pick(pieces))
        .collect()
}

/// Commands with options, names, files, tables and queues of all kinds.
#[test]
fn commands() {
    let (count, reports) = differ::compare(800, 2026, &[], &Target::from_env());
    assert!(count >= 800);
    assert!(reports.is_empty(), "{}", reports.join("\n"));
}

/// Tables of patterns and networks made by chance: what each key finds.
#[test]
fn generated() {
    let instance = Instance::builder().build();
    std::fs::create_dir(instance.path("work")).unwrap();
    let mut random = Random(2026);
    let mut cases = Vec::new();
    for number in 0..60 {
        let kind = ["regexp", "pcre", "cidr"][number % 3];
        let (mut table, mut keys) = (String::new(), String::new());
        // Long ones, too.
        let rules = if number % 10 == 0 { 120 } else { 12 };
        let mut depth = 0;
        for rule in 0..rules {
            let not = random.pick(&["", "", "", "", "!"]);
            let what = if kind == "cidr" {
                let bits = random.below(5) * 8;
                let mut address = [0; 4].map(|_: i32| random.below(3));
                address[bits / 8..].fill(0);
                let [a, b, c, d] = address;
                format!("{not}{a}.{b}.{c}.{d}/{bits}")
            } else {
                let pieces = [
                    "a", "b", "c", "ab", "b*", "c+", "(a|b)", ".", "[bc]", "[^a]", "(b)", "a?",
                    "c{2}", "^a", "c$", "\\.",
                ];
                format!(
                    "{not}/{}/{}",
                    word(&mut random, &pieces, 4),
                    random.pick(&["", "", "i"])
                )
            };
            match random.below(12) {
                0 => {
                    depth += 1;
                    let _ = writeln!(table, "if {what}");
                }
                1 if depth > 0 => {
                    depth -= 1;
                    table += "endif\n";
                }
                _ if what.contains('(') && not.is_empty() => {
                    let _ = writeln!(table, "{what} {rule}<$1>");
                }
                _ => {
                    let _ = writeln!(table, "{what} {rule}");
                }
            }
        }
        for _ in 0..depth {
            table += "endif\n";
        }
        for _ in 0..50 {
            if kind == "cidr" {
                let _ = writeln!(
                    keys,
                    "{}",
                    [0; 4].map(|_| random.below(4).to_string()).join(".")
                );
            } else {
                let _ = writeln!(
                    keys,
                    "{}",
                    word(&mut random, &["a", "b", "c", "A", "B", ".", "x"], 7)
                );
            }
        }
        instance.write(&format!("work/t{number}"), table);
        instance.write(&format!("work/k{number}"), keys);
        cases.push(format!(
            "postmap -q - {kind}:t{number} <k{number} | tr '\\n\\t' ' ='"
        ));
    }
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    check(
        &instance,
        "tables/generated",
        &at_once(&instance, "work", &cases),
    );
}
