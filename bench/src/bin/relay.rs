//! The relay benchmark: mail comes in by SMTP and goes out by SMTP, once through the peer and once through ours, in turn, in
//! one run. `relay [messages] [sessions] [bytes] [rounds]`; prints two lines for each system and setting, and ratios.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a measurement ends at its first surprise"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use pf_testkit::{Instance, Target, wait_for};

/// What one run came to.
#[derive(Debug, Clone)]
struct Figures {
    /// Messages per second until the queue was empty.
    rate: f64,
    /// Processor seconds of the mail system per 1,000 messages.
    cpu: f64,
    /// Context switches per message.
    switches: f64,
    /// Memory of all daemons after the run, in KiB.
    pss: u64,
    /// Processor seconds of each program per 1,000 messages; those of ended processes count as master's.
    programs: BTreeMap<String, f64>,
}

fn main() {
    let args: Vec<usize> = std::env::args()
        .skip(1)
        .map(|arg| arg.parse().expect("a number"))
        .collect();
    let number = |at: usize, usual: usize| args.get(at).copied().unwrap_or(usual);
    let (messages, sessions, bytes, rounds) = (
        number(0, 2000),
        number(1, 20),
        number(2, 4096),
        number(3, 2),
    );
    println!("{messages} messages of {bytes} bytes, {sessions} sessions");
    // One system alone, for a look at it with a profiler.
    let only = std::env::var_os("POSTFIX_RS_TARGET").map(|_| Target::from_env());
    for delay in ["0", "1s"] {
        let run = |target: Target| relay(target, delay, messages, sessions, bytes);
        if let Some(target) = &only {
            show("alone", delay, &run(target.clone()));
            continue;
        }
        let (mut peer, mut ours) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            peer.push(run(Target::Peer(Target::peer_root())));
            ours.push(run(Target::Ours(Target::our_prefix())));
        }
        let (peer, ours) = (best(&peer), best(&ours));
        show("peer", delay, &peer);
        show("ours", delay, &ours);
        println!(
            "in_flow_delay={delay}: ours/peer: {:.2}x messages per second, {:.2}x CPU, {:.2}x memory",
            ours.rate / peer.rate,
            ours.cpu / peer.cpu,
            ours.pss as f64 / peer.pss as f64
        );
    }
}

fn best(runs: &[Figures]) -> Figures {
    runs.iter()
        .max_by(|a, b| a.rate.total_cmp(&b.rate))
        .expect("a run")
        .clone()
}

fn show(name: &str, delay: &str, figures: &Figures) {
    println!(
        "in_flow_delay={delay}: {name}: {:.0} messages/s, {:.2} CPU s per 1000, {:.1} context switches each, {} KiB",
        figures.rate, figures.cpu, figures.switches, figures.pss
    );
    let mut programs = String::new();
    for (program, cpu) in &figures.programs {
        if *cpu >= 0.005 {
            let _ = write!(programs, " {program} {cpu:.2}");
        }
    }
    println!("    CPU s per 1000 by program:{programs}");
}

/// One run through one system.
fn relay(
    target: Target,
    in_flow_delay: &str,
    messages: usize,
    sessions: usize,
    bytes: usize,
) -> Figures {
    let instance = Instance::builder_for(target)
        .main_cf(&format!(
            "relayhost = [127.0.0.1]:2525\nin_flow_delay = {in_flow_delay}\nsmtpd_peername_lookup = no\nsmtp_host_lookup = native"
        ))
        .start();
    let mut sink = start(&instance, "smtp-sink", &["127.0.0.1:2525", "1000"]);
    drop(instance.smtp());
    drop(instance.connect("127.0.0.1", "127.0.0.1:2525"));
    let before = usage(&instance);
    let began = Instant::now();
    let mut source = start(
        &instance,
        "smtp-source",
        &[
            "-s",
            &sessions.to_string(),
            "-m",
            &messages.to_string(),
            "-l",
            &bytes.to_string(),
            "-f",
            "sender@test.example",
            "-t",
            "recipient@far.example",
            "127.0.0.1:25",
        ],
    );
    let status = source.wait().unwrap();
    assert!(
        status.success(),
        "smtp-source: {status}\n{}",
        instance.log()
    );
    let done = wait_for(Duration::from_secs(120), || {
        ["incoming", "active", "deferred"].iter().all(|queue| {
            std::fs::read_dir(instance.path(&format!("spool/{queue}")))
                .unwrap()
                .next()
                .is_none()
        })
    });
    assert!(done, "the queue does not become empty\n{}", instance.log());
    let seconds = began.elapsed().as_secs_f64();
    let after = usage(&instance);
    sink.kill().unwrap();
    sink.wait().unwrap();
    let sent = instance.log().matches("status=sent").count();
    assert_eq!(sent, messages, "messages were lost");
    let per_thousand = |ticks: f64| ticks / messages as f64 * 1000.0;
    let programs = after
        .iter()
        .map(|(name, used)| {
            let earlier = before.get(name).map_or(0.0, |used| used.cpu);
            (name.clone(), per_thousand(used.cpu - earlier))
        })
        .collect();
    let (before, after) = (total(&before), total(&after));
    Figures {
        rate: messages as f64 / seconds,
        cpu: per_thousand(after.cpu - before.cpu),
        switches: after.switches.saturating_sub(before.switches) as f64 / messages as f64,
        pss: after.pss,
        programs,
    }
}

/// What the processes of one program have used.
#[derive(Debug, Clone, Copy, Default)]
struct Usage {
    cpu: f64,
    switches: u64,
    pss: u64,
}

impl Usage {
    fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.switches += other.switches;
        self.pss += other.pss;
    }
}

/// Processor seconds, context switches and memory of all daemons, by program.
fn usage(instance: &Instance) -> BTreeMap<String, Usage> {
    let mut programs: BTreeMap<String, Usage> = BTreeMap::new();
    for process in instance.processes() {
        programs.entry(process.name).or_default().add(Usage {
            cpu: process.cpu,
            switches: process.switches,
            pss: process.pss,
        });
    }
    programs
}

fn total(programs: &BTreeMap<String, Usage>) -> Usage {
    let mut sum = Usage::default();
    for used in programs.values() {
        sum.add(*used);
    }
    sum
}

/// Starts one of our own load generators inside the instance; on the peer they are copied where its root can reach them.
fn start(instance: &Instance, name: &str, args: &[&str]) -> Child {
    let built = std::env::current_exe().unwrap().with_file_name(name);
    let place = instance.path(name);
    std::fs::copy(&built, &place)
        .unwrap_or_else(|err| panic!("{}: {err}: build it first", built.display()));
    instance
        .command(place.to_str().unwrap())
        .args(args)
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}
