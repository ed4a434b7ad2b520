//! Writing attribute lists.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Builds one attribute list; the attributes go out in the order of the calls.
#[derive(Debug, Default, Clone)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    fn token(&mut self, text: &[u8]) {
        // A NUL inside would shift every later attribute; like a C string, the value ends there.
        let text = memchr::memchr(0, text).map_or(text, |at| text.get(..at).unwrap_or(text));
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
    }

    /// Adds a string.
    #[must_use]
    pub fn str(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.token(name.as_bytes());
        self.token(value.as_ref());
        self
    }

    /// Adds a 32-bit number; negative ones travel as their unsigned image, as in Postfix.
    #[must_use]
    pub fn int(self, name: &str, value: i32) -> Self {
        self.str(name, value.cast_unsigned().to_string())
    }

    /// Adds a 64-bit number; negative ones travel as their unsigned image, as in Postfix.
    #[must_use]
    pub fn long(self, name: &str, value: i64) -> Self {
        self.str(name, value.cast_unsigned().to_string())
    }

    /// Adds a truth value.
    #[must_use]
    pub fn bool(self, name: &str, value: bool) -> Self {
        self.int(name, i32::from(value))
    }

    /// Adds arbitrary bytes, as base64.
    #[must_use]
    pub fn data(self, name: &str, value: &[u8]) -> Self {
        self.str(name, STANDARD.encode(value))
    }

    /// Adds a nested table of strings.
    #[must_use]
    pub fn table<'a>(mut self, entries: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        self.token(b"{");
        for (name, value) in entries {
            self.token(name);
            self.token(value);
        }
        self.token(b"}");
        self
    }

    /// Lets a type add its own attributes in the middle of a list.
    #[must_use]
    pub fn with(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }

    /// Ends the list and gives its bytes.
    pub fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }

    /// The bytes so far, without the end of the list: for a list that is sent in parts.
    pub fn part(self) -> Vec<u8> {
        self.bytes
    }
}
