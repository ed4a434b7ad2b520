//! How far long work has come is told to a terminal, and to nobody else; and it can be interrupted.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use compliance::testkit::Instance;

/// What a line of shell says to a terminal.
fn on_a_terminal(instance: &Instance, line: &str) -> String {
    let line = format!(
        "PATH={}:/usr/bin:/bin; {line}",
        instance.target().command_directory().display()
    );
    let output = instance.run("/usr/bin/script", &["-qec", &line, "/dev/null"]);
    assert_eq!(output.status, 0, "{line}: {output:?}");
    output.stdout
}

#[test]
fn big_tables_and_queues() {
    let instance = Instance::builder().build();
    if instance.target().is_peer() {
        return;
    }
    let table = instance.path("etc/keys");
    let table = table.to_str().unwrap();
    let mut text = String::new();
    for n in 0..600_000 {
        let _ = writeln!(text, "key{n} value");
    }
    instance.write("etc/keys", "key0 old\n");
    let made = on_a_terminal(&instance, &format!("postmap lmdb:{table}"));
    assert_eq!(made, "", "a small table is no long work");
    instance.write("etc/keys", text);

    // However far it has come, readers find a whole table.
    let began = instance.run(
        "/usr/bin/timeout",
        &[
            "-s",
            "INT",
            "0.2",
            instance
                .target()
                .command_directory()
                .join("postmap")
                .to_str()
                .unwrap(),
            &format!("lmdb:{table}"),
        ],
    );
    assert_eq!(began.status, 124, "{began:?}");
    let asked = instance.run("postmap", &["-q", "key0", &format!("lmdb:{table}")]);
    assert_eq!(asked.stdout, "old\n", "{asked:?}");

    let told = on_a_terminal(&instance, &format!("postmap lmdb:{table}"));
    assert!(
        told.contains(" entries\x1b[K\r") && told.ends_with("\r\x1b[K"),
        "{told:?}"
    );
    let silent = instance.run("postmap", &[&format!("lmdb:{table}")]);
    assert_eq!(
        (silent.status, silent.stdout + &silent.stderr),
        (0, String::new())
    );
    let asked = instance.run("postmap", &["-q", "key599999", &format!("lmdb:{table}")]);
    assert_eq!(asked.stdout, "value\n", "{asked:?}");
}

/// So many messages that are held, each named by its inode.
fn hold(instance: &Instance, count: usize) {
    let owner = fs::metadata(instance.path("spool/hold")).unwrap().uid();
    for number in 0..count {
        let new = instance.path(&format!("spool/hold/new{number}"));
        let size = format!(
            "{:>15} {:>15} {:>15} {:>15} {:>15} {:>15}",
            2, 134, 1, 0, 2, 0
        );
        let mut text = format!("C{}{size}", char::from(u8::try_from(size.len()).unwrap()));
        text += "T\x0a1700000000S\x03a@bR\x03c@dM\0N\0X\0E\0";
        fs::write(&new, text).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&new, Some(owner), None).unwrap();
        let inode = fs::metadata(&new).unwrap().ino();
        fs::rename(&new, instance.path(&format!("spool/hold/00000{inode:X}"))).unwrap();
    }
}

fn held(instance: &Instance) -> usize {
    fs::read_dir(instance.path("spool/hold")).unwrap().count()
}

#[test]
fn many_messages() {
    const COUNT: usize = 30_000;
    let instance = Instance::builder().build();
    if instance.target().is_peer() {
        return;
    }
    assert_eq!(instance.run("postfix", &["check"]).status, 0);
    hold(&instance, COUNT);
    for (work, unit) in [
        ("-s hold", "files"),
        ("-e ALL hold", "files"),
        ("--sender '<>' -d ALL hold", "messages"),
    ] {
        // What takes no time is not told: it is held up in the middle.
        let line = format!(
            "postsuper {work} 2>&1 & p=$!; sleep 0.05; kill -STOP $p; sleep 0.7; kill -CONT $p; wait $p"
        );
        let told = on_a_terminal(&instance, &line);
        let line = format!(" {unit}\x1b[K\r");
        assert!(told.contains(&line), "{work}: {told:?}");
        assert_eq!(held(&instance), COUNT, "{work}");
    }
    // It can be stopped, and what is left is done the next time.
    let postsuper = instance.target().command_directory().join("postsuper");
    let begun = [
        "-s",
        "INT",
        "0.1",
        postsuper.to_str().unwrap(),
        "-d",
        "ALL",
        "hold",
    ];
    let begun = instance.run("/usr/bin/timeout", &begun);
    assert_eq!(begun.status, 124, "{begun:?}");
    let left = held(&instance);
    assert!((1..COUNT).contains(&left), "{left} left");
    let rest = instance.run("postsuper", &["-d", "ALL", "hold"]);
    assert_eq!((rest.status, held(&instance)), (0, 0), "{rest:?}");
    assert!(
        rest.stderr
            .ends_with(&format!("Deleted: {left} messages\n")),
        "{rest:?}"
    );
}
