//! Servers that greet, refuse, talk nonsense, hang up, or say nothing.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use super::is_the_original;
use compliance::golden;
use compliance::shell::at_once;
use compliance::testkit::{Instance, Sink};

/// What a server does when it has said all it has to say.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Closes,
    Waits,
}

/// Says the first of these when somebody connects, and one more to each line that comes, whatever it is.
fn speaker(instance: &Instance, address: &str, script: &[&[u8]], then: Then) {
    let listener = instance.listen(address);
    let script: Vec<Vec<u8>> = script.iter().map(|bytes| bytes.to_vec()).collect();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = script.clone();
            std::thread::spawn(move || {
                let mut output = stream.try_clone().unwrap();
                let mut input = BufReader::new(stream);
                let mut line = Vec::new();
                for (number, reply) in script.iter().enumerate() {
                    if number > 0 && !matches!(input.read_until(b'\n', &mut line), Ok(1..)) {
                        return;
                    }
                    if output.write_all(reply).is_err() {
                        return;
                    }
                }
                if then == Then::Waits {
                    std::thread::sleep(Duration::from_secs(20));
                }
            });
        }
    });
}

#[test]
fn replies() {
    let instance = Instance::builder().build();
    let long = [b"220 ".as_slice(), &[b'x'; 3000], b"\r\n"].concat();
    let exact = [b"220 ".as_slice(), &[b'x'; 2044], b"\r\n"].concat();
    let many: Vec<u8> = (0..60)
        .flat_map(|number| format!("250-{number:060}\r\n").into_bytes())
        .chain(*b"250 end\r\n")
        .collect();
    let bye: &[u8] = b"221 bye\r\n";
    let fine: &[u8] = b"250 fine\r\n";
    let hello: &[u8] = b"220 hello\r\n";
    let scripts: [&[&[u8]]; 33] = [
        &[
            b"220-first\r\n220-\r\n220 last\r\n",
            b"250-a\r\n250-b\r\n250 c\r\n",
            bye,
        ],
        &[b"421 go away\r\n"],
        &[b"554-no\r\n554-  not\r\n554 ever\r\n"],
        &[b"320 what\r\n"],
        &[b"200 well\r\n", b"299 fine\r\n", b"500 no\r\n"],
        &[b"hello\r\n"],
        &[b"\r\n"],
        &[b"2200 hello\r\n"],
        &[b"22 hello\r\n"],
        &[b"220hello\r\n", b"250\r\n", b"221\r\n"],
        &[b"220\thello\tthere \x01\xfc\xc3\xbc \x7f\r\n", fine, bye],
        &[b"220 hello\n", b"250-x\n250 fine\n", b"221 bye\n"],
        &[b"220 hello\r\r\n", b"250 a\rb\r\n", b"221 \r\n"],
        &[b"220 hel\0lo\r\n", b"\0\r\n"],
        &[
            b"1-\r\n22-\r\n-\r\n220 hello\r\n",
            b"-250 x\r\n250 y\r\n",
            bye,
        ],
        &[&long, fine, bye],
        &[&exact, fine, bye],
        &[hello, &many, bye],
        &[hello, b"500 what\r\n", b"250 not reached\r\n"],
        &[hello, b"421-down\r\n421 for now\r\n"],
        &[hello, b"250-a\r\nnonsense\r\n250 b\r\n", bye],
        &[hello, b"250-a\r\n550 b\r\n"],
        &[hello, fine, b"450 not now\r\n"],
        &[hello, fine, b"221-a\r\n221 b\r\nmore\r\n"],
        &[b"220 hello\r\n250 early\r\n", b"221 early\r\n", bye],
        // Those end too early.
        &[],
        &[b"220 hel"],
        &[b"220-hello\r\n"],
        &[hello],
        &[hello, b""],
        &[hello, b"250-a\r\n"],
        &[hello, fine],
        &[hello, fine, b"221"],
    ];
    let mut cases = Vec::new();
    for (number, script) in scripts.iter().enumerate() {
        speaker(
            &instance,
            &format!("127.0.1.{number}:25"),
            script,
            Then::Closes,
        );
        cases.push(format!("posttls-finger '[127.0.1.{number}]'"));
    }
    for number in [2, 3, 5, 19, 25, 28, 31, 32] {
        cases.push(format!("posttls-finger -c '[127.0.1.{number}]'"));
    }
    for number in [0, 4, 18, 31] {
        cases.push(format!("posttls-finger -S -r 1 'inet:127.0.1.{number}:25'"));
    }
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let text = at_once(&instance, "", &cases);
    golden::check(&instance, "posttls-finger/replies", &text);
}

