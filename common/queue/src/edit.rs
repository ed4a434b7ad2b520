//! Changes to a queue file in place. Each is one write, so that a crash leaves the old or the new content.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use pf_record::{RecordType, SizeRecord, encode, pointer, warn_time};

/// Changes the type of the record at this offset.
///
/// # Errors
/// As `pwrite`.
pub fn set_type(file: &File, offset: u64, kind: RecordType) -> io::Result<()> {
    file.write_all_at(&[kind.0], offset)
}

/// Marks the recipient at this offset as done with, so that it never gets the message again.
///
/// # Errors
/// As `pwrite`.
pub fn mark_done(file: &File, offset: u64) -> io::Result<()> {
    set_type(file, offset, RecordType::DONE)
}

/// Overwrites the size record, which is the first of the file.
///
/// # Errors
/// As `pwrite`.
pub fn set_size(file: &File, size: &SizeRecord) -> io::Result<()> {
    put(file, 0, RecordType::SIZE, &size.encode())
}

/// Lets the pointer record at this offset lead elsewhere.
///
/// # Errors
/// As `pwrite`.
pub fn set_pointer(file: &File, offset: u64, target: u64) -> io::Result<()> {
    put(file, offset, RecordType::POINTER, &pointer(target))
}

/// Sets the time of the next delay warning, at the offset of its record; 0: none.
///
/// # Errors
/// As `pwrite`.
pub fn set_warn_time(file: &File, offset: u64, seconds: i64) -> io::Result<()> {
    put(file, offset, RecordType::WARN, &warn_time(seconds))
}

fn put(file: &File, offset: u64, kind: RecordType, data: &[u8]) -> io::Result<()> {
    let mut record = Vec::with_capacity(data.len() + 3);
    encode(&mut record, kind, data);
    file.write_all_at(&record, offset)
}
