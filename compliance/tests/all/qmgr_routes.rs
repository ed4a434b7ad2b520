//! Where the queue manager sends mail, in which groups, with which sender: filters, redirection, VERP, limits of a transport.

use compliance::delivery::system_with;
use compliance::golden::check;
use compliance::testkit::{Instance, wait_for};
use std::time::Duration;

/// Each transport appends what it was told to a file; local parts that begin with `defer` are put off.
const SERVICES: &str = "
one unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show one <${nexthop}> <${sender}> ${original_recipient} / ${recipient}
two unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show two <${nexthop}> <${sender}> ${original_recipient} / ${recipient}
all unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show all <${nexthop}> <${sender}> ${original_recipient} / ${recipient}
pace unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show pace <${nexthop}> <${sender}> ${recipient}
rest unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show rest <${nexthop}> <${sender}> ${recipient}
both unix - n n - 1 pipe user=vmail argv=/bin/sh TOP/etc/show both <${nexthop}> <${sender}> ${recipient}
slow unix - n n - 9 pipe user=vmail argv=/bin/sh TOP/etc/busy
";

const MAIN: &str = "
transport_maps = regexp:TOP/etc/transport
virtual_alias_maps = texthash:TOP/etc/virtual
header_checks = regexp:TOP/etc/checks
one_destination_recipient_limit = 1
two_destination_recipient_limit = 2
all_destination_recipient_limit = 0
pace_destination_rate_delay = 20s
pace_destination_recipient_limit = 1
rest_transport_rate_delay = 1s
rest_destination_recipient_limit = 1
both_destination_rate_delay = 1s
both_destination_recipient_limit = 2
slow_destination_recipient_limit = 1
slow_destination_concurrency_limit = 3
slow_initial_destination_concurrency = 2
";

fn start(main: &str) -> Instance {
    system_with(&format!("{MAIN}{main}"), SERVICES, "", |instance| {
        let top = instance.path("").display().to_string();
        instance.write(
            "etc/show",
            format!(
                "cat >/dev/null; flock {top}out/lock sh -c 'echo \"$*\" >> {top}out/shown' - \"$@\"; case $* in *\" defer\"*) exit 75;; *\" fail\"*) exit 67;; esac\n"
            ),
        );
        instance.write(
            "etc/busy",
            format!("cat >/dev/null; f={top}out/busy.$$; : > $f; sleep 0.3; ls {top}out | grep -c busy. >> {top}out/counts; rm $f\n"),
        );
        instance.write(
            "etc/transport",
            "/@one/ one:\n/@two/ two:Next.Hop\n/@all/ all:\n/@pace/ pace:\n/@rest/ rest:\n/@both/ both:\n/@slow/ slow:\n/@none/ :\n/@drop/ discard:quietly\n/@err/ error:5.7.1 go away\n/@wait/ retry:4.7.1 come back\n",
        );
        instance.write("etc/virtual", "many@test.example a@one.example b@one.example c@two.example a@two.example b@two.example b@two.sub.example\n");
        instance.write(
            "etc/checks",
            "/^Subject: filter (.*)/ FILTER $1\n/^Subject: redirect (.*)/ REDIRECT $1\n/^Subject: hold/ HOLD\n/^Subject: bcc (.*)/ BCC $1\n",
        );
    })
}

/// The names of the files in a queue.
fn walk(instance: &Instance, queue: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut left = vec![instance.seen("spool").join(queue)];
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                left.push(path);
            } else {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names
}

/// Sends a message, waits until the system is quiet, and shows what the transports saw and how it ended.
fn send(instance: &Instance, options: &[&str], subject: &str, to: &[&str]) -> String {
    let before = instance.log().len();
    let _ = std::fs::remove_file(instance.seen("out/shown"));
    let mut args = vec!["-f", "bob@test.example"];
    args.extend(options);
    args.extend(to);
    let content = format!("Subject: {subject}\n\nbody\n");
    let sent = instance.run_with("sendmail", &args, content.as_bytes());
    let quiet = || {
        let log = instance.log();
        let new = log.get(before..).unwrap_or_default();
        let ids: Vec<_> = new
            .lines()
            .filter_map(|line| {
                let id = line.split("]: ").nth(1)?.split(": ").next()?;
                line.contains(": message-id=").then(|| id.to_owned())
            })
            .collect();
        let there = |queue: &str| walk(instance, queue);
        let put_aside: Vec<_> = [there("deferred"), there("hold")].concat();
        let ended = |id: &String| new.contains(&format!("{id}: removed")) || put_aside.contains(id);
        sent.status != 0
            || (!ids.is_empty() && there("maildrop").is_empty() && ids.iter().all(ended))
    };
    assert!(
        wait_for(Duration::from_secs(20), quiet),
        "{}",
        instance.log()
    );
    let mut text = format!("--- {} {subject}: {}\n", options.join(" "), to.join(" "));
    text += &sent.stderr;
    let mut shown: Vec<_> = instance
        .read("out/shown")
        .lines()
        .map(str::to_owned)
        .collect();
    // Each transport has its own order only.
    shown.sort_by_key(|line| line.split(' ').next().unwrap_or_default().to_owned());
    text += &shown
        .iter()
        .map(|line| format!("{line}\n"))
        .collect::<String>();
    let log = instance.whole_log();
    let mut lines: Vec<_> = log[before..]
        .lines()
        .filter(|line| {
            line.contains(" to=<") || line.contains("/qmgr[") || line.contains("warning")
        })
        .filter_map(|line| line.split_once("postfix/"))
        .map(|(_, line)| {
            let line = line.split_once("]: ").map_or(line, |(_, rest)| rest);
            regex::Regex::new(r"^[0-9A-F]{10,}: |size=\d+, |delay=[\d.]+, delays=[\d./]+, ")
                .unwrap()
                .replace_all(line, "")
                .into_owned()
        })
        .collect();
    lines.sort();
    text + &lines.join("\n") + "\n"
}

