//! Replies as they are before they go to the client: text without line end, many lines parted by CR LF.

use super::errors::Classes;

/// A negative reply, and the class of trouble that it counts as.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) class: Classes,
    pub(crate) reply: Vec<u8>,
}

impl Refusal {
    pub(crate) fn new(class: Classes, reply: impl Into<Vec<u8>>) -> Self {
        Self {
            class,
            reply: reply.into(),
        }
    }
}

/// Whether the text begins as a negative reply does: `4xx` or `5xx`, alone or before a space or a hyphen.
pub(crate) fn is_negative(reply: &[u8]) -> bool {
    match reply {
        [b'4' | b'5', tens, ones, rest @ ..] => {
            tens.is_ascii_digit()
                && ones.is_ascii_digit()
                && matches!(rest.first(), None | Some(b' ' | b'-'))
        }
        _ => false,
    }
}

/// The bytes that go to the client: each line ended by CR LF, with a hyphen after the code on all but the last; with
/// `soft_bounce` no code begins with 5. Also calls `each` with every line, for transcript and log.
pub(crate) fn wire(reply: &[u8], soft_bounce: bool, mut each: impl FnMut(&[u8])) -> Vec<u8> {
    let reply = reply.strip_suffix(b"\r\n").unwrap_or(reply);
    let mut out = Vec::with_capacity(reply.len() + 8);
    let mut rest = Some(reply);
    while let Some(text) = rest {
        let (line, after) = match bstr::ByteSlice::find(text, b"\r\n") {
            Some(at) => (text.get(..at).unwrap_or(text), text.get(at + 2..)),
            None => (text, None),
        };
        let start = out.len();
        out.extend_from_slice(line);
        if let Some(line) = out.get_mut(start..) {
            if soft_bounce && line.first() == Some(&b'5') {
                for at in [0, 4] {
                    if let Some(digit @ b'5') = line.get_mut(at) {
                        *digit = b'4';
                    }
                }
            }
            if after.is_some()
                && let Some(mark) = line.get_mut(3)
            {
                *mark = b'-';
            }
            each(line);
        }
        out.extend_from_slice(b"\r\n");
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_reply() {
        assert_eq!(wire(b"250 2.0.0 Ok", false, |_| {}), b"250 2.0.0 Ok\r\n");
        assert_eq!(
            wire(b"550 5.7.1 a\r\n550 b\r\n", true, |_| {}),
            b"450-4.7.1 a\r\n450 b\r\n"
        );
        assert!(is_negative(b"450") && is_negative(b"550-x") && !is_negative(b"5500"));
    }
}
