use super::*;
use pf_config::Config;

fn setup(settings: &[(&str, &str)]) -> (Scheduler, TransportId, Instant) {
    let mut scheduler = Scheduler::default();
    let config = Config::for_tests(settings);
    let transport = scheduler.transport("smtp", || TransportParams::read(&config, "smtp").unwrap());
    (scheduler, transport, Instant::now())
}

fn add(
    scheduler: &mut Scheduler,
    transport: TransportId,
    message: usize,
    destination: &str,
    recipients: usize,
) -> QueueKey {
    let queue = scheduler.destination(transport, destination.as_bytes(), destination.as_bytes());
    let batch = Batch {
        message: MessageId(message),
        queued: Instant::now(),
        unread: 0,
        single: false,
        recipients: &(0..recipients).collect::<Vec<_>>(),
    };
    scheduler.add(queue, batch);
    queue
}

#[test]
fn windows_bound_what_goes_to_one_destination() {
    let (mut scheduler, transport, now) = setup(&[]);
    for message in 0..8 {
        add(&mut scheduler, transport, message, "a", 1);
    }
    add(&mut scheduler, transport, 9, "b", 1);
    assert_eq!(scheduler.ready(transport, 100), 6);
    let taken: Vec<_> = std::iter::from_fn(|| scheduler.select(transport, now)).collect();
    assert_eq!(taken.len(), 6);
    let first = scheduler.finished(taken[0], now).unwrap();
    assert_eq!((first.message, first.recipients), (MessageId(0), vec![0]));
    assert!(scheduler.select(transport, now).is_some());
}

#[test]
fn recipients_are_split_into_groups() {
    let (mut scheduler, transport, now) = setup(&[("default_destination_recipient_limit", "2")]);
    add(&mut scheduler, transport, 1, "a", 5);
    let mut sizes = Vec::new();
    while let Some(id) = scheduler.select(transport, now) {
        sizes.push(scheduler.entry(id).unwrap().recipients.len());
    }
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn a_short_message_overtakes_a_long_one() {
    let (mut scheduler, transport, now) = setup(&[
        ("default_destination_recipient_limit", "1"),
        ("default_destination_concurrency_limit", "1000"),
        ("initial_destination_concurrency", "1000"),
    ]);
    add(&mut scheduler, transport, 1, "a", 200);
    for _ in 0..20 {
        scheduler.select(transport, now).unwrap();
    }
    add(&mut scheduler, transport, 2, "b", 1);
    let mut before = 0;
    loop {
        let id = scheduler.select(transport, now).unwrap();
        if scheduler.entry(id).unwrap().message == MessageId(2) {
            break;
        }
        before += 1;
    }
    assert!(before < 5, "{before}");
}

#[test]
fn a_dead_destination_gives_its_mail_back_and_is_revived() {
    let (mut scheduler, transport, now) = setup(&[("initial_destination_concurrency", "1")]);
    let queue = add(&mut scheduler, transport, 1, "a", 1);
    add(&mut scheduler, transport, 2, "a", 1);
    let id = scheduler.select(transport, now).unwrap();
    let trouble = Trouble {
        status: b"4.4.1".to_vec(),
        reason: b"no".to_vec(),
    };
    assert!(scheduler.failed(queue, trouble, now, Duration::from_secs(60)));
    assert_eq!(scheduler.take_waiting(queue).len(), 1);
    scheduler.finished(id, now);
    assert!(scheduler.queue(queue).unwrap().dead.is_some());
    assert_eq!(scheduler.revive(now), Some(now + Duration::from_secs(60)));
    assert_eq!(scheduler.revive(now + Duration::from_secs(61)), None);
    assert!(scheduler.queue(queue).is_none());
}

#[test]
fn an_idle_destination_is_forgotten() {
    let (mut scheduler, transport, now) = setup(&[]);
    let queue = add(&mut scheduler, transport, 1, "a", 1);
    let id = scheduler.select(transport, now).unwrap();
    scheduler.finished(id, now);
    assert!(scheduler.queue(queue).is_none());
}

#[test]
fn dead_destinations_are_not_remembered_without_end() {
    let (_, _, now) = setup(&[]);
    let mut scheduler = Scheduler::new(2);
    let config = Config::for_tests(&[("initial_destination_concurrency", "1")]);
    let transport = scheduler.transport("smtp", || TransportParams::read(&config, "smtp").unwrap());
    let mut queues = Vec::new();
    for (message, name) in ["a", "b", "c"].into_iter().enumerate() {
        let queue = add(&mut scheduler, transport, message, name, 1);
        let id = scheduler.select(transport, now).unwrap();
        let trouble = Trouble {
            status: b"4.4.1".to_vec(),
            reason: b"no".to_vec(),
        };
        assert!(scheduler.failed(queue, trouble, now, Duration::from_secs(60)));
        scheduler.finished(id, now);
        queues.push(scheduler.queue(queue).is_some());
    }
    assert_eq!(queues, [true, true, false]);
}
