//! Advice to file systems.
#![allow(unsafe_code, reason = "a system call that nix has no name for")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use nix::libc::{c_int, c_long};

/// That the subdirectories of a directory have nothing to do with each other (`chattr +T`).
const TOP_OF_HIERARCHY: c_int = 0x0002_0000;

/// The requests are numbered by the size of a long, and carry an int.
mod request {
    #![allow(missing_docs, reason = "made by a macro, and used here only")]
    use super::{c_int, c_long};

    nix::ioctl_read_bad!(
        get_flags,
        nix::request_code_read!(b'f', 1, size_of::<c_long>()),
        c_int
    );
    nix::ioctl_write_ptr_bad!(
        set_flags,
        nix::request_code_write!(b'f', 2, size_of::<c_long>()),
        c_int
    );
}

/// Has ext4 place subdirectories that are made from now on far from each other, with all that they will hold.
///
/// # Errors
/// Other file systems know no such flag; or the caller does not own the directory.
pub fn spread_subdirectories(directory: &Path) -> io::Result<()> {
    let directory = File::open(directory)?;
    let mut flags: c_int = 0;
    // SAFETY: the descriptor is open, and the kernel writes one int to the place that is given.
    unsafe { request::get_flags(directory.as_raw_fd(), &raw mut flags) }?;
    flags |= TOP_OF_HIERARCHY;
    // SAFETY: the descriptor is open, and the kernel reads one int.
    unsafe { request::set_flags(directory.as_raw_fd(), &raw const flags) }?;
    Ok(())
}
