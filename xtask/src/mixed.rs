//! Mixed systems: each program of ours alone inside the peer's system, and each of the peer's alone inside ours.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::install::{Plan, install};
use crate::layout::Layout;
use crate::shell::{command, say, target_dir};

/// A program, the files of compliance tests that touch it, and the one test that a quick look takes.
struct Row {
    program: &'static str,
    files: &'static [&'static str],
    quick: (&'static str, &'static str),
}

const fn row(
    program: &'static str,
    files: &'static [&'static str],
    quick: (&'static str, &'static str),
) -> Row {
    Row {
        program,
        files,
        quick,
    }
}

const REBOUND: (&str, &str) = ("journey", "a_refused_recipient_comes_back_as_a_bounce");
const DEFERRED: (&str, &str) = (
    "journey",
    "an_unreachable_server_defers_and_a_flush_delivers",
);
const DELIVERED: (&str, &str) = ("journey", "sendmail_to_a_local_mailbox");
const RELAYED: (&str, &str) = ("journey", "smtp_in_and_smtp_out_through_a_relay");

/// Daemons first, then commands.
const ROWS: &[Row] = &[
    row(
        "anvil",
        &["journey", "master", "scenarios", "smtpd"],
        ("master", "anvil_counts"),
    ),
    row(
        "bounce",
        &["bounce", "journey", "local", "qmgr", "qmgr_ages", "smtp"],
        REBOUND,
    ),
    row(
        "cleanup",
        &[
            "cleaning",
            "journey",
            "maildrop",
            "queueing",
            "scenarios",
            "submission",
        ],
        ("cleaning", "each_parameter"),
    ),
    row(
        "discard",
        &["journey", "qmgr_routes", "scenarios"],
        ("qmgr_routes", "routes_groups_and_senders"),
    ),
    row(
        "error",
        &["journey", "qmgr", "qmgr_routes", "scenarios"],
        ("qmgr", "what_cannot_be_delivered_now_waits_for_its_reason"),
    ),
    row(
        "flush",
        &["flush", "journey"],
        ("flush", "a_site_asks_for_its_mail"),
    ),
    row(
        "local",
        &["journey", "local", "local_more", "local_parameters"],
        DELIVERED,
    ),
    row(
        "master",
        &["journey", "master", "small_commands"],
        ("master", "never_more_clients_than_the_process_limit"),
    ),
    row("pickup", &["journey", "maildrop", "submission"], DELIVERED),
    row(
        "pipe",
        &["journey", "pipe"],
        ("pipe", "commands_of_master_cf"),
    ),
    row(
        "postlogd",
        &["journey", "master", "small_commands"],
        ("small_commands", "postlogd"),
    ),
    row(
        "proxymap",
        &["journey", "queueing", "scenarios"],
        ("scenarios", "daemons_in_a_chroot_jail"),
    ),
    row(
        "qmgr",
        &[
            "journey",
            "qmgr",
            "qmgr_ages",
            "qmgr_files",
            "qmgr_routes",
            "queueing",
        ],
        DEFERRED,
    ),
    row(
        "scache",
        &["scache", "smtp_reuse"],
        ("scache", "connections_are_kept_and_given"),
    ),
    row(
        "showq",
        &["journey", "postqueue", "postsuper"],
        ("postqueue", "listings"),
    ),
    row("smtp", &["journey", "scenarios", "smtp"], RELAYED),
    row("smtpd", &["journey", "scenarios", "smtpd"], RELAYED),
    row(
        "spawn",
        &["journey", "master"],
        ("master", "spawn_runs_a_command_as_somebody_else"),
    ),
    row(
        "trivial-rewrite",
        &[
            "journey",
            "queueing",
            "qmgr_routes",
            "rewriting",
            "scenarios",
        ],
        ("rewriting", "each_parameter"),
    ),
    row(
        "verify",
        &["journey", "queueing", "smtpd"],
        ("queueing", "probes"),
    ),
    row(
        "virtual",
        &["journey", "virtual_mailboxes"],
        ("virtual_mailboxes", "mailboxes_and_maildirs"),
    ),
    row(
        "postalias",
        &["local", "tables"],
        ("tables", "command_lines"),
    ),
    row(
        "postcat",
        &["postcat"],
        ("postcat", "files_of_real_messages"),
    ),
    row("postconf", &["journey", "postconf"], ("postconf", "values")),
    row(
        "postdrop",
        &["journey", "maildrop", "submission"],
        DELIVERED,
    ),
    row(
        "postfix",
        &["journey", "master"],
        ("master", "reload_changes_services_and_status_tells"),
    ),
    row(
        "postkick",
        &["small_commands"],
        ("small_commands", "postkick"),
    ),
    row(
        "postlock",
        &["small_commands"],
        ("small_commands", "postlock"),
    ),
    row(
        "postlog",
        &["small_commands"],
        ("small_commands", "postlog"),
    ),
    row("postmap", &["tables"], ("tables", "indexes")),
    row("postqueue", &["flush", "journey", "postqueue"], DEFERRED),
    row("postsuper", &["postsuper"], ("postsuper", "named_messages")),
    row("sendmail", &["journey", "submission"], DELIVERED),
];

