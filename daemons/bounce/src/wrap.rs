//! Breaking long lines of a report between words.

/// The longest line, in bytes.
const LENGTH: usize = 79;
/// How far the second and later lines are indented.
const INDENT: usize = 4;

/// The lines of a text, broken between words where they can be.
pub fn wrap(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut rest = text;
    let mut indent = 0;
    loop {
        let (line, after) = split(rest, LENGTH - indent);
        let mut out = vec![b' '; indent];
        out.extend_from_slice(line.trim_ascii_end());
        lines.push(out);
        match after {
            Some(after) => rest = after,
            None => return lines,
        }
        indent = INDENT;
    }
}

/// The words that fit, at least one; and what is left.
fn split(text: &[u8], width: usize) -> (&[u8], Option<&[u8]>) {
    let mut word = 0;
    loop {
        let blank = |from: usize| {
            text.get(from..)
                .and_then(|rest| rest.iter().position(|b| matches!(b, b' ' | b'\t')))
                .map(|at| from + at)
        };
        let space = blank(word);
        let end = space.unwrap_or(text.len());
        if word > 0 && end > width {
            let (line, rest) = text.split_at(word);
            return (line, Some(rest.trim_ascii_start()));
        }
        match space {
            Some(space) => word = space + 1,
            None => return (text, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words() {
        let text = format!("<a@b>: {}end", "word ".repeat(30));
        let lines = wrap(text.as_bytes());
        assert!(lines.len() > 1);
        for line in &lines {
            assert!(line.len() <= LENGTH);
        }
        assert!(lines[1].starts_with(b"    word"));
        let joined: Vec<&[u8]> = lines.iter().map(|line| line.trim_ascii()).collect();
        assert_eq!(joined.join(&b' '), text.as_bytes());
        let long = "x".repeat(200);
        assert_eq!(wrap(long.as_bytes()), [long.as_bytes()]);
    }
}
