//! The commands, and how many of each a client sent.

/// What a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Helo,
    Ehlo,
    Xclient,
    Xforward,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Bdat,
    Rset,
    Noop,
    Vrfy,
    Etrn,
    Quit,
    Help,
    /// Anything else, and lines that are no command at all.
    Unknown,
}

/// All commands in the order in which they are counted on the `disconnect from` line.
const ALL: [(Command, &str); 17] = [
    (Command::Helo, "HELO"),
    (Command::Ehlo, "EHLO"),
    (Command::Xclient, "XCLIENT"),
    (Command::Xforward, "XFORWARD"),
    (Command::Starttls, "STARTTLS"),
    (Command::Auth, "AUTH"),
    (Command::Mail, "MAIL"),
    (Command::Rcpt, "RCPT"),
    (Command::Data, "DATA"),
    (Command::Bdat, "BDAT"),
    (Command::Rset, "RSET"),
    (Command::Noop, "NOOP"),
    (Command::Vrfy, "VRFY"),
    (Command::Etrn, "ETRN"),
    (Command::Quit, "QUIT"),
    (Command::Help, "HELP"),
    (Command::Unknown, "UNKNOWN"),
];

impl Command {
    /// The command that a word names, in any case.
    pub(crate) fn find(word: &[u8]) -> Self {
        ALL.iter()
            .take(ALL.len() - 1)
            .find(|(_, name)| word.eq_ignore_ascii_case(name.as_bytes()))
            .map_or(Command::Unknown, |(command, _)| *command)
    }

    /// The command's name, as in log lines.
    pub(crate) fn name(self) -> &'static str {
        ALL.iter()
            .find(|(command, _)| *command == self)
            .map_or("UNKNOWN", |(_, name)| name)
    }

    /// Counts against `smtpd_junk_command_limit`.
    pub(crate) fn is_junk(self) -> bool {
        matches!(
            self,
            Command::Helo
                | Command::Ehlo
                | Command::Rset
                | Command::Noop
                | Command::Vrfy
                | Command::Etrn
        )
    }

    /// Allowed before the encryption that the administrator requires.
    pub(crate) fn before_tls(self) -> bool {
        matches!(
            self,
            Command::Helo
                | Command::Ehlo
                | Command::Xclient
                | Command::Starttls
                | Command::Noop
                | Command::Quit
                | Command::Help
        )
    }

    /// May only be the last of a pipelined group (RFC 2920).
    pub(crate) fn ends_pipeline(self) -> bool {
        matches!(
            self,
            Command::Helo | Command::Ehlo | Command::Data | Command::Noop | Command::Vrfy
        )
    }
}

/// The names that `HELP` lists.
pub(crate) fn help() -> String {
    let mut names: Vec<&str> = ALL
        .iter()
        .map(|(_, name)| *name)
        .filter(|name| *name != "UNKNOWN")
        .collect();
    names.sort_unstable();
    names.join(" ")
}

/// How many of each command came, and how many of them succeeded.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    counts: [(u32, u32); ALL.len()],
}

impl Stats {
    fn slot(&mut self, command: Command) -> Option<&mut (u32, u32)> {
        let at = ALL.iter().position(|(known, _)| *known == command)?;
        self.counts.get_mut(at)
    }

    /// A command came.
    pub(crate) fn came(&mut self, command: Command) {
        if let Some(slot) = self.slot(command) {
            slot.1 = slot.1.saturating_add(1);
        }
    }

    /// A command that came did what it should.
    pub(crate) fn succeeded(&mut self, command: Command) {
        if let Some(slot) = self.slot(command) {
            slot.0 = slot.0.saturating_add(1);
        }
    }

    /// ` ehlo=1 mail=1 rcpt=1/2 commands=3/4`, for the `disconnect from` line.
    pub(crate) fn summary(&self) -> String {
        let mut text = String::new();
        let (mut successes, mut total) = (0u32, 0u32);
        for ((_, name), (good, all)) in ALL.iter().zip(&self.counts) {
            if *all > 0 {
                text.push(' ');
                text.push_str(&name.to_ascii_lowercase());
                text.push_str(&share(*good, *all));
                successes = successes.saturating_add(*good);
                total = total.saturating_add(*all);
            }
        }
        text.push_str(" commands");
        if total == 0 {
            text.push_str("=0/0");
        } else {
            text.push_str(&share(successes, total));
        }
        text
    }
}

fn share(good: u32, all: u32) -> String {
    if good == all {
        format!("={good}")
    } else {
        format!("={good}/{all}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_on_the_disconnect_line() {
        let mut stats = Stats::default();
        assert_eq!(stats.summary(), " commands=0/0");
        for command in [Command::Ehlo, Command::Mail, Command::Quit] {
            stats.came(command);
            stats.succeeded(command);
        }
        assert_eq!(stats.summary(), " ehlo=1 mail=1 quit=1 commands=3");
        stats.came(Command::Rcpt);
        stats.came(Command::Unknown);
        assert_eq!(
            stats.summary(),
            " ehlo=1 mail=1 rcpt=0/1 quit=1 unknown=0/1 commands=3/5"
        );
    }

    #[test]
    fn names_in_any_case() {
        assert_eq!(Command::find(b"rCpT"), Command::Rcpt);
        assert_eq!(Command::find(b"unknown"), Command::Unknown);
        assert_eq!(Command::find(b""), Command::Unknown);
        assert!(help().starts_with("AUTH BDAT DATA EHLO"));
    }
}
