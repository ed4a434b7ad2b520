//! What a service knows of itself.

use std::cell::OnceCell;

use pf_config::Config;

use crate::{Flow, Options};

/// How many processes of a service there may be (`maxproc` in `master.cf`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Any number.
    Any,
    /// One: the service keeps something that cannot be shared.
    One,
    /// No limit may be set: to wait for a free process could lock the mail system up.
    None,
}

/// What rights a service needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jail {
    /// Any.
    Any,
    /// Those of root: it acts for many users.
    Privileged,
    /// It must not have those of root.
    Unprivileged,
}

/// What a service knows of itself from its start.
#[derive(Debug)]
pub struct Context {
    /// The configuration, with the settings of `master.cf` applied.
    pub config: Config,
    /// The service's name in `master.cf`.
    pub service: String,
    /// The words behind the options in `master.cf`.
    pub argv: Vec<String>,
    /// The program's name, which for some programs tells what they are to be (`smtp`, `lmtp`).
    pub process_name: String,
    /// The command line.
    pub options: Options,
    /// The flow control tokens.
    pub flow: Flow,
}

thread_local! {
    static RUNTIME: OnceCell<tokio::runtime::Runtime> = const { OnceCell::new() };
}

/// Waits for a future, for a process that serves one client at a time. No second thread is made as long as the future uses
/// neither the blocking pool nor `tokio::fs`.
///
/// # Errors
/// The process has no descriptors left for a runtime.
pub fn block_on<F: Future>(future: F) -> std::io::Result<F::Output> {
    RUNTIME.with(|cell| {
        let runtime = match cell.get() {
            Some(runtime) => runtime,
            None => {
                let fresh = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                cell.get_or_init(|| fresh)
            }
        };
        Ok(tokio::task::LocalSet::new().block_on(runtime, future))
    })
}
