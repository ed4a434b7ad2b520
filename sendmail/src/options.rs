//! The command line of forty years: what counts, and what is accepted and ignored.

use crate::exit::{USAGE, fail};

/// The NOTIFY bits as they travel in records: never 1, success 2, failure 4, delay 8.
pub type Notify = i32;
/// The RET bits: full 1, headers 2.
pub type Ret = i32;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Submit mail (`-bm`, the default).
    Enqueue,
    /// Probe recipients (`-bv`).
    Verify,
    /// List the queue (`-bp`, `mailq`).
    MailQueue,
    /// Build the alias database (`-bi`, `-I`, `newaliases`).
    NewAliases,
    /// Start the mail system (`-bd`).
    Daemon,
    /// Speak SMTP on standard input and output (`-bs`).
    Stand,
    /// Flush the queue (`-q`).
    Flush,
}

/// A parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    pub config: Option<String>,
    pub sender: Option<String>,
    pub full_name: Option<String>,
    pub encoding: Option<&'static str>,
    pub extract: bool,
    pub dot_ends: bool,
    pub envid: Option<String>,
    pub ret: Ret,
    pub notify: Notify,
    pub rewrite_remote: bool,
    pub verp: Option<String>,
    pub verbose: u8,
    pub record: bool,
    pub site: Option<String>,
    pub queue_id: Option<String>,
    pub alias_source: Option<String>,
    pub recipients: Vec<String>,
}

impl Options {
    /// Parses the words behind the name that the program was called by.
    ///
    /// # Errors
    /// The usage, with its exit status.
    pub fn parse(called: &str, words: Vec<String>) -> anyhow::Result<Self> {
        let mode = match called {
            "mailq" => Mode::MailQueue,
            "newaliases" => Mode::NewAliases,
            "smtpd" => Mode::Daemon,
            _ => Mode::Enqueue,
        };
        let mut options = Self {
            mode,
            config: None,
            sender: None,
            full_name: None,
            encoding: None,
            extract: false,
            dot_ends: true,
            envid: None,
            ret: 0,
            notify: 0,
            rewrite_remote: false,
            verp: None,
            verbose: 0,
            record: false,
            site: None,
            queue_id: None,
            alias_source: None,
            recipients: Vec::new(),
        };
        let mut words = words.into_iter().peekable();
        while let Some(word) = words.next() {
            if word == "--" {
                break;
            }
            let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
                options.recipients.push(word);
                break;
            };
            // These two have a value only where it is attached; so have all options of the kind `-oX`.
            if let Some(rest) = letters.strip_prefix('q') {
                options.queue(rest)?;
                continue;
            }
            if let Some(rest) = letters.strip_prefix("XV") {
                options.verp = Some(rest.to_owned());
                continue;
            }
            let mut rest = letters.chars();
            while let Some(letter) = rest.next() {
                if !"ABCDFNRVXLbdefhoprcO".contains(letter)
                    || letter == 'd' && rest.as_str().is_empty()
                {
                    options.flag(letter)?;
                    continue;
                }
                let value = match rest.as_str() {
                    "" => words.next().ok_or_else(|| usage(called))?,
                    attached => attached.to_owned(),
                };
                options.valued(called, letter, value)?;
                break;
            }
        }
        options.recipients.extend(words);
        Ok(options)
    }

    fn queue(&mut self, rest: &str) -> anyhow::Result<()> {
        match rest.chars().next() {
            None => self.mode = Mode::Flush,
            // The interval at which a daemon of old would have run the queue.
            Some(digit) if digit.is_ascii_digit() => {
                if self.mode == Mode::Enqueue {
                    self.mode = Mode::Daemon;
                }
            }
            Some('R') => {
                self.mode = Mode::Flush;
                self.site = rest
                    .get(1..)
                    .filter(|site| !site.is_empty())
                    .map(str::to_owned);
                if self.site.is_none() {
                    return Err(fail(USAGE, "specify: -qRsitename"));
                }
            }
            Some('I') => {
                self.mode = Mode::Flush;
                self.queue_id = rest.get(1..).filter(|id| !id.is_empty()).map(str::to_owned);
                if self.queue_id.is_none() {
                    return Err(fail(USAGE, "specify: -qIqueueid"));
                }
            }
            Some(other) => return Err(fail(USAGE, format!("-q{other} is not implemented"))),
        }
        Ok(())
    }

    fn flag(&mut self, letter: char) -> anyhow::Result<()> {
        match letter {
            'G' => self.rewrite_remote = true,
            'I' => self.mode = Mode::NewAliases,
            'i' => self.dot_ends = false,
            't' => self.extract = true,
            'v' => {
                self.verbose = self.verbose.saturating_add(1);
                self.record = true;
            }
            // Accepted for the sake of old scripts.
            'U' | 'm' | 'n' | 's' | 'd' | 'T' | 'w' | 'x' => {}
            other => return Err(fail(USAGE, format!("invalid option: {other}"))),
        }
        Ok(())
    }

    fn valued(&mut self, called: &str, letter: char, value: String) -> anyhow::Result<()> {
        match letter {
            'B' => {
                self.encoding = match value.to_ascii_uppercase().as_str() {
                    "8BITMIME" => Some("8bit"),
                    "7BIT" => Some("7bit"),
                    _ => return Err(fail(USAGE, "specify: -B8BITMIME or -B7BIT")),
                };
            }
            'C' => {
                // Old programs name the configuration file, ours the directory that holds it.
                let path = std::path::Path::new(&value);
                let directory = if path.is_file() {
                    path.parent().map(|dir| dir.display().to_string())
                } else {
                    Some(value)
                };
                self.config = directory;
            }
            'F' => self.full_name = Some(value),
            'N' => {
                self.notify = notify(&value)
                    .ok_or_else(|| fail(USAGE, "bad -N option value -- specify 'never', or a comma-separated list of 'success', 'failure', 'delay'"))?;
            }
            'R' => {
                self.ret = match value.to_ascii_lowercase().as_str() {
                    "full" => 1,
                    "hdrs" => 2,
                    _ => {
                        return Err(fail(
                            USAGE,
                            "bad -R option value -- specify 'full' or 'hdrs'",
                        ));
                    }
                };
            }
            'V' => self.envid = Some(value),
            'f' | 'r' => self.sender = Some(value),
            'b' => self.mode = mode(called, &value)?,
            'o' | 'O' => self.historic(&value),
            'A' | 'D' | 'X' | 'L' | 'd' | 'e' | 'h' | 'p' | 'c' => {}
            other => return Err(fail(USAGE, format!("invalid option: {other}"))),
        }
        Ok(())
    }

    /// `-oX`: options of old.
    fn historic(&mut self, value: &str) {
        match value.chars().next() {
            Some('A') => self.alias_source = value.get(1..).map(str::to_owned),
            Some('i') | Some('I') => self.dot_ends = false,
            Some('7' | '8') => {}
            _ => {
                if let Some(path) = value.strip_prefix("AliasFile=") {
                    self.alias_source = Some(path.to_owned());
                }
            }
        }
    }
}