/// The original's `postfix` runs scripts beside its daemons, which ours does not have.
const NOT_INSIDE_OURS: &str = "postfix";

/// `cargo xtask mixed [--short] [PROGRAM...]`: prints how many of the tests that touch a program pass, both ways.
pub fn run(words: &[&str]) -> Result<()> {
    let short = words.contains(&"--short");
    let wanted: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| *word != "--short")
        .collect();
    for name in &wanted {
        ensure!(
            ROWS.iter().any(|row| row.program == *name),
            "mixed: no program {name}"
        );
    }
    crate::setup::run()?;
    crate::peer::run()?;
    install(&Plan {
        layout: Layout::below(&target_dir().join("postfix-rs")),
        destdir: "".into(),
        release: false,
    })?;
    say(&line("", "ours inside", "the peer's"));
    say(&line("", "the peer", "inside ours"));
    let mut failures = Vec::new();
    for row in ROWS {
        if !wanted.is_empty() && !wanted.contains(&row.program) {
            continue;
        }
        let inside_peer = try_out(row, "peer", short)?;
        let inside_ours = if row.program == NOT_INSIDE_OURS {
            Outcome::default()
        } else {
            try_out(row, "ours", short)?
        };
        say(&line(
            row.program,
            &inside_peer.shown(),
            &inside_ours.shown(),
        ));
        let program = row.program;
        let told = |outcome: Outcome, how: &str| {
            outcome
                .failed
                .into_iter()
                .map(move |test| format!("{how} {program}: {test}"))
                .collect::<Vec<_>>()
        };
        failures.extend(told(inside_peer, "our"));
        failures.extend(told(inside_ours, "the peer's"));
    }
    ensure!(failures.is_empty(), "failed:\n{}", failures.join("\n"));
    Ok(())
}

fn line(program: &str, inside_peer: &str, inside_ours: &str) -> String {
    format!("{program:16} {inside_peer:>12} {inside_ours:>12}")
}

/// What came of the tests of one cell.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: Vec<String>,
}

impl Outcome {
    fn shown(&self) -> String {
        match self.passed + self.failed.len() {
            0 => "-".to_owned(),
            all => format!("{} of {all}", self.passed),
        }
    }
}

/// Runs the tests of a row on a system in which its program is the other one's.
fn try_out(row: &Row, target: &str, short: bool) -> Result<Outcome> {
    let mut cargo = command("cargo", &["test", "--locked", "--package", "compliance"]);
    let (quick_file, quick_test) = row.quick;
    cargo.arg("--");
    if short {
        cargo.args(["--exact", &format!("{quick_file}::{quick_test}")]);
    } else {
        cargo.args(row.files.iter().map(|file| format!("{file}::")));
    }
    cargo
        .args(["--test-threads", "4"])
        .env("POSTFIX_RS_TARGET", target)
        .env("POSTFIX_RS_SWAP", row.program)
        .env("POSTFIX_RS_PREFIX", target_dir().join("postfix-rs"))
        .stderr(Stdio::null());
    let output = cargo.output().context("cannot run cargo")?;
    let mut outcome = Outcome::default();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            outcome.failed.push(name.to_owned());
        } else if line.starts_with("test ") && line.ends_with(" ... ok") {
            outcome.passed += 1;
        }
    }
    ensure!(
        outcome.passed + outcome.failed.len() > 0,
        "{cargo:?}: no test ran"
    );
    Ok(outcome)
}
