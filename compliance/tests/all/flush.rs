//! Fast flush: which messages are noted for which site, and when they are tried again.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use compliance::dialogue::play;
use compliance::golden::{check, log, shown};
use compliance::testkit::{Instance, wait_for};

/// Sends bytes to the flush service, and gives what it answers behind its announcement.
fn ask(instance: &Instance, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(instance.path("spool/public/flush")).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer)
        .replace('\0', " ")
        .trim_end()
        .to_owned()
}

fn request(instance: &Instance, list: &[(&str, &str)]) -> String {
    let mut bytes = Vec::new();
    for (name, value) in list {
        bytes.extend_from_slice(format!("{name}\0{value}\0").as_bytes());
    }
    bytes.push(0);
    format!("{list:?}\n  {}\n", ask(instance, &bytes))
}

/// The files of fast flush and of the queues, with their contents.
fn files(instance: &Instance) -> String {
    let mut lines = Vec::new();
    let mut open = vec![String::from("flush"), "deferred".into(), "incoming".into()];
    while let Some(below) = open.pop() {
        let Ok(entries) = std::fs::read_dir(instance.path("spool").join(&below)) else {
            continue;
        };
        for entry in entries.flatten() {
            let name = format!("{below}/{}", entry.file_name().to_str().unwrap());
            let status = entry.metadata().unwrap();
            if status.is_dir() {
                open.push(name);
            } else {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                let mode = status.permissions().mode() & 0o777;
                lines.push(format!("  {name} {mode:o} {text:?}\n"));
            }
        }
    }
    lines.sort();
    lines.concat()
}

#[test]
fn the_protocol() {
    let instance = Instance::builder()
        .main_cf("fast_flush_domains = one.example, .two.example, [192.0.2.1], !not.three.example, three.example\nfast_flush_purge_time = 100s\nfast_flush_refresh_time = 1000s")
        // The queue manager is not to touch the files.
        .service("qmgr", "unix", "qmgr unix n - n 300 1 discard")
        .start();
    let message = |id: &str, mode: u32| {
        let path = instance.path("spool/deferred").join(&id[..1]).join(id);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let owner = std::os::unix::fs::MetadataExt::uid(
            &instance.path("spool/incoming").metadata().unwrap(),
        );
        for path in [path.as_path(), path.parent().unwrap()] {
            chown(path, Some(owner), None).unwrap();
        }
    };
    for (id, mode) in [
        ("A1", 0o700),
        ("A2", 0o700),
        ("A3", 0o600),
        ("B4", 0o700),
        ("B5", 0o710),
    ] {
        message(id, mode);
    }
    let mut text = String::new();
    for (site, id) in [
        ("one.example", "A1"),
        ("ONE.Example", "A1"),
        ("one.example", "gone"),
        ("a.two.example", "A2"),
        ("two.example", "A2"),
        ("[192.0.2.1]", "A3"),
        ("not.three.example", "A1"),
        ("x.three.example", "B4"),
        ("none.example", "A1"),
        ("", "A1"),
        ("one.example", "../x"),
        ("one.example", ""),
        ("../../x.one.example", "A1"),
        ("\u{fc}.one.example", "A1"),
    ] {
        text += &request(
            &instance,
            &[("request", "add"), ("site", site), ("queue_id", id)],
        );
    }
    text += &files(&instance);
    for list in [
        &[("request", "send_site"), ("site", "none.example")][..],
        &[("request", "send_site"), ("site", "never.one.example")],
        &[("request", "send_site"), ("site", "one.example")],
        &[("request", "send_site"), ("site", "[192.0.2.1]")],
        &[("request", "send_file"), ("queue_id", "B5")],
        &[("request", "send_file"), ("queue_id", "A3")],
        &[("request", "send_file"), ("queue_id", "gone")],
        &[("request", "send_file"), ("queue_id", "../A1")],
        &[("request", "add"), ("site", "one.example")],
        &[("nosuch", "add")],
        &[],
    ] {
        text += &request(&instance, list);
    }
    text += &format!("garbage\n  {}\n", ask(&instance, b"\xff\0\xfe garbage"));
    text += &files(&instance);
    // A log that was not read for long is read; one that was empty for long is removed.
    let age = |site: &str, seconds: u64| {
        let flat = format!("spool/flush/{site}");
        let path = if instance.seen(&flat).exists() {
            flat
        } else {
            format!("spool/flush/{}/{site}", &site[..1])
        };
        instance.set_age(&path, Duration::from_secs(seconds));
    };
    age("one_example", 500);
    text += &request(&instance, &[("request", "rfrsh")]);
    let gone = |site: &'static str| move |text: &str| !text.contains(site);
    let _ = wait_for(Duration::from_secs(2), || {
        gone("one_example")(&files(&instance))
    });
    text += &files(&instance);
    text += &request(&instance, &[("request", "purge")]);
    let _ = wait_for(Duration::from_secs(2), || {
        files(&instance).contains("incoming/A2")
    });
    text += &files(&instance);
    for line in log(&instance, r"postfix/flush\[").lines() {
        // How odd requests and names are complained of is each system's own.
        if !["attribute", "malformed", "midna"]
            .iter()
            .any(|word| line.contains(word))
        {
            text += &format!("{line}\n");
        }
    }
    check(&instance, "flush/protocol", &text);
}

