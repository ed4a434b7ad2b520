//! Options as getopt(3) scans them: letters may share one `-`, a value may be attached, the first operand ends the options.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// None.
    Nothing,
    /// One, attached or as the next argument; the name is for descriptions.
    Value(&'static str),
    /// One if it is attached; the name is for descriptions.
    Attached(&'static str),
}

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// Its letter.
    pub letter: char,
    /// Its value.
    pub takes: Takes,
    /// One line of explanation.
    pub help: &'static str,
}

impl Opt {
    /// An option without value.
    pub const fn flag(letter: char, help: &'static str) -> Self {
        Self {
            letter,
            takes: Takes::Nothing,
            help,
        }
    }

    /// An option with a value.
    pub const fn value(letter: char, name: &'static str, help: &'static str) -> Self {
        Self {
            letter,
            takes: Takes::Value(name),
            help,
        }
    }
}

/// An option that Postfix does not have: `--name value`, `--name=value`, or `--name` alone.
#[derive(Debug, Clone, Copy)]
pub struct LongOpt {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// Its value.
    pub takes: Takes,
    /// One line of explanation.
    pub help: &'static str,
}

impl LongOpt {
    /// An option without value.
    pub const fn flag(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            takes: Takes::Nothing,
            help,
        }
    }

    /// An option with a value.
    pub const fn value(name: &'static str, value: &'static str, help: &'static str) -> Self {
        Self {
            name,
            takes: Takes::Value(value),
            help,
        }
    }
}

/// What a command accepts.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The command's name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// What follows `usage: ` in the complaint; `%s` stands for the name that the caller used.
    pub usage: &'static str,
    /// Its options.
    pub options: &'static [Opt],
    /// Those that Postfix does not have.
    pub long: &'static [LongOpt],
    /// Its operands, for descriptions; empty for none.
    pub operands: &'static str,
}

/// A scanned command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Options in order, with their values.
    pub options: Vec<(char, Option<OsString>)>,
    /// Long options in order, with their values.
    pub long: Vec<(&'static str, Option<OsString>)>,
    /// What follows them.
    pub operands: Vec<OsString>,
}

impl Scanned {
    /// Whether the option was given.
    pub fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(found, _)| *found == letter)
    }

    /// How often the option was given.
    pub fn count(&self, letter: char) -> usize {
        self.options
            .iter()
            .filter(|(found, _)| *found == letter)
            .count()
    }

    /// The last value of the option.
    pub fn last(&self, letter: char) -> Option<&OsStr> {
        self.all(letter).last()
    }

    /// The values of the option, in order.
    pub fn all(&self, letter: char) -> impl Iterator<Item = &OsStr> {
        self.options
            .iter()
            .filter(move |(found, _)| *found == letter)
            .filter_map(|(_, value)| value.as_deref())
    }
}

impl Scanned {
    /// Whether the long option was given.
    pub fn has_long(&self, name: &str) -> bool {
        self.long.iter().any(|(found, _)| *found == name)
    }

    /// The values of the long option, in order.
    pub fn all_long(&self, name: &str) -> impl Iterator<Item = &OsStr> {
        self.long
            .iter()
            .filter(move |(found, _)| *found == name)
            .filter_map(|(_, value)| value.as_deref())
    }
}

/// An option that is not one, or lacks its value; the text is what getopt(3) prints after the program's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadOption {
    /// There is no such option.
    Unknown(char),
    /// The value is missing.
    NoValue(char),
    /// There is no such long option; getopt(3) sees only that the first letter is a dash.
    UnknownLong(String),
    /// The value of a long option is missing.
    NoLongValue(&'static str),
    /// A long option has a value, and takes none.
    UnwantedValue(&'static str),
}

impl std::fmt::Display for BadOption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(letter) => write!(f, "invalid option -- '{letter}'"),
            Self::NoValue(letter) => write!(f, "option requires an argument -- '{letter}'"),
            Self::UnknownLong(_) => f.write_str("invalid option -- '-'"),
            Self::NoLongValue(name) => write!(f, "option '--{name}' requires an argument"),
            Self::UnwantedValue(name) => write!(f, "option '--{name}' doesn't allow an argument"),
        }
    }
}

