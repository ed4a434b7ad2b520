//! What is installed where: the one list from which `install` copies and `postfix-files` is written.

use std::path::{Path, PathBuf};

/// Programs of the command directory.
pub const COMMANDS: [&str; 14] = [
    "postalias",
    "postcat",
    "postconf",
    "postdrop",
    "postfix",
    "postkick",
    "postlock",
    "postlog",
    "postmap",
    "postmulti",
    "postqueue",
    "postsuper",
    "posttls-finger",
    "qshape",
];

/// The program behind `$sendmail_path`, and the other names it goes by.
pub const SENDMAIL: &str = "sendmail";
pub const SECOND_NAMES: [&str; 2] = ["mailq", "newaliases"];

/// Commands that run with the group `postdrop`.
pub const SETGID: [&str; 3] = ["postdrop", "postlog", "postqueue"];

/// Programs of the daemon directory.
pub const DAEMONS: [&str; 22] = [
    "anvil",
    "bounce",
    "cleanup",
    "discard",
    "error",
    "flush",
    "local",
    "master",
    "nbdb_reindexd",
    "pickup",
    "pipe",
    "postlogd",
    "proxymap",
    "qmgr",
    "scache",
    "showq",
    "smtp",
    "smtpd",
    "spawn",
    "trivial-rewrite",
    "verify",
    "virtual",
];

/// Second names of programs, in the same directory.
pub const ALIASES: [(&str, &str); 2] = [("lmtp", "smtp"), ("nqmgr", "qmgr")];

/// Queue directories that belong to the mail owner alone.
pub const QUEUES: [&str; 10] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "saved",
    "trace",
];

/// Where the parts go. Paths are as the running system sees them.
#[derive(Debug, Clone)]
pub struct Layout {
    pub command_directory: PathBuf,
    pub daemon_directory: PathBuf,
    pub config_directory: PathBuf,
    pub queue_directory: PathBuf,
    pub data_directory: PathBuf,
    pub manpage_directory: PathBuf,
    pub sendmail_path: PathBuf,
    pub mailq_path: PathBuf,
    pub newaliases_path: PathBuf,
    /// For bash, zsh and fish, by the names of [`SHELLS`].
    pub completions: [PathBuf; 3],
}

/// Shells that know how to complete our command lines.
pub const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

impl Layout {
    /// Postfix's default directories.
    pub fn system() -> Self {
        Self {
            command_directory: "/usr/sbin".into(),
            daemon_directory: "/usr/lib/postfix/sbin".into(),
            config_directory: "/etc/postfix".into(),
            queue_directory: "/var/spool/postfix".into(),
            data_directory: "/var/lib/postfix".into(),
            manpage_directory: "/usr/share/man".into(),
            sendmail_path: "/usr/sbin/sendmail".into(),
            mailq_path: "/usr/bin/mailq".into(),
            newaliases_path: "/usr/bin/newaliases".into(),
            completions: [
                "/usr/share/bash-completion/completions".into(),
                "/usr/share/zsh/vendor-completions".into(),
                "/usr/share/fish/vendor_completions.d".into(),
            ],
        }
    }

    /// Everything below one directory.
    pub fn below(prefix: &Path) -> Self {
        Self {
            command_directory: prefix.join("sbin"),
            daemon_directory: prefix.join("libexec/postfix"),
            config_directory: prefix.join("etc/postfix"),
            queue_directory: prefix.join("var/spool/postfix"),
            data_directory: prefix.join("var/lib/postfix"),
            manpage_directory: prefix.join("share/man"),
            sendmail_path: prefix.join("sbin/sendmail"),
            mailq_path: prefix.join("sbin/mailq"),
            newaliases_path: prefix.join("sbin/newaliases"),
            completions: [
                prefix.join("share/bash-completion/completions"),
                prefix.join("share/zsh/site-functions"),
                prefix.join("share/fish/vendor_completions.d"),
            ],
        }
    }

    /// The default `main.cf`.
    pub fn main_cf(&self) -> String {
        format!(
            "\
# See postconf(5) for all parameters. Lines that begin with # are comments; a line that begins with
# white space continues the one before it.

# Which defaults apply: those of this level of Postfix.
compatibility_level = 3.11

# Where the parts of the mail system are.
queue_directory = {queue}
command_directory = {command}
daemon_directory = {daemon}
data_directory = {data}
meta_directory = {config}
shlib_directory = no
sendmail_path = {sendmail}
newaliases_path = {newaliases}
mailq_path = {mailq}
manpage_directory = {man}
html_directory = no
readme_directory = no
mail_owner = postfix
setgid_group = postdrop

# The names this system goes by, and whom it takes mail for.
#myhostname = host.domain.tld
#mydomain = domain.tld
#myorigin = $mydomain
#mydestination = $myhostname, localhost.$mydomain, localhost

# Who may send mail through this system.
#mynetworks = 127.0.0.0/8
mynetworks_style = host

# Where all other mail goes, if not to its own servers.
#relayhost = [gateway.my.domain]

# Aliases of local users.
alias_maps = lmdb:/etc/aliases
alias_database = lmdb:/etc/aliases
",
            queue = self.queue_directory.display(),
            command = self.command_directory.display(),
            daemon = self.daemon_directory.display(),
            data = self.data_directory.display(),
            config = self.config_directory.display(),
            sendmail = self.sendmail_path.display(),
            newaliases = self.newaliases_path.display(),
            mailq = self.mailq_path.display(),
            man = self.manpage_directory.display(),
        )
    }

