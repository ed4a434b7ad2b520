//! The small commands: `postlog`, `postkick`, `postlock`, `postmulti`, `postfix`.

use super::case::{Case, command, quoted};
use crate::random::Random;

const TEXTS: &[&[u8]] = &[
    b"text",
    b"two words",
    b"",
    b"%s",
    b"\xff\xfe",
    "\u{e9}".as_bytes(),
    b"tab\there",
    b"line\nbreak",
    b"-p",
    b"--",
    b"\x01",
    b"a  b",
    b"info:",
    b"x\r",
];

fn words(random: &mut Random, tool: &str, of: &[&str]) -> Vec<Vec<u8>> {
    let mut words = vec![tool.as_bytes().to_vec()];
    for _ in 0..random.below(4) {
        words.extend(
            random
                .pick(of)
                .split(' ')
                .map(|word| word.as_bytes().to_vec()),
        );
    }
    words
}

fn as_someone(random: &mut Random, script: &mut Vec<u8>) {
    if random.once_in(4) {
        script.extend(b"setpriv --reuid alice --regid alice --init-groups ");
    }
}

/// Debian's postlog is not setgid: it does not ask whether a user may name a configuration.
fn as_poster(random: &mut Random, words: &[Vec<u8>], script: &mut Vec<u8>) {
    if words.iter().all(|word| word != b"-c") {
        as_someone(random, script);
    }
}

/// `postlog`.
pub fn postlog(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(
            random
                .pick(&[
                    &b""[..],
                    b"",
                    b"maillog_file =\n",
                    b"maillog_file = /nonexistent/x\n",
                    b"syslog_name = other\n",
                    b"maillog_file_prefixes = /x\n",
                    b"postlog_service_name = x\n",
                ])
                .to_vec(),
        ),
        ..Case::default()
    };
    let mut words = words(
        random,
        "postlog",
        &[
            "-p info",
            "-p warn",
            "-p warning",
            "-p error",
            "-p fatal",
            "-p panic",
            "-p x",
            "-pINFO",
            "-t tag",
            "-t ",
            "-t a/b",
            "-i",
            "-c ../etc",
            "-c /nonexistent",
            "-Z",
            "-ip",
            "-p",
            "-t",
            "-tx -i",
        ],
    );
    let mut script = Vec::new();
    if random.once_in(3) {
        let mut text = random.some(4, TEXTS);
        if random.once_in(2) {
            text.extend(b"\nmore\n");
        }
        if random.once_in(8) {
            text.extend(vec![b'l'; random.below(6000)]);
        }
        case.file("w/in", text);
        as_poster(random, &words, &mut script);
        script.extend(command(&words));
        script.extend(b" <in");
    } else {
        for _ in 0..random.below(4) {
            words.push(random.pick(TEXTS).to_vec());
        }
        as_poster(random, &words, &mut script);
        script.extend(command(&words));
    }
    case.script = script;
    case
}

/// `postkick`.
pub fn postkick(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(Vec::new()),
        ..Case::default()
    };
    let mut words = words(
        random,
        "postkick",
        &["-c ../etc", "-c /nonexistent", "-Z", "-c", "--"],
    );
    for choices in [
        &["public", "private", "other", "", ".", "PUBLIC"][..],
        &["x", "qmgr", "", "../pid/x", "file", "."],
        &["I", "", "long text", "-x", "\u{e9}"],
    ] {
        if !random.once_in(10) {
            words.push(random.pick(choices).as_bytes().to_vec());
        }
    }
    if random.once_in(10) {
        words.push(b"more".to_vec());
    }
    let mut script = Vec::new();
    if random.once_in(2) {
        let class = random.pick(&["public", "private"]);
        script.extend(
            format!(
                "mkfifo ../spool/{class}/x; timeout 3 cat ../spool/{class}/x >got &\nsleep 0.5\n"
            )
            .bytes(),
        );
    }
    case.file("spool/public/file", "");
    as_someone(random, &mut script);
    script.extend(command(&words));
    script.extend(b"\ns=$?; kill %1 2>/dev/null; wait; exit $s");
    case.script = script;
    case
}

