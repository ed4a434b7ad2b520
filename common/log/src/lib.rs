//! Where a program says what it does and what is wrong: severities, the shape of a line, and where lines go (standard error,
//! the syslog socket, `maillog_file` by way of postlogd).
//!
//! The logger is the one thing that is global to a process. Logging a fatal error only logs: ending the process is for the one
//! who called. Text goes through one cleaner, so that what a stranger sent cannot forge a line.

mod line;
mod sink;

use std::fmt::Arguments;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

pub use line::{Level, MAX_TEXT};
pub use sink::{Facility, Fallback, Sink};

/// Where the lines of this process go, and under which name.
#[derive(Debug)]
pub struct Options {
    /// What stands before the text on standard error: the program's name.
    pub program: String,
    /// What stands in the log: `postfix/smtpd`.
    pub tag: String,
    /// All of these get each line.
    pub sinks: Vec<Sink>,
}

static LOGGER: Mutex<Option<line::Logger>> = Mutex::new(None);
static VERBOSE: AtomicU8 = AtomicU8::new(0);
static ASCII: AtomicBool = AtomicBool::new(false);
static SHOW_UTF8: AtomicBool = AtomicBool::new(false);

/// From now on lines go where `options` says. Before the first call they go to standard error without a name.
pub fn open(options: Options) {
    let logger = line::Logger::new(options);
    *LOGGER.lock().unwrap_or_else(PoisonError::into_inner) = Some(logger);
}

/// Changes the name on standard error.
pub fn set_program(name: String) {
    let mut logger = LOGGER.lock().unwrap_or_else(PoisonError::into_inner);
    logger
        .get_or_insert_with(line::Logger::unnamed)
        .set_program(name);
}

/// Whether well-formed text beyond ASCII is logged as it is (`smtputf8_enable`), not as question marks; it is not before this was said.
pub fn show_utf8(enabled: bool) {
    SHOW_UTF8.store(enabled, Ordering::Relaxed);
}

/// How talkative the program is: how often `-v` was given.
pub fn set_verbose(level: u8) {
    VERBOSE.store(level, Ordering::Relaxed);
}

/// How talkative the program is.
pub fn verbose() -> u8 {
    VERBOSE.load(Ordering::Relaxed)
}

/// From now on a character beyond ASCII, which stands for one byte, counts as unprintable.
pub fn set_ascii() {
    ASCII.store(true, Ordering::Relaxed);
}

/// Logs one line; the macros are what one writes.
pub fn log(level: Level, text: Arguments<'_>) {
    let mut logger = LOGGER.lock().unwrap_or_else(PoisonError::into_inner);
    logger
        .get_or_insert_with(line::Logger::unnamed)
        .log(level, text);
}

/// Logs one line of another process; `tag` is its name and process id (`postfix/smtpd[123]`).
pub fn log_as(tag: &str, level: Level, text: Arguments<'_>) {
    let mut logger = LOGGER.lock().unwrap_or_else(PoisonError::into_inner);
    logger
        .get_or_insert_with(line::Logger::unnamed)
        .log_as(tag, level, text);
}

/// Logs what happens in the course of business.
#[macro_export]
macro_rules! info {
    ($($text:tt)*) => { $crate::log($crate::Level::Info, format_args!($($text)*)) };
}

/// Logs what somebody should look at.
#[macro_export]
macro_rules! warning {
    ($($text:tt)*) => { $crate::log($crate::Level::Warning, format_args!($($text)*)) };
}

/// Logs what keeps the program from doing one thing it should.
#[macro_export]
macro_rules! error {
    ($($text:tt)*) => { $crate::log($crate::Level::Error, format_args!($($text)*)) };
}

/// Logs why the program ends; ending it is for the caller.
#[macro_export]
macro_rules! fatal {
    ($($text:tt)*) => { $crate::log($crate::Level::Fatal, format_args!($($text)*)) };
}

/// Logs a bug of our own (Postfix's `panic:`).
#[macro_export]
macro_rules! bug {
    ($($text:tt)*) => { $crate::log($crate::Level::Panic, format_args!($($text)*)) };
}

/// Logs details, when `-v` was given.
#[macro_export]
macro_rules! debug {
    ($($text:tt)*) => {
        if $crate::verbose() > 0 {
            $crate::log($crate::Level::Info, format_args!($($text)*))
        }
    };
}
