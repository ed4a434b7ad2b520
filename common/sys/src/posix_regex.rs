//! Regular expressions as the C library reads them (regcomp(3)): POSIX syntax, the leftmost longest match, back-references.
#![allow(unsafe_code, reason = "the C library's regular expressions")]

use std::ffi::{CStr, CString};
use std::ops::Range;

/// How a pattern is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    /// Extended syntax, else basic.
    pub extended: bool,
    /// Upper and lower case are the same.
    pub ignore_case: bool,
    /// A newline ends a line, and is matched by nothing that does not name it.
    pub newline: bool,
}

/// A compiled pattern.
pub struct PosixRegex(Box<libc::regex_t>);

// The C library guards what regexec(3) changes in a compiled pattern with a lock of its own.
// SAFETY: see above; nothing else changes it, and it belongs to no thread.
unsafe impl Send for PosixRegex {}
// SAFETY: as above.
unsafe impl Sync for PosixRegex {}

impl PosixRegex {
    /// Compiles a pattern, up to its first NUL byte.
    ///
    /// # Errors
    /// What the C library has to say against it.
    pub fn new(pattern: &[u8], syntax: Syntax) -> Result<Self, String> {
        let pattern = c_string(pattern);
        let flags = [
            (syntax.extended, libc::REG_EXTENDED),
            (syntax.ignore_case, libc::REG_ICASE),
            (syntax.newline, libc::REG_NEWLINE),
        ];
        let flags = flags
            .iter()
            .filter(|(wanted, _)| *wanted)
            .fold(0, |all, (_, flag)| all | flag);
        let mut compiled = Box::<libc::regex_t>::new_uninit();
        // SAFETY: regcomp(3) fills in the structure, or says that it did not.
        let status = unsafe { libc::regcomp(compiled.as_mut_ptr(), pattern.as_ptr(), flags) };
        if status != 0 {
            return Err(complaint(status, compiled.as_ptr()));
        }
        // SAFETY: it was filled in.
        Ok(Self(unsafe { compiled.assume_init() }))
    }

    /// Whether a text, up to its first NUL byte, matches.
    ///
    /// # Errors
    /// The C library ran out of memory.
    pub fn is_match(&self, text: &[u8]) -> Result<bool, String> {
        self.find(text, &mut [])
    }

    /// Where a text, up to its first NUL byte, matches: as a whole, and each of so many groups; `None`: not at all.
    ///
    /// # Errors
    /// The C library ran out of memory.
    pub fn captures(
        &self,
        text: &[u8],
        groups: usize,
    ) -> Result<Option<Vec<Option<Range<usize>>>>, String> {
        let none = libc::regmatch_t {
            rm_so: -1,
            rm_eo: -1,
        };
        let mut found = vec![none; groups + 1];
        if !self.find(text, &mut found)? {
            return Ok(None);
        }
        let range = |group: &libc::regmatch_t| {
            let (start, end) = (usize::try_from(group.rm_so), usize::try_from(group.rm_eo));
            Some(start.ok()?..end.ok()?)
        };
        Ok(Some(found.iter().map(range).collect()))
    }

    fn find(&self, text: &[u8], found: &mut [libc::regmatch_t]) -> Result<bool, String> {
        let text = c_string(text);
        // SAFETY: pattern and text live; `found` has room for as many as it says.
        let status = unsafe {
            libc::regexec(
                &raw const *self.0,
                text.as_ptr(),
                found.len(),
                found.as_mut_ptr(),
                0,
            )
        };
        match status {
            0 => Ok(true),
            libc::REG_NOMATCH => Ok(false),
            other => Err(complaint(other, &raw const *self.0)),
        }
    }
}

impl Drop for PosixRegex {
    fn drop(&mut self) {
        // SAFETY: it was compiled, and is freed once.
        unsafe { libc::regfree(&raw mut *self.0) };
    }
}

/// Text up to its first NUL byte.
fn c_string(text: &[u8]) -> CString {
    let end = text.iter().position(|byte| *byte == 0);
    CString::new(text.get(..end.unwrap_or(text.len())).unwrap_or_default()).unwrap_or_default()
}

/// What the C library says about a status.
fn complaint(status: libc::c_int, pattern: *const libc::regex_t) -> String {
    let mut text = [0_u8; 256];
    // SAFETY: the text has the room that it is said to have, and ends in a NUL byte; the pattern is only a hint.
    unsafe { libc::regerror(status, pattern, text.as_mut_ptr().cast(), text.len()) };
    let text = CStr::from_bytes_until_nul(&text).unwrap_or_default();
    text.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Syntax = Syntax {
        extended: true,
        ignore_case: true,
        newline: false,
    };

    #[test]
    fn the_longest_alternative_and_references() {
        let regex = PosixRegex::new(b"(x|xy)(z)?(q)?", USUAL).unwrap();
        let found = regex.captures(b"aXYZ", 3).unwrap().unwrap();
        assert_eq!(found, [Some(1..4), Some(1..3), Some(3..4), None]);
        let twice = PosixRegex::new(br"(.)\1", USUAL).unwrap();
        assert_eq!(twice.is_match(b"abba"), Ok(true));
        assert_eq!(twice.is_match(b"abab"), Ok(false));
        assert_eq!(twice.is_match(b"ab\0bb"), Ok(false));
        assert_eq!(twice.captures(b"ab", 1), Ok(None));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let why = |pattern: &[u8]| PosixRegex::new(pattern, USUAL).err().unwrap();
        assert_eq!(why(b"(a"), r"Unmatched ( or \(");
        assert_eq!(why(b"a{1"), r"Unmatched \{");
        assert_eq!(why(b"[z-a]"), "Invalid range end");
    }
}
