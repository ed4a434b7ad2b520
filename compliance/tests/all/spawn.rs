//! Commands that `spawn` runs for each client: as whom, with what around them, and how their ends are told.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use compliance::golden::{check, log};
use compliance::testkit::{Instance, wait_for};

const MAIN: &str = "export_environment = TZ MAIL_CONFIG LANG=C { MADE = a b }
127.0.0.1:2608_time_limit = 1s";

/// Those that run, each on the port of its number.
const FINE: &str = r#"
127.0.0.1:2601 inet n n n - 0 spawn user=vmail argv=/bin/sh -c {umask; pwd; id -u; id -g; id -G; env | sort; echo $0; read x; echo got $x; exit 3}
127.0.0.1:2602 inet n n n - 0 spawn user=vmail:bob argv=/bin/sh -c {id -g; kill -9 $$}
127.0.0.1:2604 inet n n n - 0 spawn user=vmail argv=/nonexistent/program a b
127.0.0.1:2605 inet n n n - 0 spawn user=vmail argv=/etc/passwd
127.0.0.1:2606 inet n n n - 0 spawn user=vmail argv=/bin/echo text on standard output
127.0.0.1:2622 inet n n n - 0 spawn user=bob user=vmail argv=/usr/bin/id -u
127.0.0.1:2608 inet n n n - 0 spawn user=vmail argv=/bin/sleep 30
"#;

/// Those that never come to run anything.
const WRONG: &str = "
127.0.0.1:2611 inet n n n - 0 spawn user=root argv=/bin/cat
127.0.0.1:2612 inet n n n - 0 spawn user=vmail
127.0.0.1:2613 inet n n n - 0 spawn argv=/bin/cat
127.0.0.1:2614 inet n n n - 0 spawn user=nobody-here argv=/bin/cat
127.0.0.1:2615 inet n n n - 0 spawn user=vmail:nogroup-here argv=/bin/cat
127.0.0.1:2616 inet n n n - 0 spawn user=postfix argv=/bin/cat
127.0.0.1:2618 inet n n n - 0 spawn flags=x user=vmail argv=/bin/cat
127.0.0.1:2619 inet n n n - 0 spawn user= argv=/bin/cat
127.0.0.1:2620 inet n n n - 0 spawn user=vmail argv=
127.0.0.1:2621 inet n n n - 0 spawn
127.0.0.1:2623 inet n n n - 0 spawn user=vmail:root argv=/bin/cat
127.0.0.1:2624 inet n n n - 0 spawn user=61003 argv=/bin/cat
";

/// What a client that says one line gets.
fn ask(instance: &Instance, port: u16) -> String {
    let mut stream = instance.connect("127.0.0.1", &format!("127.0.0.1:{port}"));
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).unwrap();
    let mut answer = Vec::new();
    let _ = stream.write_all(b"hello\n");
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn ports(services: &str) -> impl Iterator<Item = u16> {
    services
        .lines()
        .filter_map(|line| line.split([':', ' ']).nth(1)?.parse().ok())
}

#[test]
fn commands_for_clients() {
    let instance = Instance::builder()
        .main_cf(MAIN)
        .master_cf(&format!("{FINE}{WRONG}"))
        .start();
    let mut text = String::new();
    for port in ports(FINE) {
        let told = instance.log().matches("/spawn[").count();
        text += &format!("--- {port}\n{}", ask(&instance, port));
        if ![2606, 2622].contains(&port) {
            // How the command ended is told after the client has gone.
            wait_for(Duration::from_secs(5), || {
                instance.log().matches("/spawn[").count() > told
            });
        }
    }
    text += &log(&instance, r"postfix/spawn\[");
    for port in ports(WRONG) {
        let fatal = instance.log().matches(" fatal: ").count();
        let _client = instance.connect("127.0.0.1", &format!("127.0.0.1:{port}"));
        wait_for(Duration::from_secs(5), || {
            instance.log().matches(" fatal: ").count() > fatal
        });
        let last = log(&instance, r"postfix/spawn\[\d+\]: fatal: ");
        text += &format!("--- {port}\n{}\n", last.lines().last().unwrap_or_default());
    }
    let pids = regex::Regex::new(r"process id \d+").unwrap();
    check(
        &instance,
        "small/spawn",
        &pids.replace_all(&text, "process id PID"),
    );
    instance.assert_no_panic();
}
