//! How a private mail system is to be: its configuration, its users, its files before anything runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use crate::mixture::swapped;
use crate::{Instance, Target};

/// The services of a `master.cf` as installed, without TLS and without chroots.
const MASTER_CF: &str = "\
smtp      inet  n       -       n       -       -       smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
verify    unix  -       -       n       -       1       verify
flush     unix  n       -       n       1000?   0       flush
proxymap  unix  -       -       n       -       -       proxymap
proxywrite unix -       -       n       -       1       proxymap
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
showq     unix  n       -       n       -       -       showq
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
anvil     unix  -       -       n       -       1       anvil
postlog   unix-dgram n  -       n       -       1       postlogd
";

/// Users that every instance has beside the system's own.
const USERS: [(&str, u32); 3] = [("alice", 61001), ("bob", 61002), ("vmail", 61003)];

/// How a private mail system is to be.
#[derive(Debug, Clone)]
pub struct Builder {
    pub(crate) target: Target,
    main_cf: String,
    master_cf: String,
    master_extra: String,
    hosts: String,
    pub(crate) swapped: Vec<String>,
    pub(crate) spool_kib: Option<u32>,
}

impl Builder {
    pub(crate) fn new(target: Target) -> Self {
        Self {
            target,
            main_cf: String::new(),
            master_cf: MASTER_CF.to_owned(),
            master_extra: String::new(),
            hosts: "127.0.0.1 localhost\n".to_owned(),
            swapped: swapped(),
            spool_kib: None,
        }
    }

    /// Puts the queue on a file system of its own, of this size in KiB.
    #[must_use]
    pub fn spool_kib(mut self, size: u32) -> Self {
        self.spool_kib = Some(size);
        self
    }

    /// Takes these programs from the other system; ours has to run in the peer's root for that.
    #[must_use]
    pub fn swap(mut self, programs: &[&str]) -> Self {
        let names = programs.iter().map(|name| (*name).to_owned());
        self.swapped.extend(names);
        self
    }

    /// Adds lines to `main.cf`; later ones win.
    #[must_use]
    pub fn main_cf(mut self, lines: &str) -> Self {
        self.main_cf.push_str(lines);
        self.main_cf.push('\n');
        self
    }

    /// Adds services to `master.cf`.
    #[must_use]
    pub fn master_cf(mut self, lines: &str) -> Self {
        self.master_extra.push_str(lines);
        self.master_extra.push('\n');
        self
    }

    /// Replaces the service line that begins with these two words (`smtp inet`).
    #[must_use]
    pub fn service(mut self, name: &str, kind: &str, line: &str) -> Self {
        self.master_cf = self
            .master_cf
            .lines()
            .filter(|old| !old.split_whitespace().take(2).eq([name, kind]))
            .map(|old| format!("{old}\n"))
            .collect::<String>()
            + line
            + "\n";
        self
    }

    /// Adds lines to `/etc/hosts`.
    #[must_use]
    pub fn hosts(mut self, lines: &str) -> Self {
        self.hosts.push_str(lines);
        self
    }

    /// Makes the instance; the mail system is not started.
    pub fn build(self) -> Instance {
        Instance::new(self)
    }

    /// Makes the instance and starts the mail system.
    pub fn start(self) -> Instance {
        let instance = self.build();
        instance.start();
        instance
    }

    /// Makes the files of the instance.
    pub(crate) fn lay_out(&self, top: &Path) {
        let system = self.target.root();
        let mut passwd = fs::read_to_string(system.join("etc/passwd")).unwrap();
        let mut group = fs::read_to_string(system.join("etc/group")).unwrap();
        let owner = account(&passwd, "postfix");
        for dir in ["etc", "spool", "data", "mail", "home", "log"] {
            fs::create_dir(top.join(dir)).unwrap();
        }
        chown(top.join("data"), Some(owner), None).unwrap();
        fs::set_permissions(top.join("mail"), fs::Permissions::from_mode(0o1777)).unwrap();
        for (name, id) in USERS {
            let home = top.join("home").join(name);
            passwd += &format!("{name}:x:{id}:{id}:{name}:{}:/bin/sh\n", home.display());
            group += &format!("{name}:x:{id}:\n");
            fs::create_dir(&home).unwrap();
            chown(&home, Some(id), Some(id)).unwrap();
        }
        fs::write(top.join("passwd"), passwd).unwrap();
        fs::write(top.join("group"), group).unwrap();
        fs::write(top.join("hosts"), &self.hosts).unwrap();
        fs::write(
            top.join("default.cf"),
            format!("alternate_config_directories = {}/etc\n", top.display()),
        )
        .unwrap();
        fs::write(
            top.join("resolv.conf"),
            "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n",
        )
        .unwrap();
        fs::write(top.join("etc/aliases"), "postmaster root\n").unwrap();
        let at = top.display();
        fs::write(
            top.join("etc/main.cf"),
            overridden(&format!(
                "compatibility_level = 3.11\nqueue_directory = {at}/spool\ndata_directory = {at}/data\n{}mail_owner = postfix\nsetgid_group = postdrop\nmaillog_file = {at}/log/maillog\nmaillog_file_prefixes = {at}\nmail_spool_directory = {at}/mail\ninet_interfaces = loopback-only\ninet_protocols = ipv4\nmyhostname = mx.test.example\nmydestination = $myhostname, localhost, test.example\nmynetworks = 127.0.0.1/32\ndefault_database_type = lmdb\ndefault_cache_db_type = lmdb\nalias_maps = texthash:{at}/etc/aliases\nalias_database =\nrelay_domains =\nbiff = no\nsmtp_tls_security_level =\n{}",
                self.target.directories(),
                self.main_cf,
            )),
        )
        .unwrap();
        fs::write(
            top.join("etc/master.cf"),
            format!("{}{}", self.master_cf, self.master_extra),
        )
        .unwrap();
    }
}

/// The user id of an account of a passwd file.
fn account(passwd: &str, name: &str) -> u32 {
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.first() == Some(&name))
        .and_then(|fields| fields.get(2)?.parse().ok())
        .unwrap_or_else(|| panic!("no account {name}: run `cargo xtask setup` first"))
}

/// Without the settings that a later line repeats: a warning about each would only stand in the way.
fn overridden(text: &str) -> String {
    fn name(line: &str) -> Option<&str> {
        let name = line.split_once('=')?.0.trim_end();
        (!name.is_empty() && !name.starts_with([' ', '\t', '#'])).then_some(name)
    }
    let lines: Vec<&str> = text.lines().collect();
    let mut kept = String::with_capacity(text.len());
    for (at, line) in lines.iter().enumerate() {
        let later = lines.get(at + 1..).unwrap_or_default();
        let single = later
            .first()
            .is_none_or(|next| !next.starts_with([' ', '\t']));
        let again =
            name(line).is_some_and(|found| later.iter().any(|one| name(one) == Some(found)));
        if !(again && single) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
