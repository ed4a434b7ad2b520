//! The command line of forty years: what counts, and what is accepted and ignored.

use anyhow::Result;
use pf_config::{Config, param};
use pf_log::{debug, warning};
use pf_record::sendopts;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use crate::exit::fail;
use crate::words::{Item, Words};

/// A longer envelope id is not passed on.
const MAX_ENVID: usize = 100;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Submit mail (`-bm`, the default), or probe its recipients (`-bv`).
    Enqueue,
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
    /// Nothing (`-bh`).
    Ignore,
}

/// A parsed command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub mode: Mode,
    pub sender: Option<Vec<u8>>,
    pub full_name: Option<Vec<u8>>,
    pub encoding: Option<&'static str>,
    pub extract: bool,
    pub dot_ends: bool,
    pub envid: Option<Vec<u8>>,
    /// The RET bits: full 1, headers 2.
    pub ret: i32,
    /// The NOTIFY bits: never 1, success 2, failure 4, delay 8.
    pub notify: i32,
    pub rewrite_remote: bool,
    pub verp: Option<Vec<u8>>,
    /// How talkative, apart from `record`.
    pub verbose: u8,
    /// `-bv`: report what would become of the message, which is not sent.
    pub probe: bool,
    /// `-v`: report what becomes of the message.
    pub record: bool,
    pub site: Option<Vec<u8>>,
    pub queue_id: Option<Vec<u8>>,
    /// There is nothing to do at an interval (`-q15m`) without a daemon.
    pub interval: bool,
    pub alias_source: Option<Vec<u8>>,
    /// [`sendopts`] that `-O` asks for.
    pub sendopts: i64,
    pub recipients: Vec<Vec<u8>>,
}

/// The configuration directory that `-C` names, as a directory or by its `main.cf`. Old programs name a file.
pub fn config_directory(
    called: &str,
    words: &[Vec<u8>],
    mut check: impl FnMut(PathBuf) -> Result<()>,
) -> Result<Option<PathBuf>> {
    let mut words = Words::new(called, words);
    let mut directory = None;
    loop {
        if words.word() == Some(b"-q") {
            words.skip();
            continue;
        }
        match words.option() {
            None => return Ok(directory),
            Some(Item::Option(b'C', path)) => {
                let bare = path.strip_suffix(b"main.cf");
                let named = match bare {
                    Some(b"") => b".".to_vec(),
                    Some(dir) if dir.ends_with(b"/") => {
                        let trimmed =
                            dir.len() - dir.iter().rev().take_while(|&&b| b == b'/').count();
                        dir.get(..trimmed.max(1)).unwrap_or(dir).to_vec()
                    }
                    _ => path.to_vec(),
                };
                let named = PathBuf::from(OsString::from_vec(named));
                check(named.clone())?;
                directory = Some(named);
            }
            Some(_) => {}
        }
    }
}

impl Options {
    /// Parses the words behind the name that the program was called by.
    ///
    /// # Errors
    /// The command line makes no sense.
    pub fn parse(called: &str, words: &[Vec<u8>], config: &Config) -> Result<Self> {
        let mode = match called {
            "mailq" => Mode::MailQueue,
            "newaliases" => Mode::NewAliases,
            "smtpd" => Mode::Daemon,
            _ => Mode::Enqueue,
        };
        let mut options = Self {
            mode,
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
            verbose: pf_log::verbose(),
            probe: false,
            record: false,
            site: None,
            queue_id: None,
            interval: false,
            alias_source: None,
            sendopts: 0,
            recipients: Vec::new(),
        };
        let mut words = Words::new(called, words);
        loop {
            // These have a value only where it is attached.
            match words.word() {
                Some(b"-q") => {
                    words.skip();
                    options.flush();
                    continue;
                }
                Some(b"-XV") => {
                    words.skip();
                    options.verp = Some(config.get(param::DEFAULT_VERP_DELIMITERS)?.into());
                    continue;
                }
                Some(b"-V") if words.second().is_some_and(|next| next.len() == 2) => {
                    // As in Postfix, the delimiters are not taken; they become a recipient.
                    warning!("option -V is deprecated with Postfix 2.3; specify -XV instead");
                    words.skip();
                    options.verp = Some(config.get(param::DEFAULT_VERP_DELIMITERS)?.into());
                    continue;
                }
                Some([b'-', b'V', delimiters @ ..]) if delimiters.len() == 2 => {
                    let shown = String::from_utf8_lossy(delimiters);
                    warning!(
                        "option -V{shown} is deprecated with Postfix 2.3; specify -XV{shown} instead"
                    );
                    words.skip();
                    options.delimiters(delimiters, config)?;
                    continue;
                }
                Some(_) => {}
                None => {}
            }
            match words.option() {
                None => break,
                Some(Item::Bad(bad)) => {
                    let usage = fail(format!("usage: {called} [options]"));
                    return Err(pf_cli::meant_option(usage, &bad, &crate::SPEC));
                }
                Some(Item::Option(letter, value)) => options.take(letter, value, config)?,
            }
        }
        options.recipients = words.operands();
        options.agree()?;
        Ok(options)
    }

