//! SMTP dialogues as text: what the client says, line by line, and what the server answers.

use std::fmt::Write as _;

use pf_testkit::Instance;

/// Plays `script` in one session from `source`, and gives the transcript. Each line of the script is sent and one reply read,
/// but a line that begins with `+` is sent together with the next one (pipelined), one that begins with `~` is sent without
/// waiting for a reply, and the line `(reply)` only waits for one. `\r`, `\n`, `\0` and `\xHH` stand for those bytes.
pub fn play(instance: &Instance, source: &str, script: &str) -> String {
    play_to(instance, source, "127.0.0.1:25", script)
}

/// As [`play`], with the server at this address. A line `(wait SECONDS)` only waits; `(close)` hangs up; a line that ends in
/// `\c` is sent without a line end. A first line `(first BYTES)` is said before the server greets.
pub fn play_to(instance: &Instance, source: &str, server: &str, script: &str) -> String {
    let first = script.lines().next().and_then(|line| {
        let words = line.trim_start().strip_prefix("(first ")?;
        words.strip_suffix(')')
    });
    let script = match first {
        Some(_) => script.split_once('\n').map_or("", |(_, rest)| rest),
        None => script,
    };
    let first = bytes(first.unwrap_or_default());
    let mut client = instance.smtp_after(source, server, &first);
    let mut text = format!("S {}\n", client.greeting.text.replace('\n', "\nS "));
    if !first.is_empty() && client.greeting.code == 0 {
        text += "(the server hung up)\n";
        return text;
    }
    assert_ne!(client.greeting.code, 0, "no greeting: {}", instance.log());
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
        if let Some(seconds) = words.strip_prefix("(wait ") {
            let seconds = seconds.trim_end_matches(')').parse().unwrap();
            std::thread::sleep(std::time::Duration::from_secs_f32(seconds));
            continue;
        }
        if words == "(close)" {
            return text;
        }
        if words != "(reply)" {
            let _ = writeln!(text, "C {words}");
            match words.strip_suffix("\\c") {
                Some(words) => pending.extend(bytes(words)),
                None => {
                    pending.extend(bytes(words));
                    pending.extend(b"\r\n");
                }
            }
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

/// The bytes that a line with escapes stands for.
pub(crate) fn bytes(line: &str) -> Vec<u8> {
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
