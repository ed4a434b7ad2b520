//! Warnings about the configuration.

macro_rules! warning {
    ($($text:tt)*) => { $crate::report::line("warning", &format!($($text)*)) };
}
macro_rules! error {
    ($($text:tt)*) => { $crate::report::line("error", &format!($($text)*)) };
}
pub(crate) use {error, warning};

pub(crate) fn line(severity: &str, text: &str) {
    use std::io::Write as _;
    // A warning that nobody can read is no reason to stop.
    let _unread = writeln!(
        std::io::stderr(),
        "{}: {severity}: {text}",
        crate::system::process_name()
    );
}
