//! The shared connection cache, asked through its socket.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use compliance::golden;
use compliance::ipc::Peer;
use compliance::testkit::Instance;

/// Sends a request; for a connection that is to be kept, also `kept`. What is answered, and what comes out of a connection that is
/// given.
fn ask(peer: &mut Peer, list: &[(&str, &str)], kept: Option<&UnixStream>) -> String {
    peer.send(list);
    let mut answer = peer.receive();
    if let Some(kept) = kept {
        assert_eq!(answer, [("dummy".to_owned(), String::new())]);
        peer.send_fd(kept);
        answer = peer.receive();
    }
    let mut out = format!("{list:?}\n  {answer:?}\n");
    if answer.len() > 1 && answer[0].1 == "0" {
        peer.send(&[("dummy", "")]);
        let given = peer.receive_fd();
        peer.send(&[("dummy", "")]);
        UnixStream::from(given).write_all(b"!").unwrap();
        out += "  a connection\n";
    }
    out
}

/// What was written into the other end of a connection by then.
fn heard(mut end: &UnixStream) -> usize {
    end.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut bytes = Vec::new();
    end.read_to_end(&mut bytes).unwrap();
    bytes.len()
}

#[test]
fn connections_are_kept_and_given() {
    let instance = Instance::builder()
        .main_cf("connection_cache_ttl_limit = 5s\nconnection_cache_status_update_time = 2s")
        .master_cf("scache unix - - n - 1 scache")
        .start();
    let mut peer = Peer::connect(&instance, "private/scache");
    let mut out = format!("{:?}\n", peer.receive());
    let save = |peer: &mut Peer, name: &str, property: &str| {
        let (mine, kept) = UnixStream::pair().unwrap();
        let list = [
            ("request", "save_endp"),
            ("ttl", "100"),
            ("label", name),
            ("property", property),
        ];
        (mine, ask(peer, &list, Some(&kept)))
    };
    let find = |kind: &'static str, label: &'static str| [("request", kind), ("label", label)];
    out += &ask(&mut peer, &find("find_endp", "e"), None);
    let (first, text) = save(&mut peer, "e", "one\n");
    out += &text;
    let (second, text) = save(&mut peer, "e", "two");
    out += &text;
    let (third, text) = save(&mut peer, "f", "three");
    out += &text;
    let bind = [
        ("request", "save_dest"),
        ("ttl", "100"),
        ("label", "d"),
        ("property", "to e"),
        ("label", "e"),
    ];
    out += &ask(&mut peer, &find("find_dest", "d"), None);
    out += &ask(&mut peer, &bind, None);
    out += &ask(&mut peer, &find("find_dest", "d"), None);
    writeln!(out, "first: {}", heard(&first)).unwrap();
    // Another agent shares what there is.
    let mut other = Peer::connect(&instance, "private/scache");
    other.receive();
    out += &ask(&mut other, &find("find_endp", "e"), None);
    writeln!(out, "second: {}", heard(&second)).unwrap();
    out += &ask(&mut other, &find("find_endp", "e"), None);
    out += &ask(&mut other, &find("find_dest", "d"), None);
    // Too old, a connection is closed.
    writeln!(out, "third: {}", heard(&third)).unwrap();
    out += &ask(&mut peer, &find("find_endp", "f"), None);
    for list in [
        &[("request", "sing")][..],
        &[("request", "find_dest")],
        &[("request", "find_endp"), ("name", "x")],
        &[
            ("request", "save_endp"),
            ("ttl", "0"),
            ("label", "x"),
            ("property", "y"),
        ],
        &[("request", "save_dest"), ("ttl", "1"), ("label", "x")],
    ] {
        peer.send(list);
        writeln!(out, "{list:?}\n  {:?}", peer.receive()).unwrap();
    }
    for line in [
        "statistics: start interval ... [ \\d]\\d \\d\\d:\\d\\d:\\d\\d$",
        "statistics: domain lookup hits=\\d+ miss=\\d+ success=\\d+%$",
        "statistics: address lookup hits=\\d+ miss=\\d+ success=\\d+%$",
        "statistics: max simultaneous domains=\\d+ addresses=\\d+ connection=\\d+$",
    ] {
        instance.wait_log(&format!("(?m){line}"));
    }
    out += &golden::log(&instance, r"postfix/scache\[\d+\]: warning: (scache|unrec)");
    golden::check(&instance, "small/scache", &out);
    instance.assert_no_panic();
}
