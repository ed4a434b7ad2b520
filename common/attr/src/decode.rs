//! Reading attribute lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{Error, MAX_MESSAGE, MAX_TABLE, NAME, VALUE, shown};

/// Tells where the first attribute list in `bytes` ends (behind its terminator); `None` when it is not all there yet.
///
/// # Errors
/// The list is too long, or its tables are not well nested.
pub fn frame(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let mut at = 0;
    let mut in_table = false;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let Some(name_len) = memchr::memchr(0, rest) else {
            return if bytes.len() > MAX_MESSAGE {
                Err(Error::TooLong)
            } else {
                Ok(None)
            };
        };
        let name = rest.get(..name_len).unwrap_or_default();
        at += name_len + 1;
        match (name, in_table) {
            (b"", false) => return Ok(Some(at)),
            (b"", true) | (b"{", true) | (b"}", false) => return Err(Error::Garbage),
            (b"{", false) => in_table = true,
            (b"}", true) => in_table = false,
            _ => {
                let rest = bytes.get(at..).unwrap_or_default();
                let Some(value_len) = memchr::memchr(0, rest) else {
                    return if bytes.len() > MAX_MESSAGE {
                        Err(Error::TooLong)
                    } else {
                        Ok(None)
                    };
                };
                at += value_len + 1;
            }
        }
    }
}

/// The error for a list of which only these bytes came.
pub fn cut_off(bytes: &[u8]) -> Error {
    if bytes.is_empty() {
        return Error::Closed;
    }
    // Names and values take turns.
    let words = bytes.iter().filter(|byte| **byte == 0).count();
    Error::Truncated(if words.is_multiple_of(2) { NAME } else { VALUE })
}

/// Name and value of one entry of a nested table.
pub type Entry<'a> = (&'a [u8], &'a [u8]);

/// One received attribute list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// Takes the first list out of `buffer`, if it is all there.
    ///
    /// # Errors
    /// As [`frame`].
    pub fn take(buffer: &mut Vec<u8>) -> Result<Option<Self>, Error> {
        Ok(frame(buffer)?.map(|len| {
            let rest = buffer.split_off(len);
            Self {
                bytes: std::mem::replace(buffer, rest),
            }
        }))
    }

    /// A reader that begins at the first attribute.
    pub fn decoder(&self) -> Decoder<'_> {
        Decoder { rest: &self.bytes }
    }
}

impl From<Vec<u8>> for Message {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }
}

/// Takes the attributes of a list one after another. Names must come in the order asked for: nothing is skipped.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// A reader over the bytes of one list.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn token(&mut self) -> Result<&'a [u8], Error> {
        let len = memchr::memchr(0, self.rest).ok_or(Error::Truncated(VALUE))?;
        let (token, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(Error::Truncated(VALUE))?;
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(token)
    }

    /// The name of the next attribute; `None` at the end of the list.
    pub fn peek(&self) -> Option<&'a [u8]> {
        let mut ahead = self.clone();
        ahead.token().ok().filter(|name| !name.is_empty())
    }

    fn name(&mut self, wanted: &'static str) -> Result<(), Error> {
        let mut ahead = self.clone();
        match ahead.token()? {
            b"" => Err(Error::Missing(wanted)),
            name if name == wanted.as_bytes() => {
                *self = ahead;
                Ok(())
            }
            name => Err(Error::Unexpected {
                found: shown(name),
                wanted,
            }),
        }
    }

    /// The next attribute must be this string.
    ///
    /// # Errors
    /// Another attribute, or none, comes next.
    pub fn str(&mut self, name: &'static str) -> Result<&'a [u8], Error> {
        self.name(name)?;
        self.token()
    }

    /// This string if it comes next, and `None` when something else does: for attributes that only some versions send.
    ///
    /// # Errors
    /// The list is cut off.
    pub fn optional(&mut self, name: &'static str) -> Result<Option<&'a [u8]>, Error> {
        if self.peek() == Some(name.as_bytes()) {
            self.str(name).map(Some)
        } else {
            Ok(None)
        }
    }

    /// The next attribute must be this 32-bit number. A minus sign is taken as in C, whatever wrote it.
    ///
    /// # Errors
    /// Another attribute comes next, or its value is not a 32-bit number.
    pub fn int(&mut self, name: &'static str) -> Result<i32, Error> {
        let text = self.str(name)?;
        let negative = text.strip_prefix(b"-");
        number(negative.unwrap_or(text))
            .and_then(|n| u32::try_from(n).ok())
            .map(u32::cast_signed)
            .map(|n| {
                if negative.is_some() {
                    n.wrapping_neg()
                } else {
                    n
                }
            })
            .ok_or_else(|| malformed("numerical data", text))
    }

    /// The next attribute must be this 64-bit number.
    ///
    /// # Errors
    /// Another attribute comes next, or its value is not an unsigned 64-bit number.
    pub fn long(&mut self, name: &'static str) -> Result<i64, Error> {
        let text = self.str(name)?;
        number(text)
            .map(u64::cast_signed)
            .ok_or_else(|| malformed("numerical data", text))
    }

    /// The next attribute must be this truth value.
    ///
    /// # Errors
    /// Another attribute comes next, or its value is neither 0 nor 1.
    pub fn bool(&mut self, name: &'static str) -> Result<bool, Error> {
        match self.str(name)? {
            b"0" => Ok(false),
            b"1" => Ok(true),
            text => Err(malformed("boolean value", text)),
        }
    }

    /// The next attribute must be these bytes (base64 on the wire).
    ///
    /// # Errors
    /// Another attribute comes next, or its value is not base64.
    pub fn data(&mut self, name: &'static str) -> Result<Vec<u8>, Error> {
        let text = self.str(name)?;
        STANDARD
            .decode(text)
            .map_err(|_| malformed("base64 data", text))
    }

    /// A nested table must come next.
    ///
    /// # Errors
    /// Something else comes next, or the table has more than [`MAX_TABLE`] entries.
    pub fn table(&mut self) -> Result<Vec<Entry<'a>>, Error> {
        self.name("{")?;
        let mut entries = Vec::new();
        loop {
            match self.token()? {
                b"}" => return Ok(entries),
                b"" => return Err(Error::Missing("}")),
                _ if entries.len() >= MAX_TABLE => return Err(Error::TooLong),
                name => entries.push((name, self.token()?)),
            }
        }
    }

    /// The list must end here.
    ///
    /// # Errors
    /// Another attribute follows.
    pub fn end(&mut self) -> Result<(), Error> {
        self.name("(list terminator)").map_or_else(
            |err| {
                if matches!(err, Error::Missing(_)) {
                    Ok(())
                } else {
                    Err(err)
                }
            },
            |()| Err(Error::Garbage),
        )
    }
}