/// `postlock`.
pub fn postlock(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(
            [
                &b"deliver_lock_attempts = 1\ndeliver_lock_delay = 1s\n"[..],
                random.pick(&[
                    &b""[..],
                    b"",
                    b"stale_lock_time = 100s\n",
                    b"mailbox_delivery_lock = flock\n",
                    b"mailbox_delivery_lock = nosuch\n",
                    b"mailbox_delivery_lock =\n",
                    b"export_environment = TZ\n",
                ]),
            ]
            .concat(),
        ),
        ..Case::default()
    };
    let mut words = words(
        random,
        "postlock",
        &[
            "-l fcntl",
            "-l flock",
            "-l dotlock",
            "-l fcntl,dotlock",
            "-l nosuch",
            "-lx",
            "-l",
            "-c ../etc",
            "-Z",
            "-l dotlock",
            "-v",
        ],
    );
    words.retain(|word| word != b"-v");
    for _ in 0..random.below(3) {
        case.file(
            &format!(
                "w/{}",
                random.pick(&["box", "box.lock", "held", "held.lock"])
            ),
            random.pick(&[&b""[..], b"x", b"123"]),
        );
    }
    for file in &mut case.files {
        file.age = [90_000, 5][random.below(2)];
    }
    case.files.dedup_by(|one, two| one.path == two.path);
    if !random.once_in(10) {
        words.push(
            random
                .pick(&[
                    "box",
                    "new",
                    "held",
                    "nodir/x",
                    ".",
                    "/dev/null",
                    "",
                    "../w/box",
                ])
                .as_bytes()
                .to_vec(),
        );
    }
    let line: &[&str] = random.pick(&[
        &["ls"][..],
        &["true"],
        &["false"],
        &["sh", "-c", "exit 7"],
        &["sh", "-c", "kill -9 $$"],
        &["/nonexistent"],
        &[],
        &["sh", "-c", "echo $0 $1; ls", "-x"],
        &["cat", "box"],
        &["env"],
        &[""],
        &["../w"],
        &["-l", "x"],
        &["sh", "-c", "kill -TERM $$"],
        &["sh", "-c", "exit 255"],
        &["sh", "-c", "echo x >&2; exit 75"],
    ]);
    words.extend(line.iter().map(|word| word.as_bytes().to_vec()));
    case.script = command(&words);
    if line == ["env"] {
        case.script
            .extend(b" | sort | grep -v '^PWD\\|^_\\|^OLDPWD\\|^PATH'");
    }
    case
}

/// `postmulti`, with no instance but the one.
pub fn postmulti(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(Vec::new()),
        ..Case::default()
    };
    let mut words = words(
        random,
        "postmulti",
        &[
            "-l",
            "-a",
            "-i x",
            "-g x",
            "-i -",
            "-p",
            "-x",
            "-e enable",
            "-e nosuch",
            "-G x",
            "-I x",
            "-v",
            "-R",
            "-la",
            "-l -i x",
            "-Z",
            "-e create",
            // By itself it would change the configuration that all cases share.
            "-e init -p",
            "-e import",
            "-e destroy",
            "-e assign",
            "-j",
            "-lj",
            "-e",
            "-i",
        ],
    );
    words.retain(|word| word != b"-v");
    for _ in 0..random.below(3) {
        words.push(
            random
                .pick(&[
                    "status",
                    "postconf",
                    "x",
                    "echo",
                    "-n",
                    "/bin/echo a",
                    "queue_directory=/x",
                ])
                .as_bytes()
                .to_vec(),
        );
    }
    // The primary instance is that of the default directory.
    case.script = [b"unset MAIL_CONFIG; ".to_vec(), command(&words)].concat();
    case
}

/// `postfix`, of a system that is down and stays so.
pub fn postfix(random: &mut Random) -> Case {
    let mut case = Case {
        main_cf: Some(
            random
                .pick(&[
                    &b""[..],
                    b"",
                    b"queue_directory = /nonexistent\n",
                    b"mail_owner = nosuch\n",
                    b"setgid_group = root\n",
                    b"daemon_directory = /nonexistent\n",
                    b"x = y\n",
                    b"multi_instance_enable = no\n",
                ])
                .to_vec(),
        ),
        ..Case::default()
    };
    let mut words = words(
        random,
        "postfix",
        &["-c ../etc", "-c /nonexistent", "-Z", "-D", "-c", "-c ."],
    );
    for _ in 0..=random.below(2) {
        words.push(
            random
                .pick(&[
                    "status",
                    "nosuch",
                    "stop",
                    "abort",
                    "flush",
                    "reload",
                    "drain",
                    "",
                    "logrotate",
                    "quick-stop",
                    "STATUS",
                    "status x",
                ])
                .as_bytes()
                .to_vec(),
        );
    }
    case.script = [
        command(&words),
        b"; echo ".to_vec(),
        quoted("= ").to_vec(),
        b"$?".to_vec(),
    ]
    .concat();
    case
}
