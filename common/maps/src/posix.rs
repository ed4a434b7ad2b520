//! From POSIX regular expressions, as the C library reads them, to the syntax of the `regex` crate.

/// The largest number in braces.
const MOST_REPETITIONS: u64 = 0x7fff;

/// Translates a pattern. `extended`: ERE, else BRE. `newline`: `REG_NEWLINE`, so that no set matches a newline unless it names it.
/// `ignore_case`: `REG_ICASE`, of which only the odd parts are done here.
///
/// # Errors
/// What cannot be translated: back-references.
pub(crate) fn translate(
    pattern: &[u8],
    extended: bool,
    newline: bool,
    ignore_case: bool,
) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    let mut depth = 0_usize;
    // Whether a repetition here would have nothing to repeat.
    let mut start = true;
    while let Some(&byte) = pattern.get(at) {
        at += 1;
        let operator = match byte {
            b'\\' => {
                let Some(&next) = pattern.get(at) else {
                    return Err("Trailing backslash".into());
                };
                at += 1;
                match next {
                    b'(' | b')' | b'{' | b'}' if !extended => Some(next),
                    b'|' | b'+' | b'?' if !extended => Some(next),
                    b'1'..=b'9' => {
                        return Err("back-references are not supported: skipping this rule".into());
                    }
                    b'<' => {
                        out.push_str(r"\b{start}");
                        start = false;
                        continue;
                    }
                    b'>' => {
                        out.push_str(r"\b{end}");
                        start = false;
                        continue;
                    }
                    b'w' | b'W' | b's' | b'S' | b'b' | b'B' => {
                        out.push('\\');
                        out.push(char::from(next));
                        start = false;
                        continue;
                    }
                    b'`' => {
                        out.push_str(r"\A");
                        continue;
                    }
                    b'\'' => {
                        out.push_str(r"\z");
                        continue;
                    }
                    // Whoever ignores case compares with the upper case, and this one stays as it is: it never matches.
                    b'a'..=b'z' if ignore_case => {
                        out.push_str("[a&&b]");
                        start = false;
                        continue;
                    }
                    _ => {
                        literal(&mut out, next);
                        start = false;
                        continue;
                    }
                }
            }
            b'(' | b')' | b'{' | b'}' | b'|' | b'+' | b'?' if extended => Some(byte),
            b'*' => Some(b'*'),
            _ => None,
        };
        match (operator, byte) {
            (Some(b'*' | b'+' | b'?'), _) if start => {
                // In BRE the star is a star then.
                if extended {
                    return Err("Invalid preceding regular expression".into());
                }
                literal(&mut out, b'*');
                start = false;
            }
            (Some(b'{'), _) => match interval(pattern, at, extended) {
                None if extended && !start && pattern.get(at).is_some_and(u8::is_ascii_digit) => {
                    return Err(r"Unmatched \{".into());
                }
                Some((_, _, most)) if most > MOST_REPETITIONS => {
                    return Err("Regular expression too big".into());
                }
                Some((text, behind, _)) if !start => {
                    out.push_str(&text);
                    at = behind;
                }
                _ => {
                    literal(&mut out, b'{');
                    start = false;
                }
            },
            (Some(b'}'), _) => {
                literal(&mut out, b'}');
                start = false;
            }
            (Some(operator @ (b'*' | b'+' | b'?')), _) => {
                // Two repetitions in a row mean something else in the other syntax.
                if out.ends_with(['*', '+', '?', '}']) && !out.ends_with(r"\*") {
                    wrap(&mut out);
                }
                out.push(char::from(operator));
            }
            // Without its partner it is itself.
            (Some(b')'), _) if extended && depth == 0 => {
                literal(&mut out, b')');
                start = false;
            }
            (Some(operator), _) => {
                match operator {
                    b'(' => depth += 1,
                    b')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                out.push(char::from(operator));
                start = matches!(operator, b'(' | b'|');
            }
            (None, b'[') => {
                at = bracket(&mut out, pattern, at, newline)?;
                start = false;
            }
            (None, b'.') => {
                out.push('.');
                start = false;
            }
            (None, b'^') => {
                // In BRE only at the start of the pattern or a group.
                if extended || start {
                    out.push('^');
                } else {
                    literal(&mut out, b'^');
                }
            }
            (None, b'$') => {
                let last =
                    at == pattern.len() || (!extended && pattern.get(at..at + 2) == Some(b"\\)"));
                if extended || last {
                    out.push('$');
                    start = false;
                } else {
                    literal(&mut out, b'$');
                    start = false;
                }
            }
            (None, other) => {
                literal(&mut out, other);
                start = false;
            }
        }
    }
    Ok(out)
}

/// Puts what was written so far since the last whole pattern item into a group of its own. The last item is a single
/// repetition, which a non-capturing group around the whole alternative would change; so the item is found from the back.
fn wrap(out: &mut String) {
    // `a**` is `a*`: repeating a repetition without bounds changes nothing that matches.
    if out.ends_with('*') {
        return;
    }
    let last = out.pop();
    // `a+*`, `a?*`, `a+?` and the like all come down to `a*`; bounded ones keep their bounds and lose the outer repetition.
    match last {
        Some('}') => out.push('}'),
        _ => out.push('*'),
    }
}

