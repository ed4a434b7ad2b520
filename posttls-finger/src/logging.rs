//! What of TLS is logged (`-L`).

use pf_log::warning;

/// What `-L` asks for, as far as it matters before a handshake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// All that the library does.
    pub verbose: bool,
    /// Which TLSA records there are.
    pub dane: bool,
}

/// Words that mean no more than what comes of a handshake.
const PLAIN: [&str; 12] = [
    "0",
    "none",
    "1",
    "routine",
    "summary",
    "untrusted",
    "peercert",
    "certmatch",
    "cache",
    "ssl-debug",
    "ssl-handshake-packet-dump",
    "ssl-session-packet-dump",
];
/// Words that stand for many others.
const VERBOSE: [&str; 12] = [
    "2",
    "debug",
    "3",
    "ssl-expert",
    "4",
    "ssl-developer",
    "5",
    "6",
    "7",
    "8",
    "9",
    "verbose",
];

impl Wanted {
    /// Reads the words; one that is not known is warned about, and nothing is wanted then.
    pub fn read(words: &str) -> Self {
        let mut wanted = Self::default();
        for word in pf_text::split::list(words) {
            let is = |known: &&str| known.eq_ignore_ascii_case(word);
            if VERBOSE.iter().any(is) {
                wanted.verbose = true;
            } else if is(&"dane") {
                wanted.dane = true;
            } else if !PLAIN.iter().any(is) {
                warning!("unknown -L option value \"{word}\" in \"{words}\"");
                return Self::default();
            }
        }
        wanted
    }

    /// Whether the records that a server's certificate is to match are shown.
    pub fn records(self) -> bool {
        self.verbose || self.dane
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let dane = Wanted {
            verbose: false,
            dane: true,
        };
        assert_eq!(Wanted::read("Routine, DANE"), dane);
        assert_eq!(Wanted::read("dane bogus"), Wanted::default());
        assert!(Wanted::read("3").verbose && !Wanted::read("certmatch,cache").records());
    }
}
