//! Netstrings: length, colon, bytes, comma.

/// Frames bytes as a netstring.
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.len().to_string().into_bytes();
    out.push(b':');
    out.extend_from_slice(bytes);
    out.push(b',');
    out
}

/// What is wrong with the bytes of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The length is longer than allowed.
    TooLong,
    /// The bytes are no netstring.
    Format,
}

/// Takes the first netstring out of `buffer`: the content and how many bytes of the buffer it took; `None` when it is not all
/// there yet. A content longer than `limit` bytes is refused.
///
/// # Errors
/// The bytes are not, or will not become, a netstring within the limit.
pub fn decode(buffer: &[u8], limit: usize) -> Result<Option<(&[u8], usize)>, Error> {
    // More digits than any allowed length has are refused before they are all there.
    let head = buffer.get(..buffer.len().min(12)).unwrap_or(buffer);
    let Some(colon) = head.iter().position(|byte| !byte.is_ascii_digit()) else {
        return if head.len() == 12 {
            Err(Error::TooLong)
        } else {
            Ok(None)
        };
    };
    let digits = head.get(..colon).unwrap_or_default();
    if colon == 0 || head.get(colon) != Some(&b':') {
        return Err(Error::Format);
    }
    let len: usize = std::str::from_utf8(digits)
        .ok()
        .and_then(|d| d.parse().ok())
        .ok_or(Error::TooLong)?;
    if len > limit {
        return Err(Error::TooLong);
    }
    let end = colon + 1 + len;
    match (buffer.get(colon + 1..end), buffer.get(end)) {
        (Some(content), Some(b',')) => Ok(Some((content, end + 1))),
        (Some(_), Some(_)) => Err(Error::Format),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_and_cut() {
        let bytes = encode(b"hello");
        assert_eq!(bytes, b"5:hello,");
        assert_eq!(decode(&bytes, 10), Ok(Some((&b"hello"[..], 8))));
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut], 10), Ok(None), "{cut}");
        }
        assert_eq!(decode(&bytes, 4), Err(Error::TooLong));
        assert_eq!(decode(b"5:hello;", 10), Err(Error::Format));
        assert_eq!(decode(b":", 10), Err(Error::Format));
        assert_eq!(decode(b"000000000000", 10), Err(Error::TooLong));
    }
}
