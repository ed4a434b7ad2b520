//! SMTP dialogues as text: what the client says, line by line, and what the server answers.

use std::fmt::Write as _;

use pf_testkit::Instance;

/// Plays `script` in one session from `source`, and gives the transcript. Each line of the script is sent and one reply read,
/// but a line that begins with `+` is sent together with the next one (pipelined), one that begins with `~` is sent without
/// waiting for a reply, and the line `(reply)` only waits for one. `\r`, `\n`, `\0` and `\xHH` stand for those bytes.
pub fn play(instance: &Instance, source: &str, script: &str) -> String {
    let mut client = instance.smtp_from(source, "127.0.0.1:25");
    let mut text = format!("S {}\n", client.greeting.text.replace('\n', "\nS "));
    let (mut pending, mut owed) = (Vec::new(), 0);
    for line in script
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
    {
        let (mark, words) = match line.strip_prefix('+') {
            Some(rest) => ('+', rest),
            None => line
                .strip_prefix('~')
                .map_or((' ', line), |rest| ('~', rest)),
        };
        if words != "(reply)" {
            let _ = writeln!(text, "C {words}");
            pending.extend(bytes(words));
            pending.extend(b"\r\n");
        }
        match mark {
            '+' => {
                owed += 1;
                continue;
            }
            '~' => {}
            _ => owed += 1,
        }
        client.send(std::mem::take(&mut pending));
        for _ in 0..std::mem::take(&mut owed) {
            let reply = client.reply();
            let _ = writeln!(text, "S {}", reply.text.replace('\n', "\nS "));
            if reply.code == 0 {
                let _ = writeln!(text, "(the server hung up)");
                return text;
            }
        }
    }
    text
}

fn bytes(line: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = line.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            bytes.push(first);
            continue;
        }
        let (byte, used) = match rest.first() {
            Some(b'r') => (b'\r', 1),
            Some(b'n') => (b'\n', 1),
            Some(b'0') => (0, 1),
            Some(b'x') => (
                u8::from_str_radix(std::str::from_utf8(&rest[1..3]).unwrap(), 16).unwrap(),
                3,
            ),
            _ => (b'\\', usize::from(rest.first() == Some(&b'\\'))),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes
}