    fn take(&mut self, letter: u8, value: &[u8], config: &Config) -> Result<()> {
        let shown = String::from_utf8_lossy(value);
        match letter {
            b'n' => return Err(fail("-n option not supported")),
            b'B' => {
                self.encoding = Some(match value {
                    b"8BITMIME" => "8bit",
                    b"7BIT" => "7bit",
                    _ => return Err(fail("-B option needs 8BITMIME or 7BIT")),
                });
            }
            b'F' => self.full_name = Some(value.to_vec()),
            b'G' => self.rewrite_remote = true,
            b'I' => self.mode = Mode::NewAliases,
            b'N' => {
                self.notify = notify(&shown);
                if self.notify == 0 {
                    warning!("bad -N option value: '{shown}' -- ignored");
                }
            }
            b'O' => self.sendmail_option(&shown, config)?,
            b'R' => {
                self.ret = match shown.to_ascii_lowercase().as_str() {
                    "full" => 1,
                    "hdrs" => 2,
                    _ => {
                        warning!("bad -R option value -- ignored");
                        0
                    }
                };
            }
            b'V' => {
                if value.len() > MAX_ENVID {
                    warning!("too long -V option value -- ignored");
                } else if value.is_empty() || !value.iter().all(|byte| matches!(byte, b' '..=b'~'))
                {
                    warning!("bad syntax in -V option value -- ignored");
                } else {
                    self.envid = Some(value.to_vec());
                }
            }
            b'X' => match value.split_first() {
                Some((b'V', delimiters)) => self.delimiters(delimiters, config)?,
                first => return Err(unsupported(letter, first)),
            },
            b'b' => self.mode(value)?,
            b'f' | b'r' => self.sender = Some(value.to_vec()),
            b'i' => self.dot_ends = false,
            b'o' => match value.split_first() {
                Some((b'A', b"")) => return Err(fail("-oA requires pathname")),
                Some((b'A', path)) => self.alias_source = Some(path.to_vec()),
                Some((b'i', _)) => self.dot_ends = false,
                Some((b'7' | b'8' | b'm', _)) => {}
                _ => debug!("-o{shown:.1} option ignored"),
            },
            b'q' => self.queue(value)?,
            b't' => self.extract = true,
            b'v' => {
                self.verbose = self.verbose.saturating_add(1);
                pf_log::set_verbose(self.verbose);
            }
            _ => debug!("-{} option ignored", char::from(letter)),
        }
        Ok(())
    }

    fn flush(&mut self) {
        if self.mode == Mode::Daemon {
            warning!("ignoring -q option in daemon mode");
        } else {
            self.mode = Mode::Flush;
        }
    }

    fn queue(&mut self, value: &[u8]) -> Result<()> {
        match value.split_first() {
            // The interval at which a daemon of old would have run the queue.
            Some((b'0'..=b'9', _)) => self.interval = true,
            Some((b'R', b"")) => return Err(fail("specify: -qRsitename")),
            Some((b'R', site)) => self.site = Some(site.to_vec()),
            Some((b'I', b"")) => return Err(fail("specify: -qIqueueid")),
            Some((b'I', id)) => self.queue_id = Some(id.to_vec()),
            other => {
                let letter = other.map_or('\0', |(letter, _)| char::from(*letter));
                return Err(fail(format!("-q{letter} is not implemented")));
            }
        }
        Ok(())
    }

    fn mode(&mut self, value: &[u8]) -> Result<()> {
        let mode = match value.first() {
            Some(b'd' | b'l') => {
                if self.mode == Mode::Flush {
                    warning!("ignoring -q option in daemon mode");
                }
                Mode::Daemon
            }
            Some(b'h' | b'H') => Mode::Ignore,
            Some(b'i') => Mode::NewAliases,
            Some(b'm') => Mode::Enqueue,
            Some(b'p') => Mode::MailQueue,
            Some(b's') => Mode::Stand,
            Some(b'v') => {
                self.probe = true;
                return Ok(());
            }
            _ => return Err(unsupported(b'b', value.split_first())),
        };
        self.mode = mode;
        Ok(())
    }

    fn delimiters(&mut self, delimiters: &[u8], config: &Config) -> Result<()> {
        let allowed = config.get(param::VERP_DELIMITER_FILTER)?;
        let fits = delimiters.len() == 2
            && delimiters
                .iter()
                .all(|byte| allowed.as_bytes().contains(byte));
        if !fits {
            return Err(fail(format!("-V requires two characters from {allowed}")));
        }
        self.verp = Some(delimiters.to_vec());
        Ok(())
    }

