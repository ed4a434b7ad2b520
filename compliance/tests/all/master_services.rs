//! Master: programs that fail, changes that it does not follow, its options.

use std::os::unix::fs::PermissionsExt as _;

use compliance::golden;
use compliance::shell::one_by_one;
use compliance::testkit::Instance;

/// What master logged, process ids aside.
fn said(instance: &Instance) -> String {
    let pid = regex::Regex::new(r"pid \d+").unwrap();
    let text = golden::log(instance, r"postfix/master\[\d+\]: ");
    pid.replace_all(&text, "pid N").into_owned()
}

#[test]
fn programs_that_fail() {
    let instance = Instance::builder()
        .master_cf("25 inet n - n - 7 smtpd")
        .build();
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/');
    for (name, text) in [("killed", "kill -9 $$"), ("three", "exit 3")] {
        instance.write(name, format!("#!/bin/sh\n{text}\n"));
        let all = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(instance.seen(name), all).unwrap();
    }
    let up = "../../../../../../../..";
    let services = format!(
        "127.0.0.1:2001 inet n n n - 1 {up}{top}/three\n127.0.0.1:2002 inet n n n - 1 {up}{top}/killed\n127.0.0.1:2003 inet n n n - 1 no-such-program\n127.0.0.1:2004 inet n - n - 2 qmgr\n127.0.0.01:2004 inet n - n - 2 qmgr\n[::ffff:127.0.0.1]:2005 inet n n n - 1 /bin/false\n"
    );
    instance.write("etc/master.cf", instance.read("etc/master.cf") + &services);
    instance.start();
    for (port, program) in [
        (2001, "three"),
        (2002, "killed"),
        (2003, "no-such-program"),
        (2004, "qmgr"),
        (2005, "false"),
    ] {
        drop(instance.connect("127.0.0.1", &format!("127.0.0.1:{port}")));
        instance.wait_log(&format!(r"/{program}: bad command startup -- throttling$"));
    }
    golden::check(
        &instance,
        "master/failing",
        &said(&instance).replace(up, "UP"),
    );
}

#[test]
fn changes_that_take_a_new_start() {
    let instance = Instance::builder().start();
    instance.smtp().expect("NOOP", 250);
    let before = instance.read("etc/main.cf");
    for (name, value) in [
        ("inet_interfaces", "127.0.0.1"),
        ("inet_protocols", "all"),
        ("queue_directory", "/"),
    ] {
        let others: String = before
            .lines()
            .filter(|line| !line.starts_with(name))
            .map(|line| format!("{line}\n"))
            .collect();
        instance.write("etc/main.cf", format!("{others}{name} = {value}\n"));
        // The command itself would look in the new place for the one that runs.
        instance.run(
            "/bin/sh",
            &[
                "-c",
                &format!(
                    "kill -HUP `sed 1q {}`",
                    instance.path("spool/pid/master.pid").display()
                ),
            ],
        );
        instance.wait_log(&format!("to change {name}, stop and start Postfix$"));
        instance.write("etc/main.cf", &before);
    }
    // A queue manager of the original that starts while its queue is elsewhere fails.
    let about = r"postfix/master\[\d+\]: (reload|warning: (service|ignoring|old value|to change))";
    golden::check(&instance, "master/changes", &golden::log(&instance, about));
    instance.run("postfix", &["reload"]);
    instance.smtp().expect("NOOP", 250);
}

#[test]
fn options() {
    let instance = Instance::builder().build();
    let master = "$(postconf -h daemon_directory)/master";
    let cases = [
        "-x", "-c", "foo", "-t -w", "-i", "-D -w", "-t", "-d -e 1", "-t",
    ]
    .map(|options| format!("{master} {options}"));
    let mut cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let stranger = format!("setpriv --reuid alice --clear-groups {master} -t");
    let running = format!("postfix start; {master} -t");
    cases.insert(6, "postfix check");
    cases.extend([stranger.as_str(), running.as_str()]);
    let told = one_by_one(&instance, "", &cases);
    let told: String = told
        .lines()
        .filter(|line| !line.starts_with("updating /etc/"))
        .map(|line| format!("{line}\n"))
        .collect();
    golden::check(&instance, "master/options", &told);
    instance.wait_log(r"postfix/master\[\d+\]: master exit time has arrived$");
}

#[test]
fn a_service_under_stress() {
    let instance = Instance::builder()
        .master_cf("0.0.0.0:2001 inet n - n - 2 smtpd\n -o {smtpd_banner = $myhostname ${stress?busy}${stress:calm}}")
        .start();
    let connect = || instance.connect("127.0.0.1", "127.0.0.1:2001");
    let first = compliance::testkit::Client::new(connect());
    assert_eq!(first.greeting.text, "220 mx.test.example calm");
    let second = compliance::testkit::Client::new(connect());
    instance.wait_log(r#"warning: service "0\.0\.0\.0:2001" \(\[0\.0\.0\.0\]:2001\) has reached its process limit "2": new clients may experience noticeable delays$"#);
    instance.wait_log(r"warning: to avoid this condition, increase the process count in master\.cf or reduce the service time per client$");
    instance.wait_log(r"warning: see https://www\.postfix\.org/STRESS_README\.html for examples of stress-adapting configuration settings$");
    let third = connect();
    drop((first, second));
    let third = compliance::testkit::Client::new(third);
    assert_eq!(third.greeting.text, "220 mx.test.example busy");
    instance.assert_no_panic();
}
