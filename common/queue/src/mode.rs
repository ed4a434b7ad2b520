//! A queue file's mode bits say how far it has come.

/// Complete: may be delivered.
pub const READY: u32 = 0o700;
/// Being written.
pub const WRITING: u32 = 0o600;
/// Not to be read.
pub const CORRUPT: u32 = 0o400;
/// The group's read bit: deliver as if the destination were not known to be dead (after a flush).
pub const UNTHROTTLE: u32 = 0o040;
/// The group's execute bit: expire this message at its next delivery attempt.
pub const EXPIRE: u32 = 0o010;

/// Whether the file is complete.
pub fn is_ready(mode: u32) -> bool {
    mode & 0o700 == READY
}

/// Whether the file is still being written, or was left behind so.
pub fn is_writing(mode: u32) -> bool {
    mode & 0o700 == WRITING
}
