//! The parts of a line as programs send it: `Nov 23 16:47:49 host postfix/smtpd[123]: text`.

/// The writer (program and process id) and the text; date and host are dropped. A line that is too short has no text.
pub fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let mut rest = line;
    for _ in 0..4 {
        rest = word(rest).1;
    }
    let (writer, text) = word(rest);
    let writer = match writer.iter().position(|byte| *byte == b':') {
        Some(at) => writer.get(..at).unwrap_or(writer),
        None => writer,
    };
    (writer, skip(text))
}

fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let line = skip(line);
    let end = line
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(line.len());
    line.split_at(end)
}

fn skip(line: &[u8]) -> &[u8] {
    let start = line
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(line.len());
    line.get(start..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writer_and_text() {
        assert_eq!(
            split(b"Nov 23 16:47:49 mx postfix/smtpd[123]: warning: two  spaces"),
            (&b"postfix/smtpd[123]"[..], &b"warning: two  spaces"[..])
        );
        assert_eq!(split(b"Nov 23 16"), (&b""[..], &b""[..]));
        // 20260619 Q: nothing beyond the datagram is ever looked at.
        assert_eq!(split(b""), (&b""[..], &b""[..]));
    }
}
