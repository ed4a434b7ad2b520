//! What a misspelt name may have meant is told to a terminal, behind what is told to everybody.

use compliance::shell::one_by_one;
use compliance::testkit::Instance;

/// Commands, and the name that is told; empty where none is near.
const CASES: &[(&str, &str)] = &[
    // Options of every command.
    ("postalias -Q x lmdb:y", "-q "),
    ("postcat -Q x", "-q "),
    ("postconf -D", "-d "),
    ("postdrop -R", "-r "),
    ("postfix -d start", "-D "),
    ("postkick -V a b c", "-v "),
    ("postlock -L flock a b", "-l "),
    ("postlog -P info x", "-p "),
    ("postmap -Q x lmdb:y", "-q "),
    ("env -u MAIL_CONFIG postmulti -L", "-l "),
    ("postqueue -P", "-p "),
    ("postsuper -D x", "-d "),
    ("posttls-finger -V x", "-v "),
    ("qshape -B 3", "-b "),
    ("sendmail -T", "-t "),
    ("mailq -Q", "-q "),
    ("newaliases -Q", "-q "),
    ("postfix tls new-server-key -A rsa", "-a "),
    ("postqueue --tabel", "--table"),
    ("postsuper -d ALL --sendr x", "--sender"),
    ("postqueue -Z", ""),
    // Parameters.
    ("postconf myhostnam", "myhostname"),
    ("postconf -d myhostnam", "myhostname"),
    ("postconf -e mydomian=x.example", "mydomain"),
    ("postconf smtp_tls_loglevle=1", "smtp_tls_loglevel"),
    ("postconf -X mail_ownr", "mail_owner"),
    ("postconf -# mail_ownr", "mail_owner"),
    ("postconf -o myorgin=x -h mydomain", "myorigin"),
    ("postconf -n", "relayhost"),
    ("postconf -Pe smtp/unix/mydestinaton=x", "mydestination"),
    ("postconf -e thing_of_mine=x", ""),
    ("postconf -e slow_destination_concurrency_limit=2", ""),
    ("postconf -X thing_of_yours", ""),
    ("postconf nothing_like_it", ""),
    ("postconf -C usr", "user"),
    ("postconf -T compile-versoin", "compile-version"),
    // Services and their fields.
    ("postconf -M smpt/inet", "smtp/inet"),
    ("postconf -M smtp/inte", "smtp/inet"),
    ("postconf -M picup", "pickup"),
    ("postconf -F smtp/inet/chrot", "chroot"),
    ("postconf -MX smpt/inet", "smtp/inet"),
    ("postconf -M# smpt/inet", "smtp/inet"),
    ("postconf -Fe smpt/inet/chroot=y", "smtp/inet"),
    ("postkick privat qmgr I", "private"),
    ("postkick public qmrg I", "qmgr"),
    // Types of tables.
    ("postmap hsah:y", "hash"),
    ("postmap -q x lmbd:y", "lmdb"),
    ("postmap -d x lmbd:y", "lmdb"),
    ("postmap -s lmbd:y", "lmdb"),
    ("postalias -q x cbd:y", "cdb"),
    ("postmap -q x nosuch:y", ""),
    // Other words.
    ("postlock -l flok f true", "flock"),
    ("postlog -p warnig x", "warning"),
    ("env -u MAIL_CONFIG postmulti -e creat", "create"),
    ("posttls-finger -l dan x", "dane"),
    ("posttls-finger -M mai x", "may"),
    ("posttls-finger -a ipv5 x", "ipv4"),
    ("posttls-finger -h nativ x", "native"),
    ("postfix strat", "start"),
    ("postfix tls enable-clint", "enable-client"),
    ("postsuper -d ALL defered", "deferred"),
    ("postsuper -d ALL --queue hodl", "hold"),
    ("postqueue --count-by domian", "domain"),
];

const MARK: &str = "did you mean ";

#[test]
fn misspelt_names() {
    let instance = Instance::builder().start();
    if instance.target().is_peer() {
        return;
    }
    std::fs::copy("/usr/bin/openssl", instance.seen("openssl")).unwrap();
    let main_cf = instance.read("etc/main.cf");
    let master_cf = instance.read("etc/master.cf");
    let setting = "echo openssl_path = TOP/openssl >>/etc/postfix/main.cf";
    one_by_one(&instance, "", &[setting]);
    let path = instance.target().command_directory();
    for (command, meant) in CASES {
        let line = format!("PATH={}:/usr/bin:/bin; {command}", path.display());
        let run = |words: &[&str]| {
            let more = if *command == "postconf -n" {
                "relayhots = x\n"
            } else {
                ""
            };
            instance.write("etc/main.cf", format!("{main_cf}{more}"));
            instance.write("etc/master.cf", &master_cf);
            let output = instance.run(words[0], &words[1..]);
            output.stdout.replace('\r', "")
        };
        let told = run(&["/usr/bin/script", "-qec", &line, "/dev/null"]);
        let silent = run(&["/bin/sh", "-c", &format!("({line}) 2>&1")]);
        assert!(!silent.contains(MARK), "{command}: {silent}");
        let hints: Vec<&str> = told.lines().filter(|line| line.contains(MARK)).collect();
        let rest: Vec<&str> = told.lines().filter(|line| !line.contains(MARK)).collect();
        // A person sees another name before what scripts of the original say.
        let lines = |lines: &[&str]| {
            lines
                .join("\n")
                .replace("postfix/postfix-tls-script", "postfix/postlog")
                .replace("postfix/postfix-script", "postfix/postlog")
        };
        assert_eq!(
            lines(&rest),
            lines(&silent.lines().collect::<Vec<_>>()),
            "{command}"
        );
        if meant.is_empty() {
            assert!(hints.is_empty(), "{command}: {hints:?}");
        } else {
            let wanted = format!("{MARK}{meant}");
            assert!(
                hints.len() == 1 && hints[0].contains(&wanted),
                "{command}: {told}"
            );
            // Behind Postfix's own line, where there is one.
            let first = told.starts_with(hints[0]);
            assert!(silent.is_empty() || !first, "{command}: {told}");
        }
    }
}
