//! `postconf`: files with odd syntax, all modes, edits.

use super::case::{Case, command, quoted};
use super::files::{NAMES, OPTIONS, SERVICES, main_cf, master_cf, name, value};
use crate::random::Random;

fn service(random: &mut Random) -> String {
    let name = random.pick(&[
        "smtp",
        "pickup",
        "foo",
        "127.0.0.1:10025",
        "nosuch",
        "*",
        "maildrop",
        "",
        "submission",
        "relay",
        "SMTP",
        "a/b",
        "a b",
        "[::1]:25",
    ]);
    match random.below(6) {
        0 => name.to_owned(),
        1 => format!(
            "{name}/{}",
            random.pick(&["", "*", "nosuch", "inet/x", "unix/*/y/z", "inet/"])
        ),
        _ => format!(
            "{name}/{}",
            random.pick(&["inet", "unix", "unix", "inet", "pass", "*"])
        ),
    }
}

fn field(random: &mut Random) -> String {
    let field = random.pick(&[
        "service",
        "type",
        "private",
        "unprivileged",
        "chroot",
        "wakeup",
        "process_limit",
        "command",
        "*",
        "nosuch",
        "",
        "Private",
    ]);
    format!("{}/{field}", service(random))
}

fn parameter(random: &mut Random) -> String {
    format!(
        "{}/{}",
        service(random),
        random.pick(&[
            "smtpd_x",
            "x",
            "a",
            "*",
            "smtpd_sasl_auth_enable",
            "syslog_name",
            "",
            "na me",
            "mynetworks"
        ])
    )
}

fn operands(random: &mut Random, one: impl Fn(&mut Random) -> Vec<u8>) -> Vec<Vec<u8>> {
    (0..random.below(3) + usize::from(!random.once_in(8)))
        .map(|_| one(random))
        .collect()
}

fn assigned(random: &mut Random, name: &str) -> Vec<u8> {
    if random.once_in(14) {
        return name.as_bytes().to_vec();
    }
    let sign = random.pick(&["=", "=", "=", " = ", "= ", " =", "=="]);
    [name.as_bytes(), sign.as_bytes(), &value(random)].concat()
}

fn service_line(random: &mut Random) -> Vec<u8> {
    let mut text = random.pick(SERVICES).as_bytes().to_vec();
    if random.once_in(3) {
        text.extend(random.pick(OPTIONS).bytes());
    }
    text
}

