//! The administrator's commands with options, names and files that chance makes.
//!
//! `cargo xtask differ CASES SEED` plays many more than are recorded here.

use std::fmt::Write as _;

use compliance::chance::{Dice, cases};
use compliance::golden::check;
use compliance::shell::at_once;
use compliance::testkit::Instance;

const NAMES: &[&str] = &[
    "myhostname",
    "mydestination",
    "relayhost",
    "smtpd_banner",
    "own",
    "other",
    "nosuch",
    "alias_maps",
    "smtp_bind_address",
    "relay_destination_concurrency_limit",
    "queue_directory",
    "smtpd_recipient_restrictions",
    "mail_owner",
    "Myhostname",
    "",
    "a b",
    "smtpd_relay_restrictions",
    "default_transport",
    "x-y",
];
/// What cannot be expanded is in other tests: when it is met depends on the order of a hash table.
const VALUES: &[&str] = &[
    "a",
    "$own",
    "${own}",
    "${own?yes}",
    "${own:no}",
    "${nosuch?x}",
    "${{a}=={a}?{b}:{c}}",
    "${{$own}!={a}?{b}}",
    "$$x",
    "",
    " b  c ",
    "a, b,c",
    "hash:/x, lmdb:$own",
    "{ a b }",
    "$(own)",
    "$other $nosuch",
    "1h",
    "a#b",
];
const MAIN_LINES: &[&str] = &[
    "# comment",
    "",
    "  continued",
    "\\tcontinued too",
    "#   not a continuation",
    "no equals sign",
    "= no name",
    "a b = c",
    "own = value",
    "own=again",
    "other = $own and $nosuch",
    "smtpd_restriction_classes = own",
    "virtual_alias_maps = inline:{ a=b }",
    "user_defined = $own",
    "mail_version = x",
];
const SERVICES: &[&str] = &[
    "smtp inet n - n - - smtpd",
    "smtp unix - - n - - smtp",
    "relay unix - - n - - smtp -o syslog_name=postfix/$service_name -o own=x",
    "127.0.0.1:2525 inet n - y 5 10 smtpd -v -o {own = a b} -o relayhost=",
    "pickup unix n - n 60? 1 pickup",
    "x pass n n n - 0 y -o own=$other",
    "filter unix - n n - - pipe flags=Rq user=nobody argv=/bin/cat $sender $recipient",
    "  -o mydestination=$own",
    "# comment",
    "",
    "bad line",
    "smtp inet n - n - - smtpd -o own=twice",
    "a fifo n - n 300 1 b",
    "  argv=/x {a b} -o x=y",
];
const PATTERNS: &[&str] = &[
    "smtp",
    "smtp/inet",
    "smtp/*",
    "*/unix",
    "relay/unix",
    "x/pass",
    "nosuch",
    "nosuch/unix",
    "smtp/inet/own",
    "*/*/own",
    "smtp/unix/chroot",
    "*/*/command",
    "relay/unix/syslog_name",
    "",
    "smtp/inet/private/x",
    "filter/unix/command",
    "127.0.0.1:2525/inet",
    "a",
    "smtp/bad",
];
/// What options of postconf may stand together, so that not every case is a mistake.
const MODES: &[&str] = &[
    "",
    "",
    "-n",
    "-d",
    "-h",
    "-H",
    "-x",
    "-f",
    "-p",
    "-nx",
    "-dh",
    "-hx",
    "-fn",
    "-nH",
    "-nj",
    "-dj",
    "-q",
    "-C builtin",
    "-C user",
    "-C service",
    "-C all",
    "-C x",
    "-nC user",
    "-o own=opt",
    "-o own",
    "-xo own=opt",
    "-e",
    "-e",
    "-X",
    "-#",
    "-eh",
    "-en",
    "-l",
    "-m",
    "-a",
    "-A",
    "-t",
];
const MASTER_MODES: &[&str] = &[
    "-M", "-M", "-Mf", "-Mx", "-Mj", "-F", "-F", "-Ff", "-Fh", "-FH", "-P", "-P", "-Ph", "-PH",
    "-Pf", "-Px", "-Me", "-Fe", "-Pe", "-MX", "-PX", "-FX", "-M#", "-P#", "-Fj", "-Pj", "-MF",
    "-MP", "-Mh", "-PP", "-Mn", "-MH",
];

/// postconf on two files of its own.
fn postconf(dice: &mut Dice) -> String {
    let assignment = |dice: &mut Dice| format!("{} = {}", dice.pick(NAMES), dice.pick(VALUES));
    let main = dice.lines(|dice| match dice.roll(3) {
        0 => dice.pick(MAIN_LINES),
        _ => assignment(dice),
    });
    let master = dice.lines(|dice| dice.pick(SERVICES));
    let mut text = format!(
        "cd $(mktemp -d -p .); printf '{main}' >main.cf; printf '{master}' >master.cf; touch -d yesterday *; export MAIL_CONFIG=.; "
    );
    let of_master = dice.roll(3) == 0;
    let options = dice.pick(if of_master { MASTER_MODES } else { MODES });
    let _ = write!(text, "postconf {options}");
    for _ in 0..dice.roll(3) {
        let word = match (of_master, options.contains('e')) {
            (false, true) => format!("{}={}", dice.pick(NAMES), dice.pick(VALUES)),
            (false, false) => dice.pick(NAMES),
            (true, false) => dice.pick(PATTERNS),
            (true, true) => format!(
                "{}={}",
                dice.pick(PATTERNS),
                dice.pick(&[SERVICES, VALUES].concat())
            ),
        };
        let _ = write!(text, " '{word}'");
    }
    // What Debian's build and ours have besides is not of interest.
    text += r" | grep -v 'memcache\|nis\|mail_version\|_directory = \|_path\|default_[a-z_]*db_type\|default_database_type\|process_id\|shlib\|sbin\|libexec\|_cache\|/etc/aliases\|^cdb$\|^lmdb$\|^sled$\|^[0-9]*$'";
    if options.contains(['e', 'X', '#']) {
        text += "; cat main.cf; echo ----; cat master.cf; ls";
    }
    text
}