fn malformed(kind: &'static str, text: &[u8]) -> Error {
    Error::Value {
        kind,
        found: shown(text),
    }
}

/// Digits only: no sign, no space.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Encoder;
    use proptest::prelude::*;

    #[test]
    fn a_list_is_names_and_values_ended_by_nul() {
        let bytes = Encoder::new()
            .str("a", "x")
            .int("n", -1)
            .bool("b", true)
            .data("d", b"hi")
            .end();
        assert_eq!(bytes, b"a\0x\0n\x004294967295\0b\x001\0d\0aGk=\0\0");
        let message = Message::from(bytes);
        let mut list = message.decoder();
        assert_eq!(list.str("a").unwrap(), b"x");
        assert_eq!(list.int("n").unwrap(), -1);
        assert!(list.bool("b").unwrap());
        assert_eq!(list.data("d").unwrap(), b"hi");
        list.end().unwrap();
    }

    #[test]
    fn order_and_presence_are_checked() {
        let message = Message::from(Encoder::new().str("a", "x").end());
        assert!(matches!(
            message.decoder().str("b"),
            Err(Error::Unexpected { .. })
        ));
        assert!(matches!(
            message.decoder().end(),
            Err(Error::Unexpected { .. })
        ));
        let mut list = message.decoder();
        list.str("a").unwrap();
        assert!(matches!(list.str("b"), Err(Error::Missing("b"))));
    }

    #[test]
    fn a_table_travels_between_braces() {
        let bytes = Encoder::new()
            .table([(&b"k"[..], &b"v"[..])])
            .str("z", "")
            .end();
        assert_eq!(frame(&bytes).unwrap(), Some(bytes.len()));
        let message = Message::from(bytes);
        let mut list = message.decoder();
        assert_eq!(list.table().unwrap(), vec![(&b"k"[..], &b"v"[..])]);
        assert_eq!(list.str("z").unwrap(), b"");
    }

    #[test]
    fn numbers_have_no_space_and_bounds() {
        for text in ["", "-", "--1", "+1", " 1", "1x", "4294967296"] {
            let message = Message::from(Encoder::new().str("n", text).end());
            assert!(message.decoder().int("n").is_err(), "{text:?}");
        }
        for text in ["-1", "4294967295"] {
            let message = Message::from(Encoder::new().str("n", text).end());
            assert_eq!(message.decoder().int("n").unwrap(), -1);
        }
    }

    proptest! {
        #[test]
        fn frame_finds_the_end_wherever_the_bytes_are_cut(values in prop::collection::vec("[a-z]{0,9}", 0..6), cut in 0usize..200) {
            let mut list = Encoder::new();
            for value in &values {
                list = list.str("name", value);
            }
            let bytes = list.end();
            let cut = cut.min(bytes.len());
            let whole = frame(&bytes[..cut]).unwrap();
            prop_assert_eq!(whole, (cut == bytes.len()).then_some(cut));
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = frame(&bytes);
            let mut list = Decoder::new(&bytes);
            while let Some(_name) = list.peek() {
                if list.token().is_err() {
                    break;
                }
            }
        }
    }
}
