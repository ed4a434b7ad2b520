//! The namespaces of an instance: mounts, network and processes of its own, and one process that keeps them.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::Target;
use crate::mixture::mounts;

/// Makes the namespaces and keeps them, for a quarter of an hour at the most.
pub(crate) fn hold(
    target: &Target,
    top: &Path,
    spool_kib: Option<u32>,
    swapped: &[String],
) -> Child {
    let root = target.root().display().to_string();
    let root = root.trim_end_matches('/');
    let at = top.display();
    let mut script = "set -e\nip link set lo up\n".to_owned();
    if let Some(size) = spool_kib {
        script += &format!("mount -t tmpfs -o size={size}k,mode=755 tmpfs {at}/spool\n");
    }
    if target.is_in_peer_root() {
        script += &format!(
            "mount --rbind /tmp {root}/tmp\nmount --rbind /dev {root}/dev\nmount -t proc proc {root}/proc\n"
        );
    }
    for file in ["passwd", "group", "hosts", "resolv.conf"] {
        script += &format!(
            "[ -e {root}/etc/{file} ] || : > {root}/etc/{file}\nmount --bind {at}/{file} {root}/etc/{file}\n"
        );
    }
    // A setgid command takes a directory from its caller only where the default configuration lists it.
    script += &format!("mkdir -p {root}/etc/postfix\n");
    script += &if target.is_in_peer_root() {
        format!("mount --bind {at}/default.cf {root}/etc/postfix/main.cf\n")
    } else {
        format!("mount -t tmpfs none /etc/postfix\ncp {at}/default.cf /etc/postfix/main.cf\n")
    };
    script += &mounts(target, top, swapped);
    script += "echo ready\ni=0\nwhile [ $i -lt 900 ]; do sleep 1; i=$((i+1)); done\n";
    let mut holder = Command::new("setpriv")
        .args([
            "--pdeathsig",
            "KILL",
            "unshare",
            "--mount",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
        ])
        .args([
            "--mount-proc",
            "--propagation",
            "private",
            "sh",
            "-c",
            &script,
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    holder
        .stdout
        .take()
        .unwrap()
        .read_exact(&mut ready)
        .expect("namespaces (this needs root)");
    holder
}