fn words(random: &mut Random) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = vec![b"postconf".to_vec()];
    let extra = |random: &mut Random, of: &str| -> Vec<Vec<u8>> {
        let of = of.as_bytes();
        let mut found = Vec::new();
        while random.once_in(2) && found.len() < 3 {
            found.push(vec![b'-', of[random.below(of.len())]]);
        }
        found
    };
    if random.once_in(5) {
        words.push(b"-o".to_vec());
        let name = name(random);
        words.push(assigned(random, &name));
    }
    match random.below(24) {
        0..5 => {
            words.extend(extra(random, "dnfhHpxqjoC"));
            if random.once_in(4) {
                words.extend([
                    b"-C".to_vec(),
                    random
                        .pick(&[
                            "builtin",
                            "service",
                            "user",
                            "all",
                            "user,service",
                            "nosuch",
                            "",
                        ])
                        .as_bytes()
                        .to_vec(),
                ]);
            }
            words.extend(operands(random, |random| name(random).into_bytes()));
        }
        5..7 => words.extend(extra(random, "nHxqj")),
        7 => {
            words.push(b"-n".to_vec());
            words.extend(extra(random, "fhHxqj"));
        }
        8 => {
            words.extend(extra(random, "hH"));
            words.extend(operands(random, |random| {
                random.pick(NAMES).as_bytes().to_vec()
            }));
        }
        9..12 => {
            words.extend(extra(random, "epv"));
            words.retain(|word| word != b"-v");
            words.extend(operands(random, |random| {
                let name = name(random);
                assigned(random, &name)
            }));
        }
        12 => {
            words.push(random.pick(&["-X", "-#", "-Xp", "-#p"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                if random.once_in(8) {
                    b"x = y".to_vec()
                } else {
                    name(random).into_bytes()
                }
            }));
        }
        13..15 => {
            words.push(b"-M".to_vec());
            words.extend(extra(random, "fxoqjH"));
            if random.once_in(2) {
                words.extend(operands(random, |random| service(random).into_bytes()));
            }
        }
        15 => {
            words.push(b"-F".to_vec());
            words.extend(extra(random, "fxhHqj"));
            if random.once_in(2) {
                words.extend(operands(random, |random| field(random).into_bytes()));
            }
        }
        16 => {
            words.push(b"-P".to_vec());
            words.extend(extra(random, "fxhHqj"));
            if random.once_in(2) {
                words.extend(operands(random, |random| parameter(random).into_bytes()));
            }
        }
        17 => {
            words.push(random.pick(&["-Me", "-M", "-eM"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                let name = service(random);
                [name.as_bytes(), b"=", &service_line(random)].concat()
            }));
        }
        18 => {
            words.push(random.pick(&["-Fe", "-F"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                let name = field(random);
                let value = random.pick(&[
                    "n",
                    "y",
                    "-",
                    "",
                    "60?",
                    "smtpd -o x=y",
                    "a b",
                    "inet",
                    "nosuch",
                    "10",
                ]);
                format!("{name}={value}").into_bytes()
            }));
        }
        19 => {
            words.push(random.pick(&["-Pe", "-P"]).as_bytes().to_vec());
            words.extend(operands(random, |random| {
                let name = parameter(random);
                assigned(random, &name)
            }));
        }
        20 => {
            words.push(random.pick(&["-MX", "-M#", "-XM"]).as_bytes().to_vec());
            words.extend(operands(random, |random| service(random).into_bytes()));
        }
        21 => {
            words.push(
                random
                    .pick(&["-PX", "-P#", "-FX", "-F#"])
                    .as_bytes()
                    .to_vec(),
            );
            words.extend(operands(random, |random| parameter(random).into_bytes()));
        }
        22 => {
            words.push(
                random
                    .pick(&[
                        "-l", "-lx", "-dM", "-nd", "-eX", "-e#", "-MF", "-MP", "-FP", "-Z", "-c",
                        "-C", "-o", "-j", "--", "-h-H", "-dn", "-de", "-dX", "-nM", "-lM", "-ml",
                    ])
                    .as_bytes()
                    .to_vec(),
            );
            words.extend(operands(random, |random| {
                random
                    .pick(&["../etc/main.cf", "x=y", "smtp/inet", "nosuch", "tpl"])
                    .as_bytes()
                    .to_vec()
            }));
        }
        _ => {
            for _ in 0..=random.below(3) {
                // Templates of notifications are each system's own.
                let letters = b"defFhHjlMnopPqxX#";
                words.push(vec![b'-', letters[random.below(letters.len())]]);
            }
            words.extend(operands(random, |random| name(random).into_bytes()));
        }
    }
    let bare = words.last().is_some_and(|word| word.starts_with(b"-"));
    if bare && words.iter().any(|word| word == b"-h") {
        // All values without their names cannot be told apart.
        words.push(random.pick(NAMES).as_bytes().to_vec());
    }
    if random.once_in(25) {
        words.splice(
            1..1,
            [
                b"-c".to_vec(),
                random
                    .pick(&["../etc", "/nonexistent", "."])
                    .as_bytes()
                    .to_vec(),
            ],
        );
    }
    words
}

/// `postconf`.
pub fn postconf(random: &mut Random) -> Case {
    let mut case = Case {
        whole: true,
        main_cf: Some(main_cf(random)),
        master_cf: Some(master_cf(random)),
        ..Case::default()
    };
    if random.once_in(10) {
        case.file("w/tpl", random.pick(&[
            &b"failure_template = <<E\nCharset: utf-8\nSubject: x $myhostname\n\nbody $mail_owner ${delay_warning_time_hours}\nE\n"[..],
            b"nosuch_template = <<E\nSubject: x\n\nE\n", b"failure_template = <<E\nX: y\n\nbody\n", b"delay_template = x\n", b"success_template=<<E\n\nbody\nE\n",
            b"failure_template = <<E\nFrom: a\nSubject: $\n\n$$ ${x} $nosuch\nE\nverify_template = <<F\nSubject: v\n\nv\nF\n", b"",
        ]));
        let main = case.main_cf.get_or_insert_default();
        main.extend(b"\nbounce_template_file = @TOP@/w/tpl\n");
    }
    let mut script = b"old() { touch -c -d yesterday ../etc/main.cf ../etc/master.cf; }\n".to_vec();
    for _ in 0..=random.below(2) {
        script.extend(b"old; ");
        script.extend(command(&words(random)));
        script.extend(b"; echo \"status $?\"\n");
    }
    if random.once_in(3) {
        script.extend(b"old; postconf ");
        script.extend(quoted(
            random.pick(&["-n", "-M", "-Mf", "-P", "-xn", "-nH", "-Px"]),
        ));
        script.push(b'\n');
    }
    let edits = [&b"="[..], b"-X", b"-#", b"'-e'"];
    case.once = edits
        .iter()
        .any(|edit| script.windows(edit.len()).any(|part| part == *edit));
    case.script = script;
    case
}