    /// `-O name=value`, of which two names mean something.
    fn sendmail_option(&mut self, option: &str, config: &Config) -> Result<()> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let (name, value) = (name.to_ascii_lowercase(), value.to_ascii_lowercase());
        let bit = match name.as_str() {
            "requiretls" => {
                if !config.get(param::REQUIRETLS_ENABLE)? {
                    warning!(
                        "Ignoring option '-O {option}, because the configuration is 'requiretls_enable = no'"
                    );
                    return Ok(());
                }
                sendopts::REQUIRETLS_ESMTP
            }
            "smtputf8" => {
                if !config.get(param::SMTPUTF8_ENABLE)? {
                    warning!(
                        "'-O {option}' was requested, but the configuration is 'smtputf8_enable = no'"
                    );
                    return Ok(());
                }
                sendopts::SMTPUTF8_REQUESTED
            }
            "" if option.is_empty() => 0,
            _ => return Ok(()),
        };
        match value.as_str() {
            "yes" => self.sendopts |= bit,
            "no" => self.sendopts &= !bit,
            _ => warning!("bad -O option: '{option}' -- ignored"),
        }
        Ok(())
    }

    /// What must not be asked for together.
    fn agree(&mut self) -> Result<()> {
        let enqueue = self.mode == Mode::Enqueue;
        let conflicts = [
            (
                self.extract && !enqueue,
                "-t can be used only in delivery mode",
            ),
            (
                self.site.is_some() && !enqueue,
                "-qR can be used only in delivery mode",
            ),
            (
                self.queue_id.is_some() && !enqueue,
                "-qI can be used only in delivery mode",
            ),
            (
                self.probe && self.extract,
                "-t option cannot be used with -bv",
            ),
            (
                self.probe && self.notify != 0,
                "-N option cannot be used with -bv",
            ),
            (
                self.probe && self.ret != 0,
                "-R option cannot be used with -bv",
            ),
            (
                self.probe && self.verbose == 1,
                "-v option cannot be used with -bv",
            ),
        ];
        if let Some((_, text)) = conflicts.iter().find(|(found, _)| *found) {
            return Err(fail(*text));
        }
        // The first -v asks for a report, each further one for a talkative program.
        if self.verbose == 1 && enqueue {
            self.verbose = 0;
            self.record = true;
        }
        pf_log::set_verbose(self.verbose);
        Ok(())
    }
}

fn unsupported(letter: u8, value: Option<(&u8, &[u8])>) -> anyhow::Error {
    let kind = value.map_or('\0', |(kind, _)| char::from(*kind));
    fail(format!("unsupported: -{}{kind}", char::from(letter)))
}

/// 0 for what makes no sense.
fn notify(text: &str) -> i32 {
    let mut bits = 0;
    for word in pf_text::split::list(text) {
        bits |= match word.to_ascii_lowercase().as_str() {
            "never" => 1,
            "success" => 2,
            "failure" => 4,
            "delay" => 8,
            _ => {
                warning!("unknown DSN NOTIFY command value \"{word}\" in \"{text}\"");
                return 0;
            }
        };
    }
    if bits & 1 == 0 || bits == 1 { bits } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options> {
        let words: Vec<Vec<u8>> = line.split(' ').map(Into::into).collect();
        Options::parse("sendmail", &words, &Config::for_tests(&[]))
    }

    #[test]
    fn the_usual_ways_to_call_it() {
        let options = parse("-oi -f bob@x.example -t").unwrap();
        assert!(options.extract && !options.dot_ends);
        assert_eq!(options.sender.as_deref(), Some(&b"bob@x.example"[..]));
        let options = parse("-i -fbob -F Bob alice carol").unwrap();
        assert_eq!(options.recipients, [&b"alice"[..], b"carol"]);
        assert_eq!(parse("-bp").unwrap().mode, Mode::MailQueue);
        assert_eq!(parse("-q").unwrap().mode, Mode::Flush);
        assert_eq!(parse("-bd -q15m").unwrap().mode, Mode::Daemon);
        assert_eq!(parse("-qRs").unwrap().site.as_deref(), Some(&b"s"[..]));
        assert!(parse("-bv a@b").unwrap().probe);
        assert_eq!(parse("-N success,delay -R hdrs a").unwrap().notify, 10);
        assert_eq!(parse("-odi -oem a").unwrap().recipients, [b"a"]);
        assert_eq!(parse("-- -a").unwrap().recipients, [b"-a"]);
        assert_eq!(parse("-XV+= a").unwrap().verp.as_deref(), Some(&b"+="[..]));
        assert_eq!(parse("-XV a").unwrap().recipients, [b"a"]);
        assert_eq!(parse("-V+= a").unwrap().verp.as_deref(), Some(&b"+="[..]));
        assert_eq!(parse("-V -- a").unwrap().recipients, [b"a"]);
        assert_eq!(
            parse("-V id-1 a").unwrap().envid.as_deref(),
            Some(&b"id-1"[..])
        );
        assert!(parse("-bz").is_err());
        assert!(parse("-bv -t").is_err());
    }

    #[test]
    fn a_configuration_directory_may_be_named_by_its_file() {
        use std::path::Path;
        let dir = |path: &str| {
            let words = [b"-iC".to_vec(), path.into()];
            config_directory("sendmail", &words, |_| Ok(())).unwrap()
        };
        assert_eq!(dir("/etc/mail").unwrap(), Path::new("/etc/mail"));
        assert_eq!(dir("/etc/mail/main.cf").unwrap(), Path::new("/etc/mail"));
        assert_eq!(dir("main.cf").unwrap(), Path::new("."));
        assert_eq!(dir("/x/domain.cf").unwrap(), Path::new("/x/domain.cf"));
    }
}
