//! What `master.cf` says of the command: `user=name:group argv=program arguments`.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use pf_sys::identity;

/// The command, and who runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// Program and arguments; never empty.
    pub argv: Vec<String>,
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// How long the command may run.
    pub limit: Duration,
}

impl Attributes {
    /// Reads the words; `owner` is the mail owner's user and group, whom no command may run as.
    ///
    /// # Errors
    /// What is wrong with them, in Postfix's words.
    pub fn parse(words: &[String], owner: (u32, u32), limit: Duration) -> Result<Self> {
        let mut user = None;
        let mut argv = None;
        for (at, word) in words.iter().enumerate() {
            if let Some(value) = value(word, "user=") {
                user = Some(account(value)?);
            } else if let Some(program) = value(word, "argv=") {
                let mut all = vec![program.to_owned()];
                all.extend(words.get(at + 1..).unwrap_or_default().iter().cloned());
                argv = Some(all);
                break;
            } else {
                bail!("unknown attribute name: {word}");
            }
        }
        let (uid, gid) = user.context("missing user= attribute")?;
        let argv = argv.context("missing argv= attribute")?;
        ensure!(uid != 0, "request to deliver as root");
        ensure!(uid != owner.0, "request to deliver as mail system owner");
        ensure!(gid != 0, "request to use privileged group id {gid}");
        ensure!(
            gid != owner.1,
            "request to use mail system owner group id {gid}"
        );
        ensure!(uid != u32::MAX, "user must not have user ID -1");
        ensure!(gid != u32::MAX, "user must not have group ID -1");
        Ok(Self {
            argv,
            uid,
            gid,
            limit,
        })
    }
}

/// What follows a name, whose case does not matter.
fn value<'a>(word: &'a str, name: &str) -> Option<&'a str> {
    let (found, value) = word.split_at_checked(name.len())?;
    found.eq_ignore_ascii_case(name).then_some(value)
}

fn account(text: &str) -> Result<(u32, u32)> {
    let (name, group) = match text.split_once(':') {
        Some((name, group)) => (name, Some(group).filter(|group| !group.is_empty())),
        None => (text, None),
    };
    let user =
        identity::user_by_name(name)?.with_context(|| format!("unknown user name: {name}"))?;
    let gid = match group {
        Some(group) => identity::group_by_name(group)?
            .with_context(|| format!("unknown group name: {group}"))?,
        None => user.gid,
    };
    Ok((user.uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Attributes, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        Attributes::parse(&words, (4_000_000, 4_000_000), Duration::from_secs(1))
            .map_err(|err| err.to_string())
    }

    #[test]
    fn what_is_said_of_the_command() {
        let found = parse("USER=nobody argv=/bin/cat -n user=x").unwrap();
        assert_eq!(found.argv, ["/bin/cat", "-n", "user=x"]);
        assert_ne!(found.uid, 0);
        assert_eq!(
            parse("user=root argv=x"),
            Err("request to deliver as root".into())
        );
        assert_eq!(parse("argv=x"), Err("missing user= attribute".into()));
        assert_eq!(parse("user=nobody"), Err("missing argv= attribute".into()));
        assert_eq!(
            parse("user=nobody:root argv=x"),
            Err("request to use privileged group id 0".into())
        );
        assert_eq!(
            parse("flags=x argv=x"),
            Err("unknown attribute name: flags=x".into())
        );
        assert_eq!(
            parse("user=no-such-user argv=x"),
            Err("unknown user name: no-such-user".into())
        );
    }
}