impl Spec {
    /// Scans arguments (without the program's name).
    ///
    /// # Errors
    /// The first bad option.
    pub fn scan(
        &self,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Scanned, BadOption> {
        let mut scanned = Scanned::default();
        self.scan_into(&mut scanned, arguments).map(|()| scanned)
    }

    /// As [`Spec::scan`], into `scanned`, which has what comes before the first bad option.
    ///
    /// # Errors
    /// The first bad option.
    pub fn scan_into(
        &self,
        scanned: &mut Scanned,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<(), BadOption> {
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let bytes = argument.as_bytes();
            if bytes == b"--" {
                break;
            }
            if let Some(long) = bytes.strip_prefix(b"--") {
                scanned.long.push(self.scan_long(long, &mut arguments)?);
                continue;
            }
            let Some(mut letters) = bytes.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
                scanned.operands.push(argument);
                break;
            };
            while let Some((letter, rest)) = letters.split_first() {
                let letter = char::from(*letter);
                letters = rest;
                let known = self.options.iter().find(|opt| opt.letter == letter);
                let value = match known.map(|opt| opt.takes) {
                    None => return Err(BadOption::Unknown(letter)),
                    Some(Takes::Nothing) => None,
                    Some(Takes::Attached(_)) => {
                        let value = Some(rest).filter(|rest| !rest.is_empty());
                        letters = &[];
                        value.map(|value| OsString::from_vec(value.to_vec()))
                    }
                    Some(Takes::Value(_)) => {
                        letters = &[];
                        let value = if rest.is_empty() {
                            arguments.next()
                        } else {
                            Some(OsString::from_vec(rest.to_vec()))
                        };
                        Some(value.ok_or(BadOption::NoValue(letter))?)
                    }
                };
                scanned.options.push((letter, value));
            }
        }
        scanned.operands.extend(arguments);
        Ok(())
    }

    /// Scans a long option, without its dashes.
    fn scan_long(
        &self,
        argument: &[u8],
        more: &mut impl Iterator<Item = OsString>,
    ) -> Result<(&'static str, Option<OsString>), BadOption> {
        let mut halves = argument.splitn(2, |byte| *byte == b'=');
        let name = halves.next().unwrap_or_default();
        let attached = halves.next();
        let Some(known) = self.long.iter().find(|opt| opt.name.as_bytes() == name) else {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(BadOption::UnknownLong(name));
        };
        let attached = attached.map(|value| OsString::from_vec(value.to_vec()));
        let value = match (known.takes, attached) {
            (Takes::Nothing, Some(_)) => return Err(BadOption::UnwantedValue(known.name)),
            (Takes::Nothing | Takes::Attached(_), value) => value,
            (Takes::Value(_), Some(value)) => Some(value),
            (Takes::Value(_), None) => Some(more.next().ok_or(BadOption::NoLongValue(known.name))?),
        };
        Ok((known.name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        name: "postx",
        about: "",
        usage: "postx",
        options: &[
            Opt::flag('a', ""),
            Opt::flag('v', ""),
            Opt::value('c', "dir", ""),
            Opt {
                letter: 'q',
                takes: Takes::Attached("time"),
                help: "",
            },
        ],
        long: &[
            LongOpt::value("sender", "pattern", ""),
            LongOpt::flag("dry-run", ""),
        ],
        operands: "",
    };

    fn scan(arguments: &[&str]) -> Result<Scanned, BadOption> {
        SPEC.scan(arguments.iter().map(OsString::from))
    }

    #[test]
    fn letters_values_and_the_end() {
        let found = scan(&["-avc", "x", "-cy", "-q", "-q5m", "file", "-a"]).unwrap();
        assert_eq!(found.count('a'), 1);
        assert_eq!(found.all('c').collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(found.last('q'), Some(OsStr::new("5m")));
        assert_eq!(found.count('q'), 2);
        assert_eq!(found.operands, ["file", "-a"]);
        assert_eq!(scan(&["--", "-a"]).unwrap().operands, ["-a"]);
        assert_eq!(scan(&["-", "-a"]).unwrap().operands, ["-", "-a"]);
    }

    #[test]
    fn complaints_of_getopt() {
        assert_eq!(
            scan(&["-aZ"]).unwrap_err().to_string(),
            "invalid option -- 'Z'"
        );
        assert_eq!(
            scan(&["-c"]).unwrap_err().to_string(),
            "option requires an argument -- 'c'"
        );
        assert_eq!(
            scan(&["--x=5"]).unwrap_err(),
            BadOption::UnknownLong("x".into())
        );
        assert_eq!(
            scan(&["--x"]).unwrap_err().to_string(),
            "invalid option -- '-'"
        );
    }

    #[test]
    fn long_options() {
        let found = scan(&["--sender", "-a", "-a", "--dry-run", "--sender=", "x"]).unwrap();
        assert_eq!(found.all_long("sender").collect::<Vec<_>>(), ["-a", ""]);
        assert!(found.has_long("dry-run") && found.has('a'));
        assert_eq!(found.operands, ["x"]);
        assert_eq!(
            scan(&["--sender"]).unwrap_err(),
            BadOption::NoLongValue("sender")
        );
        assert_eq!(
            scan(&["--dry-run=x"]).unwrap_err(),
            BadOption::UnwantedValue("dry-run")
        );
        // Abbreviations would change their meaning with the next option that is added.
        assert!(scan(&["--dry"]).is_err());
    }
}
