//! The original, for comparison: Debian forky's `postfix` package, unpacked into a directory of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::{command, run as run_command, say};

/// Where the peer is kept between runs; `POSTFIX_RS_PEER` overrides.
pub fn root() -> PathBuf {
    std::env::var_os("POSTFIX_RS_PEER").map_or_else(
        || PathBuf::from("/var/cache/postfix-rs/peer-forky"),
        PathBuf::from,
    )
}

/// Unpacks the peer unless it is there.
pub fn run() -> Result<()> {
    let root = root();
    if root.join("usr/sbin/postconf").exists() {
        return Ok(());
    }
    let mirror = mirror()?;
    say(&format!(
        "unpacking Debian forky's postfix into {}",
        root.display()
    ));
    // An interrupted attempt is not to be mistaken for a finished one.
    let partial = root.with_extension("partial");
    if partial.exists() {
        std::fs::remove_dir_all(&partial)?;
    }
    if let Some(parent) = partial.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut debootstrap = command(
        "debootstrap",
        &["--variant=minbase", "--include=postfix,postfix-pcre"],
    );
    debootstrap.arg("--keyring=/usr/share/keyrings/debian-archive-keyring.gpg");
    // An older debootstrap does not know forky by name; its script is the one of sid.
    let script = Path::new("/usr/share/debootstrap/scripts/sid");
    debootstrap
        .args(["forky"])
        .arg(&partial)
        .arg(mirror)
        .arg(script);
    run_command(&mut debootstrap)?;
    std::fs::rename(&partial, &root).with_context(|| format!("rename to {}", root.display()))
}

/// The Debian mirror that this machine uses, from apt's own configuration.
fn mirror() -> Result<String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir("/etc/apt/sources.list.d")
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.push("/etc/apt/sources.list".into());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let found = text.split_whitespace().find(|word| {
            word.contains("://")
                && word.trim_end_matches('/').ends_with("/debian")
                && !word.starts_with('#')
        });
        if let Some(url) = found {
            return Ok(url.to_owned());
        }
    }
    bail!("no Debian mirror in apt's configuration")
}