#[test]
fn routes_groups_and_senders() {
    let instance = start("");
    let many = [
        "b@one.example",
        "a@one.example",
        "A@one.Example",
        "c@two.example",
        "d@TWO.example",
        "a@two.sub.example",
        "z@all.example",
        "y@all.example",
        "defer1@all.other.example",
        "fail@one.example",
    ];
    let mut text = String::new();
    for (options, subject, to) in [
        (&[][..], "plain", &many[..]),
        (&[], "alias", &["many@test.example"]),
        (
            &["-XV"],
            "verp",
            &["a@two.example", "b+ext@two.example", "many@test.example"],
        ),
        (
            &["-XV=-"],
            "verp",
            &["a@two.example", "fail@all.example", "x@err.example"],
        ),
        (&["-XVab"], "verp", &["a@two.example"]),
        (&["-XV#=+"], "verp", &["a@two.example"]),
        (
            &["-V", "envid", "-N", "success,delay,failure", "-R", "hdrs"],
            "dsn",
            &["a@two.example", "x@drop.example", "x@wait.example"],
        ),
        (&[], "filter all:", &["a@one.example", "b@two.example"]),
        (
            &[],
            "filter all:[here]:10025",
            &["a@one.example", "b@two.example", "many@test.example"],
        ),
        (&[], "filter all", &["a@one.example", "b@test.example"]),
        (&[], "filter nothing:x", &["a@one.example"]),
        (
            &[],
            "redirect z@all.example",
            &["a@one.example", "b@two.example"],
        ),
        (
            &[],
            "redirect many@test.example",
            &["a@one.example", "b@two.example"],
        ),
        (&[], "redirect z", &["a@one.example", "b@two.example"]),
        (&[], "bcc z@all.example", &["a@one.example"]),
        (&[], "hold", &["a@one.example"]),
        (
            &[],
            "other",
            &[
                "x@none.example",
                "x@drop.example",
                "x@err.example",
                "x@wait.example",
            ],
        ),
    ] {
        text += &send(&instance, options, subject, to);
    }
    check(&instance, "qmgr/routes", &text);
    instance.assert_no_panic();
}

#[test]
fn filters_for_all_and_originals() {
    let instance = start(
        "content_filter = all:[127.0.0.1]:10025\nenable_original_recipient = no\ndefault_verp_delimiters = -=\ndisable_verp_bounces = yes\ndefault_filter_nexthop = $myhostname\nall_destination_recipient_limit = 3",
    );
    let mut text = String::new();
    for (options, subject, to) in [
        (
            &[][..],
            "plain",
            &[
                "b@one.example",
                "a@one.example",
                "c@two.example",
                "c@three.example",
            ][..],
        ),
        (&[], "alias", &["many@test.example"]),
        (&[], "filter two:", &["many@test.example"]),
        (
            &[],
            "redirect z@one.example",
            &["a@one.example", "b@two.example"],
        ),
        (&["-XV"], "verp", &["a@two.example", "fail+x@two.example"]),
        (&["-bv"], "probe", &["a@two.example"]),
    ] {
        text += &send(&instance, options, subject, to);
    }
    check(&instance, "qmgr/filters", &text);
    instance.assert_no_panic();
}

#[test]
fn pauses_and_limits() {
    let instance = start("");
    let mut text = String::new();
    // A transport that takes one recipient at a time knows destinations by recipient, and pauses for each.
    for (name, seconds) in [("pace", 0..20), ("rest", 2..60), ("both", 1..60)] {
        let to: Vec<_> = (0..3).map(|at| format!("u{at}@{name}.example")).collect();
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        let before = std::time::Instant::now();
        text += &send(&instance, &[], "paced", &to);
        let took = before.elapsed().as_secs();
        assert!(seconds.contains(&took), "{name}: {took} s");
    }
    let to: Vec<_> = (0..7).map(|at| format!("u{at}@slow.example")).collect();
    let to: Vec<_> = to.iter().map(String::as_str).collect();
    text += &send(&instance, &[], "limited", &to);
    let counts = instance.read("out/counts");
    let most = counts
        .lines()
        .filter_map(|line| line.parse::<u32>().ok())
        .max();
    text += &format!("at once: {most:?}\n");
    check(&instance, "qmgr/pauses", &text);
}