#[test]
fn a_site_asks_for_its_mail() {
    let instance = Instance::builder()
        .main_cf("relay_domains = slow.example, fast.example\nrelay_transport = smtp:[127.0.0.1]:20025\ndefault_transport = smtp:[127.0.0.1]:20025\nminimal_backoff_time = 1000s\nin_flow_delay = 0\nhash_queue_depth = 1")
        .start();
    for to in [
        "a@slow.example",
        "b@slow.example",
        "c@fast.example",
        "d@other.example",
    ] {
        let output = instance.run_with("sendmail", &["-f", "bob@test.example", to], b"x\n");
        assert_eq!(output.status, 0, "{output:?}");
    }
    let deferred = || instance.log().matches("status=deferred").count();
    assert!(
        wait_for(Duration::from_secs(20), || deferred() == 4),
        "{}",
        instance.log()
    );
    let settled = || {
        instance
            .run("postqueue", &["-j"])
            .stdout
            .matches("\"deferred\"")
            .count()
            == 4
    };
    assert!(wait_for(Duration::from_secs(20), settled));
    let counts = || {
        ["slow_example", "fast_example", "other_example"].map(|site| {
            let path = instance.path("spool/flush").join(site);
            let hashed = instance.path("spool/flush").join(&site[..1]).join(site);
            let text = std::fs::read_to_string(path).or_else(|_| std::fs::read_to_string(hashed));
            text.map_or(-1, |text| i64::try_from(text.lines().count()).unwrap())
        })
    };
    let mut text = format!("{:?}\n", counts());
    // Each site by itself: whether mail that was just asked for is back before the next word depends on the machine.
    for (script, count) in [
        (
            "EHLO x\nETRN slow.example\nETRN other.example\nETRN bad..name\nETRN\nETRN #queue\nETRN a b\nETRN [192.0.2.1]\nQUIT",
            6,
        ),
        ("EHLO x\nETRN @slow.example\nQUIT", 8),
    ] {
        let dialogue = play(&instance, "127.0.0.1", script);
        text += &dialogue
            .lines()
            .filter(|line| !line.starts_with("S 250-") && !line.starts_with("S 220"))
            .map(|line| format!("{line}\n"))
            .collect::<String>();
        assert!(
            wait_for(Duration::from_secs(20), || deferred() == count),
            "{}",
            instance.log()
        );
        assert!(wait_for(Duration::from_secs(20), settled));
        text += &format!("{:?}\n", counts());
    }
    for words in [
        &["postqueue", "-s", "fast.example"][..],
        &["postqueue", "-s", "other.example"],
        &["postqueue", "-s", "slow.example."],
    ] {
        text += &shown(words, &instance.run(words[0], &words[1..]));
    }
    assert!(
        wait_for(Duration::from_secs(20), || deferred() == 9),
        "{}",
        instance.log()
    );
    let id = instance
        .run("postqueue", &["-j"])
        .stdout
        .lines()
        .find(|line| line.contains("d@other.example"))
        .and_then(|line| {
            Some(
                line.split("\"queue_id\": \"")
                    .nth(1)?
                    .split('"')
                    .next()?
                    .to_owned(),
            )
        })
        .unwrap();
    text += &shown(
        &["postqueue", "-i", "ID"],
        &instance.run("postqueue", &["-i", &id]),
    );
    assert!(
        wait_for(Duration::from_secs(20), || deferred() == 10),
        "{}",
        instance.log()
    );
    text += &format!("{:?}\n", counts());
    check(&instance, "flush/etrn", &text);
}
