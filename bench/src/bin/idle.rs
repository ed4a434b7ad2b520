//! The idle benchmark: many SMTP clients say EHLO and then nothing. `idle [sessions]`, once on the peer and once on ours in one
//! run; prints the memory that each session costs, and how long a new client waits for its banner while the others idle.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement ends at its first surprise"
)]

use std::time::{Duration, Instant};

use pf_testkit::{Instance, Target};

/// New clients while the others idle.
const NEW: usize = 50;

fn main() {
    let sessions = std::env::args()
        .nth(1)
        .map_or(1000, |arg| arg.parse().expect("a number"));
    idle("peer", Target::Peer(Target::peer_root()), sessions);
    idle("ours", Target::Ours(Target::our_prefix()), sessions);
}

fn idle(name: &str, target: Target, sessions: usize) {
    let instance = Instance::builder_for(target)
        .main_cf(&format!(
            "default_process_limit = {}\nsmtpd_client_connection_count_limit = 0\nsmtpd_peername_lookup = no",
            sessions + NEW + 10
        ))
        .start();
    let greet = || {
        let mut client = instance.smtp();
        assert_eq!(client.command("EHLO client.example").code, 250);
        client
    };
    drop(greet());
    let before = memory(&instance);
    let idle: Vec<_> = (0..sessions).map(|_| greet()).collect();
    let each = memory(&instance).saturating_sub(before) as f64 / sessions as f64;
    let mut waits: Vec<Duration> = (0..NEW)
        .map(|_| {
            let began = Instant::now();
            drop(instance.smtp());
            began.elapsed()
        })
        .collect();
    waits.sort_unstable();
    let (median, longest) = (waits[NEW / 2], waits[NEW - 1]);
    println!(
        "{name}: {sessions} idle sessions: {each:.1} KiB each; banner of a new one: {median:.1?}, at the longest {longest:.1?}"
    );
    drop(idle);
}

/// Memory of all daemons, in KiB.
fn memory(instance: &Instance) -> u64 {
    instance.processes().iter().map(|process| process.pss).sum()
}