fn literal(out: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'@' || byte == b' ' || byte == b'/'
    {
        out.push(char::from(byte));
    } else {
        out.push_str(&format!(r"\x{byte:02x}"));
    }
}

/// `{n}`, `{n,}`, `{n,m}` behind the opening brace; what it is in the other syntax, where it ends, and its largest number.
fn interval(pattern: &[u8], at: usize, extended: bool) -> Option<(String, usize, u64)> {
    let rest = pattern.get(at..)?;
    let close: &[u8] = if extended { b"}" } else { b"\\}" };
    let end = rest
        .windows(close.len())
        .position(|window| window == close)?;
    let inner = std::str::from_utf8(rest.get(..end)?).ok()?;
    let (low, high) = inner
        .split_once(',')
        .map_or((inner, None), |(low, high)| (low, Some(high)));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(low)
        || !high.is_none_or(digits)
        || (low.is_empty() && high.is_none_or(str::is_empty))
    {
        return None;
    }
    let low = if low.is_empty() { "0" } else { low };
    let text = match high {
        None => format!("{{{low}}}"),
        Some(high) => format!("{{{low},{high}}}"),
    };
    let number = |text: &str| match text {
        "" => 0,
        digits => digits.parse().unwrap_or(u64::MAX),
    };
    let most = number(low).max(high.map_or(0, number));
    Some((text, at + end + close.len(), most))
}

/// A bracket expression behind its opening bracket; where it ends.
fn bracket(
    out: &mut String,
    pattern: &[u8],
    mut at: usize,
    newline: bool,
) -> Result<usize, String> {
    let unmatched = || "Unmatched [, [^, [:, [., or [=".to_owned();
    out.push('[');
    if pattern.get(at) == Some(&b'^') {
        out.push('^');
        at += 1;
        if newline {
            out.push_str(r"\n");
        }
    }
    let mut first = true;
    loop {
        let byte = *pattern.get(at).ok_or_else(|| match first {
            true => "Invalid regular expression".to_owned(),
            false => unmatched(),
        })?;
        at += 1;
        match byte {
            b']' if !first => {
                out.push(']');
                return Ok(at);
            }
            b'[' if matches!(pattern.get(at), Some(b':' | b'.' | b'=')) => {
                let kind = *pattern.get(at).ok_or_else(unmatched)?;
                let rest = pattern.get(at + 1..).ok_or_else(unmatched)?;
                let end = rest
                    .windows(2)
                    .position(|window| window == [kind, b']'])
                    .ok_or_else(unmatched)?;
                let name = rest.get(..end).unwrap_or_default();
                if kind == b':' {
                    let known = [
                        "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print",
                        "punct", "space", "upper", "xdigit",
                    ];
                    let name = String::from_utf8_lossy(name);
                    if !known.contains(&name.as_ref()) {
                        return Err("Invalid character class name".into());
                    }
                    out.push_str(&format!("[:{name}:]"));
                } else {
                    match name {
                        [single] => out.push_str(&format!(r"\x{single:02x}")),
                        _ => return Err("Invalid collation character".into()),
                    }
                }
                at += 1 + end + 2;
            }
            // A hyphen between two ends of a range, and nowhere else.
            b'-' if !first
                && pattern.get(at).is_some_and(|next| *next != b']')
                && is_range(out) =>
            {
                out.push('-')
            }
            other => out.push_str(&format!(r"\x{other:02x}")),
        }
        first = false;
    }
}

/// Whether the last thing written in a bracket expression can begin a range.
fn is_range(out: &str) -> bool {
    let bytes = out.as_bytes();
    let single = |tail: &[u8]| tail.first() == Some(&b'\\') && tail.get(1) == Some(&b'x');
    let Some(tail) = bytes.len().checked_sub(4).and_then(|at| bytes.get(at..)) else {
        return false;
    };
    let already = bytes.len().checked_sub(5).and_then(|at| bytes.get(at)) == Some(&b'-');
    single(tail) && !already
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let translated = translate(pattern.as_bytes(), true, false, false).unwrap();
        regex::bytes::RegexBuilder::new(&translated)
            .unicode(false)
            .dot_matches_new_line(true)
            .build()
            .unwrap_or_else(|err| panic!("{pattern} -> {translated}: {err}"))
            .is_match(text.as_bytes())
    }

    #[test]
    fn posix_differs_from_the_other_syntax_here_and_there() {
        assert!(matches(r"^[\.]$", "\\") && matches(r"^[\.]$", "."));
        assert!(matches("^[]a]+$", "]a]") && matches("^[^]a]$", "b") && !matches("^[^]a]$", "]"));
        assert!(matches("^[a-c-]+$", "b-") && !matches("^[a-c-]+$", "d"));
        assert!(matches("^[[:digit:].]+$", "1.2"));
        assert!(matches("^a{$", "a{") && matches("^a{2}$", "aa") && matches("^a{2,3}$", "aaa"));
        assert!(matches(r"\<cat\>", "the cat") && !matches(r"\<cat\>", "concat"));
        assert!(matches("a.b", "a\nb"));
        assert!(matches("^[&&~~-]+$", "&&~-"));
        assert!(matches(r"^\@x$", "@x") && matches(r"^\/$", "/"));
        assert!(translate(br"(a)\1", true, false, false).is_err());
    }
}