/// What a server still says then, the original sees or not, as its packets come.
#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let instance = Instance::builder().build();
    let endless = [b"220 ".as_slice(), &[b'x'; 9000], b"\r\n"].concat();
    speaker(
        &instance,
        "127.0.0.10:25",
        &[&endless, b"250 fine\r\n", b"221 bye\r\n"],
        Then::Closes,
    );
    let text = instance.run("posttls-finger", &["[127.0.0.10]"]).stdout;
    let start = format!(
        "posttls-finger: Connected to 127.0.0.10[127.0.0.10]:25\n\
         posttls-finger: warning: disabling input from unknown_stream\n\
         posttls-finger: < 220 {}\nposttls-finger: > EHLO mx.test.example\n",
        "x".repeat(2044)
    );
    let rest = text.strip_prefix(&start).unwrap();
    if !is_the_original(&instance) {
        assert_eq!(rest, "posttls-finger: lost connection while sending EHLO\n");
    }
}

/// There is no session without limits: the original crashes, and ours says so at once.
#[test]
fn limits_are_positive() {
    let instance = Instance::builder().build();
    let _sink = Sink::start(&instance, "127.0.0.10:25");
    for word in ["0", "x", "-1", ""] {
        for letter in ["-t", "-T"] {
            let output = instance.run("posttls-finger", &[letter, word, "[127.0.0.10]"]);
            if is_the_original(&instance) {
                assert!(
                    output
                        .stdout
                        .contains(": panic: vstream_control: bad timeout ")
                );
                continue;
            }
            let fatal = format!("posttls-finger: fatal: bad '{letter}' option value: {word}\n");
            assert_eq!((output.status, output.stdout), (1, fatal));
        }
    }
}

/// Behind one interface nobody answers, and there is no way to other networks.
#[test]
fn servers_that_cannot_be_reached() {
    let instance = Instance::builder().main_cf("inet_protocols = all").build();
    let script = "ip link add nowhere type veth peer name behind
        ip address add 192.0.2.1/24 dev nowhere
        ip link set nowhere up
        ip link set behind up
        ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev nowhere";
    instance.in_network(script);
    let cases = [
        "posttls-finger -t 1 '[192.0.2.2]'",
        "posttls-finger -t 1 -T 5 -c -S 192.0.2.2:24",
        "posttls-finger '[203.0.113.1]'",
        "posttls-finger '[2001:db8::1]:26'",
        "posttls-finger '[224.0.0.1]'",
        "posttls-finger '[0.0.0.0]:26'",
    ];
    let begun = std::time::Instant::now();
    let text = at_once(&instance, "", &cases);
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    golden::check(&instance, "posttls-finger/unreachable", &text);
}

#[test]
fn time_limits() {
    let instance = Instance::builder().build();
    let hello: &[u8] = b"220 hello\r\n";
    let scripts: [&[&[u8]]; 6] = [
        &[b""],
        &[b"220-hello\r\n"],
        &[hello],
        &[hello, b"250-a\r\n"],
        &[hello, b"250 a\r\n"],
        &[hello, b"250 a\r\n", b"221 b"],
    ];
    let mut cases = Vec::new();
    for (number, script) in scripts.iter().enumerate() {
        speaker(
            &instance,
            &format!("127.0.2.{number}:25"),
            script,
            Then::Waits,
        );
        cases.push(format!("posttls-finger -t 1 -T 2 '[127.0.2.{number}]'"));
        cases.push(format!("posttls-finger -c -t 1 -T 2 '[127.0.2.{number}]'"));
    }
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let begun = std::time::Instant::now();
    let text = at_once(&instance, "", &cases);
    let took = begun.elapsed();
    assert!(
        Duration::from_secs(2) <= took && took < Duration::from_secs(12),
        "{took:?}"
    );
    golden::check(&instance, "posttls-finger/time-limits", &text);
}

