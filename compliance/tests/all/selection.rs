//! Messages that are chosen by what they are like: what our postqueue and postsuper have that Postfix's do not.

use compliance::delivery;
use compliance::testkit::{Instance, wait_for};

const MAIN_CF: &str = "transport_maps = inline:{ {a.example = retry:4.2.2 mailbox full}, {b.example = retry:4.4.1 Connection refused} }";

/// Three messages that wait; their ids: with two domains, from the null sender, and a large one.
fn waiting(instance: &Instance) -> [String; 3] {
    let large = format!("Subject: large\n\n{}", "0123456789\n".repeat(2000));
    let mails: [(&str, &[&str], &str); 3] = [
        (
            "bob@test.example",
            &["x@a.example", "y@a.example", "z@b.example"],
            "Subject: one\n\nx\n",
        ),
        ("", &["x@a.example"], "Subject: two\n\nx\n"),
        ("ann@test.example", &["q@b.example"], &large),
    ];
    mails.map(|(sender, recipients, text)| {
        let arguments = [&["-i", "-f", sender], recipients].concat();
        let before = ids(instance, "deferred");
        let sent = instance.run_with("sendmail", &arguments, text.as_bytes());
        assert_eq!(sent.status, 0, "{sent:?}");
        assert!(wait_for(std::time::Duration::from_secs(20), || {
            ids(instance, "deferred").len() > before.len() && delivery::is_quiet(instance)
        }));
        let new = ids(instance, "deferred");
        new.into_iter().find(|id| !before.contains(id)).unwrap()
    })
}

/// The ids of what is in a queue.
fn ids(instance: &Instance, queue: &str) -> Vec<String> {
    let found = instance.run(
        "/usr/bin/find",
        &[
            instance.path(&format!("spool/{queue}")).to_str().unwrap(),
            "-type",
            "f",
            "-printf",
            "%f\n",
        ],
    );
    let mut ids: Vec<String> = found.stdout.lines().map(str::to_owned).collect();
    ids.sort();
    ids
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

#[test]
fn listings() {
    let instance = Instance::builder().main_cf(MAIN_CF).start();
    if instance.target().is_peer() {
        return;
    }
    let [two_domains, null, large] = &waiting(&instance);
    let listed = |options: &[&str]| -> Vec<String> {
        let output = instance.run("postqueue", &[&["-j"], options].concat());
        assert_eq!(
            (output.status, output.stderr.as_str()),
            (0, ""),
            "{options:?}"
        );
        let mut ids: Vec<String> = output
            .stdout
            .lines()
            .map(|line| line.split("\"queue_id\": \"").nth(1).unwrap())
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    };
    for (options, wanted) in [
        (
            &["--sender", "bob@test.example"] as &[&str],
            sorted(&[two_domains]),
        ),
        (&["--sender=*@TEST.example"], sorted(&[two_domains, large])),
        (&["--sender", "<>"], sorted(&[null])),
        (
            &["--sender", "bob@*", "--sender", "<>"],
            sorted(&[two_domains, null]),
        ),
        (&["--recipient", "x@*"], sorted(&[two_domains, null])),
        (&["--domain", "b.example"], sorted(&[two_domains, large])),
        (&["--domain", "example"], vec![]),
        (&["--reason", "REFUSED"], sorted(&[two_domains, large])),
        (&["--reason", "refused", "--recipient", "x@*"], vec![]),
        (&["--larger", "10k"], sorted(&[large])),
        (&["--older", "1h"], vec![]),
        (&["--newer", "1h"], sorted(&[two_domains, null, large])),
        (&["--queue", "hold"], vec![]),
        (
            &["--queue", "hold", "--queue", "deferred"],
            sorted(&[two_domains, null, large]),
        ),
    ] {
        assert_eq!(listed(options), wanted, "{options:?}");
    }
    assert_eq!(listed(&["--limit", "2"]).len(), 2);

    let people = |options: &[&str]| instance.run("postqueue", options).stdout;
    let text = people(&["-p", "--sender", "<>"]);
    assert!(
        text.contains("x@a.example") && text.ends_with(" in 1 Request.\n"),
        "{text}"
    );
    assert_eq!(people(&["-p", "--older", "1w"]), "Mail queue is empty\n");
    let text = people(&["--table", "--domain", "b.example"]);
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "Id",
            "Queue",
            "Size",
            "Age",
            "Sender",
            "Recipient",
            "Reason"
        ]
    );
    assert_eq!(rows.len(), 3, "{text}");
    assert!(text.contains("ann@test.example  q@b.example"), "{text}");
    let text = people(&["--count-by", "domain"]);
    let counts: Vec<Vec<&str>> = text
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        (counts[0][0], counts[0][1], counts[0][3]),
        ("2", "3", "a.example"),
        "{text}"
    );
    assert_eq!(
        (counts[1][0], counts[1][1], counts[1][3]),
        ("2", "2", "b.example"),
        "{text}"
    );
    let text = people(&["--count-by", "reason", "--sender", "<>"]);
    assert!(
        text.ends_with("mailbox full\n") && text.lines().count() == 2,
        "{text}"
    );
}

