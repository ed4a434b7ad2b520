//! Half of the programs are Postfix's, half are ours, and somebody meddles with all that they say to each other. Mail waits for it,
//! but none is lost, none comes back that need not, and no program of ours breaks.
//!
//! `POSTFIX_RS_MEDDLE=seconds` makes it longer, with other programs each ten seconds.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use compliance::load::{Load, maildir, whole};
use compliance::meddler::Meddler;
use compliance::random::Random;
use compliance::testkit::{Instance, Sink, Target, wait_for};

/// The programs that speak on the sockets of the queue.
const PROGRAMS: [&str; 19] = [
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "error",
    "flush",
    "local",
    "pickup",
    "pipe",
    "postlogd",
    "postqueue",
    "proxymap",
    "qmgr",
    "scache",
    "showq",
    "smtp",
    "smtpd",
    "trivial-rewrite",
    "verify",
];

/// The other system's in the usual run: what they talk to is this one's.
const USUAL: [&str; 8] = [
    "smtpd", "qmgr", "pickup", "showq", "smtp", "local", "pipe", "flush",
];

const MAIN_CF: &str = "relayhost = [127.0.0.1]:2525
home_mailbox = Maildir/
virtual_alias_maps = proxy:inline:{{nickname@test.example = alice}}
proxy_read_maps = $local_recipient_maps, $virtual_alias_maps
smtpd_recipient_restrictions = inline:{{probed@far.example = reject_unverified_recipient}}, permit
smtpd_client_event_limit_exceptions =
smtp_connection_cache_destinations = 127.0.0.1
transport_maps = inline:{{piped@far.example = piped:}, {thrown@far.example = discard:}}
fast_flush_domains = far.example
smtpd_peername_lookup = no
smtp_host_lookup = native
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 2s
transport_retry_time = 1s
address_verify_poll_delay = 1s
address_verify_poll_count = 2
service_throttle_time = 1s
ipc_timeout = 5s
qmgr_ipc_timeout = 5s
qmgr_daemon_timeout = 20s
daemon_timeout = 20s
notify_classes =
in_flow_delay = 0";

/// Mail for each agent, mail that is asked about before it is taken, and mail that comes back.
fn recipient(token: usize) -> &'static str {
    match token % 10 {
        0 | 1 => "alice@test.example",
        2 => "nickname@test.example",
        3 => "never@far.example",
        4 => "piped@far.example",
        5 => "probed@far.example",
        _ => "someone@far.example",
    }
}

fn system(swapped: &[&str]) -> Instance {
    let target = match Target::from_env() {
        Target::Ours(_) => Target::OursInPeerRoot(Target::peer_root()),
        other => other,
    };
    let instance = Instance::builder_for(target)
        .swap(swapped)
        .main_cf(MAIN_CF)
        .build();
    let maildir = instance.path("home/alice/Maildir/new");
    let script = instance.write(
        "etc/deliver",
        format!(
            "mkdir -p {at}\nexec cat >{at}/$(date +%s%N).$$\n",
            at = maildir.display()
        ),
    );
    let services = format!(
        "{}scache unix - - n - 1 scache\npiped unix - n n - - pipe flags=q user=alice argv=/bin/sh {}\n",
        instance.read("etc/master.cf"),
        script.display()
    );
    instance.write("etc/master.cf", services);
    instance.start();
    instance
}

/// Programs of the other system: which ones, and for how long.
fn meddle(swapped: &[&str], seed: u64, time: Duration) {
    let instance = system(swapped);
    let sink = Sink::with(&instance, "127.0.0.1:2525", |line| {
        line.starts_with("RCPT TO:<never@")
            .then(|| "550 5.1.1 no such user".to_owned())
    });
    let load = Load::new(recipient, Duration::from_millis(20));
    let meddler = Meddler::between(&instance, seed);
    std::thread::scope(|scope| {
        let running = load.run(scope, &instance, 3);
        let end = Instant::now() + time;
        while Instant::now() < end {
            // Who asks meets trouble, too; any answer will do.
            instance.run("postqueue", &["-p"]);
            instance.run("postqueue", &["-s", "far.example"]);
            instance.run("sendmail", &["-bv", "alice@test.example"]);
            std::thread::sleep(Duration::from_millis(200));
        }
        drop(running);
    });
    let counts = meddler.leave();
    let accepted = load.accepted();
    let mut missing = BTreeSet::new();
    let done = wait_for(Duration::from_secs(25), || {
        let found = delivered(&instance, &sink);
        missing = accepted.difference(&found).copied().collect();
        missing.is_empty() || {
            instance.run("postqueue", &["-f"]);
            std::thread::sleep(Duration::from_millis(500));
            false
        }
    });
    assert!(
        done,
        "seed {seed}: of {} accepted these are missing: {missing:?}\n{}{counts:?}",
        accepted.len(),
        instance.run("postqueue", &["-j"]).stdout
    );
    let returned = maildir(&instance.path("home/bob/Maildir"));
    let needlessly: Vec<_> = returned
        .iter()
        .filter_map(|text| whole(text))
        .filter(|token| token % 10 != 3)
        .collect();
    assert!(
        needlessly.is_empty(),
        "seed {seed}: returned: {needlessly:?}"
    );
    assert!(accepted.len() > 50, "hardly any load: {}", accepted.len());
    let places: BTreeSet<&str> = counts.keys().map(|(service, _)| service.as_str()).collect();
    assert!(places.len() > 10, "meddled only with {places:?}");
    for line in instance.log().lines().filter(|line| line.contains("panic")) {
        assert!(!is_ours(&instance, swapped, line), "seed {seed}: {line}");
    }
}

/// Whether a line of the log is of a program of ours.
fn is_ours(instance: &Instance, swapped: &[&str], line: &str) -> bool {
    let of_the_other = swapped
        .iter()
        .any(|name| line.contains(&format!("postfix/{name}[")));
    of_the_other == instance.target().is_peer()
}

fn delivered(instance: &Instance, sink: &Sink) -> BTreeSet<usize> {
    let taken = sink.received().into_iter().map(|message| message.content);
    taken
        .chain(maildir(&instance.path("home/alice/Maildir")))
        .chain(maildir(&instance.path("home/bob/Maildir")))
        .filter_map(|text| whole(&text))
        .collect()
}

#[test]
fn trouble_on_every_socket_only_delays() {
    let longer = std::env::var("POSTFIX_RS_MEDDLE");
    let Some(seconds) = longer.ok().and_then(|text| text.parse::<u64>().ok()) else {
        return meddle(&USUAL, 5, Duration::from_secs(6));
    };
    let mut random = Random(1);
    for seed in 0..seconds.div_ceil(10) {
        let chosen: Vec<&str> = PROGRAMS
            .into_iter()
            .filter(|_| random.below(2) == 0)
            .collect();
        meddle(&chosen, seed, Duration::from_secs(10));
    }
}
