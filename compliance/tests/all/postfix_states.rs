//! The `postfix` command while the mail system runs, does not run, or cannot.

use compliance::golden;
use compliance::shell::{at_once, one_by_one};
use compliance::testkit::Instance;

/// Lines that say the same on both systems each time: not the shell's own, not what Debian's package does, and not how long an end took.
fn plain(told: &str) -> String {
    let varies = regex::Regex::new(r"PID: \d+|group ID: \d+").unwrap();
    told.lines()
        .filter(|line| {
            let own = [
                "cd: can't cd to",
                "updating /etc/",
                ": waiting for the Postfix mail system",
            ];
            !own.iter().any(|own| line.contains(own))
        })
        .map(|line| varies.replace(line, "N").into_owned() + "\n")
        .collect()
}

#[test]
fn states() {
    let instance = Instance::builder().build();
    let told = one_by_one(
        &instance,
        "",
        &[
            "postfix status",
            "postfix stop",
            "postfix abort",
            "postfix reload",
            "postfix flush",
            "postfix quick-stop; ls spool; rm spool/quick-start",
            "mkdir spool/pid; echo 99999 >spool/pid/master.pid; postfix status; postfix stop",
            "postfix start",
            "postfix start",
            "postfix start-fg",
            "postfix status",
            "postfix reload",
            "postfix quick-stop; ls spool/quick-start; postfix start; ls spool/quick-start",
            "kill -9 `sed 1q spool/pid/master.pid`; postfix status; postfix stop",
            "postfix start; postfix status",
            "mkdir two queue; sed 's,^queue_directory.*,queue_directory = TOP/queue,' etc/main.cf >two/main.cf; cp etc/master.cf two",
            "postfix -c TOP/two start",
            "sed 's,^data_directory.*,data_directory = TOP/more,' etc/main.cf >two/main.cf",
            "postfix -c TOP/two start",
            "postfix abort; while postfix status 2>/dev/null; do sleep 0.1; done",
        ],
    );
    golden::check(&instance, "postfix/states", &plain(&told));
    let told = one_by_one(
        &instance,
        "",
        &[
            "setpriv --reuid alice --clear-groups $(command -v postfix) status",
            "setpriv --reuid alice --clear-groups $(command -v postfix) -c /x start",
        ],
    );
    golden::check(&instance, "postfix/strangers", &plain(&told));
}

#[test]
fn several_instances() {
    let instance = Instance::builder().build();
    std::fs::create_dir(instance.seen("other")).unwrap();
    let directories: String = instance
        .read("etc/main.cf")
        .lines()
        .filter(|line| line.contains("_directory = ") || line.starts_with("compat"))
        .map(|line| format!("{line}\n"))
        .collect();
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/');
    let first = format!("{directories}multi_instance_directories = {top}/other\n");
    instance.write("first", &first);
    let set = |more: &str| {
        format!(
            "unset MAIL_CONFIG; (cat TOP/first; echo {more}) >/etc/postfix/main.cf; cp etc/master.cf /etc/postfix 2>/dev/null;"
        )
    };
    let cases = [
        format!("{} mkdir -p spool; postfix status", set("")),
        format!(
            "{} postfix status; postfix check a b",
            set("multi_instance_wrapper = /bin/echo hello")
        ),
        format!(
            "{} postfix status",
            set("multi_instance_wrapper = /no/such")
        ),
    ];
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let told = one_by_one(&instance, "", &cases);
    golden::check(&instance, "postfix/instances", &plain(&told));
}