const OTHERS: &[(&str, &[&str], &[&str])] = &[
    (
        "postsuper",
        &[
            "-s", "-p", "-S", "-d", "-h", "-H", "-r", "-e", "-f", "-c", "-x",
        ],
        &[
            "ALL",
            "-",
            "4XyZ",
            "0123456789A",
            "hold",
            "deferred",
            "nosuch",
            "corrupt",
            "../x",
            "maildrop",
            "'a b'",
            "''",
        ],
    ),
    (
        "postqueue",
        &["-f", "-i", "-s", "-c", "-x", "-F"],
        &[
            "0123456789A",
            "x",
            "example.com",
            "[1.2.3.4]",
            "[x]",
            "-",
            "''",
            "a..b",
            "'a b'",
        ],
    ),
    (
        "postlock",
        &["-l", "-c", "-x"],
        &[
            "flock",
            "fcntl",
            "dotlock",
            "'flock,fcntl'",
            "nosuch",
            "box",
            "/no/such",
            "true",
            "false",
            "'exit 3'",
            "echo",
            "x",
        ],
    ),
    (
        "postlog",
        &["-p", "-t", "-i", "-c", "-x"],
        &[
            "info",
            "warn",
            "warning",
            "error",
            "tag",
            "nosuch",
            "text",
            "'two words'",
            "''",
            "é",
        ],
    ),
    (
        "postkick",
        &["-c", "-x"],
        &["public", "private", "nosuch", "qmgr", "pickup", "W", "''"],
    ),
    (
        "postcat",
        &[
            "-b", "-d", "-e", "-h", "-n", "-o", "-q", "-r", "-s", "-f", "-x",
        ],
        &[
            "file",
            "file",
            "box",
            "nosuch",
            "0123456789A",
            "10",
            "-",
            "x",
        ],
    ),
    (
        "postmulti",
        &[
            "-l", "-p", "-x", "-a", "-i", "-g", "-R", "-e", "-I", "-G", "-j", "-z",
        ],
        &[
            "-", "init", "create", "enable", "nosuch", "true", "status", "x=y", "'a b'",
        ],
    ),
    (
        "postalias",
        &["-q", "-d", "-s", "-i", "-w", "-r", "-x", "-N", "-n", "-c"],
        &["box", "lmdb:box", "nosuch:x", "root", "-", "/no/such", "''"],
    ),
    (
        "sendmail",
        &[
            "-bv", "-bx", "-bp", "-bi", "-bh", "-t", "-q5", "-N", "-R", "-V", "-B", "-O", "-o",
            "-x", "-f", "-XV", "-L",
        ],
        &[
            "never",
            "success,failure",
            "never,delay",
            "full",
            "hdrs",
            "7BIT",
            "8BITMIME",
            "x",
            "smtputf8=yes",
            "requiretls=x",
            "''",
            "a@b",
        ],
    ),
    (
        "newaliases",
        &["-oA", "-bp", "-x"],
        &["x", "''", "lmdb:box"],
    ),
    ("postdrop", &["-r", "-c", "-x"], &["x", "/no/such"]),
];

/// Any other command, where nothing runs and nothing is queued.
fn other(dice: &mut Dice) -> String {
    let (command, options, words) = OTHERS[dice.roll(OTHERS.len())];
    let record = dice.word(
        &[
            "T\\0121234567890",
            "S\\003a@b",
            "R\\003c@d",
            "M\\000",
            "N\\001x",
            "X\\000",
            "E\\000",
            "N\\200",
            "A\\003a=b",
            "p\\0011",
            "Q",
            "W\\0010",
        ],
        8,
    );
    let mut text = format!(
        "cd $(mktemp -d -p .); printf '{record}' >file; printf 'root: x\\n' >box; timeout 20 {command}"
    );
    for at in 0..=dice.roll(3) {
        // The original complains of a second mode before it looks at what follows.
        let mode = dice.roll(2) == 0 && (command != "postqueue" || at == 0);
        let list = if mode { options } else { words };
        let _ = write!(text, " {}", dice.pick(list));
    }
    text += "; ls";
    text
}

fn play(name: &str, usual: usize, seed: u64, case: fn(&mut Dice) -> String) {
    // Nothing is sent, which another case could see.
    let instance = Instance::builder()
        .main_cf("authorized_submit_users =")
        .build();
    // The directories of the queue are there.
    assert_eq!(instance.run("postfix", &["check"]).status, 0);
    std::fs::create_dir(instance.path("work")).unwrap();
    let (count, mut dice) = cases(usual, seed);
    let made: Vec<String> = (0..count).map(|_| case(&mut dice)).collect();
    let mut text = String::new();
    for cases in made.chunks(125) {
        let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
        text += &at_once(&instance, "work", &cases);
    }
    check(&instance, name, &sorted(&text));
}

/// With the complaints of each case in order: the original's is that of a hash table.
fn sorted(text: &str) -> String {
    let (mut told, mut complaints) = (String::new(), Vec::new());
    for line in text.lines().chain([""]) {
        if line.starts_with("! ") {
            complaints.push(line);
            continue;
        }
        complaints.sort_unstable();
        for line in complaints.drain(..).chain([line]) {
            told += line;
            told.push('\n');
        }
    }
    told
}

#[test]
fn of_postconf() {
    play("commands/postconf", 250, 5, postconf);
}

#[test]
fn of_others() {
    play("commands/others", 250, 6, other);
}
