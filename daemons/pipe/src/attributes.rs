//! The words behind `pipe` in `master.cf`: how mail is written, with whose rights, and to which command.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use pf_config::Config;
use pf_delivery::copy::Form;

/// What the words say.
#[derive(Debug, Clone)]
pub(crate) struct Attributes {
    /// `argv=`: the command's words, with macros.
    pub(crate) command: Vec<String>,
    /// `user=`
    pub(crate) identity: (u32, u32),
    /// `flags=` and `eol=`, as far as they are about the message's text.
    pub(crate) form: Form,
    /// `flags=X`: this is the final delivery.
    pub(crate) is_final: bool,
    /// `flags=h`, `q`, `u`: how addresses are written.
    pub(crate) style: Style,
    /// `directory=`
    pub(crate) directory: Option<PathBuf>,
    /// `chroot=`
    pub(crate) chroot: Option<PathBuf>,
    /// `null_sender=`
    pub(crate) null_sender: String,
    /// `size=`, in bytes; 0: any.
    pub(crate) size: i64,
}

/// How addresses are written in the command's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Style {
    /// The domain in lower case.
    pub(crate) fold_domain: bool,
    /// The local part in lower case.
    pub(crate) fold_local: bool,
    /// The local part quoted where it has to be.
    pub(crate) quote: bool,
}

/// `name=value`, the name in any case.
fn value_of<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    let (head, value) = word.split_once('=')?;
    head.eq_ignore_ascii_case(name).then_some(value)
}

impl Attributes {
    /// Reads the words.
    ///
    /// # Errors
    /// A word is unknown or missing, or names rights that the command must not have.
    pub(crate) fn parse(words: &[String], config: &Config) -> Result<Self> {
        let mut found = Self {
            command: Vec::new(),
            identity: (0, 0),
            form: Form::plain(),
            is_final: false,
            style: Style::default(),
            directory: None,
            chroot: None,
            null_sender: "MAILER-DAEMON".into(),
            size: 0,
        };
        let mut user = None;
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            if let Some(flags) = value_of(word, "flags") {
                found.flags(flags)?;
            } else if let Some(names) = value_of(word, "user") {
                user = Some(identity(names)?);
            } else if let Some(path) = value_of(word, "directory") {
                found.directory = Some(path.into());
            } else if let Some(path) = value_of(word, "chroot") {
                found.chroot = Some(path.into());
            } else if let Some(text) = value_of(word, "eol") {
                found.form.eol = unescape(text.as_bytes());
            } else if let Some(text) = value_of(word, "null_sender") {
                text.clone_into(&mut found.null_sender);
            } else if let Some(text) = value_of(word, "size") {
                found.size = text
                    .bytes()
                    .all(|byte| byte.is_ascii_digit())
                    .then(|| text.parse().ok())
                    .flatten()
                    .with_context(|| format!("get_service_attr: bad size= value: {text}"))?;
            } else if let Some(first) = value_of(word, "argv") {
                found.command.push(first.to_owned());
                found.command.extend(rest.by_ref().cloned());
            } else {
                bail!("unknown attribute name: {word}");
            }
        }
        found.identity = user.context("missing user= command-line attribute")?;
        ensure!(
            !found.command.is_empty(),
            "missing argv= command-line attribute"
        );
        found.check_rights(config)?;
        Ok(found)
    }

    fn flags(&mut self, flags: &str) -> Result<()> {
        for flag in flags.chars() {
            match flag {
                'B' => self.form.blank_line = true,
                'D' => self.form.delivered_to = true,
                'F' => self.form.from_line = true,
                'O' => self.form.original_to = true,
                'R' => self.form.return_path = true,
                'X' => self.is_final = true,
                '.' => self.form.double_dots = true,
                '>' => self.form.quote_from = true,
                'h' => self.style.fold_domain = true,
                'q' => self.style.quote = true,
                'u' => self.style.fold_local = true,
                other => bail!("unknown flag: {other} (ignored)"),
            }
        }
        Ok(())
    }

    /// The command must have neither root's rights nor the mail system's.
    fn check_rights(&self, config: &Config) -> Result<()> {
        let accounts = config.accounts()?;
        let owner = config.get(pf_config::param::MAIL_OWNER)?;
        let group = config.get(pf_config::param::SETGID_GROUP)?;
        let (uid, gid) = self.identity;
        ensure!(
            uid != 0,
            "user= command-line attribute specifies root privileges"
        );
        ensure!(
            uid != accounts.mail_owner.0,
            "user= command-line attribute specifies mail system owner {owner}"
        );
        ensure!(
            gid != 0,
            "user= command-line attribute specifies privileged group id 0"
        );
        ensure!(
            gid != accounts.mail_owner.1,
            "user= command-line attribute specifies mail system owner {owner} group id {gid}"
        );
        ensure!(
            gid != accounts.setgid_group,
            "user= command-line attribute specifies mail system {group} group id {gid}"
        );
        Ok(())
    }
}

/// `user` or `user:group`.
fn identity(names: &str) -> Result<(u32, u32)> {
    let (name, group) = names.split_once(':').unwrap_or((names, ""));
    let user = pf_sys::identity::user_by_name(name)?
        .with_context(|| format!("get_service_attr: unknown username: {name}"))?;
    if group.is_empty() {
        return Ok((user.uid, user.gid));
    }
    let gid = pf_sys::identity::group_by_name(group)?
        .with_context(|| format!("get_service_attr: unknown group: {group}"))?;
    Ok((user.uid, gid))
}

/// Replaces backslash sequences as in C: letters, and up to three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&kind, tail)) = rest.split_first() else {
            break;
        };
        let octal = rest
            .iter()
            .take(3)
            .take_while(|byte| matches!(byte, b'0'..=b'7'))
            .count();
        if octal > 0 {
            let value = rest
                .iter()
                .take(octal)
                .fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
            out.push(u8::try_from(value & 0xff).unwrap_or_default());
            rest = rest.get(octal..).unwrap_or_default();
            continue;
        }
        rest = tail;
        out.push(match kind {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            other => other,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_written_as_in_c() {
        assert_eq!(unescape(b"\\r\\n"), b"\r\n");
        assert_eq!(unescape(b"\\015\\12x\\\\"), b"\r\nx\\");
    }

    #[test]
    fn words_are_checked() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Attributes::parse(&words, &Config::for_tests(&[]))
                .map(drop)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(parse(&["flags=Z"]), "unknown flag: Z (ignored)".to_owned());
        assert_eq!(parse(&["x=y"]), "unknown attribute name: x=y");
        assert_eq!(
            parse(&["argv=cat", "user=x"]),
            "missing user= command-line attribute"
        );
        assert_eq!(
            parse(&["user=root"]),
            "missing argv= command-line attribute"
        );
        assert_eq!(
            parse(&["user=no-such-user", "argv=cat"]),
            "get_service_attr: unknown username: no-such-user"
        );
    }
}