    /// The list of files with owners and modes that `postfix set-permissions` and packagers read.
    pub fn postfix_files(&self) -> String {
        let mut lines = vec![
            "# name:type:owner:group:permission:flags (see the manual of postfix)".to_owned(),
            "$config_directory:d:root:-:755:u".to_owned(),
            "$data_directory:d:$mail_owner:-:700:uc".to_owned(),
            "$daemon_directory:d:root:-:755:u".to_owned(),
            "$queue_directory:d:root:-:755:uc".to_owned(),
        ];
        for queue in QUEUES {
            lines.push(format!("$queue_directory/{queue}:d:$mail_owner:-:700:ucr"));
        }
        lines.extend([
            "$queue_directory/private:d:$mail_owner:-:700:uc".to_owned(),
            "$queue_directory/maildrop:d:$mail_owner:$setgid_group:730:uc".to_owned(),
            "$queue_directory/public:d:$mail_owner:$setgid_group:710:uc".to_owned(),
            "$queue_directory/pid:d:root:-:755:uc".to_owned(),
        ]);
        for daemon in DAEMONS {
            lines.push(format!("$daemon_directory/{daemon}:f:root:-:755"));
        }
        for (alias, daemon) in ALIASES {
            lines.push(format!(
                "$daemon_directory/{alias}:h:$daemon_directory/{daemon}"
            ));
        }
        for command in COMMANDS {
            if SETGID.contains(&command) {
                lines.push(format!(
                    "$command_directory/{command}:f:root:$setgid_group:2755:u"
                ));
            } else {
                lines.push(format!("$command_directory/{command}:f:root:-:755"));
            }
        }
        for manual in COMMANDS.into_iter().chain([SENDMAIL]).chain(SECOND_NAMES) {
            lines.push(format!("$manpage_directory/man1/{manual}.1:f:root:-:644"));
        }
        lines.extend([
            "$sendmail_path:f:root:-:755".to_owned(),
            "$newaliases_path:l:$sendmail_path".to_owned(),
            "$mailq_path:l:$sendmail_path".to_owned(),
            "$config_directory/main.cf:f:root:-:644:p".to_owned(),
            "$config_directory/master.cf:f:root:-:644:p".to_owned(),
            "$meta_directory/main.cf.proto:f:root:-:644".to_owned(),
            "$meta_directory/master.cf.proto:f:root:-:644".to_owned(),
            "$meta_directory/postfix-files:f:root:-:644".to_owned(),
        ]);
        lines.join("\n") + "\n"
    }
}

/// The default `master.cf`.
pub const MASTER_CF: &str = "\
# service  type   private unpriv  chroot  wakeup  maxproc command + args
#                 (yes)   (yes)   (no)    (never) (100)
smtp       inet   n       -       n       -       -       smtpd
pickup     unix   n       -       n       60      1       pickup
cleanup    unix   n       -       n       -       0       cleanup
qmgr       unix   n       -       n       300     1       qmgr
rewrite    unix   -       -       n       -       -       trivial-rewrite
bounce     unix   -       -       n       -       0       bounce
defer      unix   -       -       n       -       0       bounce
trace      unix   -       -       n       -       0       bounce
verify     unix   -       -       n       -       1       verify
flush      unix   n       -       n       1000?   0       flush
proxymap   unix   -       -       n       -       -       proxymap
proxywrite unix   -       -       n       -       1       proxymap
smtp       unix   -       -       n       -       -       smtp
relay      unix   -       -       n       -       -       smtp
        -o syslog_name=${multi_instance_name?{$multi_instance_name}:{postfix}}/$service_name
showq      unix   n       -       n       -       -       showq
error      unix   -       -       n       -       -       error
retry      unix   -       -       n       -       -       error
discard    unix   -       -       n       -       -       discard
local      unix   -       n       n       -       -       local
virtual    unix   -       n       n       -       -       virtual
lmtp       unix   -       -       n       -       -       lmtp
anvil      unix   -       -       n       -       1       anvil
scache     unix   -       -       n       -       1       scache
postlog    unix-dgram n   -       n       -       1       postlogd
";