#[test]
fn settings_that_cannot_be() {
    let instance = Instance::builder().build();
    let early = [
        "foo",
        "myhostname = a b",
        "inet_interfaces = 300.1.1.1",
        "inet_interfaces = 192.0.2.1",
        "inet_protocols = foo",
        "mail_owner = nobodyx",
        "mail_owner = root",
        "setgid_group = nobodyx",
        "setgid_group = postfix",
        "queue_directory = /nowhere",
        "daemon_directory = /nowhere",
        "command_directory = /nowhere",
        "compatibility_level = x",
        "default_process_limit = 0",
        "service_throttle_time = 0",
        "service_throttle_time = x",
        "syslog_facility = foo",
        "maillog_file = /nowhere/x",
        "maillog_file = TOP/nowhere/x",
        "import_environment = {a",
        "sendmail_path =",
    ];
    let late = [
        "inet_interfaces =",
        "meta_directory = /nowhere",
        "shlib_directory = /nowhere",
        "data_directory = TOP/no/where",
    ];
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/');
    let start = |setting: &&str| {
        let name = setting.split(' ').next().unwrap();
        let directory: String = setting.replace(|c: char| !c.is_ascii_alphanumeric(), "");
        std::fs::create_dir(instance.seen(&directory)).unwrap();
        instance.write(
            &format!("{directory}/master.cf"),
            instance.read("etc/master.cf"),
        );
        let others: String = instance
            .read("etc/main.cf")
            .lines()
            .filter(|line| !line.starts_with(&format!("{name} ")))
            .map(|line| format!("{line}\n"))
            .collect();
        let setting = setting.replace("TOP", top);
        instance.write(
            &format!("{directory}/main.cf"),
            format!("{setting}\n{others}"),
        );
        format!("postfix -c {top}/{directory} start")
    };
    let early: Vec<String> = early.iter().map(start).collect();
    let late: Vec<String> = late.iter().map(start).collect();
    let early: Vec<&str> = early.iter().map(String::as_str).collect();
    let late: Vec<&str> = late.iter().map(String::as_str).collect();
    // What comes as far as the queue goes one after the other.
    let told = at_once(&instance, "", &early) + &one_by_one(&instance, "", &late);
    golden::check(&instance, "postfix/broken-main", &plain(&told));
}

#[test]
fn services_that_cannot_be() {
    let instance = Instance::builder().build();
    let early = [
        "2525 inet n x n - 1 smtpd",
        "2525 inet n - n -1 1 smtpd",
        "2525 inet n - n - x smtpd",
        "2525 inet n - n - 1? smtpd",
        "2525 inet n - n - 1",
        "2525 tcp n - n - 1 smtpd",
        "2525 - n - n - 1 smtpd",
        "x unix - - n 5x 1 smtpd",
    ];
    let late = [
        "127.0.0.1: inet n - n - 1 smtpd",
        "nosuchport inet n - n - 1 smtpd",
        "2525 inet y - n - 1 smtpd",
        "a/b unix - - n - 1 smtpd",
    ];
    let top = instance.path("");
    let top = top.to_str().unwrap().trim_end_matches('/');
    let start = |line: &&str| {
        let directory: String = line.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        std::fs::create_dir(instance.seen(&directory)).unwrap();
        instance.write(
            &format!("{directory}/main.cf"),
            instance.read("etc/main.cf"),
        );
        let others = instance.read("etc/master.cf");
        instance.write(
            &format!("{directory}/master.cf"),
            format!("{line}\n{others}"),
        );
        format!("postfix -c {top}/{directory} start")
    };
    let early: Vec<String> = early.iter().map(start).collect();
    let late: Vec<String> = late.iter().map(start).collect();
    let early: Vec<&str> = early.iter().map(String::as_str).collect();
    let late: Vec<&str> = late.iter().map(String::as_str).collect();
    let told = at_once(&instance, "", &early) + &one_by_one(&instance, "", &late);
    golden::check(&instance, "postfix/broken-master", &plain(&told));
}

/// A `main.cf` that is well-formed, but has a value that cannot be expanded.
#[test]
fn a_value_that_cannot_be_expanded() {
    let instance = Instance::builder().build();
    let value = "check_recipient_access pcre:{{/^(.*)@plus\\.example$/ REJECT no $1}}";
    let told = one_by_one(
        &instance,
        "",
        &[
            &format!("echo 'smtpd_recipient_restrictions = {value}' >>etc/main.cf"),
            // The original runs postconf more than once.
            "postfix check 2>&1 | awk '!seen[$0]++'",
            "postfix start 2>&1 | awk '!seen[$0]++'",
            "postfix status",
            "postconf -qM postlog/unix-dgram",
            "postconf -P",
            "postconf -n smtpd_recipient_restrictions",
            "postmap -q x inline:{x=y}",
            "postlog x",
        ],
    );
    golden::check(&instance, "postfix/unexpandable", &plain(&told));
}
