//! The `sendmail` command, as every Unix program expects it: submits mail, and runs other commands under its old names
//! (sendmail(1)).
//!
//! It has no rights of its own: [`submit`] speaks to `postdrop`, which has.

mod enqueue;
mod exit;
mod options;
mod recipients;
mod run;
mod submit;
mod words;

use pf_cli::{Opt, Spec};

pub use run::main;

/// What a person who types may want to be reminded of; [`words`] has all that is accepted.
pub const SPEC: Spec = Spec {
    name: "sendmail",
    about: "submit mail",
    usage: "",
    options: &[
        Opt::value('b', "mode", "what to do"),
        Opt::value('C', "config_dir", "use the configuration in this directory"),
        Opt::value('f', "sender", "the envelope sender"),
        Opt::value('F', "full_name", "the full name in the From: header"),
        Opt::flag('i', "a dot alone on a line does not end the message"),
        Opt::value(
            'N',
            "notify",
            "when to report: never, or failure, delay, success",
        ),
        Opt::flag('q', "try to deliver all queued mail"),
        Opt::value('R', "return", "what a report contains: full or hdrs"),
        Opt::flag('t', "recipients are taken from the headers"),
        Opt::flag(
            'v',
            "report what becomes of the message; twice or more: be talkative",
        ),
        Opt::value('V', "envid", "the envelope id in reports"),
    ],
    long: &[],
    operands: "recipient...",
};
