//! Where a handshake is due. The original does it; ours says that it cannot, and ends in good order.

use super::is_the_original;
use compliance::testkit::{Dns, Instance, Sink};

/// What our program says in the place of a handshake.
const SORRY: &str = "error: TLS is not part of this build yet: no handshake is done\n";

/// A server on 127.0.0.10 that offers STARTTLS, and would not do it.
fn server(instance: &Instance) -> Sink {
    Sink::with(instance, "127.0.0.10:25", |event| match event {
        "STARTTLS" => Some("454 not today".to_owned()),
        hello if hello.starts_with("EHLO") => Some("250-sink\n250-StartTLS\n250 DSN".to_owned()),
        hello if hello.starts_with("LHLO") => Some("250 starttls=x".to_owned()),
        _ => None,
    })
}

/// The exit status, and what was said.
fn said(instance: &Instance, words: &[&str]) -> (i32, String) {
    let output = instance.run("posttls-finger", words);
    assert_eq!(output.stderr, "");
    (output.status, output.stdout.replace("posttls-finger: ", ""))
}

#[test]
fn starttls_is_asked_for_where_it_is_offered() {
    let instance = Instance::builder().build();
    let sink = server(&instance);
    let before = "Connected to 127.0.0.10[127.0.0.10]:25\n< 220 sink.example ESMTP\n> EHLO mx.test.example\n\
                  < 250-sink\n< 250-StartTLS\n< 250 DSN\n";
    let (status, text) = said(&instance, &["[127.0.0.10]"]);
    let after = text.strip_prefix(before).unwrap();
    if is_the_original(&instance) {
        let wanted = "> STARTTLS\n< 454 not today\nSTARTTLS rejected: 454 not today\n";
        assert_eq!((status, after), (0, wanted));
    } else {
        let wanted = format!("{SORRY}> QUIT\n< 221 2.0.0 Bye\n");
        assert_eq!((status, after), (1, wanted.as_str()));
    }
    for level in [
        "may",
        "encrypt",
        "fingerprint",
        "verify",
        "secure",
        "dane-only",
    ] {
        let (status, text) = said(&instance, &["-c", "-l", level, "[127.0.0.10]"]);
        let text = text.replace("no TLSA records found, resorting to \"secure\"\n", "");
        if is_the_original(&instance) {
            assert_eq!(
                (status, text.as_str()),
                (0, "STARTTLS rejected: 454 not today\n")
            );
        } else {
            assert_eq!((status, text.as_str()), (1, SORRY));
        }
    }
    // Nothing is different where nobody wants TLS, or where it cannot be had.
    let (status, text) = said(&instance, &["-l", "none", "[127.0.0.10]"]);
    let quit = "> QUIT\n< 221 2.0.0 Bye\n";
    assert_eq!((status, text), (0, format!("{before}{quit}")));
    let (status, text) = said(&instance, &["-d", "nosuch", "[127.0.0.10]"]);
    let warnings =
        "warning: Digest algorithm \"nosuch\" not found\nwarning: disabling TLS support\n";
    assert_eq!((status, text), (0, format!("{warnings}{before}{quit}")));
    assert_eq!(sink.sessions(), 9);
}

#[test]
fn the_last_line_counts_and_others_are_tried_no_more() {
    let instance = Instance::builder().build();
    let _sink = server(&instance);
    let _dns = Dns::new()
        .authentic("two.example")
        .authentic("a.example")
        .authentic("_25._tcp.a.example")
        .mx("two.example", 10, "a.example")
        .mx("two.example", 20, "b.example")
        .a("a.example", "127.0.0.10")
        .a("b.example", "127.0.0.11")
        .raw("_25._tcp.a.example", 52, &[3, 1, 1, 7])
        .start(&instance);
    let lmtp = ["-S", "-c", "inet:127.0.0.10:25"];
    let several = ["-c", "-r", "1", "two.example"];
    for words in [lmtp.as_slice(), several.as_slice()] {
        let (status, text) = said(&instance, words);
        if is_the_original(&instance) {
            assert_eq!(
                (status, text.as_str()),
                (0, "STARTTLS rejected: 454 not today\n")
            );
        } else {
            assert_eq!((status, text.as_str()), (1, SORRY));
        }
    }
}

/// The original waits for the server's part of the handshake, which never comes.
#[test]
fn in_wrapper_mode_nothing_is_said_in_the_clear() {
    let instance = Instance::builder().build();
    let listener = instance.listen("127.0.0.10:465");
    let seen = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = [0; 5];
        let count = std::io::Read::read(&mut stream, &mut bytes).unwrap();
        bytes[..count].to_vec()
    });
    let (status, text) = said(&instance, &["-w", "[127.0.0.10]:smtps"]);
    let seen = seen.join().unwrap();
    let connected = "Connected to 127.0.0.10[127.0.0.10]:465\n";
    if is_the_original(&instance) {
        // The head of a TLS record with a handshake.
        assert!(seen.starts_with(&[22, 3, 1]), "{seen:?}");
        assert!(status == 0 && text.starts_with(connected), "{text}");
    } else {
        assert_eq!(seen, b"");
        assert_eq!((status, text), (1, format!("{connected}{SORRY}")));
    }
}
