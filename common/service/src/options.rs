//! The command line that master gives a daemon (master(8) and the skeletons of Postfix).

use std::os::fd::RawFd;

/// The options of a daemon, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// `-c`: shut into the queue directory.
    pub chroot: bool,
    /// `-d`: not started by master, so a terminal is fine.
    pub by_hand: bool,
    /// `-D`: start the debugger on ourselves.
    pub debugger: bool,
    /// `-l`: only one process serves at a time.
    pub alone: bool,
    /// `-n`: the name of the service.
    pub service: Option<String>,
    /// `-i`, `-m` and `-o`: settings that come after `main.cf`, in order.
    pub settings: Vec<(String, String)>,
    /// `-s`: the number of listen sockets.
    pub sockets: RawFd,
    /// `-S`: the client is on standard input.
    pub stand_alone: bool,
    /// `-t`: the type of the service's sockets.
    pub transport: Option<String>,
    /// `-u`: run as `mail_owner`.
    pub unprivileged: bool,
    /// `-v`, each time it was given.
    pub verbose: u8,
    /// `-V`: log to standard error too.
    pub stderr: bool,
    /// `-z`: the service's number of processes is not limited.
    pub unlimited: bool,
    /// What stands behind the options.
    pub argv: Vec<String>,
}

impl Options {
    /// Parses the words behind the program's name.
    ///
    /// # Errors
    /// What is wrong, in Postfix's words.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut options = Self {
            sockets: 1,
            ..Self::default()
        };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                options.argv.push(word);
                break;
            };
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                if !"imnost".contains(letter) {
                    options.flag(letter)?;
                    continue;
                }
                let value = match rest.as_str() {
                    "" => words
                        .next()
                        .ok_or_else(|| format!("invalid option: {letter}"))?,
                    attached => attached.to_owned(),
                };
                options.valued(letter, value)?;
                break;
            }
        }
        options.argv.extend(words);
        Ok(options)
    }

    fn flag(&mut self, letter: char) -> Result<(), String> {
        match letter {
            'c' => self.chroot = true,
            'd' => self.by_hand = true,
            'D' => self.debugger = true,
            'l' => self.alone = true,
            'S' => self.stand_alone = true,
            'u' => self.unprivileged = true,
            'v' => self.verbose = self.verbose.saturating_add(1),
            'V' => self.stderr = true,
            'z' => self.unlimited = true,
            _ => return Err(format!("invalid option: {letter}")),
        }
        Ok(())
    }

    fn valued(&mut self, letter: char, value: String) -> Result<(), String> {
        match letter {
            'i' => self.settings.push(("max_idle".into(), value)),
            'm' => self.settings.push(("max_use".into(), value)),
            'n' => self.service = Some(value),
            't' => self.transport = Some(value),
            's' => {
                self.sockets = match value.parse() {
                    Ok(count) if count > 0 => count,
                    _ => return Err(format!("invalid socket_count: {value}")),
                };
            }
            _ => self.settings.push(name_and_value(&value)?),
        }
        Ok(())
    }
}

/// Splits `name = value`.
fn name_and_value(text: &str) -> Result<(String, String), String> {
    let fail = |why: &str| format!("invalid \"-o {text}\" option value: {why}");
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| fail("missing '=' after attribute name"))?;
    let name = name.trim();
    if name.is_empty() {
        return Err(fail("missing attribute name"));
    }
    if name.contains(char::is_whitespace) {
        return Err(fail("whitespace in attribute name"));
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split(' ').map(str::to_owned))
    }

    #[test]
    fn what_master_says_is_understood() {
        let options =
            parse("-n smtp -t inet -u -c -s 2 -vv -o syslog_name=x -i5s rest -v").unwrap();
        assert_eq!(options.service.as_deref(), Some("smtp"));
        assert!(options.unprivileged && options.chroot && !options.stand_alone);
        assert_eq!((options.sockets, options.verbose), (2, 2));
        assert_eq!(
            options.settings,
            [
                ("syslog_name".into(), "x".into()),
                ("max_idle".into(), "5s".into())
            ]
        );
        assert_eq!(options.argv, ["rest", "-v"]);
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(parse("-x").unwrap_err(), "invalid option: x");
        assert_eq!(parse("-s 0").unwrap_err(), "invalid socket_count: 0");
        assert_eq!(
            parse("-o foo").unwrap_err(),
            "invalid \"-o foo\" option value: missing '=' after attribute name"
        );
    }
}
