//! The master daemon: starts the other daemons when there is work for them, and again when they end (master(8)).
//!
//! It listens on the sockets of all services until somebody connects, then starts a process that inherits them, and hears from
//! the process over a pipe when it is taken and when it is free again. Nothing that comes over a network is read here.
//!
//! A daemon built on our event-driven skeleton serves many clients. Master knows such a program by its executable, which
//! mentions [`CLIENTS_VARIABLE`](pf_service::CLIENTS_VARIABLE), starts at most as many processes of it as there are processors,
//! and divides `maxproc` among them: the next one when those of now have their share of clients, or tell that they keep a processor
//! busy. After a reload, or when strangers fill the service up, such a process serves its clients to
//! their end while new ones already take the next: for a moment there can be more clients than `maxproc`, unless each process has
//! one. A program of Postfix's own serves one client at a time, as it does under its own master.
//!
//! Processes of a service that wait for the same socket are all woken by the kernel for one client, and all but one go back to
//! sleep: some 20 microseconds with two processes, 90 with thirty-two. `EPOLLEXCLUSIVE` would wake one, but has no effect through
//! a nested epoll instance, and the event loop's own cannot be asked for it; a process that is full would also have to leave it.
//!
//! In reading order: [`start`] (options, locks), [`services`] (what `master.cf` says), [`listen`], [`pool`] (who is free; pure),
//! [`spawn`], [`running`] (one service), [`run`] (the loop).

mod listen;
mod monitor;
mod pool;
mod run;
mod running;
mod services;
mod spawn;
mod start;
mod wakeup;

use std::process::ExitCode;

/// The program's main function.
pub fn run() -> ExitCode {
    start::main()
}
