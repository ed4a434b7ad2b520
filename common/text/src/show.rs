//! Bytes in log lines.

use std::fmt;

/// Shows bytes as text, what is not UTF-8 as `?`; a precision bounds the length.
pub struct Show<'a>(pub &'a [u8]);

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = f.precision().unwrap_or(usize::MAX);
        let text = self.0.get(..most.min(self.0.len())).unwrap_or_default();
        for chunk in text.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for _ in chunk.invalid() {
                f.write_str("?")?;
            }
        }
        Ok(())
    }
}
