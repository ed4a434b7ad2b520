//! What the command line asks for.

use std::ffi::OsStr;

use anyhow::{Result, anyhow, bail};
use pf_cli::Scanned;

use crate::level::Level;
use crate::logging::Wanted;

/// Which addresses are tried first among those of equal preference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    Any,
    V4,
    V6,
}

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// LMTP, not SMTP.
    pub lmtp: bool,
    /// SRV records instead of MX records.
    pub services: bool,
    /// What is said is not shown.
    pub silent: bool,
    pub family: Family,
    /// Hosts are looked up in DNS.
    pub in_dns: bool,
    /// Hosts are looked up as any other program of the system does.
    pub natively: bool,
    /// How long a connection and the greeting may take, in seconds.
    pub connect_limit: u64,
    /// How long a command may take, in seconds.
    pub command_limit: u64,
    pub level: Level,
    /// What TLSA records are good for behind an MX record that nobody vouches for.
    pub insecure_mx: Level,
    /// TLSA records count also for hosts in zones that nobody vouches for.
    pub force_tlsa: bool,
    /// TLS begins at once.
    pub wrapper: bool,
    /// After how many seconds to connect anew; not positive for never.
    pub reconnect: i32,
    pub logging: Wanted,
    /// The words of `-L`.
    pub log_words: String,
    pub digest: Option<String>,
    /// Our keys and certificates, in files; empty for none.
    pub chains: String,
    pub certificate: String,
    pub key: String,
    /// The file of the authorities' certificates, and their directory.
    pub authorities: [String; 2],
    pub trust_anchors: Vec<String>,
    pub raw_keys: bool,
}

/// The level of `-M`.
///
/// # Errors
/// It is none that could be meant there.
pub fn insecure_mx(value: &str) -> Result<Level> {
    match Level::by_name(value) {
        Some(level @ (Level::May | Level::Encrypt | Level::Dane)) => Ok(level),
        _ => Err(bad('M', value, ["may", "encrypt", "dane"])),
    }
}

fn bad<const N: usize>(letter: char, value: &str, known: [&str; N]) -> anyhow::Error {
    pf_cli::meant(
        anyhow!("bad '-{letter}' option value: {value}"),
        value,
        known,
    )
}

/// The number at the beginning of a text, as atoi(3) sees it.
fn number(text: &str) -> i32 {
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\u{b}');
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let value = digits
        .bytes()
        .take_while(u8::is_ascii_digit)
        .fold(0i32, |value, digit| {
            value
                .saturating_mul(10)
                .saturating_add(i32::from(digit - b'0'))
        });
    sign * value
}

/// A time limit in seconds. Without one there would be no end.
fn limit(scanned: &Scanned, letter: char) -> Result<u64> {
    let Some(text) = scanned.last(letter).map(OsStr::to_string_lossy) else {
        return Ok(30);
    };
    match u64::try_from(number(&text)) {
        Ok(seconds @ 1..) => Ok(seconds),
        _ => bail!("bad '-{letter}' option value: {text}"),
    }
}