fn mode(called: &str, value: &str) -> anyhow::Result<Mode> {
    Ok(match value.chars().next() {
        Some('d' | 'l') => Mode::Daemon,
        Some('h' | 'H') => return Err(fail(USAGE, format!("-b{value} is not implemented"))),
        Some('i') => Mode::NewAliases,
        Some('m') => Mode::Enqueue,
        Some('p') => Mode::MailQueue,
        Some('s') => Mode::Stand,
        Some('v') => Mode::Verify,
        _ => return Err(fail(USAGE, format!("unsupported: -b{value} ({called})"))),
    })
}

fn notify(text: &str) -> Option<Notify> {
    let mut bits = 0;
    for word in text.split(',') {
        bits |= match word.trim().to_ascii_lowercase().as_str() {
            "never" => 1,
            "success" => 2,
            "failure" => 4,
            "delay" => 8,
            _ => return None,
        };
    }
    (bits & 1 == 0 || bits == 1).then_some(bits)
}

fn usage(called: &str) -> anyhow::Error {
    fail(USAGE, format!("usage: {called} [options]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Options {
        Options::parse("sendmail", line.split(' ').map(str::to_owned).collect()).unwrap()
    }

    #[test]
    fn the_usual_ways_to_call_it() {
        let options = parse("-oi -f bob@x.example -t");
        assert!(options.extract && !options.dot_ends);
        assert_eq!(options.sender.as_deref(), Some("bob@x.example"));
        let options = parse("-i -fbob -F Bob alice carol");
        assert_eq!(options.recipients, ["alice", "carol"]);
        assert_eq!(
            (options.sender.as_deref(), options.full_name.as_deref()),
            (Some("bob"), Some("Bob"))
        );
        assert_eq!(parse("-bp").mode, Mode::MailQueue);
        assert_eq!(parse("-q").mode, Mode::Flush);
        assert_eq!(parse("-bd -q15m").mode, Mode::Daemon);
        assert_eq!(
            parse("-qRsite.example").site.as_deref(),
            Some("site.example")
        );
        assert_eq!(parse("-bv a@b").mode, Mode::Verify);
        assert_eq!(parse("-N success,delay -R hdrs a").notify, 10);
        assert_eq!(parse("-odi -oem a").recipients, ["a"]);
        assert_eq!(parse("-- -a").recipients, ["-a"]);
        assert_eq!(
            Options::parse("mailq", vec![]).unwrap().mode,
            Mode::MailQueue
        );
        assert!(Options::parse("sendmail", vec!["-bz".into()]).is_err());
    }
}
