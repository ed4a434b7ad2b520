//! The original, for comparison: the `postfix` package of a release of Debian, unpacked into a directory of its own.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::shell::{command, run as run_command, say};

/// A release of Debian.
pub struct Suite {
    pub name: &'static str,
    packages: &'static str,
    /// The script of debootstrap: an older one does not know all by name.
    script: &'static str,
}

/// The release that everything is measured against, and the ones before it.
pub const SUITES: [Suite; 3] = [
    Suite {
        name: "forky",
        packages: "postfix,postfix-pcre",
        script: "sid",
    },
    Suite {
        name: "trixie",
        packages: "postfix,postfix-lmdb,postfix-pcre",
        script: "sid",
    },
    Suite {
        name: "bookworm",
        packages: "postfix,postfix-lmdb,postfix-pcre",
        script: "bookworm",
    },
];

impl Suite {
    /// The suite of this name; without a name, the one that everything is measured against.
    pub fn named(name: Option<&str>) -> Result<&'static Self> {
        let name = name.unwrap_or("forky");
        SUITES
            .iter()
            .find(|suite| suite.name == name)
            .with_context(|| format!("no peer {name}"))
    }

    /// Where the peer is kept between runs; `POSTFIX_RS_PEER` overrides the first one's.
    pub fn root(&self) -> PathBuf {
        match std::env::var_os("POSTFIX_RS_PEER") {
            Some(root) if self.name == "forky" => PathBuf::from(root),
            _ => Path::new("/var/cache/postfix-rs").join(format!("peer-{}", self.name)),
        }
    }
}

/// Unpacks the peer of Debian's release unless it is there.
pub fn run(suite: &Suite) -> Result<()> {
    let root = suite.root();
    if root.join("usr/sbin/postconf").exists() {
        return Ok(());
    }
    let mirror = mirror()?;
    say(&format!(
        "unpacking Debian {}'s postfix into {}",
        suite.name,
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
    let mut debootstrap = command("debootstrap", &["--variant=minbase"]);
    debootstrap
        .arg(format!("--include={}", suite.packages))
        .arg("--keyring=/usr/share/keyrings/debian-archive-keyring.gpg")
        .arg(suite.name)
        .arg(&partial)
        .arg(mirror)
        .arg(Path::new("/usr/share/debootstrap/scripts").join(suite.script));
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
