//! Shell completions of the commands, for bash, zsh and fish, made from the options that each command declares.
//!
//! What can stand for a value or an operand follows from the name that the command gives it ([`words`]); queue ids, parameters and the
//! like are asked of the running system by the shell. That is why the text is written here: `clap_complete` knows files and fixed words,
//! and of dynamic values only those that the command itself tells when it is started for that, which no setgid program should.

mod bash;
mod fish;
mod words;
mod zsh;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use pf_cli::Spec;

/// All commands.
pub const COMMANDS: [&Spec; 17] = [
    &pf_postalias::SPEC,
    &pf_postcat::SPEC,
    &pf_postconf::SPEC,
    &pf_postdrop::SPEC,
    &pf_postfix::SPEC,
    &pf_postkick::SPEC,
    &pf_postlock::SPEC,
    &pf_postlog::SPEC,
    &pf_postmap::SPEC,
    &pf_postmulti::SPEC,
    &pf_postqueue::SPEC,
    &pf_postsuper::SPEC,
    &pf_posttls_finger::SPEC,
    &pf_qshape::SPEC,
    &pf_sendmail::SPEC,
    &second_name("mailq"),
    &second_name("newaliases"),
];

/// `sendmail` under one of its other names.
const fn second_name(name: &'static str) -> Spec {
    Spec {
        name,
        ..pf_sendmail::SPEC
    }
}

/// Writes `bash/NAME`, `zsh/_NAME` and `fish/NAME.fish` for each command.
///
/// # Errors
/// A file cannot be written.
pub fn write(directory: &Path) -> Result<()> {
    for spec in COMMANDS {
        let name = spec.name;
        for (path, text) in [
            (format!("bash/{name}"), bash::complete(spec)),
            (format!("zsh/_{name}"), zsh::complete(spec)),
            (format!("fish/{name}.fish"), fish::complete(spec)),
        ] {
            let path = directory.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn shells_accept_what_is_written() {
        let place = tempfile::tempdir().unwrap();
        write(place.path()).unwrap();
        for (shell, suffix) in [("bash", ""), ("zsh", ""), ("fish", ".fish")] {
            for spec in COMMANDS {
                let name = match shell {
                    "zsh" => format!("_{}", spec.name),
                    _ => format!("{}{suffix}", spec.name),
                };
                let file = place.path().join(shell).join(name);
                // Where a shell is not installed, nobody can ask it.
                if let Ok(checked) = Command::new(shell).arg("-n").arg(&file).output() {
                    assert!(checked.status.success(), "{}: {checked:?}", file.display());
                } else {
                    assert_ne!(shell, "bash", "the tests need bash");
                }
            }
        }
    }
}
