//! How the service tells tables from aliases.

use compliance::golden::check;
use compliance::testkit::Instance;

use super::{PLACE, SERVICE, furnish, index, told};

/// Sources that look like tables, like aliases, or like neither; which command is taken for each.
#[test]
fn commands_for_sources() {
    let instance = Instance::builder()
        .main_cf("non_bdb_migration_level = enable-reindex")
        .master_cf(SERVICE)
        .build();
    let nine = "x y\n".repeat(9);
    let aliases = "a: b\n".repeat(20);
    let sources = [
        "".to_owned(),
        "# only: comments\n".into(),
        "a b\n".into(),
        "a: b\n".into(),
        "a:b\n".into(),
        "a :b\n".into(),
        "a : b\n".into(),
        "a : b\nc: d\n".into(),
        "a:\n".into(),
        ":b\n".into(),
        "a\n b\n".into(),
        "a:\n b,\n c\n".into(),
        "a, b: c\n".into(),
        "a, b:c\n".into(),
        "a b: c\n".into(),
        "\"a:b\": c\n".into(),
        "\"a b\": c\n".into(),
        "\"a b: c\n".into(),
        "a\\ b: c\n".into(),
        "(a:b) c: d\n".into(),
        "(a: b\n".into(),
        "[::1] x\n".into(),
        "[::1]: x\n".into(),
        "2001:db8::1 x\n".into(),
        "example.com smtp:host\n".into(),
        "example.com smtp:[::1]:25\n.example.com :\n".into(),
        "a@b: c\nd%e: f\n".into(),
        "a: b\nc d\n".into(),
        "a: b\nc d\ne: f\n".into(),
        "a: b\n# c d\n\n  \nc d\nd e\n".into(),
        "a;b: c\n".into(),
        "<a>: c\n".into(),
        "a: \"\"\n".into(),
        "\"\": a\n".into(),
        "a: (nothing)\n".into(),
        "(nothing): a\n".into(),
        "\t a: b\nc: d\n".into(),
        "\u{e4}: b\n".into(),
        "a: b".into(),
        format!("{nine}x y\n{aliases}"),
        format!("{nine}a b:c\n{aliases}"),
        format!("{nine}a b:c\n{}", "a b\n".repeat(20)),
        format!("{aliases}{}", "x y\n".repeat(40)),
    ];
    furnish(&instance, "mkdir directory; : >directory.db");
    for (at, source) in sources.iter().enumerate() {
        instance.write("etc/source", source);
        let copy = format!(
            "cp {} {PLACE}/{at}; : >{PLACE}/{at}.db",
            instance.path("etc/source").display()
        );
        instance.run("/bin/sh", &["-c", &copy]);
    }
    instance.start();
    for at in 0..sources.len() {
        index(&instance, "hash", &format!("{PLACE}/{at}"));
    }
    index(&instance, "hash", &format!("{PLACE}/directory"));
    let told = told(&instance);
    let mut text = String::new();
    for (at, source) in sources.iter().enumerate() {
        let alias = told.contains(&format!("'postalias lmdb:{PLACE}/{at}'"));
        let map = told.contains(&format!("'postmap lmdb:{PLACE}/{at}'"));
        text += &format!(
            "{source:?} {} {}\n",
            ["", "postalias"][usize::from(alias)],
            ["", "postmap"][usize::from(map)]
        );
    }
    text += &told
        .lines()
        // The original does not name the source of such a line.
        .filter(|line| !line.contains("logical line"))
        .filter(|line| !line.contains("executed") || line.contains("directory"))
        .collect::<Vec<_>>()
        .join("\n");
    text += "\n";
    check(&instance, "non_bdb/languages", &text);
}
