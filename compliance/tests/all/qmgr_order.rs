//! Which message goes first when agents are scarce, and in which groups its recipients travel.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use compliance::agent::{self, Act, reply};
use compliance::delivery::{is_quiet, system_with};
use compliance::golden::check;
use compliance::testkit::{Instance, wait_for};

/// Transports that differ in one respect each.
const TRANSPORTS: &[(&str, &str)] = &[
    ("plain", ""),
    ("single", "destination_recipient_limit = 1"),
    (
        "cost2",
        "destination_recipient_limit = 1; delivery_slot_cost = 2",
    ),
    (
        "cost0",
        "destination_recipient_limit = 1; delivery_slot_cost = 0",
    ),
    (
        "cost1",
        "destination_recipient_limit = 1; delivery_slot_cost = 1",
    ),
    (
        "noloan",
        "destination_recipient_limit = 1; delivery_slot_loan = 0; delivery_slot_discount = 0",
    ),
    (
        "gift",
        "destination_recipient_limit = 1; delivery_slot_discount = 100",
    ),
    (
        "loan",
        "destination_recipient_limit = 1; delivery_slot_loan = 9; delivery_slot_discount = 0",
    ),
    (
        "large",
        "destination_recipient_limit = 1; minimum_delivery_slots = 9",
    ),
    (
        "small",
        "destination_recipient_limit = 1; minimum_delivery_slots = 0; delivery_slot_cost = 3",
    ),
    (
        "pairs",
        "destination_recipient_limit = 2; destination_concurrency_limit = 1",
    ),
    (
        "pieces",
        "destination_recipient_limit = 1; recipient_limit = 6; recipient_refill_limit = 3; extra_recipient_limit = 4; delivery_slot_cost = 2",
    ),
];

fn send(instance: &Instance, letter: char, count: usize, hosts: usize, transport: &str) {
    let to: Vec<_> = (1..=count)
        .map(|n| {
            format!(
                "{letter}{n:02}@{}{transport}.example",
                ["", "other."][n % hosts]
            )
        })
        .collect();
    let mut words = vec!["-i", "-f", "bob@test.example"];
    words.extend(to.iter().map(String::as_str));
    let active = || instance.log().matches("(queue active)").count();
    let before = active();
    instance.run_with("sendmail", &words, b"x\n");
    assert!(wait_for(Duration::from_secs(10), || active() > before));
}

/// Waits until the recipients of what was sent are known: when these have gone, they are.
fn passed(instance: &Instance) {
    for _ in 0..2 {
        let done = || instance.log().matches("status=sent (gone)").count();
        let before = done();
        instance.run_with("sendmail", &["-i", "x@off.example"], b"x\n");
        assert!(wait_for(Duration::from_secs(10), || done() > before));
    }
}

/// A list of many recipients is under way when smaller messages come; all wait for the one agent. Their sizes
/// are such that a second more or less of waiting does not count.
fn order(instance: &Instance, transport: &str, hosts: usize) -> String {
    let flag = Arc::new(AtomicBool::new(false));
    let gate = flag.clone();
    let _ = std::fs::remove_file(instance.path("spool/private").join(transport));
    let requests = agent::play(instance, transport, move |_| {
        Act::Queued(gate.clone(), reply("", "", "0"))
    });
    send(instance, 'a', 40, hosts, transport);
    assert!(wait_for(Duration::from_secs(10), || !requests
        .lock()
        .unwrap()
        .is_empty()));
    for (letter, count) in [('b', 1), ('c', 6), ('d', 10), ('e', 1)] {
        send(instance, letter, count, hosts, transport);
    }
    passed(instance);
    flag.store(true, Ordering::Relaxed);
    assert!(
        wait_for(Duration::from_secs(20), || is_quiet(instance)),
        "{}",
        instance.log()
    );
    let requests = std::mem::take(&mut *requests.lock().unwrap());
    let mut text = format!("--- {transport}, {hosts}\n");
    for request in requests {
        let names: Vec<_> = request
            .iter()
            .filter(|(name, _)| name == "recipient")
            .map(|(_, value)| value.split('@').next().unwrap())
            .collect();
        text += &format!("{} ", names.join("+"));
    }
    text.trim_end().to_owned() + "\n"
}

#[test]
fn small_messages_overtake_large_ones() {
    let mut main = String::from("transport_maps = inline:{{off.example=discard:gone}");
    let mut settings = String::new();
    for (name, lines) in TRANSPORTS {
        main += &format!(" {{{name}.example={name}:}} {{.{name}.example={name}:}}");
        for line in lines.split("; ").filter(|line| !line.is_empty()) {
            settings += &format!("{name}_{line}\n");
        }
    }
    let instance = system_with(&format!("{main}}}\n{settings}"), "", "", |_| {});
    let mut text = String::new();
    for (name, _) in TRANSPORTS {
        text += &order(&instance, name, 1);
        // Which of two destinations that are busy in turn is free first is chance.
        if *name != "pairs" {
            text += &order(&instance, name, 2);
        }
    }
    check(&instance, "qmgr/order", &text);
    instance.assert_no_panic();
}

/// Sessions are kept for as long as deliveries follow upon each other.
#[test]
fn sessions_in_a_burst() {
    let instance = system_with(
        "transport_maps = inline:{{off.example=discard:gone} {burst.example=burst:}}\ninitial_destination_concurrency = 2",
        "",
        "",
        |_| {},
    );
    let flag = Arc::new(AtomicBool::new(false));
    let gate = flag.clone();
    let requests = agent::play(&instance, "burst", move |_| {
        Act::Queued(gate.clone(), reply("", "", "0"))
    });
    send(&instance, 'a', 1, 1, "burst");
    assert!(wait_for(Duration::from_secs(10), || !requests
        .lock()
        .unwrap()
        .is_empty()));
    for _ in 0..6 {
        send(&instance, 'a', 1, 1, "burst");
    }
    passed(&instance);
    flag.store(true, Ordering::Relaxed);
    assert!(
        wait_for(Duration::from_secs(20), || is_quiet(&instance)),
        "{}",
        instance.log()
    );
    let mut text = String::new();
    for request in requests.lock().unwrap().iter() {
        let found = request.iter().find(|(name, _)| name == "flags");
        text += &format!("flags {}\n", found.unwrap().1);
    }
    check(&instance, "qmgr/sessions", &text);
}
