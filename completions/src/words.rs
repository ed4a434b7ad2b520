//! What can stand in a place of a command line.

use pf_cli::Spec;

/// What can stand in a place of a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Nothing that could be guessed.
    Free,
    /// These words.
    Fixed(&'static str),
    /// Files.
    Files,
    /// Directories.
    Directories,
    /// What a command prints, a word a line.
    Command(&'static str),
    /// A lookup table: a type, a colon, and a file.
    Table,
    /// What postconf shows or edits: parameters, or with `-M`, `-F` and `-P` the parts of `master.cf`.
    Postconf,
}

/// Where messages are.
const QUEUES: &str = "maildrop incoming active deferred hold";
/// What postsuper walks through.
const DIRECTORIES: &str = "maildrop incoming active deferred hold defer bounce trace flush";
/// The queue ids of all messages.
const IDS: &str = "postqueue -j 2>/dev/null | sed -n 's/.*\"queue_id\": \"\\([^\"]*\\)\".*/\\1/p'";
/// The same, and what stands for many.
const IDS_AND_ALL: &str =
    "echo ALL; postqueue -j 2>/dev/null | sed -n 's/.*\"queue_id\": \"\\([^\"]*\\)\".*/\\1/p'";
/// What `postfix` can be told.
const POSTFIX: &str = "start start-fg stop reload abort flush check status set-permissions upgrade-configuration logrotate tls non-bdb";

/// What can be the value of an option, by the name of the value.
pub fn of_value(command: &str, value: &str) -> Words {
    match (command, value) {
        ("postsuper", "queue_id") => Words::Command(IDS_AND_ALL),
        (_, "queue_id" | "queueid") => Words::Command(IDS),
        (_, "config_dir" | "config_directory" | "CApath") => Words::Directories,
        (_, "tafile" | "CAfile" | "chainfiles" | "certfile" | "keyfile") => Words::Files,
        (_, "queue") => Words::Fixed(QUEUES),
        (_, "kind") => Words::Fixed("domain sender reason age"),
        ("postconf", "class") => Words::Fixed("builtin service user all inactive"),
        ("postconf", "mode") => Words::Fixed("compile-version run-version public-key-algorithms"),
        ("postlock", "lock_style") => Words::Command("postconf -l 2>/dev/null"),
        ("postlog", "priority") => Words::Fixed("info warn error fatal panic"),
        ("postmulti", "action") => {
            Words::Fixed("init create import destroy deport enable disable assign")
        }
        ("posttls-finger", "family") => Words::Fixed("ipv4 ipv6 any"),
        ("posttls-finger", "grade") => Words::Fixed("high medium null"),
        ("posttls-finger", "host_lookup") => Words::Fixed("dns native"),
        ("posttls-finger", "level") => {
            Words::Fixed("none may encrypt fingerprint dane dane-only verify secure")
        }
        ("posttls-finger", "policy") => Words::Fixed("dane encrypt may"),
        ("sendmail" | "mailq" | "newaliases", "mode") => Words::Fixed("m p s d i v l h"),
        (_, "notify") => Words::Fixed("never failure delay success"),
        (_, "return") => Words::Fixed("full hdrs"),
        _ => Words::Free,
    }
}

/// What can be an operand.
pub fn of_operand(spec: &Spec) -> Words {
    match spec.name {
        "postmap" | "postalias" => Words::Table,
        "postconf" => Words::Postconf,
        "postsuper" => Words::Fixed(DIRECTORIES),
        "qshape" => Words::Fixed(QUEUES),
        "postfix" => Words::Fixed(POSTFIX),
        "postkick" => Words::Command(
            "echo public; echo private; postconf -M 2>/dev/null | sed -n 's/^\\([^ ]*\\) .*/\\1/p'",
        ),
        // With -q, ids.
        "postcat" | "postlock" => Words::Files,
        "sendmail" | "mailq" | "newaliases" | "postlog" | "postqueue" | "postdrop"
        | "postmulti" => Words::Free,
        _ => Words::Free,
    }
}
