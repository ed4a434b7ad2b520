//! How far long work has come is told to a terminal, and to nobody else; and it can be interrupted.

use std::fmt::Write as _;

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
