//! `postmulti`: several instances. The primary one must be that of `/etc/postfix`: the test gives itself one there, in a name space
//! of its own.

use compliance::golden::{check, normalise};
use compliance::random::Random;
use compliance::testkit::Instance;

/// What new instances begin with.
const PROTOTYPE: &str = "# sample\n#queue_directory = x\ncompatibility_level = 3.11\nmyhostname = other.example\ncommand_directory = /x\nbiff = no\n";

/// Runs a script in which `t` shows a command with its output and status, `q` without the status (where Debian's hooks fail, which
/// have no business here), and `conf` what the configurations set.
fn script(instance: &Instance, cases: &str) -> String {
    let top = instance.path("").display().to_string();
    let text = format!(
        "cd {top}
export PATH={}:/usr/sbin:/usr/bin:/sbin:/bin
unset MAIL_CONFIG
umask 022
mount --bind {top}multi/etc /etc/postfix
t() {{ echo \"$ $*\"; \"$@\" 2>&1; echo \"= $?\"; }}
q() {{ echo \"$ $*\"; \"$@\" 2>&1; }}
conf() {{ for i in {top}multi/etc {top}multi/*/main.cf; do i=${{i%/main.cf}}; [ -f $i/main.cf ] && echo \"-- $i\" && grep -v '^#\\|^$\\|^[a-z]*_directory = \\|^ ' $i/main.cf; done; }}
{cases}
",
        instance.target().command_directory().display()
    );
    let output = instance.run("/bin/bash", &["-c", &text]);
    assert_eq!(output.status, 0, "{output:?}");
    // Debian copies files for daemons in a jail.
    let debian = |line: &&str| !line.starts_with("updating /etc/") && !line.starts_with("E: ");
    let lines = output.stdout.lines().filter(debian);
    lines.fold(String::new(), |text, line| text + line + "\n")
}

fn system() -> Instance {
    let instance = Instance::builder().build();
    for directory in [
        "multi/etc",
        "multi/meta",
        "multi/spool/postfix",
        "multi/data/postfix",
    ] {
        std::fs::create_dir_all(instance.path(directory)).unwrap();
    }
    let top = instance.path("multi").display().to_string();
    let shared = format!(
        "compatibility_level = 3.11\ncommand_directory = {}\ndaemon_directory = {}\nmeta_directory = {top}/meta\nqueue_directory = {top}/spool/postfix\ndata_directory = {top}/data/postfix\nmail_owner = postfix\nsetgid_group = postdrop\nshlib_directory = no\nmyhostname = h.example\nalternate_config_directories = {top}/old, {top}/in\n",
        instance.target().command_directory().display(),
        instance.target().daemon_directory().display(),
    );
    instance.write("multi/etc/main.cf", shared);
    instance.write("multi/etc/master.cf", "");
    instance.write("multi/meta/main.cf.proto", PROTOTYPE);
    instance.write(
        "multi/meta/master.cf.proto",
        "smtp inet n - n - - smtpd\npickup unix n - n 60 1 pickup\n",
    );
    instance.write(
        "multi/meta/postfix-files",
        "$queue_directory:d:root:-:755:uc\n$queue_directory/active:d:$mail_owner:-:700:uc\n$queue_directory/hold:d:$mail_owner:-:700:uc\n$data_directory:d:$mail_owner:-:700:uc\n",
    );
    instance
}

#[test]
fn instances_come_and_go() {
    let instance = system();
    let cases = r"
t postmulti -l
t postmulti -e enable -i x
t postmulti -e init
t postmulti -e create config_directory=TOP/multi/in
t postmulti -e create -I postfix-a -G mta queue_directory=TOP/multi/spool/postfix config_directory=TOP/multi/a data_directory=TOP/multi/data/a
q postmulti -e create -I postfix-a -G mta config_directory=TOP/multi/a queue_directory=TOP/multi/spool/a data_directory=TOP/multi/data/a
t postmulti -l
conf
ls -lA TOP/multi/a | awk '{print $1,$3,$4,$9}' | sed 1d
stat -c '%A %U %n' TOP/multi/spool/a TOP/multi/spool/a/* TOP/multi/data/a
q postmulti -e create -I postfix-b -a config_directory=TOP/multi/in/ queue_directory=TOP/multi/spool/b data_directory=TOP/multi/data/b//
t postmulti -l
t postmulti -lR
t postmulti -l -i a
t postmulti -l -i postfix-a
t postmulti -lj -i -
t postmulti -l -g mta
t postmulti -l -i none
t postmulti -x sh -c 'echo $MAIL_CONFIG $config_directory $queue_directory $data_directory $multi_instance_name/$multi_instance_group/$multi_instance_enable'
t postmulti -i a -x postconf -h queue_directory
t postmulti -R -x false
t postmulti -g mta -p status
t postmulti -i b -e enable
t postmulti -i b -e destroy
t postmulti -i b -e disable
t postmulti -i - -e destroy
t postmulti -i a -e assign -I postfix-c -G -
t postmulti -i c -e assign -I postfix-c
t postmulti -i b -e assign -I postfix-c
conf
t postmulti -i b -e deport
conf
q postmulti -e import -I postfix-d -G x -i c config_directory=TOP/multi/in
t postmulti -l
touch TOP/multi/in/extra
t postmulti -i c -e destroy
t postmulti -i d -e destroy
t postmulti -l
ls TOP/multi TOP/multi/spool TOP/multi/data TOP/multi/in
conf
";
    let top = instance.path("").display().to_string();
    let text = script(&instance, &cases.replace("TOP", top.trim_end_matches('/')));
    check(&instance, "postmulti/instances", &text);
}

#[test]
fn what_does_not_go_together() {
    let instance = system();
    let mut cases = String::from("n=10\ns() { n=$((n+1)); t \"$@\" > o.$n & }\n");
    for args in [
        "",
        "-Z",
        "-l x",
        "-p",
        "-x",
        "-l -p start",
        "-a -g x -l",
        "-e bogus",
        "-e init x",
        "-e enable",
        "-e create -i -",
        "-e create -I postfix-a",
        "-e assign -i -",
        "-e assign -i - -I foo",
        "-l -G x",
        "-R -p status",
        "-e enable -G x -i -",
        "-j -x date",
        "-e create -I postfix-a -I postfix-b",
        "-e create -I 'postfix-a b'",
        "-e create -I postfix-a/b",
        "-e create -I a",
        "-e create -G 'x y' -I postfix-a",
        "-e create",
        "-e create config_directory=rel",
        "-e create config_directory=/",
        "-e create foo=bar",
        "-e create foo",
        "-e import -I postfix-a queue_directory=/x",
        "-e import config_directory=/nonexistent",
        "-e create -I postfix-a config_directory=/etc/postfix",
        "-i none -x date",
        "-g none -p status",
        "-x /nonexistent/program",
    ] {
        cases += &format!("s postmulti {args}\n");
    }
    cases += "MAIL_CONFIG=/x s postmulti -l\nwait\ncat o.*\n";
    let text = script(&instance, &cases);
    check(&instance, "postmulti/usage", &text);
}

/// What an administrator of several instances may type, in any order.
fn step(random: &mut Random) -> String {
    let name = |random: &mut Random| {
        random
            .pick(&[
                "a",
                "b",
                "-",
                "postfix-a",
                "postfix-b",
                "postfix-a",
                "postfix-b",
                "postfix-c",
                "nosuch",
            ])
            .to_owned()
    };
    let who = |random: &mut Random| match random.below(6) {
        0 => String::new(),
        1 => "-a".to_owned(),
        2 => format!("-g {}", random.pick(&["mta", "x", "-"])),
        _ => format!("-i {}", name(random)),
    };
    let identity = |random: &mut Random| {
        let mut words = String::new();
        if !random.once_in(4) {
            words += &format!(
                " -I {}",
                random.pick(&["postfix-a", "postfix-b", "postfix-c", "-", "c"])
            );
        }
        if random.once_in(2) {
            words += &format!(" -G {}", random.pick(&["mta", "x", "-", "mta"]));
        }
        words
    };
    let places = |random: &mut Random| {
        let mut words = String::new();
        for place in ["config_directory", "queue_directory", "data_directory"] {
            // Without it, a new instance would be made in the system's own directory.
            if place == "config_directory" || random.once_in(3) {
                let below = match place {
                    "config_directory" => "",
                    "queue_directory" => "spool/",
                    _ => "data/",
                };
                words += &format!(
                    " {place}=TOP/multi/{below}{}",
                    random.pick(&["a", "b", "c", "in", "old", "b/"])
                );
            }
        }
        words
    };
    let flags = random.pick(&["", "", "", " -R"]);
    match random.below(16) {
        0..3 => format!(
            "q postmulti -e create{}{}",
            identity(random),
            places(random)
        ),
        3 => format!(
            "q postmulti -e import{}{}",
            identity(random),
            places(random)
        ),
        4 => format!("t postmulti -e destroy {}", who(random)),
        5 => format!("t postmulti -e deport {}", who(random)),
        6 | 7 => format!("t postmulti -e enable {}", who(random)),
        8 => format!("t postmulti -e disable {}", who(random)),
        9 => format!("t postmulti -e assign {}{}", who(random), identity(random)),
        10..12 => format!("t postmulti -l{flags} {}", who(random)),
        12 => format!(
            "t postmulti{} {} -x sh -c 'echo $MAIL_CONFIG $queue_directory $multi_instance_name/$multi_instance_group/$multi_instance_enable'",
            flags,
            who(random)
        ),
        13 => format!("t postmulti{} {} -p status", flags, who(random)),
        14 => format!(
            "touch TOP/multi/{}",
            random.pick(&[
                "a/extra",
                "spool/a/active/x",
                "data/a/y",
                "old/main.cf",
                "in/z"
            ])
        ),
        _ => "conf".to_owned(),
    }
}

#[test]
fn in_any_order() {
    let play = |seed| {
        let mut random = Random(seed);
        let instance = system();
        let mut cases = "q postmulti -e init\nmkdir TOP/multi/in TOP/multi/old\n\
            q postmulti -e create -I postfix-a -G mta config_directory=TOP/multi/a\n\
            q postmulti -e create -I postfix-b config_directory=TOP/multi/b\n"
            .to_owned();
        for _ in 0..30 {
            cases += &step(&mut random);
            cases.push('\n');
        }
        cases += "conf\nfind TOP/multi -type d -o -name main.cf | sort | sed 's:.*/multi/::'\n";
        let top = instance.path("").display().to_string();
        let text = script(&instance, &cases.replace("TOP", top.trim_end_matches('/')));
        normalise(&instance, &text)
    };
    let texts = std::thread::scope(|scope| {
        let played = [1, 2, 3].map(|seed| scope.spawn(move || play(seed)));
        played.map(|one| one.join().unwrap())
    });
    let instance = Instance::builder().build();
    check(&instance, "postmulti/any-order", &texts.join("\n"));
}