/// A server that sends a line each second is not slow, but its reply is: the limit is one for a whole reply.
#[test]
fn a_reply_in_drops_is_too_slow() {
    let instance = Instance::builder().build();
    let listener = instance.listen("127.0.0.10:25");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                for _ in 0..20 {
                    std::thread::sleep(Duration::from_millis(400));
                    if stream.write_all(b"220-x\r\n").is_err() {
                        return;
                    }
                }
            });
        }
    });
    let output = instance.run("posttls-finger", &["-c", "-t", "2", "[127.0.0.10]"]);
    assert_eq!(
        (output.status, output.stdout.as_str()),
        (0, "posttls-finger: timeout while reading server greeting\n")
    );
}

#[test]
fn local_sockets_that_cannot_be_reached() {
    let instance = Instance::builder().build();
    for (name, mode) in [("closed", 0o666), ("forbidden", 0o600)] {
        // Nobody listens there any more.
        let path = instance.path(name);
        drop(UnixListener::bind(&path).unwrap());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let top = instance.path("");
    let top = top.to_string_lossy();
    let top = top.trim_end_matches('/');
    let long = format!("posttls-finger -S unix:/{}", "x".repeat(107));
    let cases = [
        format!("posttls-finger -S unix:{top}/closed"),
        format!("posttls-finger -S -c -l none unix:{top}/closed match"),
        format!("posttls-finger -S -l dane-only -r 1 unix:{top}/forbidden"),
        format!("posttls-finger -S unix:{top}/none"),
        format!("cd {top}; posttls-finger -S unix:closed"),
        long,
    ];
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let text = at_once(&instance, "", &cases);
    golden::check(&instance, "posttls-finger/local-sockets", &text);
}

/// Postfix 3.11 connects, and says nothing; from July 2026 on, it has the session.
#[test]
fn local_sockets() {
    let instance = Instance::builder().build();
    let good = instance.path("good");
    let _good = Sink::local(&good, |event| {
        event
            .starts_with("LHLO")
            .then(|| "250-sink\n250 DSN".to_owned())
    });
    let refuses = instance.path("refuses");
    let _refuses = Sink::local(&refuses, |event| {
        (event == "greeting").then(|| "450 not now".to_owned())
    });
    let said = |path: &Path, more: &[&str]| {
        let to = format!("unix:{}", path.display());
        let output = instance.run("posttls-finger", &[more, &["-S", &to]].concat());
        assert_eq!((output.status, output.stderr.as_str()), (0, ""));
        output.stdout.replace("posttls-finger: ", "")
    };
    let all = [
        said(&good, &[]),
        said(&good, &["-c", "-r", "1"]),
        said(&refuses, &[]),
    ];
    if is_the_original(&instance) {
        assert_eq!(all, ["", "", ""]);
        return;
    }
    let (good, refuses) = (good.display(), refuses.display());
    assert_eq!(
        all,
        [
            format!(
                "Connected to mx.test.example[{good}]\n< 220 sink.example ESMTP\n> LHLO mx.test.example\n< 250-sink\n\
                 < 250 DSN\n> QUIT\n< 221 2.0.0 Bye\n"
            ),
            "Server declined session caching. Done reconnecting.\n".to_owned(),
            format!(
                "Connected to mx.test.example[{refuses}]\n< 450 not now\nSMTP service not available: 450 not now\n"
            ),
        ]
    );
}
