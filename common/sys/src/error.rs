//! Texts of system errors.

use std::io;

/// The system's text for an error as C programs print it, without the number that the standard library adds.
pub fn text(err: &io::Error) -> String {
    let text = err.to_string();
    match text.rfind(" (os error ") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}