impl Options {
    /// Reads the options, and says what is wrong with them.
    ///
    /// # Errors
    /// A value is none, or options do not go together.
    pub fn read(scanned: &Scanned) -> Result<Self> {
        let text = |letter| {
            scanned
                .last(letter)
                .map(|value| value.to_string_lossy().into_owned())
        };
        let family = match text('a').as_deref().unwrap_or("any") {
            word if word.eq_ignore_ascii_case("any") => Family::Any,
            word if word.eq_ignore_ascii_case("ipv4") => Family::V4,
            word if word.eq_ignore_ascii_case("ipv6") => Family::V6,
            word => return Err(bad('a', word, ["ipv4", "ipv6", "any"])),
        };
        let reconnect = text('r').map_or(-1, |value| number(&value));
        if scanned.has('X') && reconnect >= 0 {
            bail!("The -X and -r options are mutually exclusive");
        }
        let lookup = text('h').unwrap_or_else(|| "dns".into());
        let [in_dns, natively] = host_lookup(&lookup)?;
        let files = Files::read(scanned);
        if !files.chains.is_empty() && !files.certificate.is_empty() {
            bail!(
                "When the '-H' option is used, neither the '-k', nor the '-K' options may be used"
            );
        }
        let log_words = text('L').unwrap_or_else(|| "routine,certmatch".into());
        // They are for two parts of the TLS library, and each complains.
        Wanted::read(&log_words);
        let logging = Wanted::read(&log_words);
        let level = match text('l') {
            None => Level::Dane,
            Some(name) => Level::by_name(&name).ok_or_else(|| {
                let err = anyhow!("Invalid TLS level \"{name}\"");
                pf_cli::meant(err, &name, Level::names())
            })?,
        };
        let wrapper = scanned.has('w');
        if wrapper && level == Level::None {
            bail!("SSL wrapper mode requires that TLS not be disabled");
        }
        Ok(Self {
            lmtp: scanned.has('S'),
            services: scanned.has('R'),
            silent: scanned.has('c'),
            family,
            in_dns,
            natively,
            connect_limit: limit(scanned, 't')?,
            command_limit: limit(scanned, 'T')?,
            level,
            insecure_mx: text('M').map_or(Ok(Level::Dane), |value| insecure_mx(&value))?,
            force_tlsa: scanned.has('f'),
            wrapper,
            reconnect,
            logging,
            log_words,
            digest: text('d'),
            chains: files.chains,
            certificate: files.certificate,
            key: files.key,
            authorities: [text('F').unwrap_or_default(), text('P').unwrap_or_default()],
            trust_anchors: scanned
                .all('A')
                .map(|file| file.to_string_lossy().into_owned())
                .collect(),
            raw_keys: scanned.has('x'),
        })
    }
}

/// The files of our own keys and certificates.
#[derive(Default)]
struct Files {
    chains: String,
    certificate: String,
    key: String,
}

impl Files {
    /// A certificate and its key may be in one file, whichever of the two options names it.
    fn read(scanned: &Scanned) -> Self {
        let mut files = Self::default();
        for (letter, value) in &scanned.options {
            let value = || {
                let value = value.as_deref().unwrap_or_default();
                value.to_string_lossy().into_owned()
            };
            match letter {
                'H' if files.chains.is_empty() => files.chains = value(),
                'H' => files.chains += &format!(", {}", value()),
                'k' => {
                    files.certificate = value();
                    if files.key.is_empty() {
                        files.key = value();
                    }
                }
                'K' => {
                    files.key = value();
                    if files.certificate.is_empty() {
                        files.certificate = value();
                    }
                }
                _ => {}
            }
        }
        files
    }
}

/// Whether hosts are looked up in DNS, and as any other program does.
fn host_lookup(words: &str) -> Result<[bool; 2]> {
    let mut wanted = [false; 2];
    for word in pf_text::split::list(words) {
        let [in_dns, natively] = &mut wanted;
        match word {
            "dns" => *in_dns = true,
            "native" => *natively = true,
            _ => {
                let err = anyhow!("unknown -h option value \"{word}\" in \"{words}\"");
                return Err(pf_cli::meant(err, word, ["dns", "native"]));
            }
        }
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options> {
        let scanned = crate::SPEC.scan(words.iter().map(Into::into)).unwrap();
        Options::read(&scanned)
    }

    #[test]
    fn numbers_end_where_digits_do() {
        for (text, value) in [
            ("5", 5),
            (" +7x", 7),
            ("-3", -3),
            ("x", 0),
            ("", 0),
            ("99999999999", i32::MAX),
        ] {
            assert_eq!(number(text), value, "{text}");
        }
    }

    #[test]
    fn limits_are_positive() {
        assert_eq!(read(&["-t", "5"]).unwrap().connect_limit, 5);
        for word in ["0", "x", "-1"] {
            let err = read(&["-T", word]).unwrap_err();
            assert_eq!(err.to_string(), format!("bad '-T' option value: {word}"));
        }
    }

    #[test]
    fn a_certificate_and_its_key_may_share_a_file() {
        let files = |words: &[&str]| {
            let options = read(words).unwrap();
            [options.chains, options.certificate, options.key]
        };
        assert_eq!(files(&["-k", "a"]), ["", "a", "a"]);
        assert_eq!(files(&["-K", "a", "-k", "b"]), ["", "b", "a"]);
        assert_eq!(files(&["-H", "a", "-H", "b"]), ["a, b", "", ""]);
    }
}