#[test]
fn changes() {
    let instance = Instance::builder().main_cf(MAIN_CF).start();
    if instance.target().is_peer() {
        return;
    }
    let [two_domains, null, large] = &waiting(&instance);
    let run = |options: &[&str]| {
        let output = instance.run("postsuper", options);
        assert_eq!(output.status, 0, "{options:?}: {output:?}");
        output
    };
    let tried = run(&["-d", "ALL", "--domain", "b.example", "--dry-run"]);
    let mut lines: Vec<&str> = tried.stdout.lines().collect();
    assert_eq!(lines.pop(), Some("2 messages; nothing was changed"));
    assert!(lines.iter().any(|line| {
        line.starts_with(&format!(
            "{two_domains}: would be removed (queue=deferred, size="
        )) && line.ends_with(", from=<bob@test.example>)")
    }));
    assert_eq!(lines.len(), 2, "{tried:?}");
    assert_eq!(
        ids(&instance, "deferred"),
        sorted(&[two_domains, null, large])
    );

    let told = run(&["-h", "ALL", "--domain", "b.example"]);
    assert!(
        told.stderr
            .contains(&format!("postsuper: {large}: placed on hold\n")),
        "{told:?}"
    );
    assert!(
        told.stderr
            .ends_with("postsuper: Placed on hold: 2 messages\n"),
        "{told:?}"
    );
    assert_eq!(ids(&instance, "hold"), sorted(&[two_domains, large]));
    // Of those that are named, only those that are alike.
    run(&["-H", two_domains, "-H", large, "--larger", "10k"]);
    assert_eq!(ids(&instance, "hold"), sorted(&[two_domains]));
    // The reasons go with the message.
    run(&["-d", "ALL", "--sender", "ann@*"]);
    assert_eq!(ids(&instance, "deferred"), sorted(&[null]));
    assert_eq!(ids(&instance, "defer"), sorted(&[two_domains, null]));
    run(&["-d", "ALL", "--limit", "1", "--queue", "hold"]);
    assert!(ids(&instance, "hold").is_empty());
    run(&["-e", "ALL", "--older", "1h"]);
    assert!(!people_see_expired(&instance));
    run(&["-f", "ALL", "--newer", "1h"]);
    assert!(people_see_expired(&instance));
}

fn people_see_expired(instance: &Instance) -> bool {
    instance.run("postqueue", &["-p"]).stdout.contains("# ")
}

#[test]
fn mistakes_touch_nothing() {
    let instance = Instance::builder().main_cf(MAIN_CF).start();
    if instance.target().is_peer() {
        return;
    }
    let all = waiting(&instance);
    for (options, complaint) in [
        (
            &["-d", "ALL", "--sender", ""] as &[&str],
            "--sender: the pattern is empty",
        ),
        (
            &["-d", "ALL", "--older", "5"],
            "--older: bad time \"5\"; specify a number and one of the units s m h d w",
        ),
        (
            &["-d", "ALL", "--larger", "-1"],
            "--larger: bad size \"-1\"",
        ),
        (
            &["-d", "ALL", "--queue", "Deferred"],
            "--queue: there is no queue \"Deferred\" of messages",
        ),
        (
            &["-d", "ALL", "--limit", "0"],
            "--limit: bad number \"0\"; specify one or more",
        ),
        (
            &["-d", "ALL", "--limit", "1", "--limit", "2"],
            "--limit: given twice",
        ),
        (
            &["--sender", "x"],
            "messages are chosen for -d, -e, -f, -h, -H and -r only",
        ),
        (
            &["-s", "--dry-run"],
            "messages are chosen for -d, -e, -f, -h, -H and -r only",
        ),
        (
            &["-d", "ALL", "deferred", "--sender", "x"],
            "invalid directory name: --sender: options stand before",
        ),
        (
            &["-d", "ALL", "--newer", "1h", "deferred", "hodl"],
            "invalid directory name: hodl",
        ),
        (&["-d", "ALL", "--sendr", "x"], "invalid option -- '-'"),
        (
            &["-d", "ALL", "--sender"],
            "option '--sender' requires an argument",
        ),
    ] {
        let output = instance.run("postsuper", options);
        assert_eq!(output.status, 1, "{options:?}: {output:?}");
        assert!(output.stderr.contains(complaint), "{options:?}: {output:?}");
    }
    for (options, complaint) in [
        (
            &["-f", "--sender", "x"] as &[&str],
            "messages are chosen for -p, -j, --table and --count-by only",
        ),
        (
            &["--count-by", "size"],
            "--count-by: bad kind \"size\"; specify domain, sender, reason or age",
        ),
        (&["--table", "-p"], "usage: postqueue -f"),
        (&["--sender", "x"], "usage: postqueue -f"),
    ] {
        let output = instance.run("postqueue", options);
        assert_eq!(output.status, 69, "{options:?}: {output:?}");
        assert!(output.stderr.contains(complaint), "{options:?}: {output:?}");
    }
    let mut all = all.to_vec();
    all.sort();
    assert_eq!(ids(&instance, "deferred"), all);
}
