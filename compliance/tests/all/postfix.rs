//! The `postfix` command: installation and upgrades.

use compliance::golden;
use compliance::shell::{at_once, one_by_one};
use compliance::testkit::Instance;

/// What is the same on both systems when it is written down.
const PLACES: &str = "meta_directory = TOP/meta
sendmail_path = TOP/sendmail
mailq_path = TOP/mailq
newaliases_path = TOP/newaliases
manpage_directory = TOP/man
sample_directory = TOP/sample
readme_directory = no
html_directory = no
";

const POSTFIX_FILES: &str = "# a comment
$config_directory:d:root:-:755:u
$config_directory/main.cf:f:root:-:644:p
$data_directory:d:$mail_owner:-:700:uc
$queue_directory:d:root:-:755:uc
$queue_directory/active:d:$mail_owner:-:700:ucr
$queue_directory/deferred:d:$mail_owner:-:700:ucr
$queue_directory/hold:d:$mail_owner:-:700:ucr
$queue_directory/incoming:d:$mail_owner:-:700:ucr
$queue_directory/maildrop:d:$mail_owner:$setgid_group:730:uc
$queue_directory/pid:d:root:-:755:uc
$queue_directory/private:d:$mail_owner:-:700:uc
$queue_directory/public:d:$mail_owner:$setgid_group:710:uc
$queue_directory/never:d:root:-:755:u
$config_directory/old:f:root:-:644:o
$config_directory/once:f:root:-:600:1
$config_directory/only:f:alice:bob:640
$mailq_path:l:$sendmail_path
$html_directory/index.html:f:root:-:644
";

/// An instance with its own list of files, not started.
fn with_files(main_cf: &str) -> Instance {
    let instance = Instance::builder().main_cf(PLACES).main_cf(main_cf).build();
    fill_in(&instance);
    std::fs::create_dir_all(instance.seen("meta/postfix-files.d")).unwrap();
    instance.write("meta/postfix-files", POSTFIX_FILES);
    instance.write(
        "meta/postfix-files.d/more",
        "$queue_directory/more:d:alice:bob:2750:uc\n",
    );
    instance.write("etc/only", "");
    instance
}

/// Puts the instance's directory in the place of `TOP`.
fn fill_in(instance: &Instance) {
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/');
    instance.write(
        "etc/main.cf",
        instance.read("etc/main.cf").replace("TOP", top),
    );
}

/// Debian's package copies system files into the queue directory, and tells of it.
fn without_debian(told: &str) -> String {
    told.lines()
        .filter(|line| !line.starts_with("updating /etc/"))
        .map(|line| format!("{line}\n"))
        .collect()
}

const STATUS: &str =
    "rm -rf spool/etc; stat -c '%n %U %G %a' $(ls -d etc etc/o* etc/main.cf data spool spool/*)";

#[test]
fn owners_and_modes() {
    let instance = with_files("");
    let told = one_by_one(
        &instance,
        "",
        &[
            "postfix post-install create-missing; mkdir spool/never",
            STATUS,
            "chmod 777 spool/* etc/only data; chown bob spool/*; : >spool/hold/x; chown alice spool/hold/x; chmod 600 spool/hold/x",
            "postfix post-install upgrade-permissions",
            STATUS,
            "stat -c '%n %U %G %a' spool/hold/x",
            "chmod 777 spool/* etc/only data; rm etc/only; postfix set-permissions",
            ": >etc/only; : >etc/old; : >etc/once",
            "postfix set-permissions mail_owner=alice",
            STATUS,
            "stat -c '%n %U %G %a' spool/hold spool/hold/x etc/o*",
            "grep -v shlib_directory etc/main.cf | tail -n 30",
            "postfix post-install upgrade-configuration create-missing",
            "postfix set-permissions mail_owner=nobodyx",
            "postfix set-permissions mail_owner=postfix setgid_group=nobodyx",
        ],
    );
    golden::check(&instance, "postfix/owners", &without_debian(&told));
}

#[test]
fn mistakes_of_installation() {
    let instance = with_files("");
    let cases = [
        "postfix set-permissions nonsense",
        "postfix set-permissions 'a b=c'",
        "postfix post-install",
        "postfix post-install mail_owner=postfix",
        "postfix post-install create-missing meta_directory=/nowhere",
        "postfix post-install create-missing config_directory=/nowhere",
        "postfix post-install create-missing command_directory=/nowhere",
        "postfix post-install create-missing queue_directory=relative",
        "postfix post-install create-missing html_directory=relative",
        "postfix post-install create-missing setgid_group=no",
        "postfix post-install create-missing manpage_directory=no",
        "postfix post-install first-install-reminder",
        "postfix non-bdb",
        "postfix non-bdb status now",
        "postfix unknown",
        "postfix logrotate now",
        "postfix start_msg; postfix stop_msg",
        "postfix /bin/echo a b",
        "postfix /no/such/program 2>/dev/null",
        "postfix",
        "postfix -x",
        "postfix -c relative status",
        "postfix -c /nowhere status",
        "postfix -c",
        "MAIL_CONFIG=/nowhere postfix status",
    ];
    let told = at_once(&instance, "", &cases);
    golden::check(&instance, "postfix/mistakes", &without_debian(&told));
}

#[test]
fn configurations_of_old_versions() {
    let instance = with_files("");
    std::fs::create_dir(instance.seen("old")).unwrap();
    let settings = instance.read("etc/main.cf");
    let settings: String = settings
        .lines()
        .filter(|line| !line.starts_with("inet_protocols"))
        .map(|line| format!("{line}\n"))
        .collect();
    instance.write("old/main.cf", settings + "hash_queue_names = incoming\n");
    instance.write(
        "old/master.cf",
        "smtp inet n - n - - smtpd\npickup unix n - n 60 1 pickup\nflush unix n - n 1000? 0 flush\n",
    );
    let top = instance.path("old");
    let at = top.display();
    let told = one_by_one(
        &instance,
        "",
        &[
            &format!("postfix -c {at} upgrade-configuration"),
            "tail -n 4 old/main.cf",
            "cat old/master.cf",
            &format!(": >etc/old; postfix -c {at} upgrade-configuration"),
            "wc -l <old/master.cf",
            "postfix upgrade-configuration",
            "cat etc/master.cf",
        ],
    );
    golden::check(&instance, "postfix/upgrade", &without_debian(&told));
}

#[test]
fn without_berkeley_db() {
    let instance = Instance::builder().build();
    let told = one_by_one(
        &instance,
        "",
        &[
            "postfix non-bdb status",
            "postfix non-bdb nonsense",
            "postfix non-bdb enable-redirect; tail -n 1 etc/main.cf",
            "postfix non-bdb status",
            "echo user secret >etc/users; postconf authorized_flush_users=hash:TOP/etc/users",
            "postfix non-bdb enable-reindex 2>&1 | grep -v redirecting; tail -n 2 etc/main.cf; tail -n 2 etc/master.cf",
            "postfix non-bdb status",
            "ls etc",
            "postfix non-bdb disable; tail -n 2 etc/main.cf; tail -n 2 etc/master.cf",
            "postfix non-bdb disable",
            "postconf authorized_flush_users=hash:/nowhere/users",
            "postfix non-bdb enable-reindex; tail -n 2 etc/main.cf",
            "postconf default_database_type=hash; postfix non-bdb enable-redirect",
            "postconf default_database_type=lmdb default_cache_db_type=btree; postfix non-bdb enable-reindex",
        ],
    );
    golden::check(&instance, "postfix/non-bdb", &told);
}
