//! What the machine calls itself.

/// The kernel's name of this host (gethostname(2)); bytes that are no UTF-8 are refused.
///
/// # Errors
/// As gethostname(2).
pub fn hostname() -> std::io::Result<String> {
    nix::unistd::gethostname()?
        .into_string()
        .map_err(|_| std::io::ErrorKind::InvalidData.into())
}
