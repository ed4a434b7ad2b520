//! Which mail system a test runs on.

use std::path::{Path, PathBuf};

use crate::mixture::swapped;

/// The system under test, chosen by the environment variable `POSTFIX_RS_TARGET`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Debian's Postfix, unpacked below this directory (`POSTFIX_RS_PEER`).
    Peer(PathBuf),
    /// Our programs, installed below this directory (`POSTFIX_RS_PREFIX`).
    Ours(PathBuf),
    /// Our programs inside the root directory of the peer, where the peer's can run beside them (`POSTFIX_RS_SWAP`).
    OursInPeerRoot(PathBuf),
}

impl Target {
    /// The target that the environment asks for; ours by default.
    pub fn from_env() -> Self {
        match std::env::var("POSTFIX_RS_TARGET").as_deref() {
            Ok("peer") => Target::Peer(Self::peer_root()),
            Ok("ours") | Err(_) if !swapped().is_empty() => {
                Target::OursInPeerRoot(Self::peer_root())
            }
            Ok("ours") | Err(_) => Target::Ours(Self::our_prefix()),
            Ok(other) => panic!("POSTFIX_RS_TARGET: {other}: not \"peer\" or \"ours\""),
        }
    }

    /// Where `cargo xtask peer` unpacks Debian's package.
    pub fn peer_root() -> PathBuf {
        std::env::var_os("POSTFIX_RS_PEER").map_or_else(
            || PathBuf::from("/var/cache/postfix-rs/peer-forky"),
            PathBuf::from,
        )
    }

    /// Where `cargo xtask install` has put our programs for tests.
    pub fn our_prefix() -> PathBuf {
        std::env::var_os("POSTFIX_RS_PREFIX").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/postfix-rs"),
            PathBuf::from,
        )
    }

    /// Whether this is the original.
    pub fn is_peer(&self) -> bool {
        matches!(self, Target::Peer(_))
    }

    /// Whether it runs in the peer's root directory.
    pub(crate) fn is_in_peer_root(&self) -> bool {
        !matches!(self, Target::Ours(_))
    }

    /// Below which directory the programs are, seen from inside.
    pub(crate) fn prefix(&self) -> PathBuf {
        match self {
            Target::Peer(_) => PathBuf::from("/usr"),
            Target::Ours(prefix) => prefix.clone(),
            Target::OursInPeerRoot(_) => PathBuf::from("/mnt"),
        }
    }

    /// What stands before the path of a system file, seen from outside.
    pub(crate) fn root(&self) -> &Path {
        match self {
            Target::Peer(root) | Target::OursInPeerRoot(root) => root,
            Target::Ours(_) => Path::new("/"),
        }
    }

    /// Where the commands are, seen from inside.
    pub fn command_directory(&self) -> PathBuf {
        self.prefix().join("sbin")
    }

    /// Where the daemons are, seen from inside.
    pub fn daemon_directory(&self) -> PathBuf {
        self.prefix().join(match self {
            Target::Peer(_) => "lib/postfix/sbin",
            Target::Ours(_) | Target::OursInPeerRoot(_) => "libexec/postfix",
        })
    }

    /// The path of a command, seen from inside.
    pub fn command(&self, name: &str) -> PathBuf {
        match (self, name) {
            (Target::Peer(_), "mailq" | "newaliases") => Path::new("/usr/bin").join(name),
            _ if name.contains('/') => PathBuf::from(name),
            _ => self.command_directory().join(name),
        }
    }

    /// The lines of `main.cf` that tell Postfix where its parts are.
    pub(crate) fn directories(&self) -> String {
        let mut lines = format!(
            "command_directory = {}\ndaemon_directory = {}\n",
            self.command_directory().display(),
            self.daemon_directory().display()
        );
        if !self.is_peer() {
            let prefix = self.prefix();
            let prefix = prefix.display();
            lines += &format!(
                "sendmail_path = {prefix}/sbin/sendmail\nmailq_path = {prefix}/sbin/mailq\nnewaliases_path = {prefix}/sbin/newaliases\n"
            );
        }
        // Where Debian had it before it had the default of today.
        if !matches!(self, Target::Ours(_))
            && self.root().join("etc/postfix/postfix-files").exists()
        {
            lines += "meta_directory = /etc/postfix\n";
        }
        if let Target::Ours(prefix) = self {
            // Beside ours, the peer's programs want their tables' drivers.
            lines += &format!(
                "meta_directory = {}/etc/postfix\nshlib_directory = no\n",
                prefix.display()
            );
        }
        lines
    }
}
